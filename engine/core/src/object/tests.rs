use super::*;
use crate::object_ref::GroupKind;
use crate::plan::fixtures::{json, other_lineage, parse};

/// An object with these entries of managed fields.
fn object(entries: &str, spec: &str) -> Object {
    Object::new(json(&format!(r#"{{"metadata":{{"managedFields":[{entries}]}},"spec":{spec}}}"#)))
}

fn entry(manager: &str, operation: &str, api_version: &str, rest: &str) -> String {
    format!(
        r#"{{"manager":"{manager}","operation":"{operation}","apiVersion":"{api_version}",
            "fieldsV1":{{"f:spec":{{"f:list":{{}},"f:secret":{{}}}}}}{rest}}}"#
    )
}

const SPEC: &str = r#"{"list":[1,2],"other":"x","secret":"s"}"#;

fn settled(object: &Object) -> Option<Fingerprint> {
    let mut sensitive = SensitivePaths::default();
    sensitive.insert(&FieldPath::fields(["spec", "secret"]));
    let key = SealKey::new([1; 32]);
    object.settled(&other_lineage().field_manager(), &parse("v1"), &[], &sensitive, Some(&key))
}

#[test]
fn only_our_last_apply_in_this_version_is_our_entry() {
    let ours = "terrane-eeeeeeee";
    for (entry, own) in [
        (entry(ours, "Apply", "v1", ""), true),
        (entry(ours, "Apply", "v1", r#","subresource":"""#), true),
        (entry(ours, "Update", "v1", ""), false),
        (entry(ours, "Apply", "v2", ""), false),
        (entry(ours, "Apply", "v1", r#","subresource":"status""#), false),
        (entry("terrane-aaaaaaaa", "Apply", "v1", ""), false),
        (entry("kubectl", "Apply", "v1", ""), false),
    ] {
        let object = object(&entry, SPEC);
        let found = object.own_entry(&other_lineage().field_manager(), &parse("v1"));
        assert_eq!(found.is_some(), own, "{entry}");
        assert_eq!(settled(&object).is_some(), own, "{entry}");
    }
}

#[test]
fn the_settled_digest_is_of_our_fields_and_their_values_in_live_order() {
    let ours = entry("terrane-eeeeeeee", "Apply", "v1", "");
    let base = settled(&object(&ours, SPEC)).unwrap();
    for (spec, same) in [
        (r#"{"list":[1,2],"other":"changed","secret":"s"}"#, true),
        (r#"{"list":[2,1],"other":"x","secret":"s"}"#, false),
        (r#"{"list":[1,3],"other":"x","secret":"s"}"#, false),
        (r#"{"list":[1,2],"other":"x","secret":"t"}"#, false),
        (r#"{"list":[1,2],"other":"x"}"#, false),
        ("{}", false),
    ] {
        assert_eq!(settled(&object(&ours, spec)).unwrap().proves(&base), same, "{spec}");
    }
    let fewer = ours.replace(r#","f:secret":{}"#, "");
    assert!(!settled(&object(&fewer, r#"{"list":[1,2]}"#)).unwrap().proves(&base), "a field left us");
    let others = format!("{ours},{}", entry("kubectl", "Update", "v1", ""));
    assert!(settled(&object(&others, SPEC)).unwrap().proves(&base), "others do not count");
}

#[test]
fn entries_that_cannot_be_read_are_passed_over() {
    for broken in [
        "null",
        "{}",
        r#"{"manager":"m","operation":"Apply","apiVersion":"v1"}"#,
        r#"{"manager":"m","operation":"Apply","apiVersion":"v1","fieldsV1":[]}"#,
        r#"{"manager":"m","operation":"Apply","apiVersion":"v1","fieldsV1":{"x:y":{}}}"#,
        r#"{"operation":"Apply","apiVersion":"v1","fieldsV1":{}}"#,
    ] {
        let found = object(&format!("{broken},{}", entry("kubectl", "Update", "v1", "")), "{}").managers();
        assert_eq!(found.len(), 1, "{broken}");
        assert_eq!((found[0].manager.as_str(), found[0].operation), ("kubectl", Operation::Update));
    }
    assert!(Object::new(Value::Null).managers().is_empty());
}

#[test]
fn what_a_server_writes_into_metadata_is_read() {
    let object = Object::new(json(
        r#"{"metadata":{"name":"n","namespace":"dev","uid":"u","resourceVersion":"7","deletionTimestamp":"t"}}"#,
    ));
    assert_eq!((object.name(), object.namespace(), object.resource_version()), ("n", Some("dev"), "7"));
    assert_eq!((object.uid(), object.is_terminating()), (Uid::new("u"), true));
    let empty = Object::new(Value::Null);
    assert_eq!((empty.name(), empty.namespace(), empty.resource_version()), ("", None, ""));
    assert!(!empty.is_terminating() && empty.mark().is_none());
}

#[test]
fn secrets_of_a_kind_are_sealed() {
    let entry = r#"{"manager":"terrane-eeeeeeee","operation":"Apply","apiVersion":"v1","fieldsV1":{"f:data":{"f:k":{}}}}"#;
    let of = |value: &str| {
        Object::new(json(&format!(
            r#"{{"metadata":{{"managedFields":[{entry}]}},"data":{{"k":"{value}"}}}}"#
        )))
    };
    let sensitive = SensitivePaths::of_kind(&GroupKind::new("", "Secret"));
    let settled = |value: &str| {
        of(value).settled(&other_lineage().field_manager(), &parse("v1"), &[], &sensitive, None)
    };
    assert_eq!(settled("YQ==").unwrap().open, settled("Yg==").unwrap().open, "the open part tells nothing");
}

#[test]
fn a_mark_counts_only_with_an_apply_of_the_same_lineage() {
    let marked = |lineage: &str, entry: &str| {
        let mut object = object(entry, SPEC).body().clone();
        object.set_at(&["metadata", "labels", crate::mark::ENVIRONMENT_LABEL], "demo".into());
        object.set_at(&["metadata", "annotations", crate::mark::LINEAGE_ANNOTATION], lineage.into());
        object.set_at(&["metadata", "annotations", crate::mark::ADDRESS_ANNOTATION], "manifest.a".into());
        Object::new(object)
    };
    let (ours, lineage) = ("terrane-eeeeeeee", other_lineage());
    let other = "a".repeat(32);
    for (mark, entry, proved) in [
        (lineage.as_str(), entry(ours, "Apply", "v1", ""), true),
        (lineage.as_str(), entry(ours, "Apply", "v2", ""), true),
        (lineage.as_str(), entry(ours, "Update", "v1", ""), false),
        (lineage.as_str(), entry(ours, "Apply", "v1", r#","subresource":"status""#), false),
        (lineage.as_str(), entry("kubectl-create", "Update", "v1", ""), false),
        (lineage.as_str(), entry("terrane-aaaaaaaa", "Apply", "v1", ""), false),
        (lineage.as_str(), String::new(), false),
        (other.as_str(), entry(ours, "Apply", "v1", ""), false),
    ] {
        assert_eq!(marked(mark, &entry).is_marked_by(&lineage), proved, "{mark} {entry}");
    }
    assert!(!object(&entry(ours, "Apply", "v1", ""), SPEC).is_marked_by(&lineage), "no mark");
}
