//! What holds through a change of a definition while others write to the same objects.

use std::collections::BTreeMap;
use std::fmt::Write;

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{HEAD, quoted};
use crate::cluster::{Cluster, Server, on_both_servers};
use crate::environment::{Environment, Ran, root};

type Data = BTreeMap<String, String>;

/// A `ConfigMap`, or a Deployment of so many replicas, before and after a change of its definition.
#[derive(Debug, Clone)]
enum Object {
    Settings { before: Option<Data>, after: Option<Data>, term: Term, drift: Option<Drift>, is_renamed: bool },
    Workload { before: u32, after: u32, scaled: Option<u32>, is_renamed: bool },
}

/// Who keeps the data that another manager owns, if the definition says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Term {
    Unsaid,
    Take,
    Yield,
    /// `ignore_changes` of the key `a`.
    Ignore,
}

impl Term {
    const ALL: [Self; 4] = [Self::Unsaid, Self::Take, Self::Yield, Self::Ignore];

    fn text(self) -> &'static str {
        match self {
            Self::Unsaid => "",
            Self::Take => "  lifecycle {\n    conflicts {\n      take = [data]\n    }\n  }\n",
            Self::Yield => "  lifecycle {\n    conflicts {\n      yield = [data]\n    }\n  }\n",
            Self::Ignore => "  lifecycle {\n    ignore_changes = [data.a]\n  }\n",
        }
    }
}

/// What somebody else does.
#[derive(Debug, Clone)]
enum Drift {
    /// `kubectl edit` of a key.
    Edit(String, String),
    /// Another tool applies a key by force. Without a term that would stop the plan.
    Apply(String, String),
    Delete,
}

fn data() -> impl Strategy<Value = Data> {
    prop::collection::btree_map("[abc]", "[0-2]", 0..3)
}

fn settings() -> impl Strategy<Value = Object> {
    let term = prop::sample::select(&Term::ALL);
    let drift = prop_oneof![
        ("[abc]", "[0-2]").prop_map(|(key, value)| Drift::Edit(key, value)),
        ("[abc]", "[0-2]").prop_map(|(key, value)| Drift::Apply(key, value)),
        Just(Drift::Delete),
    ];
    let sides = prop_oneof![
        4 => (data(), data()).prop_map(|(before, after)| (Some(before), Some(after))),
        2 => data().prop_map(|same| (Some(same.clone()), Some(same))),
        1 => data().prop_map(|before| (Some(before), None)),
        1 => data().prop_map(|after| (None, Some(after))),
    ];
    (sides, term, prop::option::weighted(0.7, drift), any::<bool>())
        .prop_map(|((before, after), term, drift, is_renamed)| Object::Settings {
            before,
            after,
            term,
            drift,
            is_renamed,
        })
        .prop_filter("only what is there is written to or renamed", Object::is_possible)
}

fn object() -> impl Strategy<Value = Object> {
    let workload = (0u32..3, 0u32..3, prop::option::of(0u32..4), any::<bool>()).prop_map(
        |(before, after, scaled, is_renamed)| Object::Workload { before, after, scaled, is_renamed },
    );
    prop_oneof![3 => settings(), 1 => workload]
}

/// Which of the two definitions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Object {
    /// Tells whether others can write to it, it can be renamed, and no plan is stopped by it.
    fn is_possible(&self) -> bool {
        let Self::Settings { before, after, term, drift, is_renamed } = self else { return true };
        let is_stopped = matches!((drift, term), (Some(Drift::Apply(..)), Term::Unsaid))
            || matches!((drift, term), (Some(Drift::Apply(key, _)), Term::Ignore) if key != "a");
        let is_there = before.is_some() && !is_stopped;
        (drift.is_none() || is_there)
            && (!is_renamed || (before.is_some() && after.is_some()))
            && !(before.is_none() && after.is_none())
    }

    fn path(&self, idx: usize) -> String {
        match self {
            Self::Settings { .. } => format!("/api/v1/namespaces/default/configmaps/o{idx}"),
            Self::Workload { .. } => format!("/apis/apps/v1/namespaces/default/deployments/o{idx}"),
        }
    }

    /// Returns its block on one side; empty if it has none there.
    fn block(&self, idx: usize, side: Side) -> String {
        let (Self::Settings { is_renamed, .. } | Self::Workload { is_renamed, .. }) = self;
        let name = if *is_renamed && side == Side::After { format!("new{idx}") } else { format!("o{idx}") };
        let (head, fields, lifecycle) = match self {
            Self::Settings { before, after, term, .. } => {
                let Some(data) = (if side == Side::Before { before } else { after }) else {
                    return String::new();
                };
                let entries: Vec<String> =
                    data.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
                (("v1", "ConfigMap"), format!("data = {{ {} }}", entries.join(", ")), term.text())
            }
            Self::Workload { before, after, .. } => {
                let replicas = if side == Side::Before { before } else { after };
                let pods = format!(
                    "selector = {{ matchLabels = {{ app = \"o{idx}\" }} }}, template = {{ metadata = {{ labels = {{ app = \"o{idx}\" }} }}, spec = {{ containers = [{{ name = \"c\", image = \"i:1\" }}] }} }}"
                );
                (("apps/v1", "Deployment"), format!("spec = {{ replicas = {replicas}, {pods} }}"), "")
            }
        };
        let mut text = String::new();
        if *is_renamed && side == Side::After {
            write!(text, "moved {{\n  from = manifest.o{idx}\n  to   = manifest.{name}\n}}\n\n")
                .expect("text");
        }
        let (version, kind) = head;
        write!(
            text,
            "manifest \"{name}\" {{\n  object = {{ apiVersion = \"{version}\", kind = \"{kind}\", metadata = {{ name = \"o{idx}\", namespace = \"default\" }}, {fields} }}\n{lifecycle}}}\n\n"
        )
        .expect("text");
        text
    }

    /// Does what somebody else does.
    fn drift(&self, idx: usize, environment: &Environment) {
        let path = self.path(idx);
        let patch = |path: &str, manager: &str, media: &str, body: &Value| {
            environment.write(
                &Method::PATCH,
                &format!("{path}?{manager}"),
                &format!("application/{media}"),
                body,
            );
        };
        match self {
            Self::Settings { drift: Some(Drift::Edit(key, value)), .. } => {
                let body = json!({ "data": { key: value } });
                patch(&path, "fieldManager=kubectl-edit", "merge-patch+json", &body);
            }
            Self::Settings { drift: Some(Drift::Apply(key, value)), .. } => {
                let name = format!("o{idx}");
                let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { key: value } });
                patch(&path, "fieldManager=other-tool&force=true", "apply-patch+yaml", &body);
            }
            Self::Settings { drift: Some(Drift::Delete), .. } => {
                environment.write(&Method::DELETE, &path, "application/json", &Value::Null);
            }
            Self::Workload { scaled: Some(replicas), .. } => {
                let body = json!({ "spec": { "replicas": replicas } });
                patch(&format!("{path}/scale"), "fieldManager=autoscaler", "merge-patch+json", &body);
            }
            _ => {}
        }
    }

    /// Undoes what another tool has applied.
    fn withdraw(&self, idx: usize, environment: &Environment) {
        if let Self::Settings { after: Some(_), drift: Some(Drift::Apply(..)), .. } = self {
            let path = format!("{}?fieldManager=other-tool", self.path(idx));
            let body =
                json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("o{idx}") } });
            environment.write(&Method::PATCH, &path, "application/apply-patch+yaml", &body);
        }
    }

    /// Returns what is to be there: the data, or the replicas.
    fn wanted(&self) -> Value {
        match self {
            Self::Settings { after: None, .. } => Value::Null,
            Self::Settings { before, after: Some(after), term, drift, .. } => {
                let mut wanted = after.clone();
                let mut there = before.clone().filter(|_| !matches!(drift, Some(Drift::Delete)));
                let applied = matches!(drift, Some(Drift::Apply(..)));
                if let (Some(there), Some(Drift::Edit(key, value) | Drift::Apply(key, value))) =
                    (&mut there, drift)
                {
                    // Who writes the value that is there by an edit owns nothing of it.
                    let is_theirs =
                        there.insert(key.clone(), value.clone()).as_ref() != Some(value) || applied;
                    if is_theirs && (*term == Term::Yield || !after.contains_key(key)) {
                        wanted.insert(key.clone(), value.clone());
                    }
                }
                if let (Term::Ignore, Some(mut there)) = (term, there) {
                    wanted.remove("a");
                    wanted.extend(there.remove_entry("a"));
                }
                json!(wanted)
            }
            // Who scales keeps the replicas.
            Self::Workload { before, after, scaled, .. } => {
                json!(scaled.filter(|it| it != before).unwrap_or(*after))
            }
        }
    }

    /// Returns the same after the other tool has withdrawn.
    fn wanted_alone(&self) -> Value {
        match self {
            Self::Settings { after: Some(after), term, drift: Some(Drift::Apply(..)), .. } => {
                let mut wanted = after.clone();
                // It was left to the other tool, which took it along.
                if *term == Term::Ignore {
                    wanted.remove("a");
                }
                json!(wanted)
            }
            _ => self.wanted(),
        }
    }

    /// Returns the same of what is there, given all `ConfigMaps` and Deployments.
    fn found(&self, idx: usize, lists: &[Value]) -> Value {
        let named = |it: &&Value| it["metadata"]["name"] == format!("o{idx}");
        let mut items = lists.iter().filter_map(|list| list["items"].as_array()).flatten();
        let Some(found) = items.find(named) else { return Value::Null };
        match self {
            Self::Settings { .. } if found["data"].is_null() => json!({}),
            Self::Settings { .. } => found["data"].clone(),
            Self::Workload { .. } => found["spec"]["replicas"].clone(),
        }
    }
}

/// Reads all `ConfigMaps` and Deployments: one by one is slow where there are many.
fn lists(environment: &Environment) -> Vec<Value> {
    let kinds = ["/api/v1/namespaces/default/configmaps", "/apis/apps/v1/namespaces/default/deployments"];
    kinds.into_iter().filter_map(|kind| environment.get(kind)).collect()
}

/// Writes a definition, its blocks in this order over two files.
fn define(environment: &Environment, objects: &[Object], (side, order): (Side, &[usize])) {
    let (first, second) = order.split_at(order.len() / 2);
    let file = |name: &str, head: &str, part: &[usize]| {
        let part = part.iter().filter(|idx| **idx < objects.len());
        let blocks: String = part.map(|idx| objects[*idx].block(*idx, side)).collect();
        std::fs::write(environment.directory.join(name), format!("{head}{blocks}"))
            .expect("the definition is written");
    };
    file("main.hcl", HEAD, first);
    file("more.hcl", "", second);
}

fn well(ran: &Ran, code: i32) -> Result<(), TestCaseError> {
    prop_assert_eq!(ran.code, Some(code), "{}{}", ran.stdout, ran.stderr);
    Ok(())
}

/// Applies a definition, lets others write, applies another one, and destroys all.
fn live_through(cluster: Cluster, objects: &[Object], order: &[usize]) -> Result<(), TestCaseError> {
    let environment = Environment::on(cluster, &root().join("tests/clusters/empty"));
    let straight: Vec<usize> = (0..order.len()).collect();
    let apply = || environment.terrane(&["apply", "--auto-approve"]);
    define(&environment, objects, (Side::Before, &straight));
    well(&apply(), 0)?;
    objects.iter().enumerate().for_each(|(idx, object)| object.drift(idx, &environment));
    define(&environment, objects, (Side::After, order));
    let shuffled = environment.terrane(&["plan", "--json"]);
    well(&shuffled, 0)?;
    define(&environment, objects, (Side::After, &straight));
    prop_assert_eq!(shuffled.stdout, environment.terrane(&["plan", "--json"]).stdout);
    let rests = |wanted: fn(&Object) -> Value| {
        well(&apply(), 0)?;
        well(&environment.terrane(&["plan", "--detailed-exitcode"]), 0)?;
        well(&environment.terrane(&["plan", "--detailed-exitcode", "--verify", "full"]), 0)?;
        let lists = lists(&environment);
        objects.iter().enumerate().try_for_each(|(idx, object)| {
            prop_assert_eq!(object.found(idx, &lists), wanted(object), "o{}: {:?}", idx, object);
            Ok(())
        })
    };
    rests(Object::wanted)?;
    objects.iter().enumerate().for_each(|(idx, object)| object.withdraw(idx, &environment));
    rests(Object::wanted_alone)?;
    well(&environment.terrane(&["destroy", "--auto-approve"]), 0)?;
    prop_assert_eq!(environment.terrane(&["state", "list"]).stdout, "");
    let lists = lists(&environment);
    prop_assert!(objects.iter().enumerate().all(|(idx, it)| it.found(idx, &lists).is_null()));
    Ok(())
}

fn a_change_comes_to_rest_and_each_field_with_whom_it_belongs_to(server: Server) {
    let cluster = server.start();
    // What a case leaves on a control plane when it fails is in the way of simpler ones.
    let max_shrink_iters = if server == Server::Sandbox { 64 } else { 0 };
    let config =
        ProptestConfig { cases: 8, failure_persistence: None, max_shrink_iters, ..ProptestConfig::default() };
    let objects = prop::collection::vec(object(), 3..8);
    let order = Just((0..8usize).collect::<Vec<_>>()).prop_shuffle();
    let held = TestRunner::new(config)
        .run(&(objects, order), |(objects, order)| live_through(cluster.clone(), &objects, &order));
    held.unwrap_or_else(|fault| panic!("{fault}"));
}

/// Returns a `ConfigMap` for every way that one key can go: who writes it, when, and on which term.
fn every_way() -> Vec<Object> {
    let of = |value: &str| Data::from([("a".to_owned(), value.to_owned())]);
    let sides = [None, Some(Data::new()), Some(of("0")), Some(of("1"))];
    let mut drifts = vec![None, Some(Drift::Delete)];
    for value in ["0", "1", "2"] {
        drifts.push(Some(Drift::Edit("a".into(), value.into())));
        drifts.push(Some(Drift::Apply("a".into(), value.into())));
    }
    let mut all = Vec::new();
    // A value that the key has before stands for another.
    for before in &sides[..3] {
        for after in &sides {
            for term in Term::ALL {
                all.extend(drifts.iter().map(|drift| {
                    let (before, after, drift) = (before.clone(), after.clone(), drift.clone());
                    Object::Settings { before, after, term, drift, is_renamed: false }
                }));
            }
        }
    }
    all.retain(Object::is_possible);
    all
}

fn every_way_of_a_key_comes_to_rest(server: Server) {
    let objects = every_way();
    let order: Vec<usize> = (0..objects.len()).rev().collect();
    live_through(server.start(), &objects, &order).unwrap_or_else(|fault| panic!("{fault}"));
}

on_both_servers! {
    every_way_of_a_key_comes_to_rest,
    a_change_comes_to_rest_and_each_field_with_whom_it_belongs_to,
}
