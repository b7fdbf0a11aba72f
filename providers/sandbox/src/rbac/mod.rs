//! Who asks, and whether the roles in the store let them.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

mod escalation;

use serde_json::{Value, json};

pub(crate) use escalation::check as check_escalation;

use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;

/// The group whose members may do everything.
const MASTERS: &str = "system:masters";

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub name: String,
    pub groups: Vec<String>,
}

impl User {
    /// The administrator of the cluster.
    pub fn admin() -> Self {
        let groups = [MASTERS, "system:authenticated"].map(str::to_owned).to_vec();
        Self { name: "kubernetes-admin".into(), groups }
    }

    /// A user that the administrator impersonates. Users and service accounts get the groups that Kubernetes gives them.
    pub fn impersonated(name: &str, groups: Vec<String>) -> Self {
        let mut groups = groups;
        if let Some(account) = name.strip_prefix("system:serviceaccount:").filter(|_| groups.is_empty()) {
            let namespace = account.split(':').next().unwrap_or_default();
            groups = vec!["system:serviceaccounts".into(), format!("system:serviceaccounts:{namespace}")];
        }
        let everyone =
            if name == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" };
        if !groups.iter().any(|group| group == everyone) {
            groups.push(everyone.into());
        }
        Self { name: name.to_owned(), groups }
    }

    fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    fn is_meant(&self, subject: &Value, namespace: &str) -> bool {
        let name = subject["name"].as_str().unwrap_or_default();
        match subject["kind"].as_str() {
            Some("User") => name == self.name,
            Some("Group") => self.groups.iter().any(|group| group == name),
            Some("ServiceAccount") => {
                let namespace = subject["namespace"].as_str().unwrap_or(namespace);
                self.name == format!("system:serviceaccount:{namespace}:{name}")
            }
            _ => false,
        }
    }
}

/// What a caller wants to do.
#[derive(Debug, Clone)]
pub(crate) enum Attempt {
    /// A verb on a resource.
    Resource {
        verb: String,
        resource: GroupResource,
        /// Empty for the resource itself.
        subresource: String,
        /// Empty outside a namespace.
        namespace: String,
        /// Empty for a collection.
        name: String,
    },
    /// A verb on another path, as `/version`.
    Path { verb: String, path: String },
}

/// Lets the attempt pass.
///
/// # Errors
/// 403 in Kubernetes' words if no role allows it.
pub(crate) fn authorize(cluster: &Cluster, user: &User, attempt: &Attempt) -> ApiResult<()> {
    if is_allowed(cluster, user, attempt) {
        return Ok(());
    }
    Err(match attempt {
        Attempt::Resource { verb, resource, subresource, namespace, name } => {
            let full = match subresource.as_str() {
                "" => resource.resource.clone(),
                subresource => format!("{}/{subresource}", resource.resource),
            };
            let place = if namespace.is_empty() {
                "at the cluster scope".to_owned()
            } else {
                format!("in the namespace {namespace:?}")
            };
            let why = format!(
                "User {:?} cannot {verb} resource {full:?} in API group {:?} {place}",
                user.name, resource.group
            );
            ApiError::forbidden(resource, name, why)
        }
        Attempt::Path { verb, path } => {
            let why = format!("User {:?} cannot {verb} path {path:?}", user.name);
            ApiError::forbidden(&GroupResource::new("", ""), "", why)
        }
    })
}

/// Whether some role allows the attempt.
pub(crate) fn is_allowed(cluster: &Cluster, user: &User, attempt: &Attempt) -> bool {
    granted_by(cluster, user, attempt).is_some()
}

/// What allows the attempt, if anything does: the binding, in Kubernetes' words; nothing has to for administrators.
pub(crate) fn granted_by(cluster: &Cluster, user: &User, attempt: &Attempt) -> Option<String> {
    if user.is_master() {
        return Some(String::new());
    }
    let namespace = match attempt {
        Attempt::Resource { namespace, .. } => namespace,
        Attempt::Path { .. } => "",
    };
    let grants = grants(cluster, user, namespace);
    let found = grants.into_iter().find(|grant| grant.rules.iter().any(|rule| allows(rule, attempt)));
    found.map(|grant| grant.source)
}

/// The rules that hold for a user in a namespace.
pub(crate) fn rules_in(cluster: &Cluster, user: &User, namespace: &str) -> Vec<Value> {
    let mut rules: Vec<_> =
        grants(cluster, user, namespace).into_iter().flat_map(|grant| grant.rules).collect();
    if user.is_master() {
        rules.insert(0, json!({ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }));
        rules.insert(1, json!({ "verbs": ["*"], "nonResourceURLs": ["*"] }));
    }
    rules
}

/// What one binding gives to a user.
struct Grant {
    source: String,
    rules: Vec<Value>,
}

fn grants(cluster: &Cluster, user: &User, namespace: &str) -> Vec<Grant> {
    let mut grants = Vec::new();
    collect(cluster, user, "ClusterRoleBinding", "", &mut grants);
    if !namespace.is_empty() {
        collect(cluster, user, "RoleBinding", namespace, &mut grants);
    }
    grants
}

fn collect(cluster: &Cluster, user: &User, kind: &str, namespace: &str, grants: &mut Vec<Grant>) {
    let bindings = GroupResource::new("rbac.authorization.k8s.io", &format!("{}s", kind.to_lowercase()));
    for binding in cluster.store.list(&bindings, namespace) {
        let mut subjects = meta::items(&binding["subjects"]).iter();
        let Some(subject) = subjects.find(|subject| user.is_meant(subject, namespace)) else { continue };
        let (of, name) =
            (&binding["roleRef"]["kind"], binding["roleRef"]["name"].as_str().unwrap_or_default());
        let (resource, place) = if of == "Role" { ("roles", namespace) } else { ("clusterroles", "") };
        let role = cluster.store.find("rbac.authorization.k8s.io", resource, place, name);
        let at = |name: &str, namespace: &str| match namespace {
            "" => json!(name),
            namespace => json!(format!("{name}/{namespace}")),
        };
        let home = subject["namespace"].as_str().unwrap_or(namespace);
        let home = if subject["kind"] == "ServiceAccount" { home } else { "" };
        let source = format!(
            "{kind} {} of {} {name:?} to {} {}",
            at(meta::name(binding), namespace),
            of.as_str().unwrap_or_default(),
            subject["kind"].as_str().unwrap_or_default(),
            at(subject["name"].as_str().unwrap_or_default(), home),
        );
        let rules = role.map(|role| meta::items(&role["rules"]).to_vec()).unwrap_or_default();
        grants.push(Grant { source, rules });
    }
}

fn allows(rule: &Value, attempt: &Attempt) -> bool {
    let has = |field: &str, wanted: &str| {
        meta::strings(&rule[field]).into_iter().any(|found| found == "*" || found == wanted)
    };
    match attempt {
        Attempt::Resource { verb, resource, subresource, name, .. } => {
            let named = meta::strings(&rule["resourceNames"]);
            has("verbs", verb)
                && has("apiGroups", &resource.group)
                && has_resource(rule, &resource.resource, subresource)
                && (named.is_empty() || named.contains(&name.as_str()))
        }
        Attempt::Path { verb, path } => {
            has("verbs", verb)
                && meta::strings(&rule["nonResourceURLs"]).into_iter().any(|allowed| {
                    match allowed.strip_suffix('*') {
                        Some(prefix) => path.starts_with(prefix),
                        None => path == allowed,
                    }
                })
        }
    }
}

fn has_resource(rule: &Value, resource: &str, subresource: &str) -> bool {
    let full = if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") };
    meta::strings(&rule["resources"]).into_iter().any(|found| {
        found == "*"
            || found == full
            || (!subresource.is_empty() && found.strip_prefix("*/") == Some(subresource))
    })
}
