//! Rules of kinds with a few rules each.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/>, the page of each kind

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::syntax;
use crate::meta;

/// The greatest priority that is not the system's.
const GREATEST_PRIORITY: i64 = 1_000_000_000;

/// The rules of a priority class.
pub(super) fn priority_class(checks: &mut Checks, object: &Value) {
    let name = meta::name(object);
    if name.starts_with("system-") && !["system-cluster-critical", "system-node-critical"].contains(&name) {
        let detail = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known \
             system priority class"
        );
        checks.forbidden("metadata.name", &detail);
    } else if !name.starts_with("system-") && object["value"].as_i64().unwrap_or(0) > GREATEST_PRIORITY {
        let detail = format!("maximum allowed value of a user defined priority is {GREATEST_PRIORITY}");
        checks.forbidden("value", &detail);
    }
    checks.known("preemptionPolicy", &object["preemptionPolicy"], &["PreemptLowerPriority", "Never"]);
}

/// A priority class keeps its priority.
pub(super) fn priority_class_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    if live["value"] != object["value"] {
        checks.forbidden("value", "may not be changed in an update.");
    }
    if live["preemptionPolicy"] != object["preemptionPolicy"] {
        checks.invalid("preemptionPolicy", &object["preemptionPolicy"], "field is immutable");
    }
}

/// An event is where the object is that it tells of.
pub(super) fn event(checks: &mut Checks, object: &Value) {
    let place = &object["involvedObject"]["namespace"];
    if !text(place).is_empty() && text(place) != meta::namespace(object) {
        checks.invalid("involvedObject.namespace", place, "does not match event.namespace");
    }
}

/// The rules of a lease.
pub(super) fn lease(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    let seconds = &spec["leaseDurationSeconds"];
    if seconds.as_i64().is_some_and(|seconds| seconds <= 0) {
        checks.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0");
    }
    checks.not_negative("spec.leaseTransitions", &spec["leaseTransitions"]);
}

/// The rules of a runtime class.
pub(super) fn runtime_class(checks: &mut Checks, object: &Value, live: Option<&Value>) {
    checks.named("handler", &object["handler"], syntax::label);
    if live.is_some_and(|live| live["handler"] != object["handler"]) {
        checks.invalid("handler", &object["handler"], "field is immutable");
    }
}

/// The rules of webhooks.
pub(super) fn webhooks(checks: &mut Checks, object: &Value) {
    for (index, hook) in meta::items(&object["webhooks"]).iter().enumerate() {
        let at = format!("webhooks[{index}]");
        let name = text(&hook["name"]);
        if name.split('.').count() < 3 {
            let detail = "should be a domain with at least three segments separated by dots";
            checks.invalid(format!("{at}.name"), &json!(name), detail);
        }
        if meta::items(&hook["admissionReviewVersions"]).is_empty() {
            checks.required(format!("{at}.admissionReviewVersions"), "must specify one of v1, v1beta1");
        }
        for (place, rule) in meta::items(&hook["rules"]).iter().enumerate() {
            webhook_rule(checks, rule, &format!("{at}.rules[{place}]"));
        }
        checks.known(format!("{at}.failurePolicy"), &hook["failurePolicy"], &["Fail", "Ignore"]);
        checks.known(format!("{at}.matchPolicy"), &hook["matchPolicy"], &["Equivalent", "Exact"]);
        match text(&hook["sideEffects"]) {
            "" => checks.required(format!("{at}.sideEffects"), "must specify one of None, NoneOnDryRun"),
            _ => checks.known(format!("{at}.sideEffects"), &hook["sideEffects"], &["None", "NoneOnDryRun"]),
        }
        let time = &hook["timeoutSeconds"];
        if time.as_i64().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
            let detail = "the timeout value must be between 1 and 30 seconds";
            checks.invalid(format!("{at}.timeoutSeconds"), time, detail);
        }
        checks.selector(&format!("{at}.namespaceSelector"), &hook["namespaceSelector"]);
        checks.selector(&format!("{at}.objectSelector"), &hook["objectSelector"]);
        webhook_client(checks, &hook["clientConfig"], &format!("{at}.clientConfig"));
    }
}

fn webhook_rule(checks: &mut Checks, rule: &Value, at: &str) {
    for field in ["operations", "apiGroups", "apiVersions", "resources"] {
        if meta::items(&rule[field]).is_empty() {
            checks.required(format!("{at}.{field}"), "");
        }
        if field == "operations" {
            for (index, operation) in meta::items(&rule[field]).iter().enumerate() {
                let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
                checks.known(format!("{at}.{field}[{index}]"), operation, &known);
            }
        }
    }
}

fn webhook_client(checks: &mut Checks, client: &Value, at: &str) {
    if client["url"].is_string() == client["service"].is_object() {
        return checks.required(at, "exactly one of url or service is required");
    }
    if let Some((scheme, _)) = client["url"].as_str().and_then(|url| url.split_once("://"))
        && scheme != "https"
    {
        let detail = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
        checks.invalid(format!("{at}.url"), &json!(scheme), detail);
    }
}

/// The rules of a request for a certificate, as far as they are the sandbox's: it reads no certificates.
pub(super) fn signing_request(checks: &mut Checks, object: &Value) {
    let request = &object["spec"]["request"];
    let bytes = STANDARD.decode(text(request)).unwrap_or_default();
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        checks.invalid("spec.request", request, "PEM block type must be CERTIFICATE REQUEST");
    }
}
