//! A stand-in of Argo CD on a real control plane: it reports Applications as Argo CD does that has accepted, synced and
//! found healthy what it was given. The sandbox has the same in `controllers/gitops.rs`; nothing is fetched.
//!
//! # Source
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml>

use http::{Method, StatusCode};
use kube::Client;
use serde_json::{Value, json};

use crate::cluster::send;

const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/applications";

/// Reports on every Application whose source it has not reported on yet.
pub async fn deliver(client: &Client) {
    let (status, list) = send(client, &Method::GET, APPLICATIONS, "application/json", &Value::Null).await;
    if status != StatusCode::OK {
        // The kind is not there yet.
        return;
    }
    for application in list["items"].as_array().into_iter().flatten() {
        if application["status"]["sync"]["comparedTo"] == compared(application) {
            continue;
        }
        let metadata = &application["metadata"];
        let (Some(namespace), Some(name)) = (metadata["namespace"].as_str(), metadata["name"].as_str())
        else {
            continue;
        };
        let path = format!(
            "/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}?fieldManager=argocd-application-controller"
        );
        // One that was deleted meanwhile needs no report.
        let patch = json!({ "status": report(application) });
        drop(send(client, &Method::PATCH, &path, "application/merge-patch+json", &patch).await);
    }
}

fn compared(application: &Value) -> Value {
    json!({ "destination": application["spec"]["destination"], "source": application["spec"]["source"] })
}

fn report(application: &Value) -> Value {
    let is_automated = application["spec"]["syncPolicy"]["automated"].is_object();
    let (sync, health) = if is_automated { ("Synced", "Healthy") } else { ("OutOfSync", "Missing") };
    json!({
        "sync": {
            "status": sync,
            "revision": application["spec"]["source"]["targetRevision"],
            "comparedTo": compared(application),
        },
        "health": { "status": health },
    })
}
