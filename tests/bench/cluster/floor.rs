//! What no tool can be faster than: the bare requests, without a thought.

use std::time::{Duration, Instant};

use control_plane::{ControlPlane, User};
use futures::stream::{self, StreamExt, TryStreamExt};
use http::{Method, Request};
use kube::Client;
use kube::client::Body;

use crate::Fault;
use crate::workload::{KINDS, NAMESPACE, Object};

/// Requests in flight, as many as Terrane sends.
const PARALLEL: usize = 16;
/// Between two looks at what is still there.
const PAUSE: Duration = Duration::from_millis(50);

/// A client with all rights that asks and does not read what it is told.
pub struct Floor(Client);

impl Floor {
    /// Connects to a control plane.
    pub async fn new(plane: &ControlPlane) -> Self {
        Self(plane.client(User::Admin).await)
    }

    /// Lists all kinds of the workload, in all namespaces, at once.
    pub async fn list(&self) -> Result<Duration, Fault> {
        let since = Instant::now();
        let kinds = KINDS.iter().chain([&NAMESPACE]);
        let lists = kinds.map(|kind| self.send(Method::GET, kind.path(), None));
        futures::future::try_join_all(lists).await?;
        Ok(since.elapsed())
    }

    /// Applies all objects by server-side apply, the namespaces first.
    pub async fn apply(&self, objects: &[Object]) -> Result<Duration, Fault> {
        let since = Instant::now();
        let (namespaces, others): (Vec<_>, Vec<_>) =
            objects.iter().partition(|object| object.kind.kind == NAMESPACE.kind);
        for wave in [namespaces, others] {
            let sent = stream::iter(wave).map(|object| {
                let path = format!("{}?fieldManager=floor&force=true", object.path);
                self.send(Method::PATCH, path, Some(object.body.to_string()))
            });
            sent.buffer_unordered(PARALLEL).try_for_each(|_| async { Ok(()) }).await?;
        }
        Ok(since.elapsed())
    }

    /// Deletes all objects in the background, and waits until they are gone; the namespaces last.
    pub async fn delete(&self, objects: &[Object]) -> Result<Duration, Fault> {
        let since = Instant::now();
        let (namespaces, others): (Vec<_>, Vec<_>) =
            objects.iter().partition(|object| object.kind.kind == NAMESPACE.kind);
        for wave in [others, namespaces] {
            let sent = stream::iter(&wave).map(|object| {
                self.send(Method::DELETE, format!("{}?propagationPolicy=Background", object.path), None)
            });
            sent.buffer_unordered(PARALLEL).try_for_each(|_| async { Ok(()) }).await?;
            while self.are_there(&wave).await? {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(since.elapsed())
    }

    async fn are_there(&self, objects: &[&Object]) -> Result<bool, Fault> {
        let kinds = KINDS.iter().chain([&NAMESPACE]);
        let kinds = kinds.filter(|kind| objects.iter().any(|object| object.kind.kind == kind.kind));
        for kind in kinds {
            let path = format!("{}?labelSelector=app.kubernetes.io%2Fname&limit=1", kind.path());
            let list: serde_json::Value = serde_json::from_slice(&self.send(Method::GET, path, None).await?)?;
            if list["items"].as_array().is_some_and(|items| !items.is_empty()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn send(&self, method: Method, path: String, apply: Option<String>) -> Result<Vec<u8>, Fault> {
        let request = Request::builder()
            .method(&method)
            .uri(&path)
            .header("content-type", "application/apply-patch+yaml");
        let body = apply.map_or_else(Body::empty, |body| Body::from(body.into_bytes()));
        let (head, body) = self.0.send(request.body(body)?).await?.into_parts();
        let bytes = body.collect_bytes().await?.to_vec();
        if !head.status.is_success() {
            return Err(
                format!("{method} {path}: {} {}", head.status, String::from_utf8_lossy(&bytes)).into()
            );
        }
        Ok(bytes)
    }
}
