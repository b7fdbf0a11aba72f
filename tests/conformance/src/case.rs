//! A case: requests that go to both servers one after the other, as a file of `cases/` lists them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use http::Method;
use serde::Deserialize;
use serde_json::Value;
use similar::TextDiff;

use crate::answer::Answer;
use crate::servers::{Exchange, Servers, send};

/// How long controllers may take until both servers show the same.
const SETTLING: Duration = Duration::from_secs(20);

/// How long to leave them alone meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

/// What one file of `cases/` lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What holds, as a sentence; unique in its file.
    pub case: String,
    /// The requests. Each case has a namespace of its own, `$ns`, whose name also begins the names of its objects
    /// without namespace.
    pub steps: Vec<Step>,
}

/// One request, with at most one body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Verb of HTTP, blank, path with query. `$NAME` is replaced by what an earlier step has saved, here and in bodies.
    request: String,
    /// A body to create or replace by, or the options of a deletion.
    json: Option<Value>,
    /// A patch of server-side apply.
    apply: Option<Value>,
    /// A JSON merge patch (RFC 7386).
    merge: Option<Value>,
    /// A JSON patch (RFC 6902).
    patch: Option<Value>,
    /// A strategic merge patch.
    strategic: Option<Value>,
    /// A body that is sent as it stands, as JSON.
    text: Option<String>,
    /// Further headers, by name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The status code wanted, so that a case cannot pass by failing alike.
    status: u16,
    /// What to keep for later steps: a name, and a JSON pointer into the answer.
    #[serde(default)]
    save: BTreeMap<String, String>,
    /// JSON pointers into the answer that are not compared; `*` is any element. Say why in a comment.
    #[serde(default)]
    without: Vec<String>,
    /// Ask again until both answers are the same: controllers have to act first.
    #[serde(default)]
    settle: bool,
    /// A JSON pointer into the answer: nothing else of its body is compared.
    only: Option<String>,
    /// Why the answers differ. A difference that is gone fails, too.
    differs: Option<String>,
}

/// Reads a file of cases.
///
/// # Panics
/// If the file holds something else.
pub fn read(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the steps of a case have saved on each server, the real one first.
type Saved = [BTreeMap<String, String>; 2];

impl Case {
    /// Plays the case in a namespace on both servers. An error tells all answers that differ.
    ///
    /// # Errors
    /// If an answer differs, has another status than wanted, or does not differ as announced.
    pub async fn play(&self, servers: &Servers, namespace: &str) -> Result<(), String> {
        create_namespace(servers, namespace).await;
        let mut saved: Saved = Default::default();
        for variables in &mut saved {
            variables.insert("ns".into(), namespace.into());
        }
        let mut faults = String::new();
        for (idx, step) in self.steps.iter().enumerate() {
            if let Err(fault) = step.play(servers, &mut saved).await {
                faults.push_str(&format!("step {} ({}): {fault}\n", idx + 1, step.request));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

// Without its default account, a namespace lets no pod in.
async fn create_namespace(servers: &Servers, name: &str) {
    let body = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    let creation = Exchange {
        method: Method::POST,
        uri: "/api/v1/namespaces".into(),
        headers: BTreeMap::new(),
        body: Some(("application/json", body.to_string())),
    };
    let account = Exchange {
        method: Method::GET,
        uri: format!("/api/v1/namespaces/{name}/serviceaccounts/default"),
        headers: BTreeMap::new(),
        body: None,
    };
    for client in servers.both() {
        let answer = send(client, &creation).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let since = Instant::now();
        while send(client, &account).await.status != 200 {
            assert!(since.elapsed() < SETTLING, "{name} has no default account");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Step {
    async fn play(&self, servers: &Servers, saved: &mut Saved) -> Result<(), String> {
        let since = Instant::now();
        let (real, sandbox) = loop {
            let [real, sandbox] = servers.both();
            let real = send(real, &self.exchange(&saved[0])).await;
            let sandbox = send(sandbox, &self.exchange(&saved[1])).await;
            let is_done = !self.settle
                || since.elapsed() > SETTLING
                || (real.status == self.status
                    && self.shown(&real, &saved[0]) == self.shown(&sandbox, &saved[1]));
            if is_done {
                break (real, sandbox);
            }
            tokio::time::sleep(PAUSE).await;
        };
        for (variables, answer) in saved.iter_mut().zip([&real, &sandbox]) {
            for (name, pointer) in &self.save {
                let value = answer.at(pointer).map_or_else(String::new, plain);
                variables.insert(name.clone(), value);
            }
        }
        self.compare(&real, &sandbox, saved)
    }

    fn shown(&self, answer: &Answer, variables: &BTreeMap<String, String>) -> Answer {
        let mut answer = answer.clone().normalised(&self.without);
        if let Some(pointer) = &self.only {
            answer.body = answer.at(&filled(pointer, variables)).cloned().into_iter().collect();
        }
        answer.with_sorted_causes()
    }

    fn compare(&self, real: &Answer, sandbox: &Answer, saved: &Saved) -> Result<(), String> {
        if real.status != self.status {
            return Err(format!("the real server's status is not {}:\n{}", self.status, real.text()));
        }
        let (real, sandbox) = (self.shown(real, &saved[0]), self.shown(sandbox, &saved[1]));
        match (&self.differs, real == sandbox) {
            (None, true) | (Some(_), false) => Ok(()),
            (Some(why), true) => Err(format!("the answers no longer differ: {why}")),
            (None, false) => {
                let (real, sandbox) = (real.text(), sandbox.text());
                let diff = TextDiff::from_lines(real.as_str(), sandbox.as_str());
                Err(format!("\n{}", diff.unified_diff().context_radius(4).header("real", "sandbox")))
            }
        }
    }

    fn exchange(&self, variables: &BTreeMap<String, String>) -> Exchange {
        let (method, uri) =
            self.request.split_once(' ').unwrap_or_else(|| panic!("{}: no path", self.request));
        let bodies = [
            ("application/json", &self.json),
            ("application/apply-patch+yaml", &self.apply),
            ("application/merge-patch+json", &self.merge),
            ("application/json-patch+json", &self.patch),
            ("application/strategic-merge-patch+json", &self.strategic),
        ];
        let mut given =
            bodies.into_iter().filter_map(|(media, body)| Some((media, body.as_ref()?.to_string())));
        let body = given.next().or_else(|| Some(("application/json", self.text.clone()?)));
        assert!(given.next().is_none(), "{}: one body is enough", self.request);
        Exchange {
            method: method.parse().unwrap_or_else(|error| panic!("{method}: {error}")),
            uri: filled(uri, variables),
            headers: self.headers.clone(),
            body: body.map(|(media, body)| (media, filled(&body, variables))),
        }
    }
}

/// Puts in what was saved; the longest name first, so that none is taken for the beginning of another.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, name| text.replace(&format!("${name}"), &variables[name]))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
