use super::*;

fn merged(object: &str, patch: &str) -> Option<String> {
    let object: Map = serde_json::from_str(object).unwrap();
    let patch: Map = serde_json::from_str(patch).unwrap();
    apply(object, &patch).unwrap().map(|map| Value::Map(map).to_string())
}

#[test]
fn maps_merge_and_nulls_remove() {
    let cases = [
        (r#"{"a":1,"b":{"c":1,"d":2}}"#, r#"{"b":{"c":null,"e":3}}"#, r#"{"a":1,"b":{"d":2,"e":3}}"#),
        (r#"{"a":[1,2]}"#, r#"{"a":[3]}"#, r#"{"a":[3]}"#),
        (r#"{"a":{"b":1}}"#, r#"{"a":{"$patch":"replace","c":1}}"#, r#"{"a":{"c":1}}"#),
        (r#"{"a":{"b":1},"c":1}"#, r#"{"a":{"$patch":"delete"}}"#, r#"{"c":1}"#),
        (r#"{"a":1}"#, r#"{"n":{"x":null,"y":{"$patch":"delete","z":1},"k":1}}"#, r#"{"a":1,"n":{"k":1}}"#),
        (r#"{"a":1}"#, r#"{"$patch":"replace","b":1}"#, r#"{"a":1}"#),
    ];
    for (object, patch, expected) in cases {
        assert_eq!(merged(object, patch).as_deref(), Some(expected), "{patch}");
    }
    assert_eq!(merged(r#"{"a":1}"#, r#"{"$patch":"delete"}"#), None);
}

#[test]
fn elements_of_the_patch_come_first() {
    let object =
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"a","image":"x"},{"name":"b"}]}}"#;
    let patch = r#"{"spec":{"containers":[{"name":"c"},{"name":"b","image":"y"}]}}"#;
    let expected = concat!(
        r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":["#,
        r#"{"name":"c"},{"image":"y","name":"b"},{"image":"x","name":"a"}]}}"#
    );
    assert_eq!(merged(object, patch).as_deref(), Some(expected));
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases = [
        (r#"{"a":{}}"#, r#"{"a":[1]}"#, "the object has a JSON object where the patch has a JSON array"),
        (r#"{"a":1}"#, r#"{"a":{"b":1}}"#, "the object has a JSON number where the patch has a JSON object"),
        (r#"{"a":{}}"#, r#"{"a":{"$patch":"drop"}}"#, "`$patch: drop` is not delete, replace or merge"),
        (
            r#"{"apiVersion":"v1","kind":"Pod","spec":{"containers":["a"]}}"#,
            r#"{"spec":{"containers":[{"name":"b"}]}}"#,
            "a list that merges by key holds a JSON string",
        ),
    ];
    for (object, patch, message) in cases {
        let object: Map = serde_json::from_str(object).unwrap();
        let patch: Map = serde_json::from_str(patch).unwrap();
        assert_eq!(apply(object, &patch).expect_err("the patch must not fit").to_string(), message);
    }
}
