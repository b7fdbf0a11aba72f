//! Edges that follow from the objects themselves.

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};

use super::{EdgeReason, Node};
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::resource::Resource;
use crate::value::{Text, Value};

/// Adds the edges that objects imply. Cost: one look-up per reference found in an object.
pub(super) fn add_edges(
    graph: &mut DiGraph<Node, EdgeReason>,
    resources: &[Resource],
    nodes: &[NodeIndex],
    by_ref: &HashMap<ObjectRef, usize>,
) {
    let crds = crds_by_kind(resources);
    let limits = limits_by_namespace(resources);
    for (idx, resource) in resources.iter().enumerate() {
        let mut edge = |dependency: usize, reason: &'static str| {
            if dependency != idx {
                graph.add_edge(nodes[dependency], nodes[idx], EdgeReason::Inferred(reason));
            }
        };
        let object_ref = resource.object_ref();
        if let Some(crd) = crds.get(&(object_ref.cluster.clone(), object_ref.kind.clone())) {
            edge(*crd, "its kind is defined by this CustomResourceDefinition");
        }
        if let Some(found) = object_ref.enclosing_namespace().and_then(|namespace| by_ref.get(&namespace)) {
            edge(*found, ENCLOSED);
        }
        let Some(manifest) = resource.manifest() else {
            continue;
        };
        if let Some(namespace) = object_ref.namespace.as_ref().filter(|_| !is_limit(&object_ref.kind)) {
            for limit in limits.get(&(&object_ref.cluster, namespace)).into_iter().flatten() {
                edge(*limit, LIMITED);
            }
        }
        let mut references = References { of: object_ref, found: Vec::new() };
        references.collect(manifest.body());
        for (target, reason) in references.found {
            if let Some(found) = by_ref.get(&target) {
                edge(*found, reason);
            }
        }
    }
}

/// Why an object comes after its Namespace.
pub(super) const ENCLOSED: &str = "it lies in this Namespace";

/// Why an object comes after the quotas and limit ranges of its namespace.
pub(super) const LIMITED: &str = "it counts against this quota, or has these defaults";

fn crds_by_kind(resources: &[Resource]) -> HashMap<(ClusterRef, GroupKind), usize> {
    let defined = resources.iter().enumerate().filter_map(|(idx, resource)| {
        let kind = resource.manifest()?.defined_kind()?;
        Some(((resource.object_ref().cluster.clone(), kind), idx))
    });
    defined.collect()
}

/// Tells whether the API server judges or fills in new objects of a namespace by objects of this kind
/// (<https://kubernetes.io/docs/concepts/policy/>): quotas that come late count for nothing, defaults that come late
/// are missing.
fn is_limit(kind: &GroupKind) -> bool {
    kind.group.is_empty() && matches!(kind.kind.as_str(), "ResourceQuota" | "LimitRange")
}

fn limits_by_namespace(resources: &[Resource]) -> HashMap<(&ClusterRef, &Text), Vec<usize>> {
    let mut found: HashMap<_, Vec<usize>> = HashMap::new();
    for (idx, resource) in resources.iter().enumerate().filter(|(_, it)| it.manifest().is_some()) {
        let object_ref = resource.object_ref();
        if let Some(namespace) = object_ref.namespace.as_ref().filter(|_| is_limit(&object_ref.kind)) {
            found.entry((&object_ref.cluster, namespace)).or_default().push(idx);
        }
    }
    found
}

fn target(of: &ObjectRef, kind: GroupKind, namespace: Option<Text>, name: Text) -> ObjectRef {
    ObjectRef { cluster: of.cluster.clone(), kind, namespace, name }
}

/// The objects that one object refers to.
struct References<'a> {
    of: &'a ObjectRef,
    found: Vec<(ObjectRef, &'static str)>,
}

impl References<'_> {
    fn add(
        &mut self,
        group: &str,
        kind: &str,
        namespace: Option<&Text>,
        name: Option<&str>,
        reason: &'static str,
    ) {
        if let Some(name) = name {
            let kind = GroupKind::new(group, kind);
            self.found.push((target(self.of, kind, namespace.cloned(), name.into()), reason));
        }
    }

    fn local(&mut self, kind: &str, name: Option<&str>, reason: &'static str) {
        let namespace = self.of.namespace.clone();
        self.add("", kind, namespace.as_ref(), name, reason);
    }

    fn collect(&mut self, body: &Value) {
        match (self.of.kind.group.as_str(), self.of.kind.kind.as_str()) {
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => self.binding(body),
            ("", "PersistentVolumeClaim") => self.storage_class(body.at(&["spec"])),
            ("admissionregistration.k8s.io", _) => self.webhooks(body),
            _ => {
                if let Some(pod) = pod_spec(body) {
                    self.pod(pod);
                }
                let claims =
                    body.at(&["spec", "volumeClaimTemplates"]).and_then(Value::as_list).unwrap_or_default();
                claims.iter().for_each(|claim| self.storage_class(claim.at(&["spec"])));
            }
        }
    }

    fn binding(&mut self, body: &Value) {
        let name = body.str_at(&["roleRef", "name"]);
        let kind = body.str_at(&["roleRef", "kind"]).unwrap_or_default();
        let namespace = if kind == "Role" { self.of.namespace.clone() } else { None };
        self.add("rbac.authorization.k8s.io", kind, namespace.as_ref(), name, "it binds this role");
        for subject in list(body, &["subjects"]) {
            if subject.str_at(&["kind"]) == Some("ServiceAccount") {
                let namespace = subject.str_at(&["namespace"]).map(Text::from);
                self.add(
                    "",
                    "ServiceAccount",
                    namespace.as_ref(),
                    subject.str_at(&["name"]),
                    "it binds this account",
                );
            }
        }
    }

    fn storage_class(&mut self, claim: Option<&Value>) {
        let name = claim.and_then(|claim| claim.str_at(&["storageClassName"]));
        self.add("storage.k8s.io", "StorageClass", None, name, "it asks for this StorageClass");
    }

    fn webhooks(&mut self, body: &Value) {
        for webhook in list(body, &["webhooks"]) {
            let namespace = webhook.str_at(&["clientConfig", "service", "namespace"]).map(Text::from);
            let name = webhook.str_at(&["clientConfig", "service", "name"]);
            self.add("", "Service", namespace.as_ref(), name, "the webhook calls this Service");
        }
    }

    fn pod(&mut self, pod: &Value) {
        self.local(
            "ServiceAccount",
            pod.str_at(&["serviceAccountName"]),
            "its pods run as this ServiceAccount",
        );
        self.add(
            "scheduling.k8s.io",
            "PriorityClass",
            None,
            pod.str_at(&["priorityClassName"]),
            "its pods have this priority",
        );
        for secret in list(pod, &["imagePullSecrets"]) {
            self.local("Secret", secret.str_at(&["name"]), "its pods pull images with this Secret");
        }
        for volume in list(pod, &["volumes"]) {
            self.volume(volume);
            list(volume, &["projected", "sources"]).iter().for_each(|source| self.volume(source));
        }
        for container in list(pod, &["initContainers"]).iter().chain(list(pod, &["containers"])) {
            for env in list(container, &["env"]) {
                self.local("ConfigMap", env.str_at(&["valueFrom", "configMapKeyRef", "name"]), CONFIGURED);
                self.local("Secret", env.str_at(&["valueFrom", "secretKeyRef", "name"]), CONFIGURED);
            }
            for source in list(container, &["envFrom"]) {
                self.local("ConfigMap", source.str_at(&["configMapRef", "name"]), CONFIGURED);
                self.local("Secret", source.str_at(&["secretRef", "name"]), CONFIGURED);
            }
        }
    }

    fn volume(&mut self, volume: &Value) {
        self.local("ConfigMap", volume.str_at(&["configMap", "name"]), MOUNTED);
        let secret = volume.str_at(&["secret", "secretName"]).or_else(|| volume.str_at(&["secret", "name"]));
        self.local("Secret", secret, MOUNTED);
        self.local("PersistentVolumeClaim", volume.str_at(&["persistentVolumeClaim", "claimName"]), MOUNTED);
    }
}

const CONFIGURED: &str = "its pods take their environment from it";
const MOUNTED: &str = "its pods mount it";

/// Returns the pod spec of a workload.
pub(crate) fn pod_spec(body: &Value) -> Option<&Value> {
    match body.str_at(&["kind"])? {
        "Pod" => body.at(&["spec"]),
        "CronJob" => body.at(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => body.at(&["spec", "template", "spec"]).filter(|spec| spec.get("containers").is_some()),
    }
}

fn list<'a>(value: &'a Value, names: &[&str]) -> &'a [Value] {
    value.at(names).and_then(Value::as_list).unwrap_or_default()
}
