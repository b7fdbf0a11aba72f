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
    let term = prop_oneof![Just(Term::Unsaid), Just(Term::Take), Just(Term::Yield)];
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
    (sides, term, prop::option::weighted(0.7, drift), any::<bool>()).prop_map(
        |((before, after), term, drift, is_renamed)| {
            let stops = |it: &Drift| matches!(it, Drift::Apply(..)) && term == Term::Unsaid;
            let drift = drift.filter(|it| before.is_some() && !stops(it));
            let is_renamed = is_renamed && before.is_some() && after.is_some();
            Object::Settings { before, after, term, drift, is_renamed }
        },
    )
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
                let term = match term {
                    Term::Unsaid => "",
                    Term::Take => "  lifecycle {\n    conflicts {\n      take = [data]\n    }\n  }\n",
                    Term::Yield => "  lifecycle {\n    conflicts {\n      yield = [data]\n    }\n  }\n",
                };
                (("v1", "ConfigMap"), format!("data = {{ {} }}", entries.join(", ")), term)
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

    /// Returns what is to be there in the end: the data, or the replicas.
    fn wanted(&self) -> Value {
        match self {
            Self::Settings { after: None, .. } => Value::Null,
            Self::Settings { before, after: Some(after), term, drift, .. } => {
                let mut wanted = after.clone();
                let applied = matches!(drift, Some(Drift::Apply(..)));
                if let Some(Drift::Edit(key, value) | Drift::Apply(key, value)) = drift {
                    // Who writes the value that is there by an edit owns nothing of it.
                    let is_theirs = applied || before.as_ref().and_then(|it| it.get(key)) != Some(value);
                    if is_theirs && (*term == Term::Yield || !after.contains_key(key)) {
                        wanted.insert(key.clone(), value.clone());
                    }
                }
                json!(wanted)
            }
            // Who scales keeps the replicas.
            Self::Workload { before, after, scaled, .. } => {
                json!(scaled.filter(|it| it != before).unwrap_or(*after))
            }
        }
    }

    /// Returns the same of what is there.
    fn found(&self, idx: usize, environment: &Environment) -> Value {
        let Some(found) = environment.get(&self.path(idx)) else { return Value::Null };
        match self {
            Self::Settings { .. } if found["data"].is_null() => json!({}),
            Self::Settings { .. } => found["data"].clone(),
            Self::Workload { .. } => found["spec"]["replicas"].clone(),
        }
    }
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
    well(&apply(), 0)?;
    well(&environment.terrane(&["plan", "--detailed-exitcode"]), 0)?;
    well(&environment.terrane(&["plan", "--detailed-exitcode", "--verify", "full"]), 0)?;
    for (idx, object) in objects.iter().enumerate() {
        prop_assert_eq!(object.found(idx, &environment), object.wanted(), "o{}: {:?}", idx, object);
    }
    well(&environment.terrane(&["destroy", "--auto-approve"]), 0)?;
    prop_assert_eq!(environment.terrane(&["state", "list"]).stdout, "");
    prop_assert!(objects.iter().enumerate().all(|(idx, it)| environment.get(&it.path(idx)).is_none()));
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

on_both_servers! {
    a_change_comes_to_rest_and_each_field_with_whom_it_belongs_to,
}
