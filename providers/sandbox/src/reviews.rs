//! Answers questions on rights: reviews are created, answered, and not kept.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind, GroupResource};
use crate::meta;
use crate::rbac::{self, Attempt, User};

/// A sort of review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Review {
    pub group: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    pub is_namespaced: bool,
}

/// Every sort that is answered, all of version v1.
pub(crate) const ALL: [Review; 5] = [
    cluster_wide("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
    Review {
        is_namespaced: true,
        ..cluster_wide("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview")
    },
    cluster_wide("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    cluster_wide("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    cluster_wide("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
];

const fn cluster_wide(group: &'static str, plural: &'static str, kind: &'static str) -> Review {
    Review { group, plural, kind, is_namespaced: false }
}

/// The review that a path of a collection names; `namespace` is empty outside one.
pub(crate) fn find(group: &str, namespace: &str, plural: &str) -> Option<Review> {
    let is_meant = |review: &&Review| review.group == group && review.plural == plural;
    ALL.iter().find(is_meant).filter(|review| review.is_namespaced != namespace.is_empty()).copied()
}

/// Answers a review that `user` asks for.
///
/// # Errors
/// 422 if it asks for nothing, or for two things at once; 400 if it lacks a namespace.
pub(crate) fn answer(cluster: &Cluster, user: &User, review: Review, mut asked: Value) -> ApiResult<Value> {
    let status = match review.kind {
        "SelfSubjectReview" => {
            asked["metadata"] = json!({ "creationTimestamp": meta::now() });
            json!({ "userInfo": { "username": user.name, "groups": user.groups } })
        }
        "SelfSubjectRulesReview" => {
            let status = rules(cluster, user, &asked)?;
            // The answer does not repeat the question.
            asked = json!({ "spec": {} });
            status
        }
        kind => {
            check(kind, &asked)?;
            let subject =
                if kind == "SelfSubjectAccessReview" { user.clone() } else { subject(&asked["spec"]) };
            access(cluster, &subject, &asked["spec"])
        }
    };
    asked["kind"] = json!(review.kind);
    asked["apiVersion"] = json!(format!("{}/v1", review.group));
    meta::child(&mut asked, "metadata");
    asked["status"] = status;
    Ok(asked)
}

fn check(kind: &str, review: &Value) -> ApiResult<()> {
    let (spec, mut errors) = (&review["spec"], Vec::new());
    match (spec["resourceAttributes"].is_null(), spec["nonResourceAttributes"].is_null()) {
        (false, false) => errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            &spec["nonResourceAttributes"],
            "cannot be specified in combination with resourceAttributes",
        )),
        (true, true) => errors.push(FieldError::invalid(
            "spec.resourceAttributes",
            &Value::Null,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        _ => {}
    }
    let is_of_self = kind == "SelfSubjectAccessReview";
    let name = spec["user"].as_str().unwrap_or_default();
    if !is_of_self && name.is_empty() && meta::items(&spec["groups"]).is_empty() {
        let detail = "at least one of user or group must be specified";
        errors.push(FieldError::invalid("spec.user", &json!(""), detail));
    }
    if errors.is_empty() {
        return Ok(());
    }
    // Kubernetes does not say which kind it refuses here.
    let kind = GroupKind { group: "authorization.k8s.io".into(), kind: String::new() };
    Err(ApiError::Invalid { kind, name: String::new(), errors })
}

fn subject(spec: &Value) -> User {
    let groups = meta::strings(&spec["groups"]).into_iter().map(str::to_owned).collect();
    User { name: spec["user"].as_str().unwrap_or_default().to_owned(), groups }
}

fn access(cluster: &Cluster, user: &User, spec: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let asked = &spec["resourceAttributes"];
    let attempt = if asked.is_object() {
        Attempt::Resource {
            verb: text(&asked["verb"]),
            resource: GroupResource::new(&text(&asked["group"]), &text(&asked["resource"])),
            subresource: text(&asked["subresource"]),
            namespace: text(&asked["namespace"]),
            name: text(&asked["name"]),
        }
    } else {
        let asked = &spec["nonResourceAttributes"];
        Attempt::Path { verb: text(&asked["verb"]), path: text(&asked["path"]) }
    };
    match rbac::granted_by(cluster, user, &attempt) {
        None => json!({ "allowed": false }),
        Some(source) if source.is_empty() => json!({ "allowed": true }),
        Some(source) => json!({ "allowed": true, "reason": format!("RBAC: allowed by {source}") }),
    }
}

fn rules(cluster: &Cluster, user: &User, review: &Value) -> ApiResult<Value> {
    let namespace = review["spec"]["namespace"].as_str().unwrap_or_default();
    if namespace.is_empty() {
        return Err(ApiError::BadRequest("no namespace on request".into()));
    }
    let (mut resources, mut others) = (Vec::new(), Vec::new());
    for rule in rbac::rules_in(cluster, user, namespace) {
        if !meta::items(&rule["resources"]).is_empty() {
            let fields = ["verbs", "apiGroups", "resources", "resourceNames"];
            resources.push(chosen(&rule, &fields));
        }
        if !meta::items(&rule["nonResourceURLs"]).is_empty() {
            others.push(chosen(&rule, &["verbs", "nonResourceURLs"]));
        }
    }
    Ok(json!({ "resourceRules": resources, "nonResourceRules": others, "incomplete": false }))
}

fn chosen(rule: &Value, fields: &[&str]) -> Value {
    let present = fields.iter().filter(|field| !rule[**field].is_null());
    present.map(|field| ((*field).to_owned(), rule[*field].clone())).collect()
}
