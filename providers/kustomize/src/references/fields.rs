//! The fields that name other objects, by the kind of the object that holds them.
//!
//! # Source
//! The API reference of each kind, <https://kubernetes.io/docs/reference/kubernetes-api/>; which of its fields count is
//! Kustomize's choice.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::resource::Gvk;

/// A field that names an object of a kind.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// The kind it names; group and version only where they matter.
    pub target: Gvk,
    /// The group and version of the object that holds the field; empty means any.
    pub group: &'static str,
    pub version: &'static str,
    pub path: Vec<&'static str>,
}

/// The references by the kind of the object that holds them, in the order in which they are followed.
pub(super) static REFERENCES: LazyLock<HashMap<&'static str, Vec<Reference>>> = LazyLock::new(references);

/// Where each workload kind keeps its pods.
const POD_SPECS: [(&str, &[&str]); 8] = [
    ("Pod", &["spec"]),
    ("PodTemplate", &["template", "spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// Where the workloads whose accounts, claims and priorities are followed keep their pods.
const OTHER_POD_SPECS: [(&str, &[&str]); 7] = [
    ("Pod", &["spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

const CONFIG_MAP_IN_POD: [&[&str]; 6] = [
    &["volumes", "configMap", "name"],
    &["containers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["initContainers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["containers", "envFrom", "configMapRef", "name"],
    &["initContainers", "envFrom", "configMapRef", "name"],
    &["volumes", "projected", "sources", "configMap", "name"],
];

const SECRET_IN_POD: [&[&str]; 7] = [
    &["volumes", "secret", "secretName"],
    &["containers", "env", "valueFrom", "secretKeyRef", "name"],
    &["initContainers", "env", "valueFrom", "secretKeyRef", "name"],
    &["containers", "envFrom", "secretRef", "name"],
    &["initContainers", "envFrom", "secretRef", "name"],
    &["imagePullSecrets", "name"],
    &["volumes", "projected", "sources", "secret", "name"],
];

const RBAC: &str = "rbac.authorization.k8s.io";

/// The other references: target group, version and kind; holder group and kind; path.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// Rows stand in the order of their targets: what others build on comes first, as in the legacy order of objects.
const BEFORE_PODS: &[Row] = &[
    ("storage.k8s.io", "v1", "StorageClass", "", "PersistentVolume", &["spec", "storageClassName"]),
    ("storage.k8s.io", "v1", "StorageClass", "", "PersistentVolumeClaim", &["spec", "storageClassName"]),
    (
        "storage.k8s.io",
        "v1",
        "StorageClass",
        "",
        "StatefulSet",
        &["spec", "volumeClaimTemplates", "spec", "storageClassName"],
    ),
    ("", "v1", "ServiceAccount", RBAC, "RoleBinding", &["subjects"]),
    ("", "v1", "ServiceAccount", RBAC, "ClusterRoleBinding", &["subjects"]),
    (RBAC, "", "Role", RBAC, "RoleBinding", &["roleRef", "name"]),
    (RBAC, "", "ClusterRole", RBAC, "RoleBinding", &["roleRef", "name"]),
    (RBAC, "", "ClusterRole", RBAC, "ClusterRoleBinding", &["roleRef", "name"]),
    ("", "v1", "ConfigMap", "", "Node", &["spec", "configSource", "configMap"]),
    ("", "v1", "ConfigMap", "", "Role", &["rules", "resourceNames"]),
    ("", "v1", "ConfigMap", "", "ClusterRole", &["rules", "resourceNames"]),
    (
        "",
        "v1",
        "ConfigMap",
        "",
        "Ingress",
        &["metadata", "annotations", "nginx.ingress.kubernetes.io/fastcgi-params-configmap"],
    ),
    ("", "v1", "Secret", "", "Ingress", &["spec", "tls", "secretName"]),
    ("", "v1", "Secret", "", "Ingress", &["metadata", "annotations", "ingress.kubernetes.io/auth-secret"]),
    (
        "",
        "v1",
        "Secret",
        "",
        "Ingress",
        &["metadata", "annotations", "nginx.ingress.kubernetes.io/auth-secret"],
    ),
    (
        "",
        "v1",
        "Secret",
        "",
        "Ingress",
        &["metadata", "annotations", "nginx.ingress.kubernetes.io/auth-tls-secret"],
    ),
    ("", "v1", "Secret", "", "ServiceAccount", &["imagePullSecrets", "name"]),
    ("", "v1", "Secret", "", "StorageClass", &["parameters", "secretName"]),
    ("", "v1", "Secret", "", "StorageClass", &["parameters", "adminSecretName"]),
    ("", "v1", "Secret", "", "StorageClass", &["parameters", "userSecretName"]),
    ("", "v1", "Secret", "", "StorageClass", &["parameters", "secretRef"]),
    ("", "v1", "Secret", "", "Role", &["rules", "resourceNames"]),
    ("", "v1", "Secret", "", "ClusterRole", &["rules", "resourceNames"]),
    ("", "v1", "Secret", "", "PersistentVolume", &["spec", "azureFile", "secretName"]),
    ("", "v1", "Service", "apps", "StatefulSet", &["spec", "serviceName"]),
    ("", "v1", "Service", "", "Ingress", &["spec", "rules", "http", "paths", "backend", "serviceName"]),
    ("", "v1", "Service", "", "Ingress", &["spec", "backend", "serviceName"]),
    ("", "v1", "Service", "", "Ingress", &["spec", "rules", "http", "paths", "backend", "service", "name"]),
    ("", "v1", "Service", "", "Ingress", &["spec", "defaultBackend", "service", "name"]),
    ("", "v1", "Service", "apiregistration.k8s.io", "APIService", &["spec", "service", "name"]),
    (
        "",
        "v1",
        "Service",
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        &["webhooks", "clientConfig", "service"],
    ),
    (
        "",
        "v1",
        "Service",
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        &["webhooks", "clientConfig", "service"],
    ),
    ("", "v1", "PersistentVolume", "", "PersistentVolumeClaim", &["spec", "volumeName"]),
    ("", "v1", "PersistentVolume", "", "ClusterRole", &["rules", "resourceNames"]),
    ("", "", "Deployment", "", "HorizontalPodAutoscaler", &["spec", "scaleTargetRef", "name"]),
    ("", "", "StatefulSet", "", "HorizontalPodAutoscaler", &["spec", "scaleTargetRef", "name"]),
    (
        "admissionregistration.k8s.io",
        "",
        "ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        &["spec", "policyName"],
    ),
    ("", "", "ReplicaSet", "", "HorizontalPodAutoscaler", &["spec", "scaleTargetRef", "name"]),
    ("", "", "ReplicationController", "", "HorizontalPodAutoscaler", &["spec", "scaleTargetRef", "name"]),
];

fn references() -> HashMap<&'static str, Vec<Reference>> {
    let mut by_kind: HashMap<&'static str, Vec<Reference>> = HashMap::new();
    let mut put =
        |holder: &'static str, reference: Reference| by_kind.entry(holder).or_default().push(reference);
    let core = |kind: &'static str| Gvk::new("v1", kind.into());
    for (kind, spec) in POD_SPECS {
        let version = if kind == "Pod" { "v1" } else { "" };
        let config_maps = CONFIG_MAP_IN_POD.iter().map(|path| ("ConfigMap", path));
        let secrets = SECRET_IN_POD.iter().map(|path| ("Secret", path));
        for (target, path) in config_maps.chain(secrets) {
            put(kind, Reference { target: core(target), group: "", version, path: [spec, *path].concat() });
        }
    }
    put(
        "Service",
        Reference {
            target: core("Secret"),
            group: "serving.knative.dev",
            version: "v1",
            path: vec!["spec", "template", "spec", "containers", "env", "valueFrom", "secretKeyRef", "name"],
        },
    );
    let priority = Gvk::new("scheduling.k8s.io/v1", "PriorityClass".into());
    let in_pods: [(Gvk, &[&str]); 3] = [
        (core("ServiceAccount"), &["serviceAccountName"]),
        (core("PersistentVolumeClaim"), &["volumes", "persistentVolumeClaim", "claimName"]),
        (priority, &["priorityClassName"]),
    ];
    for (target, path) in in_pods {
        for (kind, spec) in OTHER_POD_SPECS {
            put(
                kind,
                Reference { target: target.clone(), group: "", version: "", path: [spec, path].concat() },
            );
        }
    }
    for (group, version, kind, holder_group, holder, path) in BEFORE_PODS {
        put(
            holder,
            Reference {
                target: Gvk { group: (*group).into(), version: (*version).into(), kind: (*kind).into() },
                group: holder_group,
                version: "",
                path: path.to_vec(),
            },
        );
    }
    by_kind
}
