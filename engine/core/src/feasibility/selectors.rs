//! Services and disruption budgets: what they select, and what a budget leaves.

use super::namespace::{Declared, Namespace};
use super::workload::{Workload, has_labels, selects};
use super::{BUDGET_WITHOUT_PODS, NO_EVICTION, SERVICE_WITHOUT_PODS, about};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::value::{Map, Value};

/// Finds Services and budgets for no pods, and budgets that keep all.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    // Elsewhere the pods may be those of others.
    let is_known = namespace.declared.is_some() && !namespace.is_filled_by_others;
    for service in namespace.of_kind("", "Service").filter(|_| is_known) {
        let Some(selector) = service.body.at(&["spec", "selector"]).filter(|it| is_filled(it)) else {
            continue;
        };
        let is_external = service.body.str_at(&["spec", "type"]) == Some("ExternalName");
        if !is_external && !namespace.workloads.iter().any(|it| has_labels(selector, it.labels)) {
            found.push(selects_nothing(SERVICE_WITHOUT_PODS, service, "It has no endpoints."));
        }
    }
    for budget in namespace.of_kind("policy", "PodDisruptionBudget") {
        let Some(selector) = budget.body.at(&["spec", "selector"]).filter(|it| it.as_map().is_some()) else {
            continue;
        };
        let pods: Vec<&Workload<'_>> =
            namespace.workloads.iter().filter(|it| selects(selector, it.labels)).collect();
        if pods.is_empty() && is_known {
            found.push(selects_nothing(BUDGET_WITHOUT_PODS, budget, "It protects nothing."));
        }
        found.extend(keeps_all(budget, &pods).map(|why| no_eviction(budget, &why)));
    }
}

fn is_filled(selector: &Value) -> bool {
    selector.as_map().is_some_and(|labels| !Map::is_empty(labels))
}

fn selects_nothing(code: Code, object: &Declared<'_>, so: &str) -> Diagnostic {
    let summary = format!("{} selects no pod of a declared workload", object.object_ref());
    let diagnostic = Diagnostic::warning(code, summary).detail(so);
    about(object.resource, diagnostic.hint("compare its selector with the labels of the pod template"))
}

/// Returns why a budget allows no eviction while there are no more pods than declared.
///
/// # Source
/// Kubernetes, Specifying a Disruption Budget: percentages are rounded up.
fn keeps_all(budget: &Declared<'_>, pods: &[&Workload<'_>]) -> Option<String> {
    let bound = |field: &str| budget.body.at(&["spec", field]);
    if let Some(most) = bound("maxUnavailable") {
        let is_none = most.as_i64() == Some(0) || most.as_str().is_some_and(|it| matches!(it, "0" | "0%"));
        return is_none.then(|| "maxUnavailable is 0".to_owned());
    }
    let least = bound("minAvailable")?;
    let percent = least.as_str().and_then(|it| it.strip_suffix('%')?.parse::<i64>().ok());
    if percent.is_some_and(|percent| percent >= 100) {
        return Some("minAvailable is 100%".to_owned());
    }
    let counts: Option<Vec<i64>> = pods.iter().map(|it| it.least).collect();
    let count = counts?.into_iter().try_fold(0_i64, i64::checked_add).filter(|count| *count > 0)?;
    let kept = match percent {
        Some(percent) => count.checked_mul(percent)?.checked_add(99)? / 100,
        None => least.as_i64().or_else(|| least.as_str()?.parse().ok())?,
    };
    (kept >= count).then(|| format!("minAvailable keeps {kept} of {count} pods"))
}

fn no_eviction(budget: &Declared<'_>, why: &str) -> Diagnostic {
    let summary = format!("{} allows no eviction: {why}", budget.object_ref());
    let diagnostic = Diagnostic::warning(NO_EVICTION, summary)
        .detail("Nodes with such a pod cannot be drained.")
        .hint("run more replicas, or let one be unavailable");
    about(budget.resource, diagnostic)
}

#[cfg(test)]
mod tests;
