//! A web server on loopback, with a certificate of its own, that runs `git http-backend`.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use rcgen::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

use super::programs_of_git;
use crate::Fault;

/// The largest body that is taken.
const LIMIT: usize = 16 * 1024 * 1024;

/// Returns what is missing.
pub fn obstacle() -> Option<String> {
    let there = |name: &str| programs_of_git().is_some_and(|directory| directory.join(name).is_file());
    ["git-http-backend", "git-remote-https"]
        .into_iter()
        .find(|name| !there(name))
        .map(|name| format!("no {name}"))
}

/// A running server.
pub struct Site {
    /// Where the repository is.
    pub url: String,
    /// What its certificate is checked against.
    pub certificate: PathBuf,
    runtime: Option<Runtime>,
}

impl Site {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// There is no port, or no certificate can be made.
    pub fn start(repository: &Path, directory: &Path) -> Result<Self, Fault> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let certificate = directory.join("certificate.pem");
        fs::write(&certificate, made.cert.pem())?;
        let acceptor = acceptor(&made)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let tcp = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = tcp.local_addr()?;
        let (sender, streams) = channel(64);
        runtime.spawn(shake_hands(tcp, acceptor, sender));
        let router = Router::new().fallback(serve).with_state(repository.to_path_buf());
        runtime.spawn(async move { axum::serve(Connections { address, streams }, router).await });
        let name = repository.file_name().unwrap_or_default().to_string_lossy();
        let url = format!("https://127.0.0.1:{}/{name}", address.port());
        Ok(Self { url, certificate, runtime: Some(runtime) })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn acceptor(made: &CertifiedKey<rcgen::KeyPair>) -> Result<TlsAcceptor, Fault> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Each handshake is a task of its own: a client that is stopped in the middle of it holds up nobody.
async fn shake_hands(tcp: TcpListener, acceptor: TlsAcceptor, sender: Sender<Connection>) {
    while let Ok((stream, from)) = tcp.accept().await {
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                // Nobody takes it once the server ends.
                sender.send((stream, from)).await.unwrap_or_default();
            }
        });
    }
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Connections whose handshake is done.
struct Connections {
    address: SocketAddr,
    streams: Receiver<Connection>,
}

impl Listener for Connections {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.streams.recv().await {
            Some(shaken) => shaken,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Answers a request with what `git http-backend` makes of it.
async fn serve(State(repository): State<PathBuf>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LIMIT).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answered = tokio::task::spawn_blocking(move || backend(&repository, &parts, &body)).await;
    match answered {
        Ok(Ok(output)) => response(&output.stdout),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// # Source
/// git-http-backend(1), "Environment"; RFC 3875, section 4.1.
fn backend(repository: &Path, parts: &Parts, body: &Bytes) -> io::Result<Output> {
    let mut input: File = tempfile::tempfile()?;
    input.write_all(body)?;
    input.rewind()?;
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repository.parent().unwrap_or(repository))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::from(input))
        .stderr(Stdio::null())
        .output()
}

/// # Source
/// RFC 3875, section 6.3: header lines, of which `Status` is the code, an empty line, and the body.
fn response(output: &[u8]) -> Response {
    let Some(end) = output.windows(4).position(|window| window == b"\r\n\r\n") else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let Some((name, value)) = line.split_once(": ") else { continue };
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            status = code.unwrap_or(StatusCode::BAD_GATEWAY);
        } else if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), value.parse()) {
            headers.append(name, value);
        }
    }
    (status, headers, output[end + 4..].to_vec()).into_response()
}
