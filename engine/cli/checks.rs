//! Judges what a definition asserts: at the end of a plan, and of an apply.

use std::collections::{BTreeMap, HashMap};

use engine_config::codes::{CONDITION, CONDITION_OPEN};
use engine_config::{Checks, Moment};
use engine_converge::read::read_objects;
use engine_core::address::Address;
use engine_core::diagnostic::Diagnostics;
use engine_core::plan::Action;
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
    let broken = postconditions(session, planned).await?;
    let moment = if planned.plan.has_changes() { Moment::Planned } else { Moment::Applied };
    let checks = judge(session, &session.reads, moment).await?;
    let diagnostics = &mut planned.plan.diagnostics;
    diagnostics.extend(broken);
    // Preconditions of outputs that do not hold are among what the definition has broken.
    diagnostics.extend(checks.warnings);
    Ok(())
}

/// Judges postconditions: of an object that stays, by what it is; of another, by what is predicted of it, as far as
/// that tells.
async fn postconditions(session: &Session, planned: &Planned) -> Result<Diagnostics, CommandError> {
    let mut broken = Diagnostics::default();
    let guarded = planned.graph.resources().iter().filter(|resource| resource.lifecycle.postcondition);
    let guarded: HashMap<&Address, &Resource> = guarded.map(|it| (&it.address, it)).collect();
    if guarded.is_empty() {
        return Ok(broken);
    }
    let unchanged = planned.plan.changes.iter().filter(|change| change.action == Action::NoOp);
    let stay = unchanged.filter_map(|change| {
        let version = guarded.get(&change.address)?.manifest()?.api_version().clone();
        let read = Read { object_ref: change.object_ref.clone(), api_version: Some(version) };
        Some((change.address.clone(), read))
    });
    let live = read_objects(stay.collect(), &session.providers).await;
    let mut objects = planned.predicted.clone();
    objects.extend(live.clone());
    for (address, faults) in session.definition.filler.postconditions(&objects, &session.reads)? {
        // What a prediction does not have the object may still get, and what is not known may become so.
        let is_final = |code| code == CONDITION || code != CONDITION_OPEN && live.contains_key(&address);
        if faults.iter().all(|fault| is_final(fault.code)) {
            broken.extend(faults);
        }
    }
    Ok(broken)
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
        let asked: BTreeMap<Address, Read> = checks.asked.iter().filter_map(read_of).collect();
        let found = read_objects(asked.clone(), &session.providers).await;
        reads.extend(asked.into_keys().map(|address| (address, Value::Null)));
        reads.extend(found);
    }
}

fn read_of(resource: &Resource) -> Option<(Address, Read)> {
    match &resource.body {
        Body::Read(read) => Some((resource.address.clone(), read.clone())),
        Body::Object(_) => None,
    }
}
