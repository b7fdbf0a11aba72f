//! What bounds a namespace: quotas and limit ranges, declared or found there.

use super::namespace::{Namespace, Sight};
use super::workload::Workload;
use super::world::World;
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::resource::Resource;
use crate::value::{Text, Value};

/// A quota or a limit range that holds once the plan is applied.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) object_ref: &'a ObjectRef,
    /// As it is declared, or else as it was found.
    pub(super) body: &'a Value,
    /// The resource that declares it, `None` if it is another's.
    pub(super) resource: Option<&'a Resource>,
    /// As it was found.
    pub(super) found: Option<&'a Value>,
}

impl Bound<'_> {
    /// Tells whether what it says of a workload belongs to this plan: what others demand of pods that stay as they are
    /// is no news.
    pub(super) fn concerns(&self, workload: &Workload<'_>) -> bool {
        self.resource.is_some() || workload.object.is_written()
    }
}

/// Puts the quotas and limit ranges of a namespace into it.
pub(super) fn fill<'a>(inside: &mut Namespace<'a>, world: &World<'a>, place: (&'a ClusterRef, &'a Text)) {
    inside.quotas = bounds(inside, world, place, "ResourceQuota");
    inside.ranges = bounds(inside, world, place, "LimitRange");
    inside.knows_ranges = inside.is_created || world.found(place.0, ("", "LimitRange")).is_some();
}

fn bounds<'a>(
    inside: &Namespace<'a>,
    world: &World<'a>,
    place: (&'a ClusterRef, &'a Text),
    kind: &'static str,
) -> Vec<Bound<'a>> {
    let found = || world.bounds(place).iter().filter(|it| it.is("", kind));
    let body_of = |object_ref: &ObjectRef| found().find(|it| it.object_ref == object_ref).map(|it| it.body);
    let own = inside.of_kind("", kind).map(|it| Bound {
        object_ref: it.object_ref(),
        body: it.body,
        resource: Some(it.resource),
        found: body_of(it.object_ref()),
    });
    let others = found().filter(|it| !world.is_declared(it.object_ref) && !world.is_deleted(it.object_ref));
    let others = others.map(|Sight { object_ref, body }| Bound {
        object_ref,
        body,
        resource: None,
        found: Some(body),
    });
    own.chain(others).collect()
}
