//! `ResourceQuota`: what is declared in a namespace against what is allowed in it.

mod growth;
mod usage;

use std::cell::OnceCell;
use std::collections::HashMap;

use super::bounds::Bound;
use super::limits::{Amount, Defaults, Side};
use super::namespace::Namespace;
use super::workload::{Workload, container_name};
use super::{OVER_QUOTA, POD_OVER_QUOTA, UNNAMED_AMOUNT, about, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::object_ref::ObjectRef;
use crate::value::{Map, Value};
use engine_kinds::Quantity;
use growth::Growth;
use usage::Counted;

/// Compares each quota with what is declared, and with what the plan adds to what it counts already.
///
/// Quotas with scopes count some of the pods only, by what is known late, and are passed over.
///
/// # Source
/// Kubernetes, Resource Quotas.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let defaults = Defaults::of(namespace);
    let mut counts: HashMap<&str, Option<Count<'_>>> = HashMap::new();
    for quota in &namespace.quotas {
        let spec = |field: &str| quota.body.at(&["spec", field]);
        let (None, None, Some(hard)) = (spec("scopes"), spec("scopeSelector"), spec("hard")) else {
            continue;
        };
        for (resource, hard) in hard.as_map().into_iter().flat_map(Map::iter) {
            let Some(hard) = Amount::at(hard, &[]).known() else { continue };
            let count = counts.entry(resource).or_insert_with(|| Count::new(resource, namespace, &defaults));
            let Some(count) = count else { continue };
            Limit { quota, hard, count }.check(found);
        }
    }
}

/// What is counted of one resource, for all quotas of a namespace that limit it.
struct Count<'a> {
    /// The name that quotas have for the resource: `requests.cpu`.
    resource: &'a str,
    counted: Counted<'a>,
    namespace: &'a Namespace<'a>,
    defaults: &'a Defaults<'a>,
    declared: OnceCell<Declared>,
    growth: OnceCell<Option<Growth<'a>>>,
}

/// What all that is declared can take of a resource.
struct Declared {
    sum: Quantity,
    /// Names what takes most.
    largest: String,
}

impl<'a> Count<'a> {
    fn new(resource: &'a str, namespace: &'a Namespace<'a>, defaults: &'a Defaults<'a>) -> Option<Self> {
        let counted = usage::counted(resource)?;
        let (declared, growth) = (OnceCell::new(), OnceCell::new());
        Some(Self { resource, counted, namespace, defaults, declared, growth })
    }

    fn declared(&self) -> &Declared {
        self.declared.get_or_init(|| {
            let taken = self.counted.of(&self.namespace.sights(), self.defaults);
            let mut shares: Vec<Share> =
                taken.into_iter().map(|(it, each, count)| Share::new(it.object_ref, each, count)).collect();
            let sum = shares.iter().try_fold(Quantity::ZERO, |sum, share| sum.checked_add(share.total));
            shares.retain(|share| !share.total.is_zero());
            shares.sort_by(|a, b| (b.total, &a.text).cmp(&(a.total, &b.text)));
            let largest: Vec<String> = shares.into_iter().map(|share| share.text).collect();
            Declared { sum: sum.unwrap_or(MOST), largest: some_of(&largest) }
        })
    }
}

/// One line of a quota.
struct Limit<'a, 'b> {
    quota: &'b Bound<'b>,
    hard: Quantity,
    count: &'b Count<'a>,
}

/// What one object takes of a quota.
struct Share {
    text: String,
    total: Quantity,
}

impl Share {
    fn new(name: &ObjectRef, each: Quantity, count: i64) -> Self {
        let text = if count == 1 { format!("{name} {each}") } else { format!("{name} {count} × {each}") };
        // More than a quantity can hold is more than any quota.
        Self { text, total: each.checked_mul(count).unwrap_or(MOST) }
    }
}

/// More than any cluster has.
const MOST: Quantity = Quantity::from_count(i64::MAX);

impl Limit<'_, '_> {
    fn check(&self, found: &mut Diagnostics) {
        if let Counted::Pods { side, resource } = self.count.counted
            && self.pods((side, resource), found)
        {
            return;
        }
        match self.declared() {
            Some(diagnostic) => found.push(diagnostic),
            None => found.extend(growth::check(self)),
        }
    }

    /// Judges one pod of each workload; tells whether some are too large, which then take nothing of the quota.
    fn pods(&self, (side, resource): (Side, &str), found: &mut Diagnostics) -> bool {
        let mut is_hopeless = false;
        let Count { namespace, defaults, .. } = self.count;
        let workloads = namespace.workloads.iter();
        for workload in workloads.filter(|it| it.pods > 0 && self.quota.concerns(it)) {
            // Limit ranges of others may fill in what containers leave out.
            let is_certain = self.quota.resource.is_some() || namespace.knows_ranges;
            if is_certain && usage::is_demanded(self.count.resource) {
                found.extend(self.unnamed(workload, (side, resource)));
            }
            let each = usage::pod_amount(workload.spec, defaults, side, resource);
            if each > self.hard {
                is_hopeless = true;
                found.push(self.hopeless(workload, each));
            }
        }
        is_hopeless
    }

    /// Compares a declared quota with all that is declared.
    fn declared(&self) -> Option<Diagnostic> {
        let declared = self.quota.resource?;
        let Declared { sum, largest } = self.count.declared();
        if *sum <= self.hard {
            return None;
        }
        let (resource, hard, quota) = (self.count.resource, self.hard, self.quota.object_ref);
        let summary = format!("{resource} can come to {sum}, of which {quota} allows {hard}");
        let detail = format!(
            "The largest: {largest}. Autoscalers count with their maxReplicas, Jobs as if all ran at once."
        );
        let diagnostic = Diagnostic::warning(OVER_QUOTA, summary).detail(detail);
        Some(about(declared, diagnostic.hint("raise the quota, or ask for less")))
    }

    /// Says that a container does not name what this quota demands of each.
    fn unnamed(&self, workload: &Workload<'_>, (side, resource): (Side, &str)) -> Option<Diagnostic> {
        if Amount::at(workload.spec, &["resources", side.field(), resource]) != Amount::Absent {
            return None;
        }
        let is_silent = |it: &&Value| self.count.defaults.amount(it, side, resource) == Amount::Absent;
        let names: Vec<String> =
            workload.containers().filter(is_silent).map(|it| container_name(it).to_owned()).collect();
        if names.is_empty() {
            return None;
        }
        let summary = format!("{} names no {} of {resource}", workload.object.object_ref(), side.field());
        let quota = self.quota.object_ref;
        let detail = format!(
            "Containers without: {}. {quota} counts {}, and the API server refuses pods that do not name it.",
            some_of(&names),
            self.count.resource
        );
        let diagnostic = Diagnostic::warning(UNNAMED_AMOUNT, summary).detail(detail);
        let hint = "name it in each container, or declare a LimitRange with defaults";
        Some(about(workload.object.resource, diagnostic.hint(hint)))
    }

    fn hopeless(&self, workload: &Workload<'_>, each: Quantity) -> Diagnostic {
        let (resource, hard, quota) = (self.count.resource, self.hard, self.quota.object_ref);
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
