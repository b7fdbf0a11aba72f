//! Nobody gives rights that he does not have himself.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Attempt, User, is_allowed, rules_in};
use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult};
use crate::meta;
use crate::resource::Resource;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Refuses a role or a binding by which a user would give more than he has; `live` is its present state, if any.
///
/// # Errors
/// 403 then, with what he lacks.
pub(crate) fn check(
    cluster: &Cluster,
    user: &User,
    resource: &Resource,
    live: Option<&Value>,
    object: &Value,
) -> ApiResult<()> {
    if resource.group != GROUP || user.is_master() {
        return Ok(());
    }
    let namespace = meta::namespace(object);
    let is_role = matches!(resource.plural.as_str(), "roles" | "clusterroles");
    let field = if is_role { "rules" } else { "roleRef" };
    let is_kept =
        live.is_some_and(|live| live[field] == object[field] && live["subjects"] == object["subjects"]);
    if is_kept || may_anyway(cluster, user, resource, object) {
        return Ok(());
    }
    let given = if is_role {
        meta::items(&object["rules"]).to_vec()
    } else {
        rules_behind(cluster, &object["roleRef"], namespace)
    };
    let held = rules_in(cluster, user, namespace);
    let lacking: Vec<Right> =
        given.iter().flat_map(rights).filter(|right| !held.iter().any(|rule| covers(rule, right))).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let groups: Vec<_> = user.groups.iter().map(|group| format!("{group:?}")).collect();
    let why = format!(
        "user {:?} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        groups.join(" "),
        listed(&lacking)
    );
    Err(ApiError::forbidden(&resource.group_resource(), meta::name(object), why))
}

fn rules_behind(cluster: &Cluster, reference: &Value, namespace: &str) -> Vec<Value> {
    let (resource, place) =
        if reference["kind"] == "Role" { ("roles", namespace) } else { ("clusterroles", "") };
    let role = cluster.store.find(GROUP, resource, place, reference["name"].as_str().unwrap_or_default());
    role.map(|role| meta::items(&role["rules"]).to_vec()).unwrap_or_default()
}

// Two verbs of their own let a user write any role, and bind one.
fn may_anyway(cluster: &Cluster, user: &User, resource: &Resource, object: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (verb, plural, name) = match resource.plural.as_str() {
        "roles" | "clusterroles" => ("escalate", resource.plural.as_str(), meta::name(object).to_owned()),
        _ if object["roleRef"]["kind"] == "Role" => ("bind", "roles", text(&object["roleRef"]["name"])),
        _ => ("bind", "clusterroles", text(&object["roleRef"]["name"])),
    };
    let attempt = Attempt::Resource {
        verb: verb.into(),
        resource: crate::error::GroupResource::new(GROUP, plural),
        subresource: String::new(),
        namespace: meta::namespace(object).to_owned(),
        name,
    };
    is_allowed(cluster, user, &attempt)
}

/// One verb on one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    group: String,
    resource: String,
    path: String,
    /// Empty for every object.
    name: String,
    verb: String,
}

fn rights(rule: &Value) -> Vec<Right> {
    let all =
        |field: &str| -> Vec<String> { meta::strings(&rule[field]).into_iter().map(str::to_owned).collect() };
    let mut names = all("resourceNames");
    if names.is_empty() {
        names.push(String::new());
    }
    let mut rights = Vec::new();
    for verb in all("verbs") {
        for path in all("nonResourceURLs") {
            let none = String::new;
            rights.push(Right { group: none(), resource: none(), path, name: none(), verb: verb.clone() });
        }
        for group in all("apiGroups") {
            for resource in all("resources") {
                rights.extend(names.iter().map(|name| Right {
                    group: group.clone(),
                    resource: resource.clone(),
                    path: String::new(),
                    name: name.clone(),
                    verb: verb.clone(),
                }));
            }
        }
    }
    rights
}

fn covers(rule: &Value, right: &Right) -> bool {
    let has = |field: &str, wanted: &str| {
        meta::strings(&rule[field]).into_iter().any(|found| found == "*" || found == wanted)
    };
    if !has("verbs", &right.verb) {
        return false;
    }
    if !right.path.is_empty() {
        return meta::strings(&rule["nonResourceURLs"]).into_iter().any(|held| {
            match held.strip_suffix('*') {
                Some(prefix) => right.path.starts_with(prefix),
                None => held == right.path,
            }
        });
    }
    let names = meta::strings(&rule["resourceNames"]);
    let wildcard = right.resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    has("apiGroups", &right.group)
        && (has("resources", &right.resource) || wildcard.is_some_and(|all| has("resources", &all)))
        && (names.is_empty() || names.contains(&right.name.as_str()))
}

// One line for the verbs on one thing.
fn listed(rights: &[Right]) -> String {
    let mut verbs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for right in rights {
        let mut parts = Vec::new();
        let mut part = |label: &str, value: &str| parts.push(format!("{label}:[{}]", json!(value)));
        if right.path.is_empty() {
            part("APIGroups", &right.group);
            part("Resources", &right.resource);
        } else {
            part("NonResourceURLs", &right.path);
        }
        if !right.name.is_empty() {
            part("ResourceNames", &right.name);
        }
        let verb = json!(right.verb).to_string();
        let known = verbs.entry(parts.join(", ")).or_default();
        if !known.contains(&verb) {
            known.push(verb);
        }
    }
    let lines = verbs.iter().map(|(what, verbs)| format!("{{{what}, Verbs:[{}]}}", verbs.join(" ")));
    lines.collect::<Vec<_>>().join("\n")
}
