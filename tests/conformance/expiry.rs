//! What both servers answer once they have forgotten the changes that a request goes on from.
//!
//! kube-apiserver answers for most kinds from caches, which remember longer than etcd. Events have none.

use std::collections::BTreeMap;

use conformance::answer::Answer;
use conformance::servers::{Exchange, send};
use control_plane::{ControlPlane, Extent, User};
use http::Method;
use kube::Client;
use providers_sandbox::Sandbox;
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/namespaces/default/events";

async fn ask(client: &Client, method: Method, uri: &str, body: Option<(&'static str, Value)>) -> Answer {
    let body = body.map(|(media, body)| (media, body.to_string()));
    let exchange = Exchange { method, uri: uri.to_owned(), headers: BTreeMap::new(), body };
    send(client, &exchange).await
}

async fn read(client: &Client, query: &str) -> Answer {
    ask(client, Method::GET, &format!("{EVENTS}?{query}"), None).await
}

/// Writes events, lists the first of them, and writes all again. Returns the version and the token of the first page,
/// and the version of the last.
async fn pages(client: &Client) -> (String, String, String) {
    let first = |answer: &Answer, field: &str| {
        let value = answer.at(&format!("/metadata/{field}"));
        value.and_then(Value::as_str).expect("a list says where it ends").to_owned()
    };
    for name in ["a", "b", "c"] {
        let event = json!({"metadata": {"name": name}, "involvedObject": {"namespace": "default"}});
        ask(client, Method::POST, EVENTS, Some(("application/json", event))).await;
    }
    let page = read(client, "limit=1").await;
    for name in ["a", "b", "c"] {
        let patch = json!({"metadata": {"labels": {"k": "v"}}});
        let uri = format!("{EVENTS}/{name}");
        ask(client, Method::PATCH, &uri, Some(("application/merge-patch+json", patch))).await;
    }
    let last = first(&read(client, "limit=1").await, "resourceVersion");
    (first(&page, "resourceVersion"), first(&page, "continue"), last)
}

/// Asks for everything that went on from the first page.
async fn expired(client: &Client, version: &str, token: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for query in [
        format!("limit=1&continue={token}"),
        format!("resourceVersion={version}&resourceVersionMatch=Exact"),
        format!("resourceVersion={version}&resourceVersionMatch=NotOlderThan"),
        format!("watch=1&timeoutSeconds=1&resourceVersion={version}"),
    ] {
        answers.push(read(client, &query).await);
    }
    let next = answers[0].at("/metadata/continue").and_then(Value::as_str).expect("a token for the rest");
    answers.push(read(client, &format!("limit=1&continue={next}")).await);
    answers
}

#[tokio::test]
async fn what_was_forgotten_is_answered_with_410() {
    let plane = ControlPlane::start(Extent::ApiOnly);
    let real = plane.client(User::Admin).await;
    let (version, token, last) = pages(&real).await;
    let etcd = kube::Config::new(plane.etcd().parse().expect("etcd has an address"));
    let etcd = Client::try_from(etcd).expect("a client without credentials");
    let revision = json!({"revision": last, "physical": true});
    let body = Some(("application/json", revision));
    assert_eq!(ask(&etcd, Method::POST, "/v3/kv/compaction", body).await.status, 200);
    let real = expired(&real, &version, &token).await;

    let sandbox = Sandbox::in_memory();
    let client = Client::new(sandbox.router(), "default");
    let (version, token, _) = pages(&client).await;
    sandbox.forget();
    let sandbox = expired(&client, &version, &token).await;

    assert_eq!(real.iter().map(|answer| answer.status).collect::<Vec<_>>(), [410, 410, 200, 200, 200]);
    assert_eq!(real[3].at("/object/code"), Some(&json!(410)));
    for (real, sandbox) in real.into_iter().zip(sandbox) {
        assert_eq!(sandbox.normalised(&[]).text(), real.normalised(&[]).text());
    }
}
