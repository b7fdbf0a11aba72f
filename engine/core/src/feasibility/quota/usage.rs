//! What a quota counts.

use crate::feasibility::limits::{Amount, Defaults, Side};
use crate::feasibility::list;
use crate::feasibility::namespace::Sight;
use crate::feasibility::workload::{Pods, pods, range, ranges};
use crate::value::Value;
use engine_kinds::Quantity;

/// What a resource of a quota counts.
pub(super) enum Counted<'a> {
    /// What pods ask for or may use of a resource.
    Pods { side: Side, resource: &'a str },
    /// How many pods there are.
    Count,
    /// What objects take.
    Objects(Box<Take<'a>>),
}

/// Returns what one object takes of a quota.
type Take<'a> = dyn Fn(Sight<'_>) -> Option<Quantity> + 'a;

impl Counted<'_> {
    /// Returns what each of the objects of a namespace takes: so much, so many times.
    pub(super) fn of<'b>(
        &self,
        objects: &[Sight<'b>],
        defaults: &Defaults<'_>,
    ) -> Vec<(Sight<'b>, Quantity, i64)> {
        let ranges = ranges(objects.iter().copied());
        let many =
            |object: Sight<'b>, Pods { spec, most, .. }: Pods<'_>, each: &dyn Fn(&Value) -> Quantity| {
                let most = range(&ranges, object.object_ref).map_or(most, |(_, most)| most);
                (most > 0).then(|| (object, each(spec), most))
            };
        let one = Quantity::from_count(1);
        let taken = objects.iter().filter_map(|object| match self {
            Self::Objects(amount) => Some((*object, amount(*object)?, 1)),
            Self::Count => many(*object, pods(*object)?, &|_| one),
            Self::Pods { side, resource } => {
                many(*object, pods(*object)?, &|spec| pod_amount(spec, defaults, *side, resource))
            }
        });
        taken.collect()
    }
}

/// Returns what a resource of a quota counts, `None` for one that is not known.
///
/// # Source
/// Kubernetes, Resource Quotas: types of resource quota.
pub(super) fn counted(resource: &str) -> Option<Counted<'_>> {
    let of_kind = |group: &'static str, kind: &'static str| {
        let one = Quantity::from_count(1);
        Some(Counted::Objects(Box::new(move |object| object.is(group, kind).then_some(one))))
    };
    match resource {
        "cpu" | "memory" | "ephemeral-storage" => {
            return Some(Counted::Pods { side: Side::Requests, resource });
        }
        "pods" | "count/pods" => return Some(Counted::Count),
        "requests.storage" => {
            return Some(Counted::Objects(Box::new(|object| {
                claims(object, None).map(|(storage, _)| storage)
            })));
        }
        "persistentvolumeclaims" | "count/persistentvolumeclaims" => {
            return Some(Counted::Objects(Box::new(|object| claims(object, None).map(|(_, count)| count))));
        }
        "services.loadbalancers" => {
            return Some(Counted::Objects(Box::new(|it| service(it, "LoadBalancer"))));
        }
        "configmaps" => return of_kind("", "ConfigMap"),
        "secrets" => return of_kind("", "Secret"),
        "services" => return of_kind("", "Service"),
        "resourcequotas" => return of_kind("", "ResourceQuota"),
        "replicationcontrollers" => return of_kind("", "ReplicationController"),
        _ => {}
    }
    if let Some((class, what)) = resource.split_once(".storageclass.storage.k8s.io/") {
        return Some(Counted::Objects(Box::new(move |object| {
            let (storage, count) = claims(object, Some(class))?;
            Some(if what == "requests.storage" { storage } else { count })
        })));
    }
    if let Some(name) = resource.strip_prefix("count/") {
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        let kind = engine_kinds::builtin::all().iter().find(|it| it.plural == plural && it.group == group)?;
        return of_kind(kind.group, kind.kind);
    }
    let requested = resource.strip_prefix("requests.").map(|resource| (Side::Requests, resource));
    let limited = || resource.strip_prefix("limits.").map(|resource| (Side::Limits, resource));
    let (side, resource) = requested.or_else(limited)?;
    Some(Counted::Pods { side, resource })
}

/// Tells whether a quota on this resource makes the API server refuse pods with containers that do not name it.
///
/// # Source
/// Kubernetes, Resource Quotas: requests compared to limits.
pub(super) fn is_demanded(resource: &str) -> bool {
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"].contains(&resource)
}

/// Returns what one pod takes: what its containers take together, or what one takes while the pod initialises, if that
/// is more. Containers that keep running from then on count with both.
///
/// # Source
/// Kubernetes, Init Containers: resource sharing within containers; Sidecar Containers; Pod Overhead.
pub(super) fn pod_amount(spec: &Value, defaults: &Defaults<'_>, side: Side, resource: &str) -> Quantity {
    let named = |place: &[&str]| Amount::at(spec, place).known();
    let overhead = named(&["overhead", resource]).unwrap_or(Quantity::ZERO);
    if let Some(whole) = named(&["resources", side.field(), resource]) {
        return sum(whole, overhead);
    }
    let amount = |it: &Value| defaults.amount(it, side, resource).known().unwrap_or(Quantity::ZERO);
    let (mut kept, mut first) = (Quantity::ZERO, Quantity::ZERO);
    for container in list(spec, &["initContainers"]) {
        let while_it_runs = sum(kept, amount(container));
        first = first.max(while_it_runs);
        if container.str_at(&["restartPolicy"]) == Some("Always") {
            kept = while_it_runs;
        }
    }
    let running = list(spec, &["containers"]).iter().map(amount).fold(kept, sum);
    sum(running.max(first), overhead)
}

fn sum(a: Quantity, b: Quantity) -> Quantity {
    a.checked_add(b).unwrap_or(super::MOST)
}

/// Returns the storage and the number of claims that an object makes, of one class or of all.
fn claims(object: Sight<'_>, class: Option<&str>) -> Option<(Quantity, Quantity)> {
    let storage = |claim: &Value| {
        let is_counted = class.is_none_or(|class| claim.str_at(&["spec", "storageClassName"]) == Some(class));
        let amount = Amount::at(claim, &["spec", "resources", "requests", "storage"]);
        is_counted.then(|| amount.known().unwrap_or(Quantity::ZERO))
    };
    let one = |count| Quantity::from_count(count);
    if object.is("", "PersistentVolumeClaim") {
        return Some((storage(object.body)?, one(1)));
    }
    if !object.is("apps", "StatefulSet") {
        return None;
    }
    let replicas = object.body.at(&["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(1);
    let templates = list(object.body, &["spec", "volumeClaimTemplates"]);
    let each: Vec<Quantity> = templates.iter().filter_map(storage).collect();
    let count = one(i64::try_from(each.len()).ok()?).checked_mul(replicas)?;
    Some((each.into_iter().fold(Quantity::ZERO, sum).checked_mul(replicas)?, count))
}

fn service(object: Sight<'_>, service_type: &str) -> Option<Quantity> {
    let is_counted = object.is("", "Service") && object.body.str_at(&["spec", "type"]) == Some(service_type);
    is_counted.then_some(Quantity::from_count(1))
}
