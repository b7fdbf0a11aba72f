//! What others do to a cluster: requests to the sandbox behind Terrane's back.

use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use providers_sandbox::{Sandbox, SandboxError};
use serde_json::Value;
use tower::ServiceExt;

use crate::cluster::runtime;

/// Sends one request to a sandbox that nobody has open, and returns status and body.
pub fn send(directory: &Path, method: &Method, path: &str, media: &str, body: &Value) -> (StatusCode, Value) {
    runtime().block_on(async {
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
