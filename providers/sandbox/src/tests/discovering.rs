//! Discovery.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>

use serde_json::json;

use super::Client;

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

#[test]
fn resources_are_listed_with_their_subresources() {
    let client = Client::new();
    assert_eq!(client.get("/version").body["minor"], "36");
    assert_eq!(client.get("/api").body["versions"], json!(["v1"]));
    let apps = client.get("/apis/apps/v1").body;
    let find = |name: &str| {
        let resources = apps["resources"].as_array().expect("resources");
        resources.iter().find(|resource| resource["name"] == name).cloned().expect("the resource")
    };
    assert_eq!(
        (&find("deployments")["namespaced"], &find("deployments")["shortNames"]),
        (&json!(true), &json!(["deploy"]))
    );
    assert_eq!(find("deployments/scale")["kind"], "Scale");
    assert_eq!(client.get("/apis/nothing/v1").code, 404);
    let groups = client.get("/apis").body;
    let scaling =
        groups["groups"].as_array().expect("groups").iter().find(|g| g["name"] == "autoscaling").cloned();
    assert_eq!(scaling.expect("the group")["preferredVersion"]["version"], "v2");
}

#[test]
fn aggregated_discovery_is_one_document_with_a_tag() {
    let client = Client::new().with("accept", AGGREGATED);
    let first = client.get("/apis");
    assert_eq!(first.body["kind"], "APIGroupDiscoveryList");
    let content = first.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(content.contains("as=APIGroupDiscoveryList"));
    let tag = first.headers.get("etag").and_then(|value| value.to_str().ok()).expect("a tag");
    assert_eq!(client.with("if-none-match", tag).get("/apis").code, 304);
    let core = client.get("/api").body;
    let pods = core["items"][0]["versions"][0]["resources"].as_array().expect("resources").iter();
    assert!(
        pods.into_iter().any(|resource| resource["resource"] == "pods" && resource["scope"] == "Namespaced")
    );
}

#[test]
fn metadata_alone_is_shown_to_those_who_ask_for_it() {
    let client = Client::new();
    let one = client.with("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    let space = one.get("/api/v1/namespaces/default").body;
    assert_eq!((&space["kind"], space.get("spec")), (&json!("PartialObjectMetadata"), None));
    let many = client.with("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    assert_eq!(many.get("/api/v1/namespaces").body["kind"], "PartialObjectMetadataList");
}
