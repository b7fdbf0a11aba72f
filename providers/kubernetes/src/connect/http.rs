//! The HTTP client under a [`Client`].

use std::time::Duration;

use http::{Method, Request};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower::buffer::BufferLayer;
use tower::filter::AsyncFilterLayer;
use tower::steer::Steer;
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::login::Login;
use crate::transport::OwnConnection;

/// How long a shared connection may be silent before the server is asked whether it is there, and how long it
/// may then take to answer. Both together are shorter than one try of a request, so that the next try has a
/// connection that works.
const ALIVE: Duration = Duration::from_secs(10);

/// How many requests may wait for a proxy.
const WAITING: usize = 1024;

/// Builds a client that differs from kube's own in two things. Reads share one connection (HTTP/2), so that a plan
/// opens only one. Writes and watches have connections of their own: many writes are served a quarter faster so, and
/// a server bounds the streams of one connection. And each packet is sent at once: with Nagle's algorithm the first
/// request of a new TLS connection waits 40 ms for a delayed acknowledgement. Through a proxy, it is kube's own.
///
/// # Errors
/// Certificates, keys or credentials do not work.
pub(super) fn client(config: Config, login: Option<Login>) -> kube::Result<Client> {
    let login = login.map(AsyncFilterLayer::new);
    if config.proxy_url.is_some() {
        let builder = ClientBuilder::try_from(config)?;
        return Ok(match login {
            Some(login) => builder.with_layer(&BufferLayer::new(WAITING)).with_layer(&login).build(),
            None => builder.build(),
        });
    }
    let own = https(&config)?.enable_http1().wrap_connector(tcp());
    let shared = https(&config)?.enable_http1().enable_http2().wrap_connector(tcp());
    let clients = [shared, own].map(|connector| pool(&config, connector));
    let has_own = |request: &Request<Body>| {
        request.method() != Method::GET || request.extensions().get::<OwnConnection>().is_some()
    };
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .option_layer(login)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Steer::new(clients, move |request: &_, _: &[_]| usize::from(has_own(request))));
    Ok(ClientBuilder::new(service, config.default_namespace).build())
}

type Https = HttpsConnectorBuilder<hyper_rustls::builderstates::WantsProtocols1>;

fn https(config: &Config) -> kube::Result<Https> {
    let builder =
        HttpsConnectorBuilder::new().with_tls_config(config.rustls_client_config()?).https_or_http();
    let Some(name) = config.tls_server_name.clone() else {
        return Ok(builder);
    };
    let name = name.try_into().map_err(|error| kube::Error::Service(Box::new(error)))?;
    Ok(builder.with_server_name_resolver(FixedServerNameResolver::new(name)))
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp
}

type Connector = TimeoutConnector<HttpsConnector<HttpConnector>>;

fn pool(config: &Config, https: HttpsConnector<HttpConnector>) -> HttpClient<Connector, Body> {
    let mut connector = TimeoutConnector::new(https);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    HttpClient::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(ALIVE)
        .http2_keep_alive_timeout(ALIVE)
        .build(connector)
}
