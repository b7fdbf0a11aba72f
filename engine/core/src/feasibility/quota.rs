//! `ResourceQuota`: what is declared in a namespace against what is allowed in it.

mod usage;

use super::limits::{Amount, Defaults, Side};
use super::namespace::{Declared, Namespace};
use super::workload::{Workload, container_name};
use super::{OVER_QUOTA, POD_OVER_QUOTA, UNNAMED_AMOUNT, about, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::value::{Map, Value};
use engine_kinds::Quantity;
use usage::{Counted, pod_amount};

/// Compares each quota with what is declared.
///
/// Quotas with scopes count some of the pods only, by what is known late, and are passed over.
///
/// # Source
/// Kubernetes, Resource Quotas.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let defaults = Defaults::of(namespace);
    for quota in namespace.of_kind("", "ResourceQuota") {
        let spec = |field: &str| quota.body.at(&["spec", field]);
        let (None, None, Some(hard)) = (spec("scopes"), spec("scopeSelector"), spec("hard")) else {
            continue;
        };
        for (resource, hard) in hard.as_map().into_iter().flat_map(Map::iter) {
            let Some(hard) = Amount::at(hard, &[]).known() else { continue };
            let limit = Limit { quota, resource, hard };
            match usage::counted(resource) {
                Some(Counted::Pods { side, resource }) => {
                    limit.pods(namespace, &defaults, (side, resource), found);
                }
                Some(Counted::Objects(amount)) => {
                    let each = |it: &Declared<'_>| Some(Share::new(it, amount(it)?, 1));
                    limit.judge(namespace.objects.iter().filter_map(each).collect(), found);
                }
                Some(Counted::Count) => {
                    let one = Quantity::from_count(1);
                    let all = namespace.workloads.iter();
                    limit.judge(all.map(|it| Share::new(&it.object, one, it.pods)).collect(), found);
                }
                None => {}
            }
        }
    }
}

/// One line of a quota.
struct Limit<'a> {
    quota: &'a Declared<'a>,
    /// Its name for the resource: `requests.cpu`.
    resource: &'a str,
    hard: Quantity,
}

/// What one object takes of a quota.
struct Share {
    text: String,
    total: Quantity,
}

impl Share {
    fn new(object: &Declared<'_>, each: Quantity, count: i64) -> Self {
        let name = object.object_ref();
        let text = if count == 1 { format!("{name} {each}") } else { format!("{name} {count} × {each}") };
        // More than a quantity can hold is more than any quota.
        Self { text, total: each.checked_mul(count).unwrap_or(MOST) }
    }
}

/// More than any cluster has.
const MOST: Quantity = Quantity::from_count(i64::MAX);

impl Limit<'_> {
    fn pods(
        &self,
        namespace: &Namespace<'_>,
        defaults: &Defaults<'_>,
        (side, resource): (Side, &str),
        found: &mut Diagnostics,
    ) {
        let mut shares = Vec::new();
        let mut is_hopeless = false;
        for workload in namespace.workloads.iter().filter(|workload| workload.pods > 0) {
            if usage::is_demanded(self.resource) {
                found.extend(self.unnamed(workload, defaults, (side, resource)));
            }
            let each = pod_amount(workload.spec, defaults, side, resource);
            if each > self.hard {
                is_hopeless = true;
                found.push(self.hopeless(workload, each));
            }
            shares.push(Share::new(&workload.object, each, workload.pods));
        }
        // A pod that is refused anyway takes nothing of the quota.
        if !is_hopeless {
            self.judge(shares, found);
        }
    }

    fn judge(&self, mut shares: Vec<Share>, found: &mut Diagnostics) {
        let sum =
            shares.iter().try_fold(Quantity::ZERO, |sum, share| sum.checked_add(share.total)).unwrap_or(MOST);
        if sum <= self.hard {
            return;
        }
        shares.retain(|share| !share.total.is_zero());
        shares.sort_by(|a, b| (b.total, &a.text).cmp(&(a.total, &b.text)));
        let largest: Vec<String> = shares.into_iter().map(|share| share.text).collect();
        let (resource, hard, quota) = (self.resource, self.hard, self.quota.object_ref());
        let summary = format!("{resource} can come to {sum}, of which {quota} allows {hard}");
        let detail = format!(
            "The largest: {}. Autoscalers count with their maxReplicas, Jobs as if all ran at once.",
            some_of(&largest)
        );
        let diagnostic = Diagnostic::warning(OVER_QUOTA, summary).detail(detail);
        found.push(about(self.quota.resource, diagnostic.hint("raise the quota, or ask for less")));
    }

    /// Says that a container does not name what this quota demands of each.
    fn unnamed(
        &self,
        workload: &Workload<'_>,
        defaults: &Defaults<'_>,
        (side, resource): (Side, &str),
    ) -> Option<Diagnostic> {
        if Amount::at(workload.spec, &["resources", side.field(), resource]) != Amount::Absent {
            return None;
        }
        let is_silent = |it: &&Value| defaults.amount(it, side, resource) == Amount::Absent;
        let names: Vec<String> =
            workload.containers().filter(is_silent).map(|it| container_name(it).to_owned()).collect();
        if names.is_empty() {
            return None;
        }
        let summary = format!("{} names no {} of {resource}", workload.object.object_ref(), side.field());
        let quota = self.quota.object_ref();
        let detail = format!(
            "Containers without: {}. {quota} counts {}, and the API server refuses pods that do not name it.",
            some_of(&names),
            self.resource
        );
        let diagnostic = Diagnostic::warning(UNNAMED_AMOUNT, summary).detail(detail);
        let hint = "name it in each container, or declare a LimitRange with defaults";
        Some(about(workload.object.resource, diagnostic.hint(hint)))
    }

    fn hopeless(&self, workload: &Workload<'_>, each: Quantity) -> Diagnostic {
        let (resource, hard, quota) = (self.resource, self.hard, self.quota.object_ref());
        let object_ref = workload.object.object_ref();
        let summary =
            format!("one pod of {object_ref} takes {each} of {resource}, of which {quota} allows {hard}");
        let mut diagnostic =
            Diagnostic::warning(POD_OVER_QUOTA, summary).detail("No such pod can ever be created.");
        if workload.is_awaited {
            diagnostic.severity = Severity::Error;
        }
        about(workload.object.resource, diagnostic.hint("raise the quota, or ask for less"))
    }
}

#[cfg(test)]
mod tests;
