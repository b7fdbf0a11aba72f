//! Sends requests: counts, limits, times, logs and repeats them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use engine_core::ports::ProviderError;
use futures::AsyncBufRead;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT,
};
use http::{Method, Request, StatusCode};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;

use crate::failure::{self, Refusal, Subject};
use crate::limiter::Limiter;
use crate::retry::{self, Backoff, Fault, Repeat};

/// The time that one try may take: longer than the longest timeout of an admission webhook, 30 s.
const TRY: Duration = Duration::from_secs(40);
/// What the API server's audit log says on our requests.
const AGENT: &str = concat!("terrane/", env!("CARGO_PKG_VERSION"));

/// The connection to one API server.
pub(crate) struct Transport {
    client: Client,
    limiter: Limiter,
    sent: AtomicU64,
}

/// Marks a request whose answer stays open: it has a connection of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnConnection;

/// One request, as often as it is sent.
#[derive(Clone)]
pub(crate) struct Call {
    /// Method.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) uri: String,
    /// Body with its media type.
    pub(crate) body: Option<(&'static str, Vec<u8>)>,
    /// Media types to accept.
    pub(crate) accept: &'static str,
    /// The version of the answer that we have.
    pub(crate) etag: Option<String>,
    /// When it may be sent again.
    pub(crate) repeat: Repeat,
}

impl Call {
    /// Builds a read.
    pub(crate) fn get(uri: String) -> Self {
        Self {
            method: Method::GET,
            uri,
            body: None,
            accept: "application/json",
            etag: None,
            repeat: Repeat::Always,
        }
    }

    /// Returns the path without the query.
    fn path(&self) -> &str {
        self.uri.split_once('?').map_or(&self.uri, |(path, _)| path)
    }

    fn request(&self) -> Result<Request<Vec<u8>>, ProviderError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.uri)
            .header(ACCEPT, self.accept)
            .header(USER_AGENT, AGENT);
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let mut body = Vec::new();
        if let Some((media_type, bytes)) = &self.body {
            request = request.header(CONTENT_TYPE, *media_type);
            body.clone_from(bytes);
        }
        request
            .body(body)
            .map_err(|error| ProviderError::Invalid(format!("{} is no address: {error}", self.path()).into()))
    }
}

/// An answer, whatever its status.
pub(crate) struct Reply {
    /// Status code.
    pub(crate) status: StatusCode,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Returns the answer if it is a success.
    ///
    /// # Errors
    /// The error that the answer is.
    pub(crate) fn success(self, subject: Subject) -> Result<Self, ProviderError> {
        match self.refusal() {
            None => Ok(self),
            Some(refusal) => Err(refusal.error(subject)),
        }
    }

    /// Returns the error that the answer is, if any.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        if self.status.is_success() || self.status == StatusCode::NOT_MODIFIED {
            return None;
        }
        let retry_after = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| retry::retry_after(text, SystemTime::now()));
        Some(Refusal::new(self.status, retry_after, &self.body))
    }

    /// Reads the body.
    ///
    /// # Errors
    /// It is not what was asked for.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ProviderError> {
        json(&self.body)
    }
}

/// Reads an answer, or a part of one.
///
/// # Errors
/// It is not what was asked for.
pub(crate) fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body)
        .map_err(|error| ProviderError::Server(format!("the answer cannot be read: {error}")))
}

impl Transport {
    /// Builds a transport over a client.
    pub(crate) fn new(client: Client) -> Self {
        Self { client, limiter: Limiter::default(), sent: AtomicU64::new(0) }
    }

    /// Returns how many requests have been sent, repetitions included.
    pub(crate) fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request, again where that may help, and returns the last answer.
    ///
    /// # Errors
    /// There was no answer, or no credentials.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, ProviderError> {
        let mut backoff = Backoff::new(call.repeat);
        loop {
            let permit = self.limiter.acquire().await;
            let begun = Instant::now();
            let outcome = self.send_once(call, backoff.left().min(TRY)).await;
            let took = begun.elapsed();
            log(call, &outcome, took);
            match &outcome {
                Ok(reply) if reply.status == StatusCode::TOO_MANY_REQUESTS => permit.refused(),
                Ok(reply) if !reply.status.is_server_error() => permit.served(),
                _ => drop(permit),
            }
            let Some(fault) = fault(&outcome) else {
                return outcome;
            };
            match backoff.next(fault, took, retry::chance()) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return outcome,
            }
        }
    }

    async fn send_once(&self, call: &Call, limit: Duration) -> Result<Reply, ProviderError> {
        let request = call.request()?.map(Body::from);
        self.sent.fetch_add(1, Ordering::Relaxed);
        let exchange = async {
            let (head, body) = self.client.send(request).await?.into_parts();
            Ok(Reply { status: head.status, headers: head.headers, body: body.collect_bytes().await?.into() })
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(answer) => answer.map_err(|error| failure::unanswered(&error)),
            Err(_) => Err(no_answer_within(limit)),
        }
    }

    /// Opens a stream of lines; `None` when the server has no room for it now.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub(crate) async fn open(
        &self,
        call: &Call,
        subject: Subject,
    ) -> Result<Option<impl AsyncBufRead + Send + use<>>, ProviderError> {
        let mut request = call.request()?;
        // Each event would be a compressed stream of its own, which the client cannot take apart.
        request.headers_mut().insert(ACCEPT_ENCODING, http::HeaderValue::from_static("identity"));
        request.extensions_mut().insert(OwnConnection);
        let permit = self.limiter.acquire().await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let opened = tokio::time::timeout(TRY, self.client.request_stream(request)).await;
        tracing::debug!(target: "terrane::http", method = %call.method, path = call.path(), "watch");
        let refusal = match opened {
            Ok(Ok(stream)) => return Ok(Some(stream)),
            Ok(Err(kube::Error::Api(status))) => Refusal::from_status(*status),
            Ok(Err(error)) => return Err(failure::unanswered(&error)),
            Err(_) => return Err(no_answer_within(TRY)),
        };
        if refusal.code() == 410 {
            return Ok(None);
        }
        let Some(fault) = refusal.fault() else {
            return Err(refusal.error(subject));
        };
        permit.refused();
        let delay = Backoff::new(call.repeat).next(fault, Duration::ZERO, retry::chance());
        tokio::time::sleep(delay.unwrap_or_default()).await;
        Ok(None)
    }
}

/// Returns the fault if the outcome may pass.
fn fault(outcome: &Result<Reply, ProviderError>) -> Option<Fault> {
    match outcome {
        Ok(reply) => reply.refusal()?.fault(),
        Err(ProviderError::Unreachable(_)) => Some(Fault::Unanswered),
        Err(_) => None,
    }
}

fn no_answer_within(limit: Duration) -> ProviderError {
    ProviderError::Unreachable(format!("no answer within {} s", limit.as_secs()))
}

/// Neither queries nor headers nor bodies: the last two may hold secrets, and the first may grow long.
fn log(call: &Call, outcome: &Result<Reply, ProviderError>, took: Duration) {
    let status = outcome.as_ref().map_or(0, |reply| reply.status.as_u16());
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(target: "terrane::http", method = %call.method, path = call.path(), status, ms, "request");
}
