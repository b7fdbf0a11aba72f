use std::time::Duration;

use super::*;
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::plan::fixtures::*;

fn plan_of(object_ref: ObjectRef) -> Plan {
    let mut plan = World::new([Declared::new("v1 ConfigMap dev/a", r#"{"data":{"k":"1"}}"#)]).plan();
    plan.changes[0].object_ref = object_ref;
    plan
}

#[test]
fn objects_that_are_printed_alike_are_told_apart() {
    let named = |cluster: &str, group: &str, kind: &str, namespace: Option<&str>, name: &str| ObjectRef {
        cluster: ClusterRef::new(cluster),
        kind: GroupKind::new(group, kind),
        namespace: namespace.map(Text::from),
        name: name.into(),
    };
    for (one, other) in [
        (named("main", "b", "A", None, "x"), named("main", "", "A.b", None, "x")),
        (named("main", "", "A", Some("n"), "x"), named("main", "", "A", None, "n/x")),
        (named("main", "", "A", Some(""), "x"), named("main", "", "A", None, "/x")),
        (named("m", "", "b:A", None, "x"), named("m:b", "", "A", None, "x")),
    ] {
        assert_eq!(
            format!("{one:?}"),
            format!("{other:?}"),
            "the case is about objects that are printed alike"
        );
        assert_ne!(plan_of(one.clone()).decision_digest(), plan_of(other).decision_digest(), "{one:?}");
    }
}

/// An approval that was given must be good for the next version as well. Who changes this on purpose changes the
/// number here, and says so to users.
#[test]
fn the_same_decision_has_the_same_digest_in_every_version() {
    let mut plan = plan_of(object_ref("ConfigMap/dev/a"));
    plan.gates.push(Gate {
        rollout: "all".into(),
        wave: "second".into(),
        clusters: vec![ClusterRef::new("main")],
        soak: Some(Duration::from_millis(1500)),
        checks: vec![parse(r#"app.web["eu"].check.ready"#)],
        approval: true,
    });
    assert_eq!(
        plan.decision_digest().to_string(),
        "c8c396fc7ee1bbdf618abcf19e32e0f326fd53cb6ca2c6450577255f6e252130"
    );
}
