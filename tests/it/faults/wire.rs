//! A connection to a sandbox that fails as told.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use engine_core::ports::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::sync::Notify;
use tower::{Service, ServiceExt};

use super::log::{Event, Log};

type BoxError = Box<dyn Error + Send + Sync>;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server does nothing and answers with this status; it may be asked again at once.
    Refused(u16),
    /// The server does as it is asked, and the answer is a 500.
    Failed,
    /// The server does as it is asked, and the connection breaks.
    Reset,
    /// The server does as it is asked, and half of the answer arrives.
    Cut,
    /// Before the server does as it is asked, somebody else applies a field of the config map that it is about.
    Claimed,
    /// The process dies before the request leaves.
    DeathBefore,
    /// The process dies after the server did as it was asked, before the answer arrives.
    DeathAfter,
    /// The server does as it is asked, and answers this and everything after with a 500, doing nothing more.
    Outage,
}

/// Which requests count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Every,
    /// Those of the apply itself: while the state is locked.
    Applying,
    /// Those that change an object.
    Writes,
    /// Those that change an object whose path ends like this, each of them.
    To(&'static str),
}

/// A fault and the request that it strikes: the n-th that counts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub fault: Fault,
    pub which: Which,
    pub n: usize,
}

/// The connection of one run.
pub struct Wire {
    cluster: Router,
    strike: Option<Strike>,
    progress: Mutex<Progress>,
    log: Arc<Log>,
    died: Notify,
}

#[derive(Default)]
struct Progress {
    counted: usize,
    struck: bool,
}

impl Wire {
    pub fn new(cluster: Router, log: Arc<Log>, strike: Option<Strike>) -> Arc<Self> {
        Arc::new(Self { cluster, strike, progress: Mutex::default(), log, died: Notify::new() })
    }

    /// Whether the fault has happened.
    pub fn struck(&self) -> bool {
        self.progress.lock().unwrap().struck
    }

    /// Resolves when the process is to die.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// The fault of the request that leaves now.
    fn fault(&self, write: Option<&str>) -> Option<Fault> {
        let strike = self.strike?;
        let mut progress = self.progress.lock().unwrap();
        let lasts = matches!(strike.fault, Fault::DeathBefore | Fault::DeathAfter | Fault::Outage);
        if progress.struck && lasts {
            return Some(if strike.fault == Fault::Outage {
                Fault::Refused(500)
            } else {
                Fault::DeathBefore
            });
        }
        let counts = match strike.which {
            Which::Every => true,
            Which::Applying => self.log.is_locked(),
            Which::Writes => write.is_some(),
            Which::To(end) => write.is_some_and(|path| path.ends_with(end)),
        };
        progress.counted += usize::from(counts);
        let strikes = counts && (progress.counted == strike.n || matches!(strike.which, Which::To(_)));
        progress.struck |= strikes;
        strikes.then_some(strike.fault)
    }

    async fn carry(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path().to_owned();
        let dry = request.uri().query().is_some_and(|query| query.contains("dryRun=All"));
        let changes = !dry && request.method() != Method::GET;
        if changes {
            self.log.note(Event::Wrote { method: request.method().to_string(), path: path.clone() });
        }
        let Some(fault) = self.fault(changes.then_some(path.as_str())) else {
            return Ok(self.cluster.clone().oneshot(request).await?);
        };
        match fault {
            Fault::Refused(code) => return refusal(code, request.into_body()).await,
            Fault::DeathBefore => return self.die().await,
            Fault::Claimed => {
                self.claim(&path).await?;
                return Ok(self.cluster.clone().oneshot(request).await?);
            }
            _ => {}
        }
        let answer = self.cluster.clone().oneshot(request).await?;
        match fault {
            Fault::Reset => Err("connection reset by peer".into()),
            Fault::DeathAfter => self.die().await,
            Fault::Cut => {
                let (head, body) = answer.into_parts();
                let bytes = to_bytes(body, usize::MAX).await?;
                Ok(Response::from_parts(head, Body::from(bytes.slice(..bytes.len() / 2))))
            }
            _ => refusal(500, answer.into_body()).await,
        }
    }

    async fn claim(&self, path: &str) -> Result<(), BoxError> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "which": "theirs" } });
        let request = Request::builder()
            .method(Method::PATCH)
            .uri(format!("{path}?fieldManager=rival&force=true"))
            .header("content-type", "application/apply-patch+yaml")
            .body(Body::from(body.to_string()))?;
        self.cluster.clone().oneshot(request).await?;
        Ok(())
    }

    /// Ends the run: whoever waits for [`Wire::death`] drops it, and this never returns.
    async fn die(&self) -> Result<Response<Body>, BoxError> {
        self.died.notify_one();
        std::future::pending().await
    }
}

/// An error in Kubernetes' words that, like those of admission, quotes what it is about.
async fn refusal(code: u16, about: Body) -> Result<Response<Body>, BoxError> {
    let about = to_bytes(about, usize::MAX).await?;
    let message = format!("the object cannot be stored: {}", String::from_utf8_lossy(&about));
    let reason = match code {
        409 => "Conflict",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let status = json!({ "kind": "Status", "code": code, "reason": reason, "message": message });
    let response = Response::builder().status(StatusCode::from_u16(code)?).header("retry-after", "0");
    Ok(response.body(Body::from(status.to_string()))?)
}

/// The wire as a client uses it.
#[derive(Clone)]
pub struct Connection(pub Arc<Wire>);

impl<B> Service<Request<B>> for Connection
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let wire = self.0.clone();
        Box::pin(async move { wire.carry(request.map(Body::new)).await })
    }
}
