use serde_json::{Value, json};

use super::Schema;

/// What is wrong with the spec of an object, by a schema of the spec: structure and rules.
fn faults(spec_schema: &Value, spec: &Value) -> Vec<String> {
    let schema = Schema::new(json!({ "type": "object", "properties": { "spec": spec_schema } }));
    let object = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "a" }, "spec": spec });
    let found = schema.judge(&object, None);
    found.structure.into_iter().chain(found.rules).map(|it| it.to_string()).collect()
}

fn sized(size: &Value) -> Value {
    json!({ "type": "object", "properties": { "size": size } })
}

#[test]
fn the_structure_is_judged_with_the_path_of_the_fault() {
    let required =
        json!({ "type": "object", "required": ["size"], "properties": { "size": { "type": "integer" } } });
    let defaulted = json!({
        "type": "object", "required": ["size"], "properties": { "size": { "type": "integer", "default": 1 } },
    });
    let free = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let map = json!({ "type": "object", "additionalProperties": { "type": "object" } });
    let set =
        sized(&json!({ "type": "array", "x-kubernetes-list-type": "set", "items": { "type": "string" } }));
    for (schema, spec, want) in [
        (sized(&json!({ "type": "integer" })), json!({ "size": 3 }), None),
        (
            sized(&json!({ "type": "integer" })),
            json!({ "size": "3" }),
            Some(
                "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
            ),
        ),
        (required, json!({}), Some("spec.size: Required value")),
        (defaulted, json!({}), None),
        (
            sized(&json!({ "type": "string", "enum": ["s", "l"] })),
            json!({ "size": "m" }),
            Some("spec.size: Unsupported value: \"m\": supported values: \"s\", \"l\""),
        ),
        (
            sized(&json!({ "type": "string", "pattern": "^[a-z]+$" })),
            json!({ "size": "M" }),
            Some("spec.size: Invalid value: \"M\": spec.size in body should match '^[a-z]+$'"),
        ),
        (
            sized(&json!({ "type": "integer", "maximum": 3 })),
            json!({ "size": 4 }),
            Some("spec.size: Invalid value: 4: spec.size in body should be less than or equal to 3"),
        ),
        (
            sized(&json!({ "type": "string", "format": "date-time" })),
            json!({ "size": "today" }),
            Some(
                "spec.size: Invalid value: \"today\": spec.size in body must be of type date-time: \"today\"",
            ),
        ),
        (
            sized(&json!({ "type": "integer" })),
            json!({ "sizes": 3 }),
            Some("spec.sizes: Invalid value: field not declared in schema"),
        ),
        (free, json!({ "anything": { "goes": 1 } }), None),
        (map, json!({ "a": { "b": 1 } }), Some("spec[a].b: Invalid value: field not declared in schema")),
        (set, json!({ "size": ["a", "a"] }), Some("spec.size[1]: Duplicate value: \"a\"")),
        (sized(&json!({ "x-kubernetes-int-or-string": true })), json!({ "size": "50%" }), None),
    ] {
        assert_eq!(faults(&schema, &spec), Vec::from_iter(want), "{schema} {spec}");
    }
}

#[test]
fn rules_are_judged_where_they_can_be() {
    let with = |rule: &str| {
        let mut schema = sized(&json!({ "type": "integer" }));
        schema["x-kubernetes-validations"] = json!([{ "rule": rule, "message": "too small" }]);
        schema
    };
    for (rule, is_broken) in [
        ("self.size > 2", true),
        ("self.size > 0", false),
        ("!has(self.other) || self.size > 2", false),
        ("self.size >= oldSelf.size", false),
        ("quantity(string(self.size)).isGreaterThan(quantity('2'))", false),
        ("self.missing > 2", false),
        ("self.size >", false),
    ] {
        let found = faults(&with(rule), &json!({ "size": 1 }));
        assert_eq!(found, Vec::from_iter(is_broken.then_some("spec: Invalid value: too small")), "{rule}");
    }
    let both = faults(&with("self.size > 2"), &json!({ "size": 1, "other": 1 }));
    assert_eq!(
        both,
        ["spec.other: Invalid value: field not declared in schema"],
        "rules judge what has no fault"
    );
}

#[test]
fn what_was_there_before_is_not_held_against_an_object() {
    let schema = Schema::new(json!({
        "type": "object",
        "properties": { "spec": sized(&json!({ "type": "integer", "maximum": 3 })) },
    }));
    let of = |size: i64| json!({ "metadata": { "name": "a" }, "spec": { "size": size, "old": 1 } });
    let count = |object: &Value| schema.judge(object, Some(&of(5))).structure.len();
    assert_eq!((count(&of(5)), count(&of(6))), (0, 1));
}
