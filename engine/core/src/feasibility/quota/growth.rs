//! What a plan adds to what a quota counts already, of this environment and of others.

use std::collections::HashMap;

use super::{Limit, MOST, Share};
use crate::diagnostic::Diagnostic;
use crate::feasibility::limits::Amount;
use crate::feasibility::namespace::Sight;
use crate::feasibility::{QUOTA_USED_UP, about, some_of};
use crate::object_ref::ObjectRef;
use engine_kinds::Quantity;

/// Finds what the plan adds beyond what the quota has left.
///
/// What the plan leaves as it is counts as the cluster counts it. Of the rest counts by how much the most that it can
/// take grows.
///
/// # Source
/// Kubernetes, Resource Quotas: `status.used`.
pub(super) fn check(limit: &Limit<'_>) -> Option<Diagnostic> {
    let used = limit.quota.found?.at(&["status", "used"])?;
    let used = Amount::at(used, &[limit.resource]).known()?;
    let namespace = limit.namespace;
    let before = totals(limit, &namespace.before);
    let after = totals(limit, &namespace.sights());
    let sum = |totals: &HashMap<&ObjectRef, Quantity>| {
        totals.values().try_fold(Quantity::ZERO, |sum, each| sum.checked_add(*each)).unwrap_or(MOST)
    };
    let added = sum(&after).checked_sub(sum(&before)).filter(|added| *added > Quantity::ZERO)?;
    let comes_to = used.checked_add(added).unwrap_or(MOST);
    if comes_to <= limit.hard {
        return None;
    }
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
    let largest = namespace.objects.iter().find(|it| it.object_ref() == *largest)?;
    let (resource, quota, hard) = (limit.resource, limit.quota.object_ref, limit.hard);
    let summary = format!("{resource} would come to {comes_to}, of which {quota} allows {hard}");
    let texts: Vec<String> = grown.iter().map(|(object_ref, more)| format!("{object_ref} {more}")).collect();
    let detail = format!(
        "The cluster counts {used} as used already. This plan adds: {}. Autoscalers count with their maxReplicas, Jobs as \
         if all ran at once.",
        some_of(&texts)
    );
    let diagnostic = Diagnostic::warning(QUOTA_USED_UP, summary).detail(detail);
    Some(about(largest.resource, diagnostic.hint("raise the quota, ask for less, or free what is used")))
}

fn totals<'a>(limit: &Limit<'_>, objects: &[Sight<'a>]) -> HashMap<&'a ObjectRef, Quantity> {
    let taken = limit.counted.of(objects, limit.defaults).into_iter();
    taken.map(|(it, each, count)| (it.object_ref, Share::new(it.object_ref, each, count).total)).collect()
}

#[cfg(test)]
mod tests;
