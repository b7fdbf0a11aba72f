//! The two servers, and how a request reaches them.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use control_plane::{ControlPlane, User};
use http::{Method, Request};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use providers_sandbox::Sandbox;
use tokio::runtime::Runtime;

use crate::answer::Answer;

/// No answer takes longer: a watch ends at the time that it asks for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request, for either server.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The verb of HTTP.
    pub method: Method,
    /// Path and query.
    pub uri: String,
    /// Further headers, by name.
    pub headers: BTreeMap<String, String>,
    /// The body with its media type.
    pub body: Option<(&'static str, String)>,
}

/// The two servers that all tests of a process share.
pub struct Servers {
    /// Drives the connections to both.
    pub runtime: Runtime,
    /// kube-apiserver, as its administrator.
    pub real: kube::Client,
    /// The sandbox, as its administrator.
    pub sandbox: kube::Client,
}

impl Servers {
    /// Starts both servers, once in a process.
    ///
    /// # Panics
    /// If the control plane does not start.
    pub fn shared() -> &'static Self {
        static SERVERS: OnceLock<Servers> = OnceLock::new();
        SERVERS.get_or_init(|| {
            let runtime = Runtime::new().expect("threads can be started");
            let real = runtime.block_on(administrator(ControlPlane::shared()));
            // A client starts a task, and needs the runtime for it.
            let sandbox =
                runtime.block_on(async { kube::Client::new(Sandbox::in_memory().router(), "default") });
            Self { runtime, real, sandbox }
        })
    }

    /// Both servers: the real one first, which is right.
    pub fn both(&self) -> [&kube::Client; 2] {
        [&self.real, &self.sandbox]
    }
}

// Answers such as 504 are looked at, not tried again.
async fn administrator(plane: &ControlPlane) -> kube::Client {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).expect("the kubeconfig is readable");
    let options = KubeConfigOptions { context: Some(User::Admin.name().into()), ..Default::default() };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.expect("the kubeconfig is whole");
    config.default_retry = false;
    kube::Client::try_from(config).expect("a client")
}

/// Sends a request and waits for the whole answer.
///
/// # Panics
/// If the server cannot be reached, or does not end its answer.
pub async fn send(client: &kube::Client, exchange: &Exchange) -> Answer {
    let mut request = Request::builder().method(&exchange.method).uri(&exchange.uri);
    for (name, value) in &exchange.headers {
        request = request.header(name, value);
    }
    let body = match &exchange.body {
        Some((media, body)) => {
            if !exchange.headers.contains_key("content-type") {
                request = request.header("content-type", *media);
            }
            Body::from(body.clone().into_bytes())
        }
        None => Body::empty(),
    };
    let request = request.body(body).unwrap_or_else(|error| panic!("{}: {error}", exchange.uri));
    let answered = async {
        let (head, body) = client.send(request).await?.into_parts();
        Ok::<_, kube::Error>(Answer::new(&head, &body.collect_bytes().await?))
    };
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => panic!("{} {}: {error}", exchange.method, exchange.uri),
        Err(_) => panic!("{} {}: no end after {PATIENCE:?}", exchange.method, exchange.uri),
    }
}
