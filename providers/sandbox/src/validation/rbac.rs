//! Rules of roles and bindings.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/>

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::syntax;
use crate::error::FieldError;
use crate::meta;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Where a role or binding applies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Namespace,
    Cluster,
}

/// The rules of a role.
pub(super) fn role(checks: &mut Checks, object: &Value, reach: Reach) {
    for (index, rule) in meta::items(&object["rules"]).iter().enumerate() {
        let at = format!("rules[{index}]");
        let is_empty = |field: &str| meta::items(&rule[field]).is_empty();
        if is_empty("verbs") {
            checks.required(format!("{at}.verbs"), "verbs must contain at least one value");
        }
        if !is_empty("nonResourceURLs") {
            let detail = if reach == Reach::Namespace {
                "namespaced rules cannot apply to non-resource URLs"
            } else if !is_empty("apiGroups") || !is_empty("resources") || !is_empty("resourceNames") {
                "rules cannot apply to both regular resources and non-resource URLs"
            } else {
                continue;
            };
            checks.invalid(format!("{at}.nonResourceURLs"), &rule["nonResourceURLs"], detail);
            continue;
        }
        if is_empty("apiGroups") {
            checks.required(format!("{at}.apiGroups"), "resource rules must supply at least one api group");
        }
        if is_empty("resources") {
            checks.required(format!("{at}.resources"), "resource rules must supply at least one resource");
        }
    }
}

/// The rules of a binding.
pub(super) fn binding(checks: &mut Checks, object: &Value, reach: Reach) {
    let role = &object["roleRef"];
    if text(&role["apiGroup"]) != GROUP {
        checks.unsupported("roleRef.apiGroup", &json!(text(&role["apiGroup"])), &[GROUP]);
    }
    let kinds: &[&str] = if reach == Reach::Cluster { &["ClusterRole"] } else { &["Role", "ClusterRole"] };
    if !kinds.contains(&text(&role["kind"])) {
        checks.unsupported("roleRef.kind", &json!(text(&role["kind"])), kinds);
    }
    checks.named("roleRef.name", &role["name"], syntax::path_segment);
    for (index, subject) in meta::items(&object["subjects"]).iter().enumerate() {
        check_subject(checks, subject, &format!("subjects[{index}]"), reach);
    }
}

fn check_subject(checks: &mut Checks, subject: &Value, at: &str, reach: Reach) {
    let name = text(&subject["name"]);
    if name.is_empty() {
        checks.required(format!("{at}.name"), "");
    }
    let group = text(&subject["apiGroup"]);
    let wanted = match text(&subject["kind"]) {
        "ServiceAccount" => {
            if !name.is_empty() {
                checks.form(&format!("{at}.name"), name, syntax::subdomain);
            }
            if !group.is_empty() {
                checks.unsupported(format!("{at}.apiGroup"), &json!(group), &[""]);
            }
            if reach == Reach::Cluster && text(&subject["namespace"]).is_empty() {
                checks.required(format!("{at}.namespace"), "");
            }
            return;
        }
        "User" | "Group" => GROUP,
        kind => {
            return checks.unsupported(
                format!("{at}.kind"),
                &json!(kind),
                &["ServiceAccount", "User", "Group"],
            );
        }
    };
    if group != wanted {
        checks.unsupported(format!("{at}.apiGroup"), &json!(group), &[wanted]);
    }
}

/// A binding keeps its role. The message shows it as Kubernetes' internal type.
pub(super) fn binding_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let role = &object["roleRef"];
    if live["roleRef"] != *role {
        let shown = format!(
            "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
            role["apiGroup"], role["kind"], role["name"]
        );
        checks.push(FieldError::invalid_as("roleRef", &shown, "cannot change roleRef"));
    }
}
