//! The API as its clients see it: each test drives the router with whole requests.

mod access;
mod apply;
mod crud;
mod custom;
mod deletion;
mod discovering;
mod disk;
mod patches;
mod policy;
mod rules;
mod watching;
mod workloads;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use futures::StreamExt;
use http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt;

use crate::Sandbox;

/// An answer.
pub(crate) struct Answer {
    pub code: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The Status message.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// The texts of the `Warning` headers.
    pub fn warnings(&self) -> Vec<String> {
        self.headers
            .get_all("warning")
            .iter()
            .map(|value| value.to_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// The names in a list.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("items").iter();
    items.filter_map(|item| item["metadata"]["name"].as_str()).map(str::to_owned).collect()
}

/// A client of one sandbox.
#[derive(Clone)]
pub(crate) struct Client {
    pub sandbox: Sandbox,
    router: Router,
    runtime: std::sync::Arc<tokio::runtime::Runtime>,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    pub fn new() -> Self {
        Self::of(Sandbox::in_memory())
    }

    pub fn of(sandbox: Sandbox) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { router: sandbox.router(), sandbox, runtime: runtime.into(), headers: Vec::new() }
    }

    /// The same client with one more header.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    pub fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send_text(method, path, content, &text)
    }

    pub fn send_text(&self, method: &str, path: &str, content: &str, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("content-type", content);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = self.runtime.block_on(to_bytes(body, usize::MAX)).expect("a body");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { code: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "application/json", &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", body)
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, "application/json", body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, "application/json", &Value::Null)
    }

    pub fn merge(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, "application/merge-patch+json", body)
    }

    /// Server-side apply as manager `m`; `path` may carry a query.
    pub fn apply(&self, path: &str, body: &Value) -> Answer {
        let sign = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{sign}fieldManager=m");
        self.send("PATCH", &path, "application/apply-patch+yaml", body)
    }

    /// The first `count` lines of a watch.
    pub fn watch(&self, path: &str, count: usize) -> Vec<Value> {
        let uri = format!("{path}&watch=1&timeoutSeconds=60");
        let request = Request::builder().uri(uri).body(Body::empty()).expect("a request");
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("an answer");
            let chunks = response.into_body().into_data_stream().take(count);
            let read =
                |chunk: Result<Bytes, _>| serde_json::from_slice(&chunk.expect("a chunk")).expect("a line");
            chunks.map(read).collect().await
        })
    }
}
