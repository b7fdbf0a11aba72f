//! An embedded Kubernetes API server: the default cluster of the quick start and of fast tests.
//!
//! It answers as kube-apiserver 1.36 does for the kinds of Kubernetes and for custom resources: the verbs, server-side
//! apply, watches, validation, admission, garbage collection, roles. Nothing runs in it: controllers are simulated
//! synchronously after each write, so that a Deployment has its pods, ready, when the next request arrives. What it
//! does not simulate it refuses with a Status that says so.
//!
//! A request goes `router` → `request` → `rest` (decode, defaults, merge, admission, validation) → `store`, and then
//! `controllers`.

mod admission;
mod bootstrap;
mod cluster;
mod controllers;
mod convert;
mod crd;
mod decode;
mod defaults;
mod discovery;
mod error;
mod form;
mod json;
pub mod merge;
mod meta;
mod openapi;
mod protobuf;
mod rbac;
mod request;
mod resource;
mod respond;
mod rest;
mod reviews;
mod router;
mod selector;
mod store;
mod table;
mod validation;

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cluster::{Cluster, Shared};
use router::Door;
use store::{OpenError, Store};

/// A simulated cluster. Clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    shared: Shared,
    token: String,
}

/// Why a sandbox could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Another process has the directory open.
    #[error("the sandbox in {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// A file of the directory cannot be read or written.
    #[error("open the sandbox file {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A file of the directory holds something else than a sandbox wrote.
    #[error("read the sandbox file {}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense.
        #[source]
        source: serde_json::Error,
    },
}

impl Sandbox {
    /// A new cluster that is gone when its last clone is dropped.
    pub fn in_memory() -> Self {
        Self { shared: start(Store::in_memory()), token: new_token() }
    }

    /// The cluster kept in `directory`, made if there is none. Every write is on disk before it is answered; files are
    /// readable by their owner only.
    ///
    /// # Errors
    /// [`SandboxError::Locked`] if another process has it open; otherwise if its files cannot be read or written.
    pub fn open(directory: &Path) -> Result<Self, SandboxError> {
        let store = Store::open(directory).map_err(|error| failed(directory, error))?;
        let path = directory.join("token");
        let token = kept_token(&path).map_err(|source| SandboxError::Io { path, source })?;
        Ok(Self { shared: start(store), token })
    }

    /// Deletes all objects of the cluster kept in `directory`. It stays the same cluster: the uid of its namespace
    /// `kube-system`, by which clusters are told apart, and its token are kept.
    ///
    /// # Errors
    /// As [`Sandbox::open`].
    pub fn reset(directory: &Path) -> Result<(), SandboxError> {
        let identity = store::Key::new(&error::GroupResource::new("", "namespaces"), "", "kube-system");
        Store::retain(directory, &identity).map_err(|error| failed(directory, error))
    }

    /// Forgets all changes so far, as a server does whose etcd is compacted: lists and watches that go on from an older
    /// version are told to begin anew (410).
    pub fn forget(&self) {
        self.shared.lock().store.forget();
    }

    /// The API as a service, for callers in this process. A request without `Authorization` is the administrator's; it
    /// may impersonate others by `Impersonate-User` and `Impersonate-Group`.
    ///
    /// Watches use the timers of tokio: the runtime that polls them must have them enabled.
    pub fn router(&self) -> axum::Router {
        router::router(self.shared.clone(), self.token.clone(), Door::InProcess)
    }

    /// Serves the API over HTTP until `shutdown` resolves. Requests must carry the token of [`Sandbox::kubeconfig`].
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = router::router(self.shared.clone(), self.token.clone(), Door::Network);
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await
    }

    /// A kubeconfig for [`Sandbox::serve`] on this address: context `terrane-sandbox`, with the administrator's token.
    ///
    /// The token is also the first part of the server's path, since kubectl sends no credentials over plain HTTP.
    pub fn kubeconfig(&self, address: SocketAddr) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: terrane-sandbox\nclusters:\n- name: terrane-sandbox\n  \
             cluster:\n    server: http://{address}/{token}\ncontexts:\n- name: terrane-sandbox\n  context:\n    cluster: \
             terrane-sandbox\n    user: terrane-sandbox\nusers:\n- name: terrane-sandbox\n  user:\n    token: {token}\n",
            token = self.token
        )
    }
}

fn failed(directory: &Path, error: OpenError) -> SandboxError {
    match error {
        OpenError::Locked => SandboxError::Locked(directory.to_owned()),
        OpenError::Io(path, source) => SandboxError::Io { path, source },
        OpenError::Corrupt(path, source) => SandboxError::Corrupt { path, source },
    }
}

fn start(store: Store) -> Shared {
    let mut cluster = Cluster::new(store);
    bootstrap::populate(&mut cluster);
    Shared::new(cluster)
}

fn new_token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn kept_token(path: &Path) -> io::Result<String> {
    let mut file = store::private(path)?;
    let mut token = String::new();
    file.read_to_string(&mut token)?;
    if token.is_empty() {
        token = new_token();
        file.write_all(token.as_bytes())?;
        file.sync_all()?;
    }
    Ok(token)
}
