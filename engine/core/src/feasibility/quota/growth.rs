//! What a plan adds to what a quota counts already, of this environment and of others.

use std::collections::HashMap;

use super::{Count, Limit, MOST, Share};
use crate::diagnostic::Diagnostic;
use crate::feasibility::limits::Amount;
use crate::feasibility::namespace::Sight;
use crate::feasibility::{QUOTA_USED_UP, about, some_of};
use crate::object_ref::ObjectRef;
use crate::resource::Resource;
use engine_kinds::Quantity;

/// What a plan adds.
pub(super) struct Growth<'a> {
    added: Quantity,
    /// What adds most.
    largest: &'a Resource,
    /// Names what adds, the largest first.
    grown: String,
}

/// Finds what the plan adds beyond what the quota has left.
///
/// What the plan leaves as it is counts as the cluster counts it. Of the rest counts by how much the most that it can
/// take grows.
///
/// # Source
/// Kubernetes, Resource Quotas: `status.used`.
pub(super) fn check(limit: &Limit<'_, '_>) -> Option<Diagnostic> {
    let resource = limit.count.resource;
    let used = limit.quota.found?.at(&["status", "used"])?;
    let used = Amount::at(used, &[resource]).known()?;
    let growth = limit.count.growth.get_or_init(|| Growth::of(limit.count));
    let Growth { added, largest, grown } = growth.as_ref()?;
    let comes_to = used.checked_add(*added).unwrap_or(MOST);
    let (quota, hard) = (limit.quota.object_ref, limit.hard);
    if comes_to <= hard {
        return None;
    }
    let summary = format!("{resource} would come to {comes_to}, of which {quota} allows {hard}");
    let detail = format!(
        "The cluster counts {used} as used already. This plan adds: {grown}. Autoscalers count with their maxReplicas, \
         Jobs as if all ran at once."
    );
    let diagnostic = Diagnostic::warning(QUOTA_USED_UP, summary).detail(detail);
    Some(about(largest, diagnostic.hint("raise the quota, ask for less, or free what is used")))
}

impl<'a> Growth<'a> {
    fn of(count: &Count<'a>) -> Option<Self> {
        let namespace = count.namespace;
        let before = totals(count, &namespace.before);
        let after = totals(count, &namespace.sights());
        let sum = |totals: &HashMap<&ObjectRef, Quantity>| {
            totals.values().try_fold(Quantity::ZERO, |sum, each| sum.checked_add(*each)).unwrap_or(MOST)
        };
        let added = sum(&after).checked_sub(sum(&before)).filter(|added| *added > Quantity::ZERO)?;
        let mut grown: Vec<(&ObjectRef, Quantity)> = after
            .iter()
            .map(|(object_ref, total)| {
                let before = before.get(object_ref).copied().unwrap_or(Quantity::ZERO);
                (*object_ref, total.checked_sub(before).unwrap_or(MOST))
            })
            .filter(|(_, grown)| *grown > Quantity::ZERO)
            .collect();
        grown.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        let (largest, _) = grown.first()?;
        let largest = namespace.objects.iter().find(|it| it.object_ref() == *largest)?.resource;
        let texts: Vec<String> =
            grown.iter().map(|(object_ref, more)| format!("{object_ref} {more}")).collect();
        Some(Self { added, largest, grown: some_of(&texts) })
    }
}

fn totals<'b>(count: &Count<'_>, objects: &[Sight<'b>]) -> HashMap<&'b ObjectRef, Quantity> {
    let taken = count.counted.of(objects, count.defaults).into_iter();
    taken.map(|(it, each, count)| (it.object_ref, Share::new(it.object_ref, each, count).total)).collect()
}

#[cfg(test)]
mod tests;
