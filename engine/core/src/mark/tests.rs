use super::*;
use crate::plan::fixtures::{json, parse};

fn mark() -> OwnershipMark {
    OwnershipMark {
        environment: parse("demo"),
        lineage: Lineage::new([0xab; 16]),
        address: parse(r#"app.web["a\"b"].manifest.x"#),
    }
}

#[test]
fn a_mark_is_read_as_it_was_written_and_leaves_other_metadata_alone() {
    let mut body = json(r#"{"metadata":{"labels":{"app":"web"},"annotations":{"note":"x"}}}"#);
    mark().write_to(&mut body);
    assert_eq!(OwnershipMark::read_from(&body), Some(mark()));
    assert_eq!(body.str_at(&["metadata", "labels", "app"]), Some("web"));
    assert_eq!(body.str_at(&["metadata", "annotations", "note"]), Some("x"));
    assert_eq!(body.str_at(&["metadata", "labels", "terrane.dev/environment"]), Some("demo"));
}

#[test]
fn a_mark_with_a_broken_or_missing_part_is_none() {
    for (field, name) in [
        ("labels", ENVIRONMENT_LABEL),
        ("annotations", LINEAGE_ANNOTATION),
        ("annotations", ADDRESS_ANNOTATION),
    ] {
        for broken in [None, Some(Value::from("")), Some(Value::from("not valid!")), Some(Value::from(7))] {
            let mut body = Value::Null;
            mark().write_to(&mut body);
            match &broken {
                Some(broken) => body.set_at(&["metadata", field, name], broken.clone()),
                None => drop(body.remove_at(&["metadata", field, name])),
            }
            assert_eq!(OwnershipMark::read_from(&body), None, "{name}: {broken:?}");
        }
    }
    assert_eq!(OwnershipMark::read_from(&Value::Null), None);
}

#[test]
fn environment_names_fit_a_label_and_a_ref() {
    let long = "a".repeat(63);
    for name in ["a", "task-manager", "0", long.as_str()] {
        assert_eq!(parse::<EnvironmentName>(name).as_str(), name);
    }
    let too_long = "a".repeat(64);
    for name in ["", "-a", "a-", "A", "a.b", "a/b", "ä", "a b", too_long.as_str()] {
        assert!(name.parse::<EnvironmentName>().is_err(), "{name}");
    }
}

#[test]
fn a_field_manager_is_named_after_its_lineage() {
    let lineage: Lineage = parse("0123456789abcdef0123456789abcdef");
    assert_eq!(lineage.field_manager().as_str(), "terrane-01234567");
    assert_eq!(Lineage::new([0x01; 16]).as_str(), "01".repeat(16));
    for text in ["", "0123", "0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcdeg"] {
        assert!(text.parse::<Lineage>().is_err(), "{text}");
    }
}
