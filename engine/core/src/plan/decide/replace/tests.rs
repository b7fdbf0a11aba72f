use crate::field_path::FieldPath;
use crate::plan::fixtures::*;

fn config(name: &str, data: &str) -> Declared {
    Declared::new(&format!("v1 ConfigMap dev/{name}"), &format!(r#"{{"data":{data}}}"#))
}

fn triggered_by(declared: Declared, address: &str, field: Option<&str>) -> Declared {
    let mut declared = declared.after(address);
    let field = field.map_or_else(FieldPath::default, path);
    declared.resource.lifecycle.replace_triggered_by.push((parse(address), field));
    declared
}

fn said(before: &[Declared], after: &[Declared]) -> Vec<String> {
    let mut world = World::applied(before.to_vec());
    world.declare(after.to_vec());
    let plan = world.plan();
    lines(&plan).into_iter().chain(faults(&plan)).collect()
}

#[test]
fn what_changes_replaces_what_names_it() {
    let (one, two) = (config("a", r#"{"x":"1","y":"1"}"#), config("a", r#"{"x":"2","y":"1"}"#));
    let change = r#"~ ConfigMap/dev/a changed: data.x "1" -> "2""#;
    let replaced = "-/+ ConfigMap/dev/b triggered";
    let settled = "= ConfigMap/dev/b settled by record";
    for (field, want) in
        [(None, replaced), (Some("data.x"), replaced), (Some("data"), replaced), (Some("data.y"), settled)]
    {
        let b = triggered_by(config("b", "{}"), "manifest.a", field);
        assert_eq!(said(&[one.clone(), b.clone()], &[two.clone(), b]), [change, want], "{field:?}");
    }
}

#[test]
fn replacements_go_on_and_creations_begin_none() {
    let b = triggered_by(config("b", "{}"), "manifest.a", None);
    let c = triggered_by(config("c", "{}"), "manifest.b", Some("data.z"));
    let (one, two) = (config("a", r#"{"x":"1"}"#), config("a", r#"{"x":"2"}"#));
    assert_eq!(
        said(&[one.clone(), b.clone(), c.clone()], &[two, b, c]),
        [
            r#"~ ConfigMap/dev/a changed: data.x "1" -> "2""#,
            "-/+ ConfigMap/dev/b triggered",
            "-/+ ConfigMap/dev/c triggered"
        ]
    );
    let b = triggered_by(config("b", "{}"), "manifest.a", None);
    let want = [
        r#"+ ConfigMap/dev/a new: apiVersion none -> "v1"; data none -> {"x":"1"}"#,
        "= ConfigMap/dev/b settled by record",
    ];
    assert_eq!(said(&[config("b", "{}")], &[one, b]), want);
}

#[test]
fn what_must_not_be_replaced_is_an_error() {
    let b = triggered_by(config("b", "{}"), "manifest.a", None).protected();
    let (one, two) = (config("a", r#"{"x":"1"}"#), config("a", r#"{"x":"2"}"#));
    let said = said(&[one, b.clone()], &[two, b]);
    assert_eq!(
        said[2],
        "error TRN0614: ConfigMap/dev/b would be replaced because manifest.a changes: Its lifecycle has prevent_destroy."
    );
}

#[test]
fn what_is_asked_for_is_replaced_unless_it_must_not_be() {
    let asked = |declared: Declared, is_applied: bool| {
        let mut world = if is_applied { World::applied([declared]) } else { World::new([declared]) };
        world.replace.insert(parse("manifest.a"));
        let plan = world.plan();
        lines(&plan).into_iter().chain(faults(&plan)).collect::<Vec<_>>()
    };
    let a = config("a", "{}");
    assert_eq!(asked(a.clone(), true), ["-/+ ConfigMap/dev/a requested"]);
    assert!(asked(a.clone(), false)[0].starts_with("+ ConfigMap/dev/a new"));
    assert_eq!(
        asked(a.protected(), true)[1..],
        [
            "error TRN0614: ConfigMap/dev/a would be replaced because it is asked for: Its lifecycle has prevent_destroy."
        ]
    );
}
