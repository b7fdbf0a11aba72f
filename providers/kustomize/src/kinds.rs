//! What Kustomize knows about the kinds of Kubernetes: which it knows at all, which are cluster-scoped, and which lists
//! a strategic merge patch merges by key.
//!
//! Kustomize has a schema of Kubernetes 1.21 built in and uses it whatever the cluster runs. Kinds and versions that
//! came later, like all custom resources, count as namespaced and their lists are replaced whole. The tables follow that,
//! because the result must be the one that `kubectl kustomize` gives.
//!
//! # Source
//! Patch strategies and keys: <https://v1-21.docs.kubernetes.io/docs/reference/generated/kubernetes-api/v1.21/>

/// The built-in kinds that Kustomize knows: group, kind, versions, whether cluster-scoped.
const KINDS: &[(&str, &str, &[&str], Scope)] = &[
    ("", "ComponentStatus", &["v1"], Scope::Cluster),
    ("", "ConfigMap", &["v1"], Scope::Namespaced),
    ("", "Endpoints", &["v1"], Scope::Namespaced),
    ("", "Event", &["v1"], Scope::Namespaced),
    ("", "LimitRange", &["v1"], Scope::Namespaced),
    ("", "Namespace", &["v1"], Scope::Cluster),
    ("", "Node", &["v1"], Scope::Cluster),
    ("", "NodeProxyOptions", &["v1"], Scope::Cluster),
    ("", "PersistentVolume", &["v1"], Scope::Cluster),
    ("", "PersistentVolumeClaim", &["v1"], Scope::Namespaced),
    ("", "Pod", &["v1"], Scope::Namespaced),
    ("", "PodTemplate", &["v1"], Scope::Namespaced),
    ("", "ReplicationController", &["v1"], Scope::Namespaced),
    ("", "ResourceQuota", &["v1"], Scope::Namespaced),
    ("", "Secret", &["v1"], Scope::Namespaced),
    ("", "Service", &["v1"], Scope::Namespaced),
    ("", "ServiceAccount", &["v1"], Scope::Namespaced),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", V1_AND_BETA, Scope::Cluster),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", V1_AND_BETA, Scope::Cluster),
    ("apiextensions.k8s.io", "CustomResourceDefinition", V1_AND_BETA, Scope::Cluster),
    ("apiregistration.k8s.io", "APIService", V1_AND_BETA, Scope::Cluster),
    ("apps", "ControllerRevision", &["v1"], Scope::Namespaced),
    ("apps", "DaemonSet", &["v1"], Scope::Namespaced),
    ("apps", "Deployment", &["v1"], Scope::Namespaced),
    ("apps", "ReplicaSet", &["v1"], Scope::Namespaced),
    ("apps", "StatefulSet", &["v1"], Scope::Namespaced),
    ("autoscaling", "HorizontalPodAutoscaler", &["v1", "v2beta1", "v2beta2"], Scope::Namespaced),
    ("autoscaling", "Scale", &["v1"], Scope::Namespaced),
    ("batch", "CronJob", V1_AND_BETA, Scope::Namespaced),
    ("batch", "Job", &["v1"], Scope::Namespaced),
    ("certificates.k8s.io", "CertificateSigningRequest", V1_AND_BETA, Scope::Cluster),
    ("coordination.k8s.io", "Lease", V1_AND_BETA, Scope::Namespaced),
    ("discovery.k8s.io", "EndpointSlice", V1_AND_BETA, Scope::Namespaced),
    ("events.k8s.io", "Event", V1_AND_BETA, Scope::Namespaced),
    ("extensions", "Ingress", &["v1beta1"], Scope::Namespaced),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", &["v1beta1"], Scope::Cluster),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", &["v1beta1"], Scope::Cluster),
    ("networking.k8s.io", "Ingress", V1_AND_BETA, Scope::Namespaced),
    ("networking.k8s.io", "IngressClass", V1_AND_BETA, Scope::Cluster),
    ("networking.k8s.io", "NetworkPolicy", &["v1"], Scope::Namespaced),
    ("node.k8s.io", "RuntimeClass", V1_AND_BETA, Scope::Cluster),
    ("policy", "PodDisruptionBudget", V1_AND_BETA, Scope::Namespaced),
    ("policy", "PodSecurityPolicy", &["v1beta1"], Scope::Cluster),
    ("rbac.authorization.k8s.io", "ClusterRole", V1_AND_BETA, Scope::Cluster),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", V1_AND_BETA, Scope::Cluster),
    ("rbac.authorization.k8s.io", "Role", V1_AND_BETA, Scope::Namespaced),
    ("rbac.authorization.k8s.io", "RoleBinding", V1_AND_BETA, Scope::Namespaced),
    ("scheduling.k8s.io", "PriorityClass", V1_AND_BETA, Scope::Cluster),
    ("storage.k8s.io", "CSIDriver", V1_AND_BETA, Scope::Cluster),
    ("storage.k8s.io", "CSINode", V1_AND_BETA, Scope::Cluster),
    ("storage.k8s.io", "CSIStorageCapacity", &["v1beta1"], Scope::Namespaced),
    ("storage.k8s.io", "StorageClass", V1_AND_BETA, Scope::Cluster),
    ("storage.k8s.io", "VolumeAttachment", V1_AND_BETA, Scope::Cluster),
];

const V1_AND_BETA: &[&str] = &["v1", "v1beta1"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespaced,
}

/// Tells whether a kind is known to be cluster-scoped; unknown kinds are not.
pub(crate) fn is_cluster_scoped(group: &str, version: &str, kind: &str) -> bool {
    scope(group, version, kind) == Some(Scope::Cluster)
}

fn scope(group: &str, version: &str, kind: &str) -> Option<Scope> {
    let idx = KINDS
        .binary_search_by(|(own_group, own_kind, ..)| (*own_group, *own_kind).cmp(&(group, kind)))
        .ok()?;
    let (_, _, versions, scope) = KINDS[idx];
    versions.contains(&version).then_some(scope)
}

/// A place in the schema, as far as a strategic merge needs to know where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing below is merged by key.
    Opaque,
    /// A built-in kind without lists of its own that merge.
    KnownKind,
    Pod,
    PodTemplate,
    /// Deployments, Jobs and the like: a pod template in `spec`.
    Workload,
    WorkloadSpec,
    CronJob,
    CronJobSpec,
    JobTemplateSpec,
    PodTemplateSpec,
    PodSpec,
    Container,
    EphemeralContainer,
    Volume,
    EphemeralVolume,
    VolumeClaimTemplate,
    ObjectMeta,
    Service,
    ServiceSpec,
    ServiceAccount,
    WebhookConfiguration,
    CsiNode,
    CsiNodeSpec,
    Node,
    NodeSpec,
    /// A list that merges by these keys; without keys a set of scalars.
    Merged(&'static [&'static str], Element),
}

/// What the elements of a merged list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Opaque,
    Container,
    EphemeralContainer,
    Volume,
}

impl Shape {
    /// Returns where an object of a kind begins.
    pub(crate) fn of_kind(group: &str, version: &str, kind: &str) -> Self {
        if scope(group, version, kind).is_none() {
            return Self::Opaque;
        }
        match (group, kind) {
            ("", "Pod") => Self::Pod,
            ("", "PodTemplate") => Self::PodTemplate,
            ("", "ReplicationController")
            | ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
            | ("batch", "Job") => Self::Workload,
            ("batch", "CronJob") => Self::CronJob,
            ("", "Service") => Self::Service,
            ("", "ServiceAccount") => Self::ServiceAccount,
            ("", "Node") => Self::Node,
            ("storage.k8s.io", "CSINode") => Self::CsiNode,
            ("admissionregistration.k8s.io", _) => Self::WebhookConfiguration,
            _ => Self::KnownKind,
        }
    }

    /// Returns where a field leads.
    pub(crate) fn field(self, name: &str) -> Self {
        const BY_NAME: &[&str] = &["name"];
        match (self, name) {
            (
                Self::KnownKind
                | Self::Pod
                | Self::PodTemplate
                | Self::Workload
                | Self::CronJob
                | Self::Service
                | Self::ServiceAccount
                | Self::WebhookConfiguration
                | Self::CsiNode
                | Self::Node
                | Self::PodTemplateSpec
                | Self::JobTemplateSpec
                | Self::VolumeClaimTemplate,
                "metadata",
            ) => Self::ObjectMeta,
            (Self::ObjectMeta, "ownerReferences") => Self::Merged(&["uid"], Element::Opaque),
            (Self::ObjectMeta, "finalizers") | (Self::NodeSpec, "podCIDRs") => {
                Self::Merged(&[], Element::Opaque)
            }
            (Self::Pod | Self::PodTemplateSpec, "spec") => Self::PodSpec,
            (Self::PodTemplate | Self::WorkloadSpec, "template") => Self::PodTemplateSpec,
            (Self::Workload | Self::JobTemplateSpec, "spec") => Self::WorkloadSpec,
            (Self::CronJob, "spec") => Self::CronJobSpec,
            (Self::CronJobSpec, "jobTemplate") => Self::JobTemplateSpec,
            (Self::PodSpec, "containers" | "initContainers") => Self::Merged(BY_NAME, Element::Container),
            (Self::PodSpec, "ephemeralContainers") => Self::Merged(BY_NAME, Element::EphemeralContainer),
            (Self::PodSpec, "volumes") => Self::Merged(BY_NAME, Element::Volume),
            (Self::PodSpec, "hostAliases") => Self::Merged(&["ip"], Element::Opaque),
            (Self::PodSpec, "topologySpreadConstraints") => {
                Self::Merged(&["topologyKey", "whenUnsatisfiable"], Element::Opaque)
            }
            (Self::Container | Self::EphemeralContainer, "volumeMounts") => {
                Self::Merged(&["mountPath"], Element::Opaque)
            }
            (Self::Container | Self::EphemeralContainer, "volumeDevices") => {
                Self::Merged(&["devicePath"], Element::Opaque)
            }
            (Self::Container, "ports") => Self::Merged(&["containerPort", "protocol"], Element::Opaque),
            (Self::Volume, "ephemeral") => Self::EphemeralVolume,
            (Self::EphemeralVolume, "volumeClaimTemplate") => Self::VolumeClaimTemplate,
            (Self::Service, "spec") => Self::ServiceSpec,
            (Self::ServiceSpec, "ports") => Self::Merged(&["port", "protocol"], Element::Opaque),
            (Self::PodSpec, "imagePullSecrets")
            | (Self::Container | Self::EphemeralContainer, "env")
            | (Self::ServiceAccount, "secrets")
            | (Self::WebhookConfiguration, "webhooks")
            | (Self::CsiNodeSpec, "drivers") => Self::Merged(BY_NAME, Element::Opaque),
            (Self::CsiNode, "spec") => Self::CsiNodeSpec,
            (Self::Node, "spec") => Self::NodeSpec,
            _ => Self::Opaque,
        }
    }

    /// Returns where the elements of a list lead.
    pub(crate) fn element(self) -> Self {
        match self {
            Self::Merged(_, Element::Container) => Self::Container,
            Self::Merged(_, Element::EphemeralContainer) => Self::EphemeralContainer,
            Self::Merged(_, Element::Volume) => Self::Volume,
            _ => Self::Opaque,
        }
    }
}

#[cfg(test)]
mod tests;
