//! The way to the cluster: an HTTP server that passes requests on, notes them, and kills a run at one of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::{Router, serve};
use git2::{Oid, Repository};
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::chain;

/// What answers behind the wire.
#[derive(Clone)]
pub enum Upstream {
    Sandbox(Router),
    ControlPlane(kube::Client),
}

/// When a run dies: at the n-th of these, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before a request reaches the server.
    BeforeRequest,
    /// After the server did as it was asked, before the answer arrives. Reads do not count.
    BeforeAnswer,
}

/// A request that reached the server.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    /// A question that changes nothing.
    pub dry: bool,
    /// The tip of the state when it came in.
    pub tip: Option<Oid>,
    /// What the server answered; `None` until it has.
    pub status: Option<StatusCode>,
    /// Whether the deployment that others wait for was ready when it came in.
    pub ready: bool,
}

impl Asked {
    /// Whether it changes an object.
    pub fn writes(&self) -> bool {
        let changes = [Method::PATCH, Method::PUT, Method::DELETE].contains(&self.method);
        changes && !self.dry
    }
}

/// Which writes the server refuses, with the words of the request.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    /// How the path ends: one of these.
    pub ends: &'static [&'static str],
    pub code: StatusCode,
    /// Whether questions that change nothing are refused as well.
    pub dry: bool,
}

#[derive(Default)]
struct Progress {
    refusal: Option<Refusal>,
    /// When to kill, the number of the request, and the process group.
    strike: Option<(Moment, usize, u32)>,
    counted: usize,
    log: Vec<Asked>,
}

/// The wire of one world.
pub struct Wire {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

struct Shared {
    upstream: Upstream,
    /// Where the state is kept.
    remote: PathBuf,
    /// The deployment that others wait for.
    deployment: String,
    progress: Mutex<Progress>,
}

impl Wire {
    pub fn start(upstream: Upstream, remote: PathBuf, deployment: String) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Shared { upstream, remote, deployment, progress: Mutex::default() });
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(carry).with_state(shared.clone());
        runtime.spawn(async move { serve(listener, router).await });
        Self { shared, address, runtime: Some(runtime) }
    }

    pub fn kubeconfig(&self) -> String {
        let address = self.address;
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "crash", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "crash", "user": {} }],
            "contexts": [{ "name": "crash", "context": { "cluster": "crash", "user": "crash" } }],
        })
        .to_string()
    }

    /// Kills this process group at a request to come, or at none.
    pub fn arm(&self, strike: Option<(Moment, usize, u32)>) {
        let mut progress = self.shared.progress.lock().unwrap();
        (progress.strike, progress.counted) = (strike, 0);
    }

    /// Refuses writes to come, or none.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.shared.progress.lock().unwrap().refusal = refusal;
    }

    /// The requests so far.
    pub fn log(&self) -> Vec<Asked> {
        self.shared.progress.lock().unwrap().log.clone()
    }

    /// Reads behind everybody's back; `None` when it is not there.
    pub fn get(&self, path: &str) -> Option<Json> {
        self.block_on(self.shared.upstream.get(path))
    }

    /// Writes behind everybody's back.
    pub fn put(&self, path: &str, body: &Json) {
        let request = Request::builder().method(Method::PATCH).uri(format!("{path}?fieldManager=somebody"));
        let request = request.header(header::CONTENT_TYPE, "application/apply-patch+yaml");
        let request = request.body(Body::from(body.to_string())).unwrap();
        let answer = self.block_on(self.shared.upstream.send(request));
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Requests of dead runs never end.
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Upstream {
    async fn send(&self, request: Request<Body>) -> Response<Body> {
        match self {
            Self::Sandbox(router) => router.clone().oneshot(request).await.unwrap(),
            Self::ControlPlane(client) => {
                let (mut parts, body) = request.into_parts();
                parts.headers.remove(header::HOST);
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
                let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
                match client.send(request).await {
                    Ok(response) => response.map(Body::new),
                    Err(error) => refusal(StatusCode::BAD_GATEWAY, &error.to_string()),
                }
            }
        }
    }

    async fn get(&self, path: &str) -> Option<Json> {
        let answer = self.send(Request::get(path).body(Body::empty()).unwrap()).await;
        if !answer.status().is_success() {
            return None;
        }
        let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        Some(serde_json::from_slice(&bytes).unwrap())
    }
}

/// An error in Kubernetes' words.
fn refusal(code: StatusCode, message: &str) -> Response<Body> {
    let status =
        json!({ "kind": "Status", "code": code.as_u16(), "reason": reason(code), "message": message });
    let response = Response::builder().status(code).header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(status.to_string())).unwrap()
}

fn reason(code: StatusCode) -> &'static str {
    match code {
        StatusCode::UNPROCESSABLE_ENTITY => "Invalid",
        StatusCode::BAD_REQUEST => "BadRequest",
        StatusCode::FORBIDDEN => "Forbidden",
        _ => "InternalError",
    }
}

/// Passes one request on.
async fn carry(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let mut asked = Asked {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        dry: request.uri().query().is_some_and(|query| query.contains("dryRun=All")),
        tip: None,
        status: None,
        ready: false,
    };
    if shared.strikes(Moment::BeforeRequest, &asked) {
        return die().await;
    }
    if asked.writes() {
        asked.tip = Repository::open(&shared.remote).ok().and_then(|remote| chain::tip(&remote));
        asked.ready = shared.is_ready().await;
    }
    if let Some(code) = shared.refuses(&asked) {
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
        return refusal(code, &format!("admission denies this: {}", String::from_utf8_lossy(&body)));
    }
    let idx = shared.note(asked.clone());
    let response = shared.upstream.send(request).await;
    shared.progress.lock().unwrap().log[idx].status = Some(response.status());
    if shared.strikes(Moment::BeforeAnswer, &asked) {
        return die().await;
    }
    response
}

/// A dead process reads no answer.
async fn die() -> Response<Body> {
    std::future::pending().await
}

impl Shared {
    fn note(&self, asked: Asked) -> usize {
        let log = &mut self.progress.lock().unwrap().log;
        log.push(asked);
        log.len() - 1
    }

    fn refuses(&self, asked: &Asked) -> Option<StatusCode> {
        let refusal = self.progress.lock().unwrap().refusal?;
        let struck =
            asked.method == Method::PATCH && refusal.ends.iter().any(|end| asked.path.ends_with(end));
        (struck && (refusal.dry || !asked.dry)).then_some(refusal.code)
    }

    /// Counts a moment, and kills the run if it is the one.
    fn strikes(&self, moment: Moment, asked: &Asked) -> bool {
        let mut progress = self.progress.lock().unwrap();
        let Some((wanted, n, group)) = progress.strike.filter(|(wanted, ..)| *wanted == moment) else {
            return false;
        };
        if wanted == Moment::BeforeAnswer && asked.method == Method::GET {
            return false;
        }
        progress.counted += 1;
        if progress.counted == n {
            let killed = Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status();
            assert!(killed.unwrap().success(), "the run is killed");
        }
        progress.counted >= n
    }

    async fn is_ready(&self) -> bool {
        self.upstream.get(&self.deployment).await.is_some_and(|deployment| {
            let (spec, status) = (&deployment["spec"], &deployment["status"]);
            status["observedGeneration"] == deployment["metadata"]["generation"]
                && status["readyReplicas"] == spec["replicas"]
                && status["updatedReplicas"] == spec["replicas"]
        })
    }
}
