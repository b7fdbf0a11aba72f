//! Objects with a namespace whose kind has none.
//!
//! A definition cannot know of kinds that are not built in; the cluster and the definitions of kinds do. An object
//! whose identity says a namespace that it cannot have would never be found again.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::kind_info::Scope;
use crate::manifest::Manifest;
use crate::object_ref::{ClusterRef, GroupKind};
use crate::plan::decide::PlanInput;
use crate::plan::faults::INVALID_OBJECT;

/// Returns a fault for each declared object with a namespace whose kind is not namespaced.
pub(super) fn misplaced(input: &PlanInput<'_>) -> Vec<Diagnostic> {
    let declared =
        input.graph.resources().iter().filter_map(|resource| Some((resource, resource.manifest()?)));
    let defined: HashSet<(ClusterRef, GroupKind)> =
        declared.clone().filter_map(|(_, manifest)| defined_for_the_cluster(manifest)).collect();
    let is_misplaced = |manifest: &Manifest| {
        let object_ref = manifest.object_ref();
        if object_ref.namespace.is_none() {
            return false;
        }
        let live = input.observed.and_then(|(live, _)| live.clusters.get(&object_ref.cluster));
        let served =
            live.and_then(|live| live.discovery.find(&object_ref.kind, &manifest.api_version().version));
        match served {
            Some(info) => info.scope == Scope::Cluster,
            None => defined.contains(&(object_ref.cluster.clone(), object_ref.kind.clone())),
        }
    };
    let found = declared.filter(|(_, manifest)| is_misplaced(manifest)).map(|(resource, manifest)| {
        let object_ref = manifest.object_ref();
        let summary = format!("{object_ref} has a namespace, but {} is not namespaced", object_ref.kind);
        Diagnostic::error(INVALID_OBJECT, summary)
            .at(resource.span.clone())
            .about(resource.address.clone())
            .hint("remove metadata.namespace, or declare the object in a block without `namespace`")
    });
    found.collect()
}

/// Returns the kind that a `CustomResourceDefinition` defines, if its objects are not namespaced.
fn defined_for_the_cluster(manifest: &Manifest) -> Option<(ClusterRef, GroupKind)> {
    let kind = manifest.defined_kind()?;
    let is_of_the_cluster = manifest.body().str_at(&["spec", "scope"]) == Some("Cluster");
    is_of_the_cluster.then(|| (manifest.object_ref().cluster.clone(), kind))
}

#[cfg(test)]
mod tests {
    use crate::kind_info::{KindInfo, Scope};
    use crate::object_ref::GroupKind;
    use crate::plan::fixtures::*;

    const FAULT: &str = "error TRN0605: Site.x.y/dev/s has a namespace, but Site.x.y is not namespaced";

    #[test]
    fn the_cluster_and_definitions_say_which_kinds_have_no_namespace() {
        let site = || Declared::new("x.y/v1 Site dev/s", "{}");
        let definition = |scope: &str| {
            let spec = format!(r#"{{"spec":{{"group":"x.y","scope":"{scope}","names":{{"kind":"Site"}}}}}}"#);
            Declared::new("apiextensions.k8s.io/v1 CustomResourceDefinition sites.x.y", &spec)
        };
        let served = |scope: Scope| {
            let mut world = World::new([site()]);
            let kind = GroupKind::new("x.y", "Site");
            world.discovery.insert(KindInfo {
                kind,
                version: "v1".into(),
                plural: "sites".into(),
                scope,
                listable: true,
            });
            world
        };
        for (name, world, is_misplaced) in [
            ("served for the cluster", served(Scope::Cluster), true),
            ("served in namespaces", served(Scope::Namespaced), false),
            ("defined for the cluster", World::new([site(), definition("Cluster")]), true),
            ("defined in namespaces", World::new([site(), definition("Namespaced")]), false),
        ] {
            let faults = faults(&world.plan());
            assert_eq!(
                faults.iter().any(|fault| fault.starts_with(FAULT)),
                is_misplaced,
                "{name}: {faults:?}"
            );
        }
    }
}
