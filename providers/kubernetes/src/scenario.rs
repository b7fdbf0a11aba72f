//! Scenarios for tests: a server that expects given requests and answers each as told.

use std::sync::{Arc, Mutex};

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::mark::Lineage;
use engine_core::object_ref::GroupKind;
use engine_core::ports::{ApplyRequest, Force, ListQuery, Mode, Target};
use engine_core::value::Value;
use http::{HeaderMap, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;

use crate::KubernetesProvider;

/// A script of requests and answers. Every request must be expected, and every expectation be met.
pub(crate) struct Scenario {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    steps: Vec<Step>,
    seen: Vec<Seen>,
    unexpected: Vec<String>,
}

struct Step {
    request: String,
    reply: Option<Reply>,
}

/// A request as it arrived.
pub(crate) struct Seen {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// An answer.
pub(crate) enum Reply {
    /// A response.
    Http(Response<Vec<u8>>),
    /// The connection breaks.
    Broken,
}

/// Builds an answer with a JSON body.
pub(crate) fn reply(status: u16, body: &serde_json::Value) -> Reply {
    text(status, &body.to_string())
}

/// Builds an answer with any body.
pub(crate) fn text(status: u16, body: &str) -> Reply {
    let response = Response::builder().status(status).body(body.as_bytes().to_vec());
    Reply::Http(response.unwrap())
}

/// Builds a `Status`.
pub(crate) fn refusal(code: u16, reason: &str, message: &str) -> Reply {
    reply(code, &json!({"kind": "Status", "code": code, "reason": reason, "message": message}))
}

impl Reply {
    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        if let Self::Http(response) = &mut self {
            response.headers_mut().append(name, http::HeaderValue::from_static(value));
        }
        self
    }
}

impl Scenario {
    /// Begins an empty script.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, state: Arc::default() }
    }

    /// Expects a request, written `METHOD /path?query`, once.
    pub(crate) fn on(self, request: &str, reply: Reply) -> Self {
        self.state.lock().unwrap().steps.push(Step { request: request.to_owned(), reply: Some(reply) });
        self
    }

    /// Returns a provider whose server this is.
    pub(crate) fn provider(&self) -> KubernetesProvider {
        let state = Arc::clone(&self.state);
        let service = tower::service_fn(move |request: Request<Body>| {
            let state = Arc::clone(&state);
            async move { answer(&state, request).await }
        });
        KubernetesProvider::new(Client::new(service, "default"))
    }

    /// Checks that the script was followed, and returns the requests.
    pub(crate) fn finish(self) -> Vec<Seen> {
        let state = std::mem::take(&mut *self.state.lock().unwrap());
        assert!(state.unexpected.is_empty(), "{}: unexpected {:?}", self.name, state.unexpected);
        let open: Vec<_> = state.steps.iter().filter(|step| step.reply.is_some()).collect();
        let open: Vec<_> = open.iter().map(|step| &step.request).collect();
        assert!(open.is_empty(), "{}: never asked {open:?}", self.name);
        state.seen
    }
}

async fn answer(
    state: &Mutex<State>,
    request: Request<Body>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    let line = format!("{} {}", request.method(), request.uri());
    let (head, body) = request.into_parts();
    let body = body.collect_bytes().await?;
    let mut state = state.lock().unwrap();
    state.seen.push(Seen { headers: head.headers, body: serde_json::from_slice(&body).unwrap_or_default() });
    let step = state.steps.iter_mut().find(|step| step.reply.is_some() && step.request == line);
    match step.and_then(|step| step.reply.take()) {
        Some(Reply::Http(response)) => Ok(response.map(Body::from)),
        Some(Reply::Broken) => Err("connection reset".into()),
        None => {
            state.unexpected.push(line);
            let response = Response::builder().status(418).body(Body::empty());
            Ok(response.unwrap())
        }
    }
}

/// Returns a namespaced kind of `v1`.
pub(crate) fn kind(group: &str, kind: &str, plural: &str) -> KindInfo {
    KindInfo {
        kind: GroupKind::new(group, kind),
        version: "v1".into(),
        plural: plural.into(),
        scope: Scope::Namespaced,
        listable: true,
    }
}

/// Returns the query for a kind in namespace `dev`.
pub(crate) fn query(kind: KindInfo) -> ListQuery {
    ListQuery { kind, namespace: Some("dev".into()), labels: None }
}

/// Returns the object `web` in namespace `dev`.
pub(crate) fn target(kind: KindInfo) -> Target {
    Target { kind, namespace: Some("dev".into()), name: "web".into() }
}

/// Returns an apply of `web` that is kept and takes nothing.
pub(crate) fn apply(kind: KindInfo) -> ApplyRequest {
    ApplyRequest {
        target: target(kind),
        body: value(json!({"metadata": {"name": "web"}, "data": {"key": "hunter2"}})),
        manager: Lineage::new([7; 16]).field_manager(),
        mode: Mode::Persist,
        force: Force::No,
        uid: None,
    }
}

/// Turns JSON into a value.
pub(crate) fn value(json: serde_json::Value) -> Value {
    serde_json::from_value(json).unwrap()
}
