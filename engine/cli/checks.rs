//! Judges what a definition asserts: at the end of a plan, and of an apply.

use engine_config::codes::CONDITION;
use engine_config::{Checks, Moment};
use engine_converge::read::read_object;
use engine_core::plan::{Action, Change};
use engine_core::ports::Resolver;
use engine_core::resource::{Body, Read, Resource};
use engine_core::value::Value;

use crate::commands::plan::Planned;
use crate::error::CommandError;
use crate::session::{Reads, Session};

/// Adds to a plan what postconditions and checks say of it.
///
/// # Errors
/// The definition has errors with what checks have read.
pub async fn judge_plan(session: &Session, planned: &mut Planned) -> Result<(), CommandError> {
    let guarded = planned.graph.resources().iter().filter(|resource| resource.lifecycle.postcondition);
    let mut broken = Vec::new();
    for resource in guarded {
        let change = planned.plan.changes.iter().find(|change| change.address == resource.address);
        let Some((change, manifest)) = change.zip(resource.manifest()) else { continue };
        let version = manifest.api_version().clone();
        let read = Read { object_ref: change.object_ref.clone(), api_version: Some(version) };
        broken.extend(postconditions(session, planned, (resource, change), &read).await);
    }
    let moment = if planned.plan.has_changes() { Moment::Planned } else { Moment::Applied };
    let checks = judge(session, &session.reads, moment).await?;
    let diagnostics = &mut planned.plan.diagnostics;
    diagnostics.extend(broken);
    diagnostics.extend(checks.warnings);
    diagnostics.extend(checks.faults);
    Ok(())
}

/// Judges the postconditions of one resource: of an object that stays, by what it is; of another, by what is
/// predicted of it, as far as that tells.
async fn postconditions(
    session: &Session,
    planned: &Planned,
    (resource, change): (&Resource, &Change),
    read: &Read,
) -> Vec<engine_core::diagnostic::Diagnostic> {
    let stays = change.action == Action::NoOp;
    let value = match planned.predicted.get(&resource.address) {
        _ if stays => read_object(read, &session.providers).await.ok(),
        predicted => predicted.cloned(),
    };
    let held =
        value.map(|value| session.definition.filler.require(&resource.address, Some(&value), &session.reads));
    let Some(Err(faults)) = held else { return Vec::new() };
    // What a prediction does not have, the object may still get.
    let counts = stays || faults.iter().all(|fault| fault.code == CONDITION);
    if counts { faults.iter().cloned().collect() } else { Vec::new() }
}

/// Judges the checks, reading what they ask for. What cannot be read is as if it did not exist: a check never
/// stops anything.
///
/// # Errors
/// The definition has errors with what was read.
pub async fn judge(session: &Session, reads: &Reads, moment: Moment) -> Result<Checks, CommandError> {
    let mut reads = reads.clone();
    loop {
        let checks = session.definition.filler.checks(&reads, moment)?;
        if checks.asked.is_empty() {
            return Ok(checks);
        }
        // What is found may lead to further questions.
        for resource in &checks.asked {
            let Body::Read(read) = &resource.body else { continue };
            let found = read_object(read, &session.providers).await;
            let value = found.unwrap_or_else(|error| {
                tracing::warn!(%error, address = %resource.address, "a check could not read");
                Value::Null
            });
            reads.insert(resource.address.clone(), value);
        }
    }
}
