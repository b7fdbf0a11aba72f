use super::*;

fn visited(json: &str, path: &[&str], missing: Missing) -> Result<String, ShapeError> {
    let mut map: Map = serde_json::from_str(json).unwrap();
    visit(&mut map, path, missing, &mut |value| {
        *value = Value::string("X");
        Ok(())
    })?;
    Ok(Value::Map(map).to_string())
}

#[test]
fn paths_walk_through_lists_and_make_what_is_missing() {
    let cases = [
        (r#"{"a":{"b":1}}"#, vec!["a", "b"], Missing::Skip, r#"{"a":{"b":"X"}}"#),
        (r#"{"a":[{"b":1},{},{"b":2}]}"#, vec!["a", "b"], Missing::Skip, r#"{"a":[{"b":"X"},{},{"b":"X"}]}"#),
        (r"{}", vec!["a", "b"], Missing::Skip, r"{}"),
        (r"{}", vec!["a", "b"], Missing::MakeScalar, r#"{"a":{"b":"X"}}"#),
        (r#"{"a":null}"#, vec!["a", "b"], Missing::MakeMap, r#"{"a":{"b":"X"}}"#),
        (r#"{"a":null}"#, vec!["a", "b"], Missing::Skip, r#"{"a":null}"#),
        (r"{}", vec!["a[]", "b"], Missing::MakeMap, r"{}"),
        (r#"{"a":null}"#, vec!["a[]", "b"], Missing::MakeMap, r#"{"a":[]}"#),
        (r#"{"a":[{}]}"#, vec!["a[]", "b"], Missing::MakeMap, r#"{"a":[{"b":"X"}]}"#),
    ];
    for (json, path, missing, expected) in cases {
        assert_eq!(visited(json, &path, missing).as_deref(), Ok(expected), "{path:?} in {json}");
    }
}

#[test]
fn a_scalar_on_the_way_is_a_fault() {
    let fault = visited(r#"{"a":1}"#, &["a", "b"], Missing::Skip).expect_err("a number has no fields");
    assert_eq!(fault.to_string(), "field `a` must be a map or a list");
}
