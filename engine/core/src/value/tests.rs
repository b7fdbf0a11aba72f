use super::*;

#[test]
fn json_round_trips_in_key_order() {
    let value: Value = serde_json::from_str(r#"{"b":[1,2.5,null],"a":{"x":"y"},"c":true}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":{"x":"y"},"b":[1,2.5,null],"c":true}"#);
}

#[test]
fn a_key_twice_is_refused() {
    assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
}

#[test]
fn the_last_of_equal_keys_counts_when_collected() {
    let map: Map = [("a", 1), ("b", 2), ("a", 3)].map(|(k, v)| (k.into(), v.into())).into_iter().collect();
    assert_eq!(map.get("a"), Some(&Value::from(3)));
    assert_eq!(map.len(), 2);
}

#[test]
fn nested_fields_are_set_and_removed() {
    let mut value = Value::Null;
    value.set_at(&["metadata", "labels", "app"], "web".into());
    assert_eq!(value.str_at(&["metadata", "labels", "app"]), Some("web"));
    assert_eq!(value.remove_at(&["metadata", "labels", "app"]), Some("web".into()));
    assert_eq!(value.to_string(), r#"{"metadata":{"labels":{}}}"#);
}
