//! Rules of where pods run.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#scheduling>

use serde_json::{Value, json};

use super::checks::{Checks, text};
use super::syntax;
use crate::meta;

const OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
const DURING: [&str; 2] =
    ["requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"];

/// The rules of an affinity, if there is one.
pub(super) fn affinity(checks: &mut Checks, affinity: &Value, at: &str) {
    let nodes = &affinity["nodeAffinity"];
    let at_nodes = format!("{at}.nodeAffinity");
    if nodes[DURING[0]].is_object() {
        let at = format!("{at_nodes}.{}.nodeSelectorTerms", DURING[0]);
        let terms = meta::items(&nodes[DURING[0]]["nodeSelectorTerms"]);
        if terms.is_empty() {
            checks.required(&at, "must have at least one node selector term");
        }
        for (index, term) in terms.iter().enumerate() {
            node_term(checks, term, &format!("{at}[{index}]"));
        }
    }
    for (index, wish) in meta::items(&nodes[DURING[1]]).iter().enumerate() {
        let at = format!("{at_nodes}.{}[{index}]", DURING[1]);
        weight(checks, wish, &at);
        node_term(checks, &wish["preference"], &format!("{at}.preference"));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (index, term) in meta::items(&affinity[kind][DURING[0]]).iter().enumerate() {
            pod_term(checks, term, &format!("{at}.{kind}.{}[{index}]", DURING[0]));
        }
        for (index, wish) in meta::items(&affinity[kind][DURING[1]]).iter().enumerate() {
            let at = format!("{at}.{kind}.{}[{index}]", DURING[1]);
            weight(checks, wish, &at);
            pod_term(checks, &wish["podAffinityTerm"], &format!("{at}.podAffinityTerm"));
        }
    }
}

fn weight(checks: &mut Checks, wish: &Value, at: &str) {
    let weight = wish["weight"].as_i64().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        checks.invalid(format!("{at}.weight"), &json!(weight), "must be in the range 1-100");
    }
}

fn node_term(checks: &mut Checks, term: &Value, at: &str) {
    for (index, wish) in meta::items(&term["matchExpressions"]).iter().enumerate() {
        checks.requirement(&format!("{at}.matchExpressions[{index}]"), wish, &OPERATORS);
    }
}

fn pod_term(checks: &mut Checks, term: &Value, at: &str) {
    checks.selector(&format!("{at}.labelSelector"), &term["labelSelector"]);
    checks.selector(&format!("{at}.namespaceSelector"), &term["namespaceSelector"]);
    for name in meta::strings(&term["namespaces"]) {
        checks.form(&format!("{at}.namespace"), name, syntax::label);
    }
    let key = text(&term["topologyKey"]);
    if key.is_empty() {
        checks.required(format!("{at}.topologyKey"), "can not be empty");
    }
    checks.form(&format!("{at}.topologyKey"), key, syntax::qualified);
}

/// The rules of tolerations.
pub(super) fn tolerations(checks: &mut Checks, list: &Value, at: &str) {
    for (index, toleration) in meta::items(list).iter().enumerate() {
        let at = format!("{at}[{index}]");
        let (key, operator) = (text(&toleration["key"]), text(&toleration["operator"]));
        if !key.is_empty() {
            checks.form(&format!("{at}.key"), key, syntax::qualified);
        }
        if key.is_empty() && operator != "Exists" {
            let detail =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            checks.invalid(format!("{at}.operator"), &json!(operator), detail);
        }
        if !toleration["tolerationSeconds"].is_null() && toleration["effect"] != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            checks.invalid(format!("{at}.effect"), &json!(text(&toleration["effect"])), detail);
        }
        match operator {
            "" | "Equal" => {
                for fault in syntax::label_value(text(&toleration["value"])) {
                    checks.invalid(format!("{at}.operator"), &toleration["value"], &fault);
                }
            }
            "Exists" if !text(&toleration["value"]).is_empty() => {
                let detail = "value must be empty when `operator` is 'Exists'";
                checks.invalid(format!("{at}.operator"), &toleration["value"], detail);
            }
            "Exists" => {}
            _ => checks.unsupported(format!("{at}.operator"), &json!(operator), &["Equal", "Exists"]),
        }
        if !text(&toleration["effect"]).is_empty() {
            let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
            checks.known(format!("{at}.effect"), &toleration["effect"], &known);
        }
    }
}

/// The rules of the wishes to spread pods.
pub(super) fn spread(checks: &mut Checks, list: &Value, at: &str) {
    for (index, wish) in meta::items(list).iter().enumerate() {
        let at = format!("{at}[{index}]");
        let skew = wish["maxSkew"].as_i64().unwrap_or(0);
        if skew <= 0 {
            checks.invalid(format!("{at}.maxSkew"), &json!(skew), "must be greater than zero");
        }
        if text(&wish["topologyKey"]).is_empty() {
            checks.required(format!("{at}.topologyKey"), "can not be empty");
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&text(&wish["whenUnsatisfiable"])) {
            checks.unsupported(
                format!("{at}.whenUnsatisfiable"),
                &json!(text(&wish["whenUnsatisfiable"])),
                &known,
            );
        }
        checks.selector(&format!("{at}.labelSelector"), &wish["labelSelector"]);
    }
}
