//! Webhooks and policies of admission.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/> and
//! <https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/>

use serde_json::{Value, json};

use super::set;
use crate::meta;

/// Fills in the defaults of a kind of this plural.
pub(super) fn apply(plural: &str, object: &mut Value) {
    match plural {
        "mutatingwebhookconfigurations" => webhooks(object, true),
        "validatingwebhookconfigurations" => webhooks(object, false),
        "mutatingadmissionpolicies" | "validatingadmissionpolicies" => {
            if let Some(spec) = meta::child(object, "spec") {
                set(spec, "failurePolicy", json!("Fail"));
                match_resources(spec.get_mut("matchConstraints"));
            }
        }
        _ => match_resources(object.get_mut("spec").and_then(|spec| spec.get_mut("matchResources"))),
    }
}

fn match_resources(resources: Option<&mut Value>) {
    let Some(fields) = resources.and_then(Value::as_object_mut) else { return };
    set(fields, "matchPolicy", json!("Equivalent"));
    set(fields, "namespaceSelector", json!({}));
    set(fields, "objectSelector", json!({}));
    scopes(fields.get_mut("resourceRules"));
    scopes(fields.get_mut("excludeResourceRules"));
}

fn scopes(rules: Option<&mut Value>) {
    for rule in rules.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(rule) = rule.as_object_mut() {
            set(rule, "scope", json!("*"));
        }
    }
}

fn webhooks(object: &mut Value, is_mutating: bool) {
    for webhook in object.get_mut("webhooks").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(fields) = webhook.as_object_mut() else { continue };
        set(fields, "failurePolicy", json!("Fail"));
        set(fields, "matchPolicy", json!("Equivalent"));
        set(fields, "namespaceSelector", json!({}));
        set(fields, "objectSelector", json!({}));
        set(fields, "timeoutSeconds", json!(10));
        if is_mutating {
            set(fields, "reinvocationPolicy", json!("Never"));
        }
        scopes(fields.get_mut("rules"));
        service_port(fields.get_mut("clientConfig"));
    }
}

/// A reference to a Service means its port 443 unless it names another.
pub(super) fn service_port(holder: Option<&mut Value>) {
    if let Some(service) = holder.and_then(|holder| holder.get_mut("service")).and_then(Value::as_object_mut)
    {
        set(service, "port", json!(443));
    }
}
