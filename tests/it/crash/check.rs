//! What must hold after a death, and after the runs that follow it.

use std::collections::{BTreeMap, BTreeSet};

use engine_core::object_ref::ObjectRef;
use engine_core::state::State;
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};

use super::chain::{self, Link};
use super::wire::Asked;
use super::world::{Goal, Store, World};

/// Objects by the ends of their paths; the second is written only when the first is there, and deleted first.
const ORDER: [(&str, &str); 8] = [
    ("/namespaces/dev", "/configmaps/settings"),
    ("/namespaces/dev", "/secrets/credentials"),
    ("/namespaces/dev", "/deployments/web"),
    ("/namespaces/dev", "/configmaps/first"),
    ("/namespaces/dev", "/configmaps/second"),
    ("/configmaps/settings", "/deployments/web"),
    ("/secrets/credentials", "/deployments/web"),
    ("/deployments/web", "/configmaps/fixed"),
];

/// The one that waits until the deployment is ready.
const WAITS: &str = "/configmaps/fixed";

/// What is left of an environment, without what differs from one cluster and one run to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    objects: BTreeMap<String, String>,
    records: Vec<String>,
}

impl Left {
    pub fn of(world: &World) -> Self {
        let chain = world.chain();
        let Some(Link { state, .. }) = chain.last() else { return Self::default() };
        let lineage = state.lineage.as_str();
        let manager = state.lineage.field_manager();
        let of_any_run = |mut object: Json| {
            if let Some(entries) = object["metadata"]["managedFields"].as_array_mut() {
                entries.retain(|entry| entry["manager"] == manager.as_str());
            }
            strip(&mut object);
            object.to_string().replace(lineage, "LINEAGE").replace(manager.as_str(), "MANAGER")
        };
        let of_any_world = |text: String| text.replace(&world.namespace, "NAMESPACE");
        let objects = world.marked(lineage).into_iter();
        let objects = objects.map(|(name, object)| (of_any_world(name), of_any_world(of_any_run(object))));
        let records = state.records.iter().map(|(object_ref, record)| {
            // Digests differ with the lineage and its key; that they are right the next plan shows, which asks nothing.
            let settled = record.settled.is_some();
            let (address, dependencies) = (&record.address, &record.dependencies);
            of_any_world(format!(
                "{object_ref} {address} {} {settled} {dependencies:?} {:?}",
                record.api_version, record.fields
            ))
        });
        Self { objects: objects.collect(), records: records.collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.records.is_empty()
    }
}

/// Checks a world in which a run has just died: a chain that is one, no object that nobody knows of, private files.
pub fn after_death(world: &World, when: &str) {
    let chain = checked_chain(world, when);
    let Some(newest) = chain.last() else {
        // A control plane has the objects of other worlds as well.
        let marked = |object: &&Json| {
            let metadata = &object["metadata"];
            let is_here = [&metadata["namespace"], &metadata["name"]].contains(&&json!(world.namespace));
            is_here && !metadata["annotations"]["terrane.dev/lineage"].is_null()
        };
        assert_eq!(world.objects().values().filter(marked).count(), 0, "{when}: objects without a state");
        return;
    };
    let known: BTreeSet<String> = known(&newest.state).map(name).collect();
    for object in world.marked(newest.state.lineage.as_str()).keys() {
        assert!(known.contains(object), "{when}: {object} is an orphan, known are {known:?}");
    }
    world.check_files(when);
}

/// Checks a world in which a goal was reached after all: as if nothing had ever gone wrong.
pub fn after_recovery(world: &World, goal: Goal, wanted: &Left, when: &str) {
    let chain = checked_chain(world, when);
    // Whoever died before the state was created, and wants it no more, has none.
    if let Some(Link { state, .. }) = chain.last() {
        assert!(state.holder.is_none(), "{when}: the lock is held by {:?}", state.holder);
        assert!(state.intents.is_empty(), "{when}: intents are left: {:?}", state.intents);
    }
    check_intents(&world.wire.log(), &chain, when);
    check_order(world, when);
    let found = Left::of(world);
    for (name, object) in &wanted.objects {
        assert_eq!(found.objects.get(name), Some(object), "{when}: {name}");
    }
    assert_eq!(&found, wanted, "{when}");
    check_nothing_left_to_do(world, goal, when);
    world.check_files(when);
    let twin = world.wire.get("/api/v1/namespaces/default/configmaps/settings");
    assert!(
        twin.is_none_or(|twin| twin["data"]["which"] == "theirs"),
        "{when}: an object of somebody else is changed"
    );
}

fn checked_chain(world: &World, when: &str) -> Vec<Link> {
    let chain = world.chain();
    chain::check(&chain, when);
    // No log is kept of refs that never leave the machine.
    if world.store == Store::Remote {
        chain::check_log(&world.path("origin.git"), &chain, when);
    }
    chain
}

/// The next plan has nothing to do, and sees so without a question of its own to any object.
fn check_nothing_left_to_do(world: &World, goal: Goal, when: &str) {
    let moment = world.wire.log().len();
    let arguments: &[&str] = match goal {
        Goal::Destroy => &["plan", "--destroy", "--detailed-exitcode"],
        Goal::First | Goal::Second => &["plan", "--detailed-exitcode"],
    };
    let planned = world.run(arguments, goal, None);
    assert_eq!(
        planned.code,
        Some(0),
        "{when}: something is left to do\n{}{}",
        planned.stdout,
        planned.stderr
    );
    let asked: Vec<Asked> = world.wire.log().split_off(moment);
    let asked: Vec<&Asked> = asked.iter().filter(|it| it.method != Method::GET).collect();
    assert!(asked.is_empty(), "{when}: the records do not settle their objects: {asked:#?}");
}

/// Insists that every write was intended by the revision that was the newest when it reached the server.
fn check_intents(log: &[Asked], chain: &[Link], when: &str) {
    for asked in log.iter().filter(|asked| asked.writes()) {
        let link = chain.iter().find(|link| Some(link.oid) == asked.tip);
        let state =
            &link.unwrap_or_else(|| panic!("{when}: {} is written without a state", asked.path)).state;
        let intended =
            state.intents.iter().any(|intent| asked.path.ends_with(&end_of_path(&intent.object_ref)));
        assert!(state.holder.is_some() && intended, "{when}: {} is not intended: {state:?}", asked.path);
    }
}

/// Insists on the order of the first writes, whichever run they were of.
fn check_order(world: &World, when: &str) {
    let log = world.wire.log();
    let answered =
        |asked: &&Asked| asked.status.is_some_and(|it| it.is_success() || it == StatusCode::NOT_FOUND);
    let writes: Vec<&Asked> = log.iter().filter(|asked| asked.writes()).filter(answered).collect();
    let at = |end: &str, method: Method| {
        let end = end.replace("/dev", &format!("/{}", world.namespace));
        writes.iter().position(|it| it.method == method && it.path.ends_with(&end))
    };
    for (dependency, dependent) in ORDER {
        if let (Some(one), Some(other)) = (at(dependency, Method::PATCH), at(dependent, Method::PATCH)) {
            assert!(one < other, "{when}: {dependent} is written before {dependency}: {writes:#?}");
        }
        if let (Some(one), Some(other)) = (at(dependency, Method::DELETE), at(dependent, Method::DELETE)) {
            assert!(other < one, "{when}: {dependency} is deleted before {dependent}: {writes:#?}");
        }
    }
    let early = writes.iter().find(|it| it.method == Method::PATCH && it.path.ends_with(WAITS) && !it.ready);
    assert!(early.is_none(), "{when}: {WAITS} is written before what it waits for is ready");
}

fn known(state: &State) -> impl Iterator<Item = &ObjectRef> {
    state.records.keys().chain(state.intents.iter().map(|intent| &intent.object_ref))
}

fn name(object_ref: &ObjectRef) -> String {
    let namespace = object_ref.namespace.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{} {namespace}/{}", object_ref.kind.kind, object_ref.name)
}

/// How the path of an object ends. The kinds of these tests have the plural that one expects.
fn end_of_path(object_ref: &ObjectRef) -> String {
    format!("/{}s/{}", object_ref.kind.kind.to_lowercase(), object_ref.name)
}

/// Drops what differs between two clusters that hold the same, and what controllers say.
fn strip(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.retain(|name, _| {
                let time = name.ends_with("Time") || name == "time" || name == "creationTimestamp";
                !time && !["uid", "resourceVersion", "generation", "status"].contains(&name.as_str())
            });
            fields.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
