//! Classes that objects are of, and that nobody has: of storage, of Ingresses, of priority.

use super::namespace::Declared;
use super::world::World;
use super::{MISSING_INGRESS_CLASS, MISSING_PRIORITY_CLASS, MISSING_STORAGE_CLASS, about, list};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::graph::pod_spec;
use crate::object_ref::ClusterRef;
use crate::value::Value;

/// Finds objects that the plan writes and whose class neither the cluster has nor the environment declares.
///
/// Nothing is said of a cluster that was not asked, or into which Argo CD or Flux may bring classes.
pub(super) fn check(world: &World<'_>, found: &mut Diagnostics) {
    for object in world.declared.iter().filter(|it| it.is_written()) {
        if world.delivers_to(&object.object_ref().cluster) {
            continue;
        }
        found.extend(ingress(world, object));
        found.extend(priority(world, object));
        // Controllers that a plan installs along with their kinds often bring storage along.
        if object.is_created() && !world.brings_kinds(&object.object_ref().cluster) {
            found.extend(claims(object).into_iter().find_map(|claim| storage(world, object, claim)));
        }
    }
}

/// The classes of one kind that a cluster will have.
struct Classes<'a>(Vec<(&'a str, &'a Value)>);

impl<'a> Classes<'a> {
    /// Returns them, `None` if they are not known.
    fn of(world: &'a World<'_>, cluster: &'a ClusterRef, (group, kind): (&'a str, &'a str)) -> Option<Self> {
        let found = world.found(cluster, (group, kind))?;
        let found = found.filter(|it| !world.is_declared(it.object_ref) && !world.is_deleted(it.object_ref));
        let declared = world.declared.iter();
        let declared = declared.filter(|it| it.object_ref().cluster == *cluster && it.is(group, kind));
        let all = found.chain(declared.map(Declared::sight));
        Some(Self(all.map(|it| (it.object_ref.name.as_str(), it.body)).collect()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(it, _)| *it == name)
    }

    /// Tells whether one is marked as the default by one of the annotations.
    fn has_default(&self, annotations: &[&str]) -> bool {
        let is_marked = |body: &Value, name: &&str| matches!(body.at(&["metadata", "annotations", name]), Some(it) if it.as_str() != Some("false"));
        self.0.iter().any(|(_, body)| annotations.iter().any(|it| is_marked(body, it)))
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.0.iter().map(|(name, _)| (*name).to_owned()).collect();
        if names.is_empty() { "none".into() } else { super::some_of(&names) }
    }
}

const DEFAULT_STORAGE: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const DEFAULT_INGRESS: &str = "ingressclass.kubernetes.io/is-default-class";

/// Returns the specs of the claims that an object makes.
fn claims<'a>(object: &Declared<'a>) -> Vec<&'a Value> {
    if object.is("", "PersistentVolumeClaim") {
        return object.body.get("spec").into_iter().collect();
    }
    let templates = list(object.body, &["spec", "volumeClaimTemplates"]).iter();
    templates.filter(|_| object.is("apps", "StatefulSet")).filter_map(|it| it.get("spec")).collect()
}

/// # Source
/// Kubernetes, Persistent Volumes: class, and "`PersistentVolumes` typed with no class".
fn storage(world: &World<'_>, object: &Declared<'_>, claim: &Value) -> Option<Diagnostic> {
    let cluster = &object.object_ref().cluster;
    let is_bound_by_hand = ["volumeName", "selector"].iter().any(|it| claim.get(it).is_some());
    if is_bound_by_hand || claim.get("storageClassName") == Some(&Value::Null) {
        return None;
    }
    let classes = Classes::of(world, cluster, ("storage.k8s.io", "StorageClass"))?;
    // Volumes made by hand have a class that need not exist.
    let volumes = Classes::of(world, cluster, ("", "PersistentVolume"))?;
    let class = claim.str_at(&["storageClassName"]);
    let has_volume = |class: &str| {
        volumes.0.iter().any(|(_, it)| it.str_at(&["spec", "storageClassName"]).unwrap_or_default() == class)
    };
    let lack = match class {
        None if classes.has_default(&DEFAULT_STORAGE) || has_volume("") => return None,
        None => "names no StorageClass, and no class is the default".to_owned(),
        Some(class) if class.is_empty() || classes.has(class) || has_volume(class) => return None,
        Some(class) => format!("is of the StorageClass {class}, which is not there"),
    };
    let detail =
        format!("The cluster and the environment have: {}. The claim stays pending.", classes.names());
    Some(missing(
        MISSING_STORAGE_CLASS,
        object,
        (&lack, &detail),
        "name a class that is there, or declare it",
    ))
}

/// # Source
/// Kubernetes, Ingress: Ingress class, default Ingress class.
fn ingress(world: &World<'_>, object: &Declared<'_>) -> Option<Diagnostic> {
    if !object.is("networking.k8s.io", "Ingress") {
        return None;
    }
    let cluster = &object.object_ref().cluster;
    let classes = Classes::of(world, cluster, ("networking.k8s.io", "IngressClass"))?;
    let by_annotation = ["metadata", "annotations", "kubernetes.io/ingress.class"];
    let lack = match object.body.at(&["spec", "ingressClassName"]) {
        // Some controllers take whatever has no class, so that a cluster without classes proves nothing.
        None if classes.0.is_empty()
            || classes.has_default(&[DEFAULT_INGRESS])
            || object.body.at(&by_annotation).is_some() =>
        {
            return None;
        }
        None => "names no IngressClass, and no class is the default".to_owned(),
        Some(class) => {
            let class = class.as_str().filter(|class| !classes.has(class))?;
            format!("is of the IngressClass {class}, which is not there")
        }
    };
    let detail =
        format!("The cluster and the environment have: {}. No controller serves it.", classes.names());
    Some(missing(
        MISSING_INGRESS_CLASS,
        object,
        (&lack, &detail),
        "name a class that is there, or declare it",
    ))
}

/// # Source
/// Kubernetes, Pod Priority and Preemption: the API server refuses pods of a class that it does not find.
fn priority(world: &World<'_>, object: &Declared<'_>) -> Option<Diagnostic> {
    let kind = &object.object_ref().kind;
    let spec = pod_spec(object.body).filter(|_| crate::kind_info::builtin_scope(kind).is_some())?;
    let class = spec.str_at(&["priorityClassName"]).filter(|class| !class.is_empty())?;
    let classes = Classes::of(world, &object.object_ref().cluster, ("scheduling.k8s.io", "PriorityClass"))?;
    // Every cluster has system-cluster-critical and system-node-critical.
    if classes.has(class) || class.starts_with("system-") {
        return None;
    }
    let lack = format!("is of the PriorityClass {class}, which is not there");
    let detail = "The API server refuses such pods.";
    Some(missing(
        MISSING_PRIORITY_CLASS,
        object,
        (&lack, detail),
        "name a class that is there, or declare it",
    ))
}

fn missing(code: Code, object: &Declared<'_>, (lack, detail): (&str, &str), hint: &str) -> Diagnostic {
    let diagnostic = Diagnostic::warning(code, format!("{} {lack}", object.object_ref())).detail(detail);
    about(object.resource, diagnostic.hint(hint))
}

#[cfg(test)]
mod tests;
