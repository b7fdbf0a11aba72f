//! Plays random writes of several managers to objects of random content on both servers, and compares every answer.
//!
//! The sequences are the same in every run; `CONFORMANCE_SEQUENCES` sets how many, 200 if it is not set. A sequence whose
//! answers differ is shrunk and printed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::answer::Answer;
use conformance::servers::{Exchange, Servers, send};
use http::Method;
use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use similar::TextDiff;

const NAMESPACE: &str = "random";

/// Fields that tell the elements of a list apart, the first that an element has.
const KEYS: [&str; 8] = ["name", "containerPort", "port", "mountPath", "topologyKey", "ip", "key", "type"];

/// Objects of a kind, as `random.yaml` lists them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    collection: String,
    base: Value,
    parts: Vec<Value>,
}

/// How a step writes.
#[derive(Debug, Clone, Copy)]
enum Verb {
    Create,
    Apply,
    ForcedApply,
    Replace,
    MergePatch,
    StrategicPatch,
    /// A merge patch that sets to null what the parts state.
    Removal,
    Delete,
}

/// One write, of an object with some of its family's parts.
#[derive(Debug, Clone)]
struct Write {
    verb: Verb,
    manager: char,
    parts: Vec<usize>,
}

/// A request, without the name of its object.
struct Step {
    request: String,
    body: Option<(&'static str, Value)>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Some((media, body)) => write!(f, "{} ({media}) {body}", self.request),
            None => f.write_str(&self.request),
        }
    }
}

impl Family {
    fn object(&self, parts: &[usize]) -> Value {
        parts.iter().fold(self.base.clone(), |object, part| merged(object, &self.parts[*part]))
    }

    fn fragment(&self, parts: &[usize]) -> Value {
        parts.iter().fold(json!({}), |object, part| merged(object, &self.parts[*part]))
    }

    fn step(&self, write: &Write, name: &str) -> Step {
        let mut object = self.object(&write.parts);
        object["metadata"]["name"] = json!(name);
        let item = format!("{}/{name}?fieldManager={}", self.collection, write.manager);
        let patch = |media, body| Step { request: format!("PATCH {item}"), body: Some((media, body)) };
        match write.verb {
            Verb::Create => {
                let request = format!("POST {}?fieldManager={}", self.collection, write.manager);
                Step { request, body: Some(("application/json", object)) }
            }
            Verb::Apply => patch("application/apply-patch+yaml", object),
            Verb::ForcedApply => Step {
                request: format!("PATCH {item}&force=true"),
                body: Some(("application/apply-patch+yaml", object)),
            },
            Verb::Replace => {
                Step { request: format!("PUT {item}"), body: Some(("application/json", object)) }
            }
            Verb::MergePatch => patch("application/merge-patch+json", self.fragment(&write.parts)),
            Verb::StrategicPatch => {
                patch("application/strategic-merge-patch+json", self.fragment(&write.parts))
            }
            Verb::Removal => patch("application/merge-patch+json", nulled(self.fragment(&write.parts))),
            Verb::Delete => Step { request: format!("DELETE {}/{name}", self.collection), body: None },
        }
    }
}

/// Puts a part into an object: maps entry by entry, lists element by element.
fn merged(object: Value, part: &Value) -> Value {
    match (object, part) {
        (Value::Object(mut fields), Value::Object(part)) => {
            for (name, value) in part {
                let field = fields.remove(name).map_or_else(|| value.clone(), |field| merged(field, value));
                fields.insert(name.clone(), field);
            }
            Value::Object(fields)
        }
        (Value::Array(mut items), Value::Array(part)) => {
            for value in part {
                match items.iter_mut().find(|item| is_same(item, value)) {
                    Some(item) => *item = merged(item.take(), value),
                    None => items.push(value.clone()),
                }
            }
            Value::Array(items)
        }
        (_, part) => part.clone(),
    }
}

fn is_same(item: &Value, other: &Value) -> bool {
    match KEYS.iter().find(|key| item.get(**key).is_some()) {
        Some(key) => item.get(*key) == other.get(*key),
        None => item == other,
    }
}

fn nulled(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, nulled(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

fn writes(parts: usize) -> impl Strategy<Value = Vec<Write>> {
    let verb = prop_oneof![
        2 => Just(Verb::Create),
        8 => Just(Verb::Apply),
        3 => Just(Verb::ForcedApply),
        3 => Just(Verb::Replace),
        2 => Just(Verb::MergePatch),
        2 => Just(Verb::StrategicPatch),
        1 => Just(Verb::Removal),
        1 => Just(Verb::Delete),
    ];
    let all: Vec<usize> = (0..parts).collect();
    let chosen = subsequence(all, 0..=parts.min(5)).prop_shuffle();
    let write = (verb, prop_oneof![Just('a'), Just('b'), Just('c')], chosen);
    let write = write.prop_map(|(verb, manager, parts)| Write { verb, manager, parts });
    prop::collection::vec(write, 1..8)
}

async fn play(servers: &Servers, step: &Step) -> [Answer; 2] {
    let (method, uri) = step.request.split_once(' ').expect("a verb and a path");
    let exchange = Exchange {
        method: method.parse::<Method>().expect("a verb"),
        uri: uri.to_owned(),
        headers: BTreeMap::new(),
        body: step.body.as_ref().map(|(media, body)| (*media, body.to_string())),
    };
    let [real, sandbox] = servers.both();
    [send(real, &exchange).await, send(sandbox, &exchange).await]
}

/// Plays a sequence on an object of its own. An error tells the requests up to the first whose answers differ.
async fn compare(servers: &Servers, family: &Family, writes: &[Write]) -> Result<(), String> {
    static OBJECTS: AtomicUsize = AtomicUsize::new(0);
    let name = format!("o{}", OBJECTS.fetch_add(1, Ordering::Relaxed));
    let mut played = String::new();
    let mut versions: [Option<Value>; 2] = Default::default();
    for write in writes {
        let step = family.step(write, &name);
        played.push_str(&format!("{step}\n"));
        let answers = play(servers, &step).await;
        let mut shown = answers.into_iter().zip(&mut versions).map(|(answer, version)| {
            let next = answer.at("/metadata/resourceVersion").cloned();
            let has_moved = *version != next;
            *version = next;
            format!("{}has moved: {has_moved}\n", answer.normalised(&[]).text())
        });
        let (real, sandbox) = (shown.next().unwrap_or_default(), shown.next().unwrap_or_default());
        if real != sandbox {
            let diff = TextDiff::from_lines(real.as_str(), sandbox.as_str());
            return Err(format!("{played}\n{}", diff.unified_diff().header("real", "sandbox")));
        }
    }
    Ok(())
}

async fn create_namespace(servers: &Servers) {
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
    let step = Step { request: "POST /api/v1/namespaces".into(), body: Some(("application/json", body)) };
    for answer in play(servers, &step).await {
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
}

fn families() -> Vec<Family> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("random.yaml");
    let text = std::fs::read_to_string(path).expect("the file is readable");
    serde_saphyr::from_str(&text.replace("$ns", NAMESPACE)).expect("the file lists families")
}

/// Plays sequences of one kind. An error tells the shortest that was found to differ.
fn explore(servers: &Servers, family: &Family, cases: u32) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&writes(family.parts.len()), |writes| {
        servers.runtime.block_on(compare(servers, family, &writes)).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, _) | TestError::Abort(why)) => Err(why.message().to_owned()),
    }
}

#[test]
fn writes_in_any_order_are_answered_as_by_kube_apiserver() {
    let servers = Servers::shared();
    servers.runtime.block_on(create_namespace(servers));
    let families = families();
    let wanted = std::env::var("CONFORMANCE_SEQUENCES").ok();
    let wanted = wanted.map_or(200, |wanted| wanted.parse().expect("CONFORMANCE_SEQUENCES is a number"));
    // A kind with many parts has many combinations.
    let parts: usize = families.iter().map(|family| family.parts.len()).sum();
    let share =
        |family: &Family| u32::try_from((wanted * family.parts.len()).div_ceil(parts)).unwrap_or(u32::MAX);
    let explored = families.iter().filter_map(|family| explore(servers, family, share(family)).err());
    let faults: Vec<String> = explored.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
