use engine_core::value::Value;

use super::ExprValue;
use crate::types::Type;

fn object(entries: &[(&str, ExprValue)]) -> ExprValue {
    ExprValue::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
}

#[test]
fn plain_data_comes_with_the_paths_of_what_it_cannot_tell() {
    let value = object(&[
        ("a", ExprValue::tuple([1.into(), ExprValue::unknown(Type::String)])),
        ("b", object(&[("c", ExprValue::from("hush").sensitive())]).sensitive()),
        ("d", ExprValue::set(Type::Number, [3.into(), 1.into(), 3.into()])),
        ("e", ExprValue::unknown(Type::Any).sensitive()),
    ]);
    let plain = value.to_plain();
    assert_eq!(plain.value.to_string(), r#"{"a":[1,null],"b":{"c":"hush"},"d":[1,3],"e":null}"#);
    let shown = |paths: &[engine_core::field_path::FieldPath]| -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    };
    assert_eq!(shown(&plain.unknown), ["a[1]", "e"]);
    assert_eq!(shown(&plain.sensitive), ["b", "b.c", "e"]);
    assert!(value.to_value().is_err());
    assert!(!value.is_wholly_known());
    assert!(value.contains_sensitive());
}

#[test]
fn plain_data_survives_the_way_through_values() {
    let json = r#"{"a":[1,2.5,"x",null,true],"b":{"c":{}},"d":[]}"#;
    let value: Value = serde_json::from_str(json).unwrap();
    assert_eq!(ExprValue::from(&value).to_value().unwrap(), value);
}

#[test]
fn sets_are_ordered_and_take_over_marks() {
    let set = |items: Vec<ExprValue>| ExprValue::set(Type::String, items);
    assert_eq!(set(vec!["b".into(), "a".into(), "b".into()]).to_string(), "toset([\"a\", \"b\"])");
    let marked = set(vec![ExprValue::from("a").sensitive(), "a".into()]);
    assert!(marked.is_sensitive());
    assert_eq!(marked.as_items().unwrap().len(), 1);
    assert!(!marked.as_items().unwrap().contains_sensitive());
    assert!(set(vec!["a".into(), ExprValue::unknown(Type::String)]).is_unknown());
}

#[test]
fn marks_come_off_where_asked() {
    let value = object(&[("a", ExprValue::from(1).sensitive())]).sensitive();
    assert_eq!(value.to_string(), "(sensitive value)");
    assert_eq!(value.clone().without_mark().to_string(), "{ a = (sensitive value) }");
    assert_eq!(value.without_marks().to_string(), "{ a = 1 }");
    assert!(value.get("a").unwrap().is_sensitive());
}

#[test]
fn long_and_strange_text_is_shown_cut_and_escaped() {
    let long = ExprValue::string("x".repeat(500)).to_string();
    assert!(long.ends_with('…') && long.chars().count() == 121, "{long}");
    let exact = ExprValue::string("x".repeat(118)).to_string();
    assert!(exact.ends_with('"'), "{exact}");
    assert_eq!(ExprValue::string("\u{202e}\u{1b}[31m").to_string(), "\"\\u{202e}\\u{1b}[31m\"");
    let key = object(&[("a b\n", 1.into())]);
    assert_eq!(key.to_string(), "{ \"a b\\n\" = 1 }");
    assert_eq!(format!("{:?}", ExprValue::from("hush").sensitive()), "(sensitive value)");
}

#[test]
fn of_equal_keys_the_last_counts() {
    let value = object(&[("b", 1.into()), ("a", 2.into()), ("b", 3.into())]);
    assert_eq!(value.to_string(), "{ a = 2, b = 3 }");
}
