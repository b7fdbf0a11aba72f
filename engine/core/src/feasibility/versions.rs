//! API versions that newer versions of Kubernetes do not serve.

use super::{REMOVED_VERSION, about};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::manifest::Manifest;
use crate::resource::Resource;

/// An API version that is gone: of all kinds of a group, or of some.
struct Removal {
    group: &'static str,
    version: &'static str,
    /// All kinds if empty.
    kinds: &'static [&'static str],
    /// The first minor version of Kubernetes 1 without it.
    since: u8,
    /// What to write in its place; empty if there is nothing.
    instead: &'static str,
}

const fn removal(
    (group, version): (&'static str, &'static str),
    kinds: &'static [&'static str],
    since: u8,
    instead: &'static str,
) -> Removal {
    Removal { group, version, kinds, since, instead }
}

const WEBHOOKS: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// # Source
/// Kubernetes, Deprecated API Migration Guide.
const REMOVALS: [Removal; 28] = [
    removal(("extensions", "v1beta1"), &["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"),
    removal(("extensions", "v1beta1"), &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    removal(("extensions", "v1beta1"), &["PodSecurityPolicy"], 16, ""),
    removal(("extensions", "v1beta1"), &["Ingress"], 22, "networking.k8s.io/v1"),
    removal(("apps", "v1beta1"), &[], 16, "apps/v1"),
    removal(("apps", "v1beta2"), &[], 16, "apps/v1"),
    removal(("admissionregistration.k8s.io", "v1beta1"), WEBHOOKS, 22, "admissionregistration.k8s.io/v1"),
    removal(("apiextensions.k8s.io", "v1beta1"), &[], 22, "apiextensions.k8s.io/v1"),
    removal(("apiregistration.k8s.io", "v1beta1"), &[], 22, "apiregistration.k8s.io/v1"),
    removal(("certificates.k8s.io", "v1beta1"), &["CertificateSigningRequest"], 22, "certificates.k8s.io/v1"),
    removal(("coordination.k8s.io", "v1beta1"), &["Lease"], 22, "coordination.k8s.io/v1"),
    removal(("networking.k8s.io", "v1beta1"), &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    removal(("rbac.authorization.k8s.io", "v1beta1"), &[], 22, "rbac.authorization.k8s.io/v1"),
    removal(("scheduling.k8s.io", "v1beta1"), &["PriorityClass"], 22, "scheduling.k8s.io/v1"),
    removal(("storage.k8s.io", "v1beta1"), &["CSIDriver", "CSINode"], 22, "storage.k8s.io/v1"),
    removal(("storage.k8s.io", "v1beta1"), &["StorageClass", "VolumeAttachment"], 22, "storage.k8s.io/v1"),
    removal(("batch", "v1beta1"), &[], 25, "batch/v1"),
    removal(("discovery.k8s.io", "v1beta1"), &[], 25, "discovery.k8s.io/v1"),
    removal(("events.k8s.io", "v1beta1"), &[], 25, "events.k8s.io/v1"),
    removal(("autoscaling", "v2beta1"), &[], 25, "autoscaling/v2"),
    removal(("policy", "v1beta1"), &["PodDisruptionBudget"], 25, "policy/v1"),
    removal(("policy", "v1beta1"), &["PodSecurityPolicy"], 25, ""),
    removal(("node.k8s.io", "v1beta1"), &[], 25, "node.k8s.io/v1"),
    removal(("autoscaling", "v2beta2"), &[], 26, "autoscaling/v2"),
    removal(("flowcontrol.apiserver.k8s.io", "v1beta1"), &[], 26, "flowcontrol.apiserver.k8s.io/v1"),
    removal(("storage.k8s.io", "v1beta1"), &["CSIStorageCapacity"], 27, "storage.k8s.io/v1"),
    removal(("flowcontrol.apiserver.k8s.io", "v1beta2"), &[], 29, "flowcontrol.apiserver.k8s.io/v1"),
    removal(("flowcontrol.apiserver.k8s.io", "v1beta3"), &[], 32, "flowcontrol.apiserver.k8s.io/v1"),
];

/// Finds manifests in versions that are gone.
pub(super) fn check(resources: &[Resource], found: &mut Diagnostics) {
    let declared = resources.iter().filter_map(|it| Some((it, it.manifest()?)));
    found.extend(
        declared.filter_map(|(resource, manifest)| Some(finding(resource, manifest, removed(manifest)?))),
    );
}

fn removed(manifest: &Manifest) -> Option<&'static Removal> {
    let (api_version, kind) = (manifest.api_version(), manifest.object_ref().kind.kind.as_str());
    REMOVALS.iter().find(|it| {
        api_version.group == it.group
            && api_version.version == it.version
            && (it.kinds.is_empty() || it.kinds.contains(&kind))
    })
}

fn finding(resource: &Resource, manifest: &Manifest, removal: &Removal) -> Diagnostic {
    let (object_ref, version, since) = (manifest.object_ref(), manifest.api_version(), removal.since);
    let summary =
        format!("{object_ref} is written in {version}, which Kubernetes 1.{since} and later do not serve");
    let hint = match removal.instead {
        "" => "nothing takes its place; remove it".to_owned(),
        instead => format!("write it in {instead}; some fields are different there"),
    };
    about(resource, Diagnostic::warning(REMOVED_VERSION, summary).hint(hint))
}

#[cfg(test)]
mod tests;
