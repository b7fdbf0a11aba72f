//! The Kubernetes API client: discovery, list, server-side apply, delete, watch and readiness.
//!
//! [`KubernetesProvider`] implements [`ClusterProvider`] over a [`Client`]. Bodies are read straight into
//! [`Value`](engine_core::value::Value), status codes are kept (201 or 200 is the only witness of a
//! creation), and repeating a request, slowing down and mapping errors are decided here and nowhere else.
//!
//! Suggested reading order: `provider`, `objects`, `list`, `watch`, `discovery`, then what they stand on:
//! `transport`, `retry`, `limiter`, `failure`. Readiness is apart, in `status`, one file a kind.

mod connect;
mod provider;

mod discovery;
mod evidence;
mod list;
mod objects;
mod watch;

mod conflict;
mod failure;
mod path;
mod warning;

mod limiter;
mod retry;
mod transport;

mod status;

#[cfg(test)]
mod scenario;
#[cfg(test)]
mod tests;

pub use connect::{ConnectError, LoginError};
/// The client that a provider stands on: a TLS connection, or any in-process service of HTTP requests,
/// `Client::new(router, "default")`.
pub use kube::Client;
pub use provider::KubernetesProvider;
