//! What answers as the cluster of a definition: the embedded sandbox, or a real Kubernetes control plane.
//!
//! A definition needs no change to go to the control plane: `TERRANE_CLUSTER_MAIN_CONTEXT` overrides the connection of
//! `cluster "main"`, and `KUBECONFIG` says where that context is found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use control_plane::User;
use control_plane::{ControlPlane, Extent};
use http::{Method, Request, StatusCode};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;

use crate::delivery::deliver;

/// The servers that a test can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// The API server inside the binary.
    Sandbox,
    /// etcd, kube-apiserver and its controllers, with simulated nodes.
    ControlPlane,
}

/// A cluster that nobody has used yet.
#[derive(Clone)]
pub enum Cluster {
    /// Each environment has a sandbox of its own, in its directory.
    Sandbox,
    /// A control plane, which ends with the last that holds it.
    Real(Arc<RealCluster>),
}

impl Server {
    /// Starts an empty cluster.
    pub fn start(self) -> Cluster {
        match self {
            Self::Sandbox => Cluster::Sandbox,
            Self::ControlPlane => Cluster::Real(Arc::new(RealCluster::start())),
        }
    }
}

/// A control plane on which Argo CD seems to run.
pub struct RealCluster {
    // In this order they end.
    delivery: Delivery,
    control_plane: ControlPlane,
    _turn: Turn,
}

impl RealCluster {
    fn start() -> Self {
        let turn = Turn::take();
        let control_plane = ControlPlane::start(Extent::Full);
        Self { delivery: Delivery::start(&control_plane), control_plane, _turn: turn }
    }

    pub fn control_plane(&self) -> &ControlPlane {
        &self.control_plane
    }

    /// Sends a request as the administrator, and returns status and body.
    pub fn send(&self, method: &Method, path: &str, media: &str, body: &Value) -> (StatusCode, Value) {
        runtime().block_on(async {
            let client = self.control_plane.client(User::Admin).await;
            send(&client, method, path, media, body).await
        })
    }
}

impl Drop for RealCluster {
    fn drop(&mut self) {
        self.delivery.stop();
    }
}

/// The stand-in of Argo CD, in a thread of its own.
struct Delivery {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Delivery {
    fn start(control_plane: &ControlPlane) -> Self {
        let runtime = runtime();
        let client = runtime.block_on(control_plane.client(User::Admin));
        let stopped = Arc::new(AtomicBool::new(false));
        let is_stopped = stopped.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                while !is_stopped.load(Ordering::Relaxed) {
                    deliver(&client).await;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        });
        Self { stopped, thread: Some(thread) }
    }

    fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the stand-in of Argo CD ends");
        }
    }
}

/// Sends one request to a real API server.
pub async fn send(
    client: &Client,
    method: &Method,
    path: &str,
    media: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", media);
    match client.request_text(request.body(body).expect("a request")).await {
        Ok(text) => (StatusCode::OK, serde_json::from_str(&text).unwrap_or(Value::Null)),
        Err(kube::Error::Api(status)) => {
            let code = StatusCode::from_u16(status.code).expect("a status code");
            (code, serde_json::to_value(*status).expect("a status"))
        }
        Err(error) => panic!("{method} {path}: {error}"),
    }
}

/// Makes what a request needs to run in.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// The leave to run one control plane: each takes a gigabyte of memory.
struct Turn;

/// How many control planes run at once.
const AT_ONCE: usize = 2;
static RUNNING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Turn {
    fn take() -> Self {
        let (running, ended) = &RUNNING;
        let running = running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running =
            ended.wait_while(running, |running| *running >= AT_ONCE).unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (running, ended) = &RUNNING;
        *running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ended.notify_one();
    }
}

/// Makes two tests of each function: one on the sandbox, one on the control plane.
macro_rules! on_both_servers {
    ($($test:ident),* $(,)?) => {
        mod sandbox {
            $(
                #[test]
                fn $test() {
                    super::$test(crate::cluster::Server::Sandbox);
                }
            )*
        }

        mod control_plane {
            $(
                #[test]
                fn $test() {
                    super::$test(crate::cluster::Server::ControlPlane);
                }
            )*
        }
    };
}

pub(crate) use on_both_servers;
