//! What others do to a cluster: requests to the sandbox behind Terrane's back.

use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use providers_sandbox::{Sandbox, SandboxError};
use serde_json::Value;
use tower::ServiceExt;

/// Sends one request to a sandbox that nobody has open, and returns status and body.
pub fn send(directory: &Path, method: &Method, path: &str, media: &str, body: &Value) -> (StatusCode, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let sandbox = open(directory);
        let request = Request::builder().method(method).uri(path).header("content-type", media);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response =
            sandbox.router().oneshot(request.body(body).expect("a request")).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    })
}

/// Other tests start programs at any moment, and each holds all open files for as long as it takes to begin: a
/// lock may outlive its holder.
fn open(directory: &Path) -> Sandbox {
    let since = Instant::now();
    loop {
        match Sandbox::open(directory) {
            Ok(sandbox) => return sandbox,
            Err(SandboxError::Locked(_)) if since.elapsed() < Duration::from_secs(10) => {}
            Err(error) => panic!("the sandbox opens: {error}"),
        }
    }
}

/// Reads an object, `None` when it is not there.
pub fn get(directory: &Path, path: &str) -> Option<Value> {
    let (status, body) = send(directory, &Method::GET, path, "application/json", &Value::Null);
    match status {
        StatusCode::OK => Some(body),
        StatusCode::NOT_FOUND => None,
        other => panic!("GET {path}: {other} {body}"),
    }
}

/// Writes as another manager would, and insists that it works.
pub fn write(directory: &Path, method: &Method, path: &str, media: &str, body: &Value) {
    let (status, answer) = send(directory, method, path, media, body);
    assert!(status.is_success(), "{method} {path}: {status} {answer}");
}
