use super::*;

#[test]
fn a_tally_reads_as_it_prints() {
    let full = Tally { created: 2, changed: 1, deleted: 0, failed: 3, not_begun: 4 };
    for (tally, text) in [
        (Tally::default(), "0 created, 0 changed, 0 deleted"),
        (full, "2 created, 1 changed, 0 deleted, 3 failed, 4 not begun"),
        (Tally { not_begun: 0, ..full }, "2 created, 1 changed, 0 deleted, 3 failed"),
    ] {
        assert_eq!(tally.to_string(), text);
        assert_eq!(text.parse(), Ok(tally));
    }
    for text in ["", "2 created", "1 changed, 2 created, 0 deleted", "begin, 3 changes intended", "x created"]
    {
        assert_eq!(text.parse::<Tally>(), Err(TallyError), "{text}");
    }
}

#[test]
fn a_replacement_counts_on_both_sides() {
    let entry = |action, outcome| ReportEntry {
        address: "manifest.a".parse().unwrap(),
        object_ref: ObjectRef {
            cluster: crate::object_ref::ClusterRef::new("main"),
            kind: crate::object_ref::GroupKind::new("", "ConfigMap"),
            namespace: None,
            name: "a".into(),
        },
        action,
        outcome,
    };
    let done = || Outcome::Done { took: Duration::ZERO };
    let entries = vec![
        entry(ActionKind::Replace, done()),
        entry(ActionKind::Import, done()),
        entry(ActionKind::Forget, done()),
        entry(ActionKind::Create, Outcome::Unknown("x".into())),
        entry(ActionKind::Create, Outcome::Interrupted),
    ];
    let tally = Tally { created: 1, changed: 1, deleted: 1, failed: 1, not_begun: 1 };
    assert_eq!(Report { entries }.tally(), tally);
}
