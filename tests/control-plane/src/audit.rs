//! The log of requests that kube-apiserver writes.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/>

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;

/// A place in the log.
#[derive(Debug, Clone, Copy)]
pub struct Moment(u64);

/// One request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// Who sent it.
    pub user: String,
    /// By which program.
    pub agent: String,
    /// The status code of the answer.
    pub code: u16,
}

impl Request {
    /// Whether the request can change an object.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch") && !self.uri.contains("dryRun=All")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: EventUser,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Deserialize)]
struct EventUser {
    username: String,
}

#[derive(Deserialize, Default)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

pub(crate) fn end(path: &Path) -> Moment {
    Moment(path.metadata().expect("the audit log").len())
}

pub(crate) fn since(path: &Path, moment: Moment) -> Vec<Request> {
    let mut file = File::open(path).expect("the audit log");
    file.seek(SeekFrom::Start(moment.0)).expect("the audit log only grows");
    let mut requests = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.expect("the audit log is text");
        // The last line may be half written; its request was not answered before the question.
        let Ok(event) = serde_json::from_str::<Event>(&line) else { break };
        // A watch is logged at its beginning and at its end.
        let is_first =
            event.stage == "ResponseStarted" || (event.verb != "watch" && event.stage == "ResponseComplete");
        if is_first {
            requests.push(Request {
                verb: event.verb,
                uri: event.request_uri,
                user: event.user.username,
                agent: event.user_agent,
                code: event.response_status.code,
            });
        }
    }
    requests
}
