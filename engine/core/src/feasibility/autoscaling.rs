//! Autoscalers: what they scale, and whether they can measure it.

use super::limits::{Amount, Defaults, Side};
use super::namespace::{Declared, Namespace};
use super::workload::{Workload, container_name};
use super::{NOTHING_TO_SCALE, UNSCALABLE, about, list, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::kind_info::builtin_scope;
use crate::object_ref::{ApiVersion, GroupKind};
use crate::value::Value;

/// Finds autoscalers that cannot scale.
///
/// # Source
/// Kubernetes, Horizontal Pod Autoscaling: utilisation is a share of what is requested.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let defaults = Defaults::of(namespace);
    for scaler in namespace.of_kind("autoscaling", "HorizontalPodAutoscaler") {
        let Some((kind, name)) = target(scaler) else { continue };
        let is_target = |it: &&Declared<'_>| it.object_ref().kind == kind && it.object_ref().name == name;
        let workload = namespace.workloads.iter().find(|it| is_target(&&it.object));
        match workload {
            Some(workload) => {
                let metrics = shares(scaler);
                found.extend(
                    metrics.iter().filter_map(|metric| unscalable(scaler, workload, metric, &defaults)),
                );
            }
            None => {
                let is_known = namespace.declared.is_some()
                    && !namespace.is_filled_by_others
                    && builtin_scope(&kind).is_some()
                    && !namespace.objects.iter().any(|it| is_target(&it));
                found.extend(is_known.then(|| nothing_to_scale(scaler, &kind, name)));
            }
        }
    }
}

fn target<'a>(scaler: &Declared<'a>) -> Option<(GroupKind, &'a str)> {
    let target = scaler.body.at(&["spec", "scaleTargetRef"])?;
    let api_version: ApiVersion = target.str_at(&["apiVersion"]).unwrap_or("apps/v1").parse().ok()?;
    Some((GroupKind::new(api_version.group, target.str_at(&["kind"])?), target.str_at(&["name"])?))
}

/// A resource of which an autoscaler goes by the share that is used.
struct Share<'a> {
    resource: &'a str,
    /// The only container that counts.
    container: Option<&'a str>,
}

/// Returns the shares that an autoscaler goes by: of the CPU, if it names nothing else.
fn shares<'a>(scaler: &Declared<'a>) -> Vec<Share<'a>> {
    let cpu = Share { resource: "cpu", container: None };
    if scaler.resource.manifest().is_some_and(|it| it.api_version().version == "v1") {
        return vec![cpu];
    }
    match scaler.body.at(&["spec", "metrics"]) {
        None => vec![cpu],
        Some(metrics) => metrics.as_list().unwrap_or_default().iter().filter_map(share).collect(),
    }
}

fn share(metric: &Value) -> Option<Share<'_>> {
    let source = match metric.str_at(&["type"])? {
        "Resource" => metric.get("resource")?,
        "ContainerResource" => metric.get("containerResource")?,
        _ => return None,
    };
    let share = Share { resource: source.str_at(&["name"])?, container: source.str_at(&["container"]) };
    (source.str_at(&["target", "type"]) == Some("Utilization")).then_some(share)
}

fn unscalable(
    scaler: &Declared<'_>,
    workload: &Workload<'_>,
    share: &Share<'_>,
    defaults: &Defaults<'_>,
) -> Option<Diagnostic> {
    if workload.spec.get("resources").is_some() {
        return None;
    }
    let containers = list(workload.spec, &["containers"]).iter();
    let measured = containers.filter(|it| share.container.is_none_or(|name| container_name(it) == name));
    let silent = measured.filter(|it| defaults.amount(it, Side::Requests, share.resource) == Amount::Absent);
    let silent: Vec<String> = silent.map(|it| container_name(it).to_owned()).collect();
    if silent.is_empty() {
        return None;
    }
    let (object_ref, resource) = (scaler.object_ref(), share.resource);
    let target = workload.object.object_ref();
    let summary = format!("{object_ref} goes by the share of {resource} that {target} does not request");
    let diagnostic = Diagnostic::warning(UNSCALABLE, summary)
        .detail(format!("Containers that request none: {}. Without it nothing is scaled.", some_of(&silent)))
        .hint("request it in each container, or give the metric an average value");
    Some(about(scaler.resource, diagnostic))
}

fn nothing_to_scale(scaler: &Declared<'_>, kind: &GroupKind, name: &str) -> Diagnostic {
    let summary = format!("{} scales {kind} {name}, which nothing declares", scaler.object_ref());
    let diagnostic = Diagnostic::warning(NOTHING_TO_SCALE, summary)
        .detail("The environment declares its namespace, and nothing of that name in it.");
    about(scaler.resource, diagnostic.hint("correct `scaleTargetRef`, or declare the workload"))
}

#[cfg(test)]
mod tests;
