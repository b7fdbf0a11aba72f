//! Tells clients what is served.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>

use engine_kinds::builtin::Scope;
use serde_json::{Value, json};

use crate::meta;
use crate::resource::{Catalog, Resource};
use crate::reviews::{self, Review};

/// The version that `/version` states.
const VERSION: (&str, &str, &str) = ("1", "36", "v1.36.3");

/// Verbs of a resource itself.
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// Verbs of its subresources.
const SUB_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Verbs of a custom resource, in the order that Kubernetes gives them.
const CUSTOM_VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// The first groups, in the order in which Kubernetes lists them; the others follow as they come.
const FIRST_GROUPS: [&str; 6] =
    ["", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"];

/// What is listed beside what is served: it needs running containers or a scheduler, and is refused when it is asked
/// for.
struct Extra {
    group: &'static str,
    /// The resource, or a resource and its subresource.
    name: &'static str,
    kind: &'static str,
    /// Group and version of the kind, where they are not those of the resource.
    of: Option<(&'static str, &'static str)>,
    scope: Scope,
    verbs: &'static [&'static str],
}

const fn extra(group: &'static str, name: &'static str, kind: &'static str, scope: Scope) -> Extra {
    Extra { group, name, kind, of: None, scope, verbs: &["create"] }
}

impl Extra {
    const fn takes(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }

    const fn of(mut self, group: &'static str, version: &'static str) -> Self {
        self.of = Some((group, version));
        self
    }
}

const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];
const CONNECT: &[&str] = &["create", "get"];

const EXTRAS: &[Extra] = &[
    extra("", "bindings", "Binding", Scope::Namespaced),
    extra("", "componentstatuses", "ComponentStatus", Scope::Cluster).takes(&["get", "list"]),
    extra("", "nodes/proxy", "NodeProxyOptions", Scope::Cluster).takes(PROXY),
    extra("", "pods/attach", "PodAttachOptions", Scope::Namespaced).takes(CONNECT),
    extra("", "pods/binding", "Binding", Scope::Namespaced),
    extra("", "pods/ephemeralcontainers", "Pod", Scope::Namespaced).takes(&SUB_VERBS),
    extra("", "pods/eviction", "Eviction", Scope::Namespaced).of("policy", "v1"),
    extra("", "pods/exec", "PodExecOptions", Scope::Namespaced).takes(CONNECT),
    extra("", "pods/log", "Pod", Scope::Namespaced).takes(&["get"]),
    extra("", "pods/portforward", "PodPortForwardOptions", Scope::Namespaced).takes(CONNECT),
    extra("", "pods/proxy", "PodProxyOptions", Scope::Namespaced).takes(PROXY),
    extra("", "pods/resize", "Pod", Scope::Namespaced).takes(&SUB_VERBS),
    extra("", "serviceaccounts/token", "TokenRequest", Scope::Namespaced).of("authentication.k8s.io", "v1"),
    extra("", "services/proxy", "ServiceProxyOptions", Scope::Namespaced).takes(PROXY),
    extra("authentication.k8s.io", "tokenreviews", "TokenReview", Scope::Cluster),
    extra(
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "CertificateSigningRequest",
        Scope::Cluster,
    )
    .takes(&SUB_VERBS),
];

/// Whether a resource is listed that the sandbox does not serve.
pub(crate) fn lists_only(group: &str, version: &str, plural: &str) -> bool {
    version == "v1" && EXTRAS.iter().any(|extra| extra.group == group && extra.name == plural)
}

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
    let place = |group: &Group<'_>| FIRST_GROUPS.iter().position(|name| *name == group.name);
    groups.sort_by_key(|group| place(group).unwrap_or(FIRST_GROUPS.len()));
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

/// A resource or a subresource as discovery lists it.
struct Entry {
    /// The resource, and its subresource if it is one.
    name: (String, Option<String>),
    singular: String,
    kind: String,
    /// Group and version of the kind, where they are told.
    of: Option<(String, String)>,
    is_namespaced: bool,
    verbs: Vec<&'static str>,
    short_names: Vec<String>,
    categories: Vec<String>,
}

// What a group serves in a version: by name if built in, and as their definitions come otherwise.
fn entries(catalog: &Catalog, group: &str, version: &str) -> Vec<Entry> {
    let served: Vec<_> = catalog.all().filter(|r| r.group == group && r.version == version).collect();
    let mut entries: Vec<Entry> = served.iter().flat_map(|resource| of_resource(resource)).collect();
    let is_custom = served.iter().any(|resource| resource.custom.is_some());
    if version == "v1" {
        entries.extend(EXTRAS.iter().filter(|extra| extra.group == group).map(of_extra));
        entries.extend(reviews::ALL.iter().filter(|review| review.group == group).map(of_review));
    }
    if !is_custom {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
    }
    entries
}

fn of_resource(resource: &Resource) -> Vec<Entry> {
    let is_custom = resource.custom.is_some();
    let own = is_custom.then(|| (resource.group.clone(), resource.version.clone()));
    let verbs = if is_custom { CUSTOM_VERBS } else { VERBS };
    let verbs =
        verbs.into_iter().filter(|verb| !(resource.is("", "namespaces") && *verb == "deletecollection"));
    let mut entries = vec![Entry {
        name: (resource.plural.clone(), None),
        singular: resource.singular.clone(),
        kind: resource.kind.clone(),
        of: own.clone(),
        is_namespaced: resource.is_namespaced(),
        verbs: verbs.collect(),
        short_names: resource.short_names.clone(),
        categories: resource.categories.clone(),
    }];
    entries.extend(resource.subresources.iter().map(|name| {
        let (kind, of) = match *name {
            "scale" => ("Scale".to_owned(), Some(("autoscaling".to_owned(), "v1".to_owned()))),
            _ => (resource.kind.clone(), own.clone()),
        };
        Entry {
            name: (resource.plural.clone(), Some((*name).to_owned())),
            singular: String::new(),
            kind,
            of,
            is_namespaced: resource.is_namespaced(),
            verbs: if *name == "finalize" { vec!["update"] } else { SUB_VERBS.to_vec() },
            short_names: Vec::new(),
            categories: Vec::new(),
        }
    }));
    entries
}

fn of_review(review: &Review) -> Entry {
    Entry {
        name: (review.plural.to_owned(), None),
        singular: review.kind.to_lowercase(),
        kind: review.kind.to_owned(),
        of: None,
        is_namespaced: review.is_namespaced,
        verbs: vec!["create"],
        short_names: Vec::new(),
        categories: Vec::new(),
    }
}

fn of_extra(extra: &Extra) -> Entry {
    let (plural, subresource) = match extra.name.split_once('/') {
        Some((plural, subresource)) => (plural, Some(subresource.to_owned())),
        None => (extra.name, None),
    };
    Entry {
        singular: if subresource.is_some() { String::new() } else { extra.kind.to_lowercase() },
        name: (plural.to_owned(), subresource),
        kind: extra.kind.to_owned(),
        of: extra.of.map(|(group, version)| (group.to_owned(), version.to_owned())),
        is_namespaced: extra.scope == Scope::Namespaced,
        verbs: extra.verbs.to_vec(),
        short_names: if extra.name == "componentstatuses" { vec!["cs".to_owned()] } else { Vec::new() },
        categories: Vec::new(),
    }
}

/// The answer to `/api/v1` and `/apis/GROUP/VERSION`.
pub(crate) fn resource_list(catalog: &Catalog, group: &str, version: &str) -> Option<Value> {
    let resources: Vec<Value> =
        entries(catalog, group, version).into_iter().map(|entry| listed(group, entry)).collect();
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

fn listed(group: &str, entry: Entry) -> Value {
    let (plural, subresource) = &entry.name;
    let name = subresource.as_ref().map_or_else(|| plural.clone(), |below| format!("{plural}/{below}"));
    let mut listed = json!({
        "name": name, "singularName": entry.singular, "namespaced": entry.is_namespaced, "kind": entry.kind,
        "verbs": entry.verbs,
    });
    // Only a kind of another group is told here.
    if let Some((group, version)) = entry.of.filter(|(of, _)| of != group) {
        listed["group"] = json!(group);
        listed["version"] = json!(version);
    }
    add_names(&mut listed, &entry.short_names, &entry.categories);
    listed
}

fn add_names(listed: &mut Value, short_names: &[String], categories: &[String]) {
    if !short_names.is_empty() {
        listed["shortNames"] = json!(short_names);
    }
    if !categories.is_empty() {
        listed["categories"] = json!(categories);
    }
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
    let mut resources: Vec<Value> = Vec::new();
    for entry in entries(catalog, group, version) {
        let (of_group, of_version) = entry.of.unwrap_or_default();
        let kind = json!({ "group": of_group, "version": of_version, "kind": entry.kind });
        let (plural, subresource) = entry.name;
        let Some(subresource) = subresource else {
            let mut resource = json!({
                "resource": plural, "responseKind": kind, "singularResource": entry.singular, "verbs": entry.verbs,
                "scope": if entry.is_namespaced { "Namespaced" } else { "Cluster" },
            });
            add_names(&mut resource, &entry.short_names, &entry.categories);
            resources.push(resource);
            continue;
        };
        let below = json!({ "subresource": subresource, "responseKind": kind, "verbs": entry.verbs });
        // Subresources follow their resource.
        if let Some(resource) = resources.last_mut().and_then(Value::as_object_mut) {
            let list = resource.entry("subresources").or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|list| list.push(below.clone()));
        }
    }
    json!({ "version": version, "resources": resources, "freshness": "Current" })
}
