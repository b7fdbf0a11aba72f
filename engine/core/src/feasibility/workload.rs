//! Objects that run pods, and how many at most.

use std::collections::HashMap;

use super::list;
use super::namespace::{Declared, Sight};
use crate::object_ref::{GroupKind, ObjectRef};
use crate::plan::{Action, Change};
use crate::resource::Wait;
use crate::value::{Text, Value};

/// An object of a built-in kind that runs pods.
pub(super) struct Workload<'a> {
    pub(super) object: Declared<'a>,
    /// Labels of its pods.
    pub(super) labels: Option<&'a Value>,
    /// Annotations of its pods.
    pub(super) annotations: Option<&'a Value>,
    /// The pod spec.
    pub(super) spec: &'a Value,
    /// How many pods it has at most: `maxReplicas` of its autoscaler, all pods of a Job at once.
    pub(super) pods: i64,
    /// How many it has at least, if that is declared: `minReplicas` of its autoscaler.
    pub(super) least: Option<i64>,
    /// Whether this plan starts pods of it and waits for them.
    pub(super) is_awaited: bool,
}

impl<'a> Workload<'a> {
    /// Returns all containers, those that initialise first.
    pub(super) fn containers(&self) -> impl Iterator<Item = &'a Value> {
        list(self.spec, &["initContainers"]).iter().chain(list(self.spec, &["containers"]))
    }
}

/// Returns what a container is called.
pub(super) fn container_name(container: &Value) -> &str {
    container.str_at(&["name"]).unwrap_or("without a name")
}

/// The pods of an object.
pub(super) struct Pods<'a> {
    /// The template, or the pod itself.
    pub(super) template: &'a Value,
    /// The pod spec.
    pub(super) spec: &'a Value,
    /// How many there are at most.
    pub(super) most: i64,
}

/// Returns how an object runs pods, `None` if it runs none.
///
/// A `DaemonSet` has as many pods as the cluster has nodes; it counts as one.
pub(super) fn pods<'a>(object: Sight<'a>) -> Option<Pods<'a>> {
    let kind = &object.object_ref.kind;
    let job = |spec: &Value| {
        let parallelism = count(spec, "parallelism").unwrap_or(1);
        count(spec, "completions").map_or(parallelism, |completions| parallelism.min(completions))
    };
    let (template, most): (&[&str], i64) = match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => (&[], 1),
        ("apps", "DaemonSet") => (&["spec", "template"], 1),
        _ if is_scalable(kind) => {
            let replicas = object.body.get("spec").and_then(|spec| count(spec, "replicas"));
            (&["spec", "template"], replicas.unwrap_or(1))
        }
        ("batch", "Job") => (&["spec", "template"], job(object.body.get("spec")?)),
        ("batch", "CronJob") => {
            let is_suspended = object.body.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true);
            let most =
                if is_suspended { 0 } else { job(object.body.at(&["spec", "jobTemplate", "spec"])?) };
            (&["spec", "jobTemplate", "spec", "template"], most)
        }
        _ => return None,
    };
    let template = object.body.at(template)?;
    Some(Pods { template, spec: template.get("spec")?, most })
}

fn is_scalable(kind: &GroupKind) -> bool {
    kind.is("", "ReplicationController")
        || ["Deployment", "ReplicaSet", "StatefulSet"].iter().any(|it| kind.is("apps", it))
}

/// Returns a declared object as a workload, `None` if it runs no pods.
pub(super) fn workload<'a>(object: Declared<'a>) -> Option<Workload<'a>> {
    let kind = &object.object_ref().kind;
    let Pods { template, spec, most } = pods(object.sight())?;
    Some(Workload {
        object,
        labels: template.at(&["metadata", "labels"]),
        annotations: template.at(&["metadata", "annotations"]),
        spec,
        pods: most,
        least: is_scalable(kind).then_some(most),
        is_awaited: object.resource.wait == Wait::WhenKnown
            && most > 0
            && kind.kind != "CronJob"
            && object.change.is_some_and(starts_pods),
    })
}

fn starts_pods(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Replace { .. }) || !change.restarts.is_empty()
}

/// How many pods autoscalers leave their targets at least and at most, by kind and name.
pub(super) type Ranges<'a> = HashMap<(&'a str, &'a str), (i64, i64)>;

/// Returns what autoscalers do to the objects of their namespace.
pub(super) fn ranges<'a>(objects: impl Iterator<Item = Sight<'a>>) -> Ranges<'a> {
    let autoscalers = objects.filter(|object| object.is("autoscaling", "HorizontalPodAutoscaler"));
    autoscalers
        .filter_map(|object| {
            let spec = object.body.get("spec")?;
            let target = spec.get("scaleTargetRef")?;
            let range = (count(spec, "minReplicas").unwrap_or(1), count(spec, "maxReplicas")?);
            Some(((target.str_at(&["kind"])?, target.str_at(&["name"])?), range))
        })
        .collect()
}

/// Returns what an autoscaler leaves an object.
pub(super) fn range(ranges: &Ranges<'_>, object_ref: &ObjectRef) -> Option<(i64, i64)> {
    ranges.get(&(object_ref.kind.kind.as_str(), object_ref.name.as_str())).copied()
}

/// Puts what an autoscaler may scale to in place of what is declared.
pub(super) fn scale(workloads: &mut [Workload<'_>], ranges: &Ranges<'_>) {
    for workload in workloads {
        if let Some((least, most)) = range(ranges, workload.object.object_ref()) {
            (workload.least, workload.pods) = (Some(least), most);
        }
    }
}

/// Returns a count that is declared, as far as it is one.
fn count(spec: &Value, field: &str) -> Option<i64> {
    spec.get(field)?.as_i64().filter(|count| *count >= 0)
}

/// Tells whether a label selector selects an object with these labels. An empty selector selects everything.
///
/// # Source
/// Kubernetes, Labels and Selectors.
pub(super) fn selects(selector: &Value, labels: Option<&Value>) -> bool {
    let label = |name: &str| labels.and_then(|labels| labels.str_at(&[name]));
    let matches = selector.get("matchLabels").is_none_or(|wanted| has_labels(wanted, labels));
    matches
        && list(selector, &["matchExpressions"]).iter().all(|expression| {
            let value = expression.str_at(&["key"]).and_then(label);
            let is_listed = list(expression, &["values"]).iter().any(|one| one.as_str() == value);
            match expression.str_at(&["operator"]) {
                Some("In") => value.is_some() && is_listed,
                Some("NotIn") => value.is_none() || !is_listed,
                Some("Exists") => value.is_some(),
                Some("DoesNotExist") => value.is_none(),
                _ => true,
            }
        })
}

/// Tells whether an object has all of some labels; one that is not known may be there.
pub(super) fn has_labels(wanted: &Value, labels: Option<&Value>) -> bool {
    let Some(wanted) = wanted.as_map().filter(|_| labels != Some(&Value::Null)) else { return true };
    wanted.iter().all(|(name, value): (&Text, &Value)| {
        let found = labels.and_then(|labels| labels.get(name));
        found == Some(value) || found == Some(&Value::Null) || *value == Value::Null
    })
}
