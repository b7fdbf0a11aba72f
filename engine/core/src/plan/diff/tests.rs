use super::*;
use crate::object_ref::GroupKind;

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn check(before: &str, after: &str, want: &[(&str, &str, &str)]) {
    let changes = diff(&value(before), &value(after), &FieldSet::default(), &SensitivePaths::default());
    let show = |shown: &Shown| match shown {
        Shown::Value(value) => value.to_string(),
        other => format!("{other:?}"),
    };
    let found: Vec<(String, String, String)> = changes
        .iter()
        .map(|change| (change.path.to_string(), show(&change.before), show(&change.after)))
        .collect();
    let want: Vec<(String, String, String)> = want
        .iter()
        .map(|(path, before, after)| (path.to_string(), before.to_string(), after.to_string()))
        .collect();
    assert_eq!(found, want, "{before} -> {after}");
}

#[test]
fn fields_are_compared_one_by_one() {
    check(r#"{"spec":{"replicas":1}}"#, r#"{"spec":{"replicas":3}}"#, &[("spec.replicas", "1", "3")]);
    check(r#"{"a":1}"#, r#"{"b":{"c":2}}"#, &[("a", "1", "Absent"), ("b", "Absent", r#"{"c":2}"#)]);
    check(r#"{"a":[1,2]}"#, r#"{"a":[1,2,3]}"#, &[("a", "[1,2]", "[1,2,3]")]);
}

#[test]
fn list_items_are_matched_by_name() {
    check(
        r#"{"c":[{"name":"a","image":"x:1"},{"name":"b"}]}"#,
        r#"{"c":[{"name":"b"},{"name":"a","image":"x:2"},{"name":"n"}]}"#,
        &[("c[name=\"a\"].image", "\"x:1\"", "\"x:2\""), ("c[name=\"n\"]", "Absent", r#"{"name":"n"}"#)],
    );
}

#[test]
fn another_order_is_a_change() {
    check(
        r#"{"c":[{"name":"a"},{"name":"b"}]}"#,
        r#"{"c":[{"name":"b"},{"name":"a"}]}"#,
        &[("c", r#"["[name=\"a\"]","[name=\"b\"]"]"#, r#"["[name=\"b\"]","[name=\"a\"]"]"#)],
    );
}

#[test]
fn bookkeeping_and_marks_are_not_shown() {
    check(
        r#"{"metadata":{"uid":"1","generation":1,"labels":{"terrane.dev/environment":"a"}},"status":{"x":1}}"#,
        r#"{"metadata":{"uid":"2","generation":2,"labels":{"terrane.dev/environment":"b"}}}"#,
        &[],
    );
}

#[test]
fn secrets_are_withheld_field_by_field() {
    let sensitive = SensitivePaths::of_kind(&GroupKind::new("", "Secret"));
    let changes = diff(
        &value(r#"{"data":{"a":"b2xk"},"type":"Opaque"}"#),
        &value(r#"{"data":{"a":"bmV3","b":"eA=="},"type":"Other"}"#),
        &FieldSet::default(),
        &sensitive,
    );
    assert!(!format!("{changes:?}").contains("bmV3") && !format!("{changes:?}").contains("b2xk"));
    let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
    assert_eq!(paths, ["data", "type"]);
}

#[test]
fn what_a_server_chooses_for_a_service_is_not_taken_from_a_dry_run() {
    let before = r#"{"apiVersion":"v1","kind":"Service","spec":{"clusterIP":"10.96.0.9","ports":[{"port":80,"protocol":"TCP"}]}}"#;
    let after = r#"{"apiVersion":"v1","kind":"Service","spec":{"clusterIP":"10.96.0.9","healthCheckNodePort":32769,"ports":[
        {"port":80,"protocol":"TCP","nodePort":32769},{"port":80,"protocol":"UDP","nodePort":30053}]}}"#;
    let asked = r#"{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"UDP\"}":{".":{},"f:nodePort":{}}}}}"#;
    let own = FieldSet::decode(&value(asked)).unwrap();
    let found: Vec<String> =
        allocated(&value(before), &value(after), &own).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["spec.healthCheckNodePort", "spec.ports[port=80,protocol=\"TCP\"].nodePort"]);
    assert!(allocated(&value(after), &value(after), &own).is_empty());
    let other = after.replace("\"v1\"", "\"example.com/v1\"");
    assert!(allocated(&value(before), &value(&other), &own).is_empty());
}
