//! Rules of `ConfigMaps` and Secrets.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/> and
//! <https://kubernetes.io/docs/concepts/configuration/secret/#secret-types>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::checks::{Checks, entries};
use super::syntax;
use crate::meta;

/// The rules of a `ConfigMap`.
pub(super) fn config_map(checks: &mut Checks, object: &Value) {
    for key in entries(&object["data"]).map(|(key, _)| key) {
        checks.form(&format!("data[{key}]"), key, syntax::config_key);
        if object["binaryData"].get(key).is_some() {
            checks.invalid(format!("data[{key}]"), &json!(key), "duplicate of key present in binaryData");
        }
    }
    for key in entries(&object["binaryData"]).map(|(key, _)| key) {
        checks.form(&format!("binaryData[{key}]"), key, syntax::config_key);
    }
}

/// The rules of a Secret: each well-known type needs its keys.
pub(super) fn secret(checks: &mut Checks, object: &Value) {
    for key in entries(&object["data"]).map(|(key, _)| key) {
        checks.form(&format!("data[{key}]"), key, syntax::config_key);
    }
    let data = &object["data"];
    let mut need = |key: &str| {
        if data.get(key).is_none() {
            checks.required(format!("data[{key}]"), "");
        }
    };
    match object["type"].as_str() {
        Some("kubernetes.io/service-account-token") => {
            let key = "kubernetes.io/service-account.name";
            if meta::annotation(object, key).is_none_or(str::is_empty) {
                checks.required(format!("metadata.annotations[{key}]"), "");
            }
        }
        Some("kubernetes.io/dockercfg") => docker(checks, data, ".dockercfg"),
        Some("kubernetes.io/dockerconfigjson") => docker(checks, data, ".dockerconfigjson"),
        Some("kubernetes.io/basic-auth")
            if data.get("username").is_none() && data.get("password").is_none() =>
        {
            need("username");
            need("password");
        }
        Some("kubernetes.io/ssh-auth") => need("ssh-privatekey"),
        Some("kubernetes.io/tls") => {
            need("tls.crt");
            need("tls.key");
        }
        _ => {}
    }
}

fn docker(checks: &mut Checks, data: &Value, key: &str) {
    let at = format!("data[{key}]");
    let Some(encoded) = data[key].as_str() else { return checks.required(at, "") };
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    let parsed: Result<Value, _> = serde_json::from_slice(&bytes);
    let detail = match parsed {
        Ok(Value::Object(_)) => return,
        Err(error) if error.is_eof() => "unexpected end of JSON input".to_owned(),
        _ => "invalid JSON object".to_owned(),
    };
    checks.invalid(at, &json!("<secret contents redacted>"), &detail);
}

/// What is marked immutable keeps its data; a Secret keeps its type.
pub(super) fn check_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    if live.get("type") != object.get("type") {
        checks.invalid("type", &object["type"], "field is immutable");
    }
    if live["immutable"] == true {
        let fields = ["immutable", "data", "binaryData"];
        for field in fields.into_iter().filter(|field| live.get(*field) != object.get(*field)) {
            checks.forbidden(field, "field is immutable when `immutable` is set");
        }
    }
}
