//! Which objects of files and overlays have no namespace, though they say one.

use std::collections::BTreeSet;

use engine_core::kind_info::{Scope, builtin_scope};
use engine_core::object_ref::{ApiVersion, GroupKind};
use engine_core::value::Value;

use super::primitive::Objects;

/// Takes the namespace off objects whose kind is not namespaced: built-in kinds, and those that are defined among the
/// objects. What others publish says one at times, and what sets namespaces cannot know every kind.
///
/// # Source
/// Kubernetes, Objects In Kubernetes, "Namespaces": cluster-scoped objects have none. kube-apiserver drops one that is
/// written there.
pub(super) fn drop_from_cluster_scoped(objects: &mut Objects) {
    let defined: BTreeSet<GroupKind> =
        objects.iter().filter_map(|(object, _)| defined_for_the_cluster(object)).collect();
    for (object, _) in objects {
        let is_of_the_cluster = |kind: &GroupKind| match builtin_scope(kind) {
            Some(scope) => scope == Scope::Cluster,
            None => defined.contains(kind),
        };
        if kind_of(object).is_some_and(|kind| is_of_the_cluster(&kind)) {
            object.remove_at(&["metadata", "namespace"]);
        }
    }
}

/// Returns the group and kind that an object says.
pub(super) fn kind_of(object: &Value) -> Option<GroupKind> {
    let version: ApiVersion = object.str_at(&["apiVersion"])?.parse().ok()?;
    Some(GroupKind::new(version.group, object.str_at(&["kind"])?))
}

/// Returns the kind that a `CustomResourceDefinition` defines, if its objects are not namespaced.
fn defined_for_the_cluster(object: &Value) -> Option<GroupKind> {
    let is_definition = kind_of(object)?.is("apiextensions.k8s.io", "CustomResourceDefinition");
    if !is_definition || object.str_at(&["spec", "scope"]) != Some("Cluster") {
        return None;
    }
    let group = object.str_at(&["spec", "group"])?;
    Some(GroupKind::new(group, object.str_at(&["spec", "names", "kind"])?))
}
