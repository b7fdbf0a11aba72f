//! `terrane state rebuild`

use std::collections::BTreeMap;

use engine_converge::rebuild::{Census, census};
use engine_core::cluster::ClusterRecord;
use engine_core::mark::Lineage;
use engine_core::object_ref::{ClusterRef, ObjectRef};
use engine_core::ports::{Stored, Tip};
use engine_core::state::{ResourceRecord, State};
use engine_render::{escape, stored_json};

use super::approved;
use crate::args::{Approving, Target};
use crate::error::{CommandError, Exit};
use crate::lock::require_free;
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, say};

/// Makes a state from the marks: looks, asks, and writes.
pub async fn run(
    target: &Target,
    lineage: Option<Lineage>,
    approving: Approving,
    context: Context,
) -> Result<Exit, CommandError> {
    let mut session = Session::unread(Workspace::open(target)?, context)?;
    let tip = lost(&session)?;
    session.reach().await?;
    session.answer_all(context).await?;
    let mut census = census(&session.definition.environment, &session.providers)
        .await
        .map_err(CommandError::while_("look for marks on the clusters"))?;
    for unobserved in &census.unobserved {
        say(&format!("warning: not looked at: {}\n", escape(unobserved)));
    }
    let lineage = choose(&census, lineage, tip.as_ref())?;
    let records = census.lineages.remove(&lineage).unwrap_or_default();
    let state = rebuilt(&session, lineage, (records, &census), tip.as_ref());
    say(&found(&state));
    if !approved(approving, "Do you want to make this the environment's state?")? {
        return Ok(Exit::Incomplete);
    }
    let expected = tip.as_ref().map(|tip| &tip.revision);
    let summary = format!("state rebuild: {} objects found by their marks", state.records.len());
    let landed = session.store.advance(expected, &state, &summary);
    let revision = landed.map_err(CommandError::while_("write the state"))?;
    let stored = Stored { revision, state };
    match approving.json {
        true => line(stored_json(&stored))?,
        false => line(format_args!(
            "The state is at serial {} and records {} objects. Plan to compare them with the definition.",
            stored.state.serial,
            stored.state.records.len()
        ))?,
    }
    Ok(Exit::Success)
}

/// Checks that there is no state that can be used, and returns what is in its place.
fn lost(session: &Session) -> Result<Option<Tip>, CommandError> {
    if let Ok(Some(stored)) = session.store.latest() {
        return Err(CommandError::new(format!(
            "environment {} has a state, at serial {}",
            stored.state.environment, stored.state.serial
        ))
        .hint("`terrane plan` shows how the clusters differ from it; `terrane state restore` brings back an older one"));
    }
    let tip = session.store.unchecked().map_err(CommandError::while_("read the state"))?;
    require_free(session, tip.as_ref().and_then(|tip| tip.state.as_ref().ok()?.holder.clone()))?;
    Ok(tip)
}

/// Decides whose marks count.
fn choose(census: &Census, wanted: Option<Lineage>, tip: Option<&Tip>) -> Result<Lineage, CommandError> {
    let listed = || {
        let lines =
            census.lineages.iter().map(|(lineage, records)| format!("{lineage} ({} objects)", records.len()));
        lines.collect::<Vec<_>>().join(", ")
    };
    let lineage = match (wanted, census.lineages.len()) {
        (_, 0) => {
            return Err(CommandError::new("no object on the clusters carries the mark of this environment")
                .hint("nothing has to be rebuilt: `terrane apply` begins a new state"));
        }
        (Some(wanted), _) if !census.lineages.contains_key(&wanted) => {
            return Err(CommandError::new(format!("no object has lineage {wanted}; found are {}", listed())));
        }
        (Some(wanted), _) => wanted,
        (None, 1) => census.lineages.keys().next().cloned().unwrap_or(Lineage::new([0; 16])),
        (None, _) => {
            return Err(CommandError::new(format!("the objects are of several lineages: {}", listed()))
                .hint("say with --lineage whose they are; objects of the others stay as they are"));
        }
    };
    match tip.filter(|tip| tip.lineage != lineage) {
        Some(tip) => Err(CommandError::new(format!(
            "the state's ref holds lineage {}, the objects have lineage {lineage}",
            tip.lineage
        ))
        .hint("somebody began a new state under the same name; delete its ref by hand if it is not needed")),
        None => Ok(lineage),
    }
}

/// Puts together what the marks and the definition prove.
fn rebuilt(
    session: &Session,
    lineage: Lineage,
    (mut records, census): (BTreeMap<ObjectRef, ResourceRecord>, &Census),
    tip: Option<&Tip>,
) -> State {
    let definition = &session.definition;
    for (object_ref, record) in &mut records {
        let declared =
            definition.graph.find(object_ref).filter(|resource| resource.address == record.address);
        if let Some(resource) = declared {
            record.dependencies = definition.graph.dependencies(resource);
            record.prevent_destroy = resource.lifecycle.prevent_destroy;
        }
    }
    let used = |cluster: &ClusterRef| records.keys().any(|object_ref| object_ref.cluster == *cluster);
    let clusters =
        census.clusters.iter().filter(|(cluster, _)| used(cluster)).filter_map(|(cluster, uid)| {
            let record = ClusterRecord { connection: session.connection(cluster)?, uid: uid.clone() };
            Some((cluster.clone(), record))
        });
    let outputs = definition.outputs.iter();
    let outputs = outputs.filter_map(|(name, output)| Some((name.clone(), output.value.clone().known()?)));
    // An epoch of 0 would say that nothing was ever applied.
    let epoch = tip.and_then(|tip| tip.state.as_ref().ok()).map_or(0, |state| state.epoch) + 1;
    State {
        serial: tip.map_or(0, |tip| tip.serial) + 1,
        epoch,
        clusters: clusters.collect(),
        outputs: outputs.collect(),
        records: records.clone(),
        ..State::empty(definition.environment.clone(), lineage)
    }
}

fn found(state: &State) -> String {
    let mut counts: BTreeMap<&ClusterRef, usize> = BTreeMap::new();
    for object_ref in state.records.keys() {
        *counts.entry(&object_ref.cluster).or_default() += 1;
    }
    let line = |(cluster, count): (&&ClusterRef, &usize)| {
        format!("  cluster {}: {count} objects\n", escape(cluster.as_str()))
    };
    format!("Marked by lineage {}:\n{}", state.lineage, counts.iter().map(line).collect::<String>())
}
