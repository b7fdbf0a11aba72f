//! Judges what a definition asserts: at the end of a plan, and of an apply.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use engine_config::codes::{CONDITION, CONDITION_OPEN};
use engine_config::{Checks as Found, Filler, Moment};
use engine_converge::Providers;
use engine_converge::gate::Judge;
use engine_converge::read::read_objects;
use engine_core::address::Address;
use engine_core::diagnostic::Diagnostics;
use engine_core::plan::Action;
use engine_core::ports::BoxFuture;
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
    diagnostics.extend(checks.warnings());
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
pub async fn judge(session: &Session, reads: &Reads, moment: Moment) -> Result<Found, CommandError> {
    Ok(Checks::of(session).found(reads, moment).await?)
}

/// The checks of a definition, with the clusters that they read from.
pub struct Checks {
    filler: Arc<Filler>,
    providers: Arc<Providers>,
}

impl Checks {
    /// Returns those of an opened definition.
    pub fn of(session: &Session) -> Self {
        Self { filler: session.definition.filler.clone(), providers: session.providers.clone() }
    }

    async fn found(&self, reads: &Reads, moment: Moment) -> Result<Found, Diagnostics> {
        let mut reads = reads.clone();
        loop {
            let checks = self.filler.checks(&reads, moment)?;
            if checks.asked.is_empty() {
                return Ok(checks);
            }
            // What is found may lead to further questions.
            let asked: BTreeMap<Address, Read> = checks.asked.iter().filter_map(read_of).collect();
            let found = read_objects(asked.clone(), &self.providers).await;
            reads.extend(asked.into_keys().map(|address| (address, Value::Null)));
            reads.extend(found);
        }
    }
}

impl Judge for Checks {
    fn failures(&self, reads: Reads) -> BoxFuture<'_, Result<Vec<(Address, String)>, String>> {
        Box::pin(async move {
            let found = self.found(&reads, Moment::Applied).await.map_err(|faults| {
                let summaries = faults.iter().map(|fault| fault.summary.as_str());
                summaries.collect::<Vec<_>>().join("; ")
            })?;
            Ok(found.found.into_iter().map(|(check, warning)| (check, warning.summary)).collect())
        })
    }
}

fn read_of(resource: &Resource) -> Option<(Address, Read)> {
    match &resource.body {
        Body::Read(read) => Some((resource.address.clone(), read.clone())),
        Body::Object(_) => None,
    }
}
