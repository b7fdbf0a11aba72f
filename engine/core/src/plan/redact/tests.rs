use proptest::prelude::*;

use super::*;
use crate::plan::fixtures::Declared;

/// A `ConfigMap` with one sensitive label, `value` being JSON.
fn labelled(value: &str) -> Declared {
    Declared::new("v1 ConfigMap dev/settings", &format!(r#"{{"metadata":{{"labels":{{"k":{value}}}}}}}"#))
        .sensitive("metadata.labels.k")
}

#[test]
fn secrets_are_withheld_and_the_rest_is_kept() {
    for (value, message, want) in [
        (
            r#""top secret""#,
            r#"ConfigMap "settings" is invalid: metadata.labels: Invalid value: "top secret": a valid label"#,
            r#"ConfigMap "settings" is invalid: metadata.labels: Invalid value: "(sensitive value)": a valid label"#,
        ),
        (r#""top secret""#, "no secret here", "no secret here"),
        (r#""top secret""#, "dG9wIHNlY3JldA== is refused", "(sensitive value) is refused"),
        (r#""sensitive""#, "it is sensitive, sensitive", "it is (sensitive value), (sensitive value)"),
        (
            r#""a""#,
            r#"a is bad: metadata.labels.k: Invalid value: "a\"b": "a""#,
            "(sensitive value) is bad: metadata.labels.k: Invalid value: (sensitive value): (sensitive value)",
        ),
        (r#""a""#, r#"spec: an open quote: "xa"#, "spec: an open quote: (sensitive value)"),
        (
            r#""x<y\nnext line""#,
            r#"Invalid value: "x\u003cy\nnext line""#,
            "Invalid value: (sensitive value)",
        ),
        (r#""x<y\nnext line""#, "line 2: next line", "line 2: (sensitive value)"),
        (
            "42",
            "Invalid value: 42: must be a string, not 142",
            "Invalid value: (sensitive value): must be a string, not 142",
        ),
        ("true", "expected string, got true", "expected string, got (sensitive value)"),
        (r#""""#, r#"Invalid value: """#, r#"Invalid value: """#),
    ] {
        assert_eq!(redact(message, labelled(value).manifest()), want, "{value}");
    }
}

#[test]
fn a_manifest_without_secrets_leaves_a_message_as_it_is() {
    let open = Declared::new("v1 ConfigMap dev/settings", r#"{"data":{"a":"top secret"}}"#);
    let message = r#"data.a: Invalid value: "top secret""#;
    assert_eq!(redact(message, open.manifest()), message);
}

#[test]
fn secrets_in_lists_and_in_payloads_are_found() {
    let listed = Declared::new(
        "v1 Pod dev/p",
        r#"{"spec":{"containers":[{"name":"c","env":[{"name":"OPEN","value":"top secret"}]}]}}"#,
    )
    .sensitive("spec.containers.env.value");
    assert_eq!(redact("OPEN: top secret", listed.manifest()), "OPEN: (sensitive value)");
    let secret = Declared::new("v1 Secret dev/s", r#"{"stringData":{"k":"top secret"}}"#);
    assert_eq!(
        redact("k: dG9wIHNlY3JldA==: top secret", secret.manifest()),
        format!("k: {WITHHELD}: {WITHHELD}")
    );
}

proptest! {
    #[test]
    fn no_canary_survives(canary in "\\PC{4,30}", before in "[a-z\": .]{0,20}", after in "[a-z\": .]{0,20}") {
        let json = Value::string(&*canary).to_string();
        let declared = labelled(&json);
        let encoded = STANDARD.encode(&canary);
        for form in [&canary, &json, &encoded] {
            let left = redact(&format!("{before}{form}{after}"), declared.manifest());
            for piece in left.split(WITHHELD) {
                prop_assert!(!piece.contains(&canary) && !piece.contains(&encoded), "{left}");
            }
        }
    }

    #[test]
    fn no_short_canary_survives_in_quotes_or_as_a_word(canary in "[a-z0-9ß]{1,3}", before in "[: .]{0,9}") {
        let json = Value::string(&*canary).to_string();
        let declared = labelled(&json);
        let left = redact(&format!("{before}{json} {canary} {json}"), declared.manifest());
        for piece in left.split(WITHHELD) {
            prop_assert!(!piece.contains(&canary), "{left}");
        }
    }
}
