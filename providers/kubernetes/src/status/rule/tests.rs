//! Rules and objects → status.

use serde_json::{Value as Json, json};

use super::*;
use crate::scenario::value;

fn expression(text: &str, loops: u32) -> CelExpression {
    CelExpression { text: text.into(), loops }
}

/// The rule of `Widget.example.com`, from its expressions.
fn rules(in_progress: &str, failed: &str, current: CelExpression) -> Rules {
    let optional = |text: &str| (!text.is_empty()).then(|| expression(text, 0));
    Rules::new(&[WaitRule {
        kind: GroupKind::new("example.com", "Widget"),
        in_progress: optional(in_progress),
        failed: optional(failed),
        current,
    }])
}

fn widget(status: &Json) -> Object {
    Object::new(value(json!({
        "apiVersion": "example.com/v1beta1", "kind": "Widget",
        "metadata": {"name": "x", "generation": 2}, "spec": {"size": 3}, "status": status,
    })))
}

fn describe(rules: &Rules, status: &Json) -> String {
    match rules.status(&widget(status)) {
        None => "none".to_owned(),
        Some(Status::Current) => "Current".to_owned(),
        Some(Status::InProgress(message)) => format!("InProgress: {message}"),
        Some(Status::Failed(message)) => format!("Failed: {message}"),
        Some(Status::Terminating(message)) => format!("Terminating: {message}"),
    }
}

#[test]
fn a_rule_says_how_an_object_fares() {
    let phases = rules(
        "self.status.phase == 'Building'",
        "self.status.phase == 'Broken'",
        expression("self.status.phase == 'Ready' && self.status.size >= self.spec.size", 0),
    );
    let cases = [
        (json!(null), "InProgress: not current yet by its wait rule"),
        (json!({"phase": "Ready", "size": 3}), "Current"),
        (json!({"phase": "Ready", "size": 3.5}), "Current"),
        (json!({"phase": "Ready"}), "InProgress: in phase Ready"),
        (json!({"phase": "Ready", "size": 2, "message": "one is missing"}), "InProgress: one is missing"),
        (json!({"phase": "Building"}), "InProgress: in phase Building"),
        (json!({"phase": "Broken", "message": "no room"}), "Failed: no room"),
        (
            json!({"phase": "Ready", "size": 3, "observedGeneration": 1}),
            "InProgress: generation 2 is not observed yet, 1 is",
        ),
    ];
    for (status, expected) in cases {
        assert_eq!(describe(&phases, &status), expected, "{status}");
    }
}

#[test]
fn a_rule_may_look_into_lists() {
    let conditions =
        expression("self.status.conditions.exists(c, c.type == 'Synced' && c.status == 'True')", 1);
    let conditions = rules("", "", conditions);
    let synced = |status: &str| {
        json!({"conditions": [
        {"type": "Ready", "status": "False", "message": "not yet"}, {"type": "Synced", "status": status}]})
    };
    assert_eq!(describe(&conditions, &synced("True")), "Current");
    assert_eq!(describe(&conditions, &synced("False")), "InProgress: not yet");
    assert_eq!(
        describe(&conditions, &json!({"conditions": []})),
        "InProgress: not current yet by its wait rule"
    );
}

#[test]
fn a_rule_that_cannot_be_evaluated_fails_and_quotes_nothing() {
    let why = "Failed: the wait rule of its kind cannot be evaluated: ";
    for (text, expected) in [
        ("self.status.phase", "it gives no boolean"),
        ("self.status.phase.startswith('R')", "there is no startswith"),
        ("self.status.phase > 3", ""),
        ("self.status.", "it is no expression"),
    ] {
        let found = describe(&rules("", "", expression(text, 0)), &json!({"phase": "hunter2"}));
        assert!(found.starts_with(&format!("{why}{expected}")), "{text}: {found}");
        assert!(!found.contains("hunter2"), "{text}: {found}");
    }
}

#[test]
fn loops_over_large_objects_are_not_evaluated() {
    let items = |count: usize| json!({"items": vec![1; count]});
    let loops = rules("", "", expression("self.status.items.all(a, self.status.items.all(b, a == b))", 2));
    assert_eq!(describe(&loops, &items(100)), "Current");
    let found = describe(&loops, &items(2000));
    assert!(found.ends_with("its loops over 2000 items cost too much"), "{found}");
}

#[test]
fn a_rule_is_of_its_kind_and_of_what_stays() {
    let always = rules("", "", expression("true", 0));
    let of = |api_version: &str, kind: &str, metadata: Json| {
        always.status(&Object::new(value(
            json!({"apiVersion": api_version, "kind": kind, "metadata": metadata}),
        )))
    };
    assert_eq!(of("example.com/v1", "Widget", json!({})), Some(Status::Current));
    assert_eq!(of("example.org/v1", "Widget", json!({})), None);
    assert_eq!(of("example.com/v1", "Gadget", json!({})), None);
    let going = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
    assert_eq!(of("example.com/v1", "Widget", going), None);
}
