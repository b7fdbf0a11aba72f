use proptest::prelude::*;

use super::*;

fn patched(object: &str, operations: &str) -> Result<String, JsonPatchError> {
    let object: Map = serde_json::from_str(object).unwrap();
    let operations: Vec<Value> = serde_json::from_str(operations).unwrap();
    apply(object, &operations).map(|object| Value::Map(object).to_string())
}

#[test]
fn operations_apply_in_order() {
    let cases = [
        (r#"[{"op":"add","path":"/l/-","value":9}]"#, r#"{"l":[1,2,9],"m":{"a/b":1}}"#),
        (r#"[{"op":"add","path":"/l/0","value":9}]"#, r#"{"l":[9,1,2],"m":{"a/b":1}}"#),
        (r#"[{"op":"add","path":"/l/-1","value":9}]"#, r#"{"l":[1,2,9],"m":{"a/b":1}}"#),
        (r#"[{"op":"remove","path":"/m/a~1b"}]"#, r#"{"l":[1,2],"m":{}}"#),
        (r#"[{"op":"replace","path":"/l/-2","value":9}]"#, r#"{"l":[9,2],"m":{"a/b":1}}"#),
        (r#"[{"op":"replace","path":"","value":{}}]"#, r"{}"),
        (
            r#"[{"op":"move","from":"/l/0","path":"/x"},{"op":"copy","from":"/x","path":"/y"}]"#,
            r#"{"l":[2],"m":{"a/b":1},"x":1,"y":1}"#,
        ),
        (r#"[{"op":"test","path":"/l","value":[1,2]}]"#, r#"{"l":[1,2],"m":{"a/b":1}}"#),
    ];
    for (operations, expected) in cases {
        assert_eq!(
            patched(r#"{"l":[1,2],"m":{"a/b":1}}"#, operations).as_deref(),
            Ok(expected),
            "{operations}"
        );
    }
}

#[test]
fn operations_that_do_not_apply_say_why() {
    let cases = [
        (r#"[{"op":"add","path":"/x/y","value":1}]"#, "add `/x/y`: there is nothing at that path"),
        (r#"[{"op":"remove","path":"/x"}]"#, "remove `/x`: there is nothing at that path"),
        (r#"[{"op":"remove","path":"/l/2"}]"#, "remove `/l/2`: there is nothing at that path"),
        (r#"[{"op":"add","path":"/l/x","value":1}]"#, "add `/l/x`: there is nothing at that path"),
        (r#"[{"op":"move","from":"/x","path":"/y"}]"#, "move `/x`: there is nothing at that path"),
        (r#"[{"op":"test","path":"/l/0","value":2}]"#, "test `/l/0`: the value differs"),
        (r#"[{"op":"merge","path":"/l"}]"#, "`merge` is not an operation of a JSON patch"),
        (r#"[{"op":"add"}]"#, "the operation has no `path`"),
        (r#"[{"op":"replace","path":"","value":1}]"#, "the patch leaves no object"),
    ];
    for (operations, message) in cases {
        let error = patched(r#"{"l":[1,2]}"#, operations).expect_err("the patch must not apply");
        assert_eq!(error.to_string(), message, "{operations}");
    }
}

#[test]
fn copies_cannot_blow_a_document_up() {
    let mut operations = vec![r#"{"op":"add","path":"/a","value":[1,1,1,1,1,1,1,1]}"#.to_owned()];
    operations.extend((0..60).map(|_| r#"{"op":"copy","from":"/a","path":"/a/-"}"#.to_owned()));
    let operations = format!("[{}]", operations.join(","));
    assert_eq!(patched("{}", &operations), Err(JsonPatchError::TooLarge));
    let segments = "/a".repeat(MAX_DEPTH);
    let deep = format!(r#"[{{"op":"add","path":"{segments}/a","value":{{}}}}]"#);
    assert_eq!(patched("{}", &deep), Err(JsonPatchError::TooLarge));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/~]{0,4}".prop_map(Value::string),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::vec(("[a-z/~]{1,3}", inner), 0..4).prop_map(Value::map),
        ]
    })
}

fn operation(op: &str, path: &str, value: &Value) -> Value {
    Value::map([("op", Value::string(op)), ("path", Value::string(path)), ("value", value.clone())])
}

proptest! {
    #[test]
    fn what_is_added_is_found_and_can_be_removed(value in value(), key in "[a-z/~]{1,5}") {
        let path = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        let before: Map = [("first".into(), Value::from(1))].into_iter().collect();
        let add = operation("add", &path, &value);
        let test = operation("test", &path, &value);
        let added = apply(before.clone(), &[add, test]).unwrap();
        prop_assert_eq!(added.get(&key), Some(&value));
        if key != "first" {
            prop_assert_eq!(apply(added, &[operation("remove", &path, &Value::Null)]).unwrap(), before);
        }
    }

    #[test]
    fn no_operation_panics(object in value(), op in "add|remove|replace|move|copy|test", path in "(/([a-c]|-|-?[0-9]|~)){0,4}", value in value()) {
        if let Value::Map(object) = object {
            let operation = Value::map([
                ("op", Value::string(op)),
                ("path", Value::string(path.clone())),
                ("from", Value::string(path)),
                ("value", value),
            ]);
            // Only that it comes back counts.
            let _ = apply(object, &[operation.clone(), operation]);
        }
    }
}
