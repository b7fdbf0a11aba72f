//! Tells clients what is served.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::meta;
use crate::resource::{Catalog, Resource};
use crate::reviews;

/// The version that `/version` states.
const VERSION: (&str, &str, &str) = ("1", "36", "v1.36.3");

/// Verbs of a resource itself.
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Verbs of its subresources.
const SUB_VERBS: [&str; 3] = ["get", "patch", "update"];

/// The answer to `/version`.
pub(crate) fn version() -> Value {
    json!({
        "major": VERSION.0, "minor": VERSION.1, "gitVersion": VERSION.2, "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// The answer to `/api`.
pub(crate) fn core_versions() -> Value {
    json!({
        "kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": "" }],
    })
}

/// A group and its versions, the preferred one first.
struct Group<'a> {
    name: &'a str,
    versions: Vec<&'a str>,
}

fn groups(catalog: &Catalog) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let reviews = reviews::ALL.iter().map(|review| (review.group, "v1"));
    for (name, version) in catalog.all().map(|r| (r.group.as_str(), r.version.as_str())).chain(reviews) {
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) if group.versions.contains(&version) => {}
            Some(group) => group.versions.push(version),
            None => groups.push(Group { name, versions: vec![version] }),
        }
    }
    groups
}

/// The answer to `/apis`.
pub(crate) fn group_list(catalog: &Catalog) -> Value {
    let groups: Vec<_> =
        groups(catalog).iter().filter(|group| !group.name.is_empty()).map(group_entry).collect();
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

/// The answer to `/apis/GROUP`.
pub(crate) fn group(catalog: &Catalog, name: &str) -> Option<Value> {
    let found = groups(catalog).into_iter().find(|group| group.name == name && !name.is_empty())?;
    let mut entry = group_entry(&found);
    entry["kind"] = json!("APIGroup");
    entry["apiVersion"] = json!("v1");
    Some(entry)
}

fn group_entry(group: &Group<'_>) -> Value {
    let version =
        |version: &&str| json!({ "groupVersion": format!("{}/{version}", group.name), "version": version });
    let versions: Vec<_> = group.versions.iter().map(version).collect();
    json!({ "name": group.name, "preferredVersion": versions.first(), "versions": versions })
}

/// The answer to `/api/v1` and `/apis/GROUP/VERSION`.
pub(crate) fn resource_list(catalog: &Catalog, group: &str, version: &str) -> Option<Value> {
    let mut resources: Vec<Value> = Vec::new();
    let mut served: Vec<_> = catalog.all().filter(|r| r.group == group && r.version == version).collect();
    served.sort_by(|a, b| a.plural.cmp(&b.plural));
    for resource in served {
        resources.push(resource_entry(resource));
        resources.extend(subresources(resource).map(|(name, group, version, kind)| {
            let mut entry = json!({
                "name": format!("{}/{name}", resource.plural), "singularName": "",
                "namespaced": resource.is_namespaced(), "kind": kind, "verbs": SUB_VERBS,
            });
            if kind == "Scale" {
                entry["group"] = json!(group);
                entry["version"] = json!(version);
            }
            entry
        }));
    }
    for review in reviews::ALL.iter().filter(|review| review.group == group && version == "v1") {
        let entry = json!({
            "name": review.plural, "singularName": review.kind.to_lowercase(), "namespaced": review.is_namespaced,
            "kind": review.kind, "verbs": ["create"],
        });
        resources.push(entry);
    }
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list =
        json!({ "kind": "APIResourceList", "groupVersion": group_version, "resources": resources });
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    Some(list)
}

fn resource_entry(resource: &Resource) -> Value {
    let mut entry = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.is_namespaced(),
        "kind": resource.kind, "verbs": VERBS,
    });
    add_names(&mut entry, resource);
    entry
}

fn add_names(entry: &mut Value, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        entry["categories"] = json!(resource.categories);
    }
}

// Name, group, version and kind of what each subresource reads and writes.
fn subresources(resource: &Resource) -> impl Iterator<Item = (&str, &str, &str, &str)> {
    resource.subresources.iter().map(|name| match *name {
        "scale" => ("scale", "autoscaling", "v1", "Scale"),
        other => (other, resource.group.as_str(), resource.version.as_str(), resource.kind.as_str()),
    })
}

/// The aggregated answer to `/api` (the core group) or `/apis` (all others), with its entity tag.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery>
pub(crate) fn aggregated(catalog: &Catalog, is_core: bool) -> (Value, String) {
    let items: Vec<_> = groups(catalog)
        .iter()
        .filter(|group| group.name.is_empty() == is_core)
        .map(|group| {
            let versions: Vec<_> = group
                .versions
                .iter()
                .map(|version| aggregated_version(catalog, group.name, version))
                .collect();
            let metadata = if is_core { json!({}) } else { json!({ "name": group.name }) };
            json!({ "metadata": metadata, "versions": versions })
        })
        .collect();
    let document = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    let tag = format!("\"{:016X}\"", meta::hash(&document));
    (document, tag)
}

fn aggregated_version(catalog: &Catalog, group: &str, version: &str) -> Value {
    let mut served: Vec<&Arc<Resource>> =
        catalog.all().filter(|r| r.group == group && r.version == version).collect();
    served.sort_by(|a, b| a.plural.cmp(&b.plural));
    let mut resources: Vec<Value> =
        served.into_iter().map(|resource| aggregated_resource(resource)).collect();
    for review in reviews::ALL.iter().filter(|review| review.group == group && version == "v1") {
        let entry = json!({
            "resource": review.plural,
            "responseKind": { "group": group, "version": version, "kind": review.kind },
            "scope": if review.is_namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": review.kind.to_lowercase(), "verbs": ["create"],
        });
        resources.push(entry);
    }
    json!({ "version": version, "resources": resources, "freshness": "Current" })
}

fn aggregated_resource(resource: &Resource) -> Value {
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": { "group": resource.group, "version": resource.version, "kind": resource.kind },
        "scope": if resource.is_namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular, "verbs": VERBS,
    });
    add_names(&mut entry, resource);
    let subresources: Vec<_> = subresources(resource)
        .map(|(name, group, version, kind)| {
            let kind = json!({ "group": group, "version": version, "kind": kind });
            json!({ "subresource": name, "responseKind": kind, "verbs": SUB_VERBS })
        })
        .collect();
    if !subresources.is_empty() {
        entry["subresources"] = json!(subresources);
    }
    entry
}
