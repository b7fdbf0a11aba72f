//! Who asks, and whether the roles in the store let them.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use serde_json::{Value, json};

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
    user.is_master() || rules_of(cluster, user, attempt).iter().any(|rule| allows(rule, attempt))
}

fn rules_of(cluster: &Cluster, user: &User, attempt: &Attempt) -> Vec<Value> {
    let mut rules = Vec::new();
    collect(cluster, user, "clusterrolebindings", "", &mut rules);
    if let Attempt::Resource { namespace, .. } = attempt
        && !namespace.is_empty()
    {
        collect(cluster, user, "rolebindings", namespace, &mut rules);
    }
    rules
}

fn collect(cluster: &Cluster, user: &User, bindings: &str, namespace: &str, rules: &mut Vec<Value>) {
    let rbac = |resource: &str| GroupResource::new("rbac.authorization.k8s.io", resource);
    for binding in cluster.store.list(&rbac(bindings), namespace) {
        if !meta::items(&binding["subjects"]).iter().any(|subject| user.is_meant(subject, namespace)) {
            continue;
        }
        let name = binding["roleRef"]["name"].as_str().unwrap_or_default();
        let (resource, place) =
            if binding["roleRef"]["kind"] == "Role" { ("roles", namespace) } else { ("clusterroles", "") };
        let role = cluster.store.find("rbac.authorization.k8s.io", resource, place, name);
        rules.extend(role.into_iter().flat_map(|role| meta::items(&role["rules"]).iter().cloned()));
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

/// Answers a `SelfSubjectAccessReview`.
///
/// # Source
/// <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/>
pub(crate) fn review_access(cluster: &Cluster, user: &User, review: &Value) -> Value {
    let asked = &review["spec"]["resourceAttributes"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let attempt = if asked.is_object() {
        Attempt::Resource {
            verb: text(&asked["verb"]),
            resource: GroupResource::new(&text(&asked["group"]), &text(&asked["resource"])),
            subresource: text(&asked["subresource"]),
            namespace: text(&asked["namespace"]),
            name: text(&asked["name"]),
        }
    } else {
        let asked = &review["spec"]["nonResourceAttributes"];
        Attempt::Path { verb: text(&asked["verb"]), path: text(&asked["path"]) }
    };
    let mut answer = review.clone();
    answer["status"] = json!({ "allowed": is_allowed(cluster, user, &attempt) });
    answer
}

/// Answers a `SelfSubjectReview`.
///
/// # Source
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>
pub(crate) fn review_self(user: &User) -> Value {
    json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": meta::now() },
        "status": { "userInfo": { "username": user.name, "groups": user.groups } },
    })
}
