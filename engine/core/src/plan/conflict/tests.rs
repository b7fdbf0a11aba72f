use super::*;
use crate::plan::Action;
use crate::plan::fixtures::*;
use crate::value::Value;

const SETTINGS: &str = "ConfigMap/dev/settings";
const AT: &str = "at 2026-01-02T03:04:05Z";

fn settings(data: &str) -> Declared {
    Declared::new("v1 ConfigMap dev/settings", &format!(r#"{{"data":{data}}}"#))
}

fn edit(world: &mut World, by: Foreign<'_>, data: &str) {
    world.edit(SETTINGS, by, &format!(r#"{{"data":{data}}}"#));
}

/// Returns `take data.a from kubectl-edit, which …: "9" -> "1"` for each conflict.
fn conflicts(plan: &Plan) -> Vec<String> {
    let fields = plan.conflicts.iter().flat_map(|it| &it.fields);
    let said = fields.map(|it| {
        let (decision, theirs, ours) = (it.decision.as_str(), shown(&it.theirs), shown(&it.ours));
        format!("{decision} {} of {}: {theirs} -> {ours}", it.path, it.holder())
    });
    said.collect()
}

#[test]
fn a_plan_names_every_field_of_others_that_it_takes_leaves_or_stops_at() {
    let (edit_by, apply_by) = (Foreign::Update("kubectl-edit"), Foreign::Apply("argocd"));
    let updated = format!("kubectl-edit, which updated it {AT}");
    let applied = format!("argocd, which applied it {AT}");
    use FieldPolicy::{Fail, Take, Yield};
    for (what, policies, by, want, change) in [
        ("an edit is drift", vec![], edit_by, format!("take data.a of {updated}"), "~ drift by force"),
        (
            "that may be left",
            vec![(Yield, "data.a")],
            edit_by,
            format!("yield data.a of {updated}"),
            "= by server",
        ),
        ("or refused", vec![(Fail, "data")], edit_by, format!("fail data.a of {updated}"), "error TRN0601"),
        (
            "an applier is not overruled",
            vec![],
            apply_by,
            format!("fail data.a of {applied}"),
            "error TRN0601",
        ),
        (
            "unless that is said",
            vec![(Take, "data.a")],
            apply_by,
            format!("take data.a of {applied}"),
            "~ drift by force",
        ),
        (
            "or it is left",
            vec![(Yield, "data")],
            apply_by,
            format!("yield data.a of {applied}"),
            "= by server",
        ),
    ] {
        let declared = policies
            .iter()
            .fold(settings(r#"{"a":"1","b":"2"}"#), |it, (policy, field)| it.keeping(*policy, field));
        let mut world = World::applied([declared]);
        edit(&mut world, by, r#"{"a":"9","theirs":"x"}"#);
        let plan = world.plan();
        assert_eq!(conflicts(&plan), [format!(r#"{want}: "9" -> "1""#)], "{what}");
        let line = lines(&plan).into_iter().chain(faults(&plan)).collect::<Vec<_>>().join("\n");
        let words = line.replace("ConfigMap/dev/settings ", "").replace("settled ", "");
        assert!(words.starts_with(change), "{what}: {line}");
        if change.starts_with("error") {
            continue;
        }
        world.apply();
        let kept = if want.starts_with("yield") { "9" } else { "1" };
        assert_eq!(world.live(SETTINGS).str_at(&["data", "a"]), Some(kept), "{what}");
        assert_eq!(world.live(SETTINGS).str_at(&["data", "theirs"]), Some("x"), "{what}");
        assert!(!world.plan().has_changes(), "{what}: the plan is at rest");
    }
}

#[test]
fn a_field_that_is_left_to_others_is_ours_while_nobody_else_has_it() {
    let declared =
        |a: &str| settings(&format!(r#"{{"a":"{a}","b":"1"}}"#)).keeping(FieldPolicy::Yield, "data");
    let mut world = World::applied([declared("1")]);
    world.declare([declared("2")]);
    world.apply();
    assert_eq!(world.live(SETTINGS).str_at(&["data", "a"]), Some("2"));
    edit(&mut world, Foreign::Update("kubectl-edit"), r#"{"a":"9"}"#);
    world.declare([declared("3")]);
    world.apply();
    assert_eq!(world.live(SETTINGS).str_at(&["data", "a"]), Some("9"));
    world.touch(SETTINGS, |live| live.set_at(&["data", "b"], "changed under our name".into()));
    world.apply();
    assert_eq!(world.live(SETTINGS).str_at(&["data", "b"]), Some("1"));
}

#[test]
fn who_else_owns_a_field_that_is_left_counts_though_nothing_of_ours_moved() {
    let one = || settings(r#"{"a":"1"}"#);
    for declared in [one().keeping(FieldPolicy::Yield, "data"), one().ignoring("data.a")] {
        let mut world = World::applied([declared]);
        assert!(!world.plan().has_changes());
        edit(&mut world, Foreign::Apply("argocd"), r#"{"a":"1"}"#);
        let Action::Update { exceptions, .. } = &world.plan().changes[0].action else {
            panic!("{:?}", lines(&world.plan()))
        };
        assert_eq!(exceptions.yielded, [FieldPath::fields(["data", "a"])]);
        world.apply();
        assert_eq!(lines(&world.plan()), ["= ConfigMap/dev/settings settled by record"]);
    }
    let mut world = World::applied([one()]);
    edit(&mut world, Foreign::Apply("argocd"), r#"{"a":"1"}"#);
    assert_eq!(
        lines(&world.plan()),
        ["= ConfigMap/dev/settings settled by record"],
        "nothing is left to anybody"
    );
}

#[test]
fn what_is_said_on_fields_counts_at_once() {
    let (yielding, taking) = (FieldPolicy::Yield, FieldPolicy::Take);
    let declared = |policy| settings(r#"{"a":"1","b":"2"}"#).keeping(policy, "data");
    let mut world = World::applied([settings(r#"{"a":"1"}"#).keeping(yielding, "data")]);
    edit(&mut world, Foreign::Apply("argocd"), r#"{"a":"9"}"#);
    world.declare([declared(yielding)]);
    world.apply();
    assert_eq!(lines(&world.plan()), ["= ConfigMap/dev/settings settled by record"]);
    world.declare([declared(taking)]);
    assert_eq!(conflicts(&world.plan()).len(), 1, "the record no longer settles it");
    world.declare([settings(r#"{"a":"1","b":"2"}"#)]);
    assert_eq!(faults(&world.plan()).len(), 1);
    world.declare([settings(r#"{"a":"1","b":"2"}"#).ignoring("data.a")]);
    assert!(!world.plan().has_changes());
}

#[test]
fn what_is_deleted_to_be_created_again_takes_nothing() {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    edit(&mut world, Foreign::Update("kubectl-edit"), r#"{"a":"9"}"#);
    world.replace.insert(parse("manifest.settings"));
    let plan = world.plan();
    assert!(matches!(plan.changes[0].action, Action::Replace { .. }));
    assert_eq!(conflicts(&plan), [""; 0]);
}

#[test]
fn whom_a_plan_overrules_is_part_of_its_decision() {
    let plan = |by, value: &str| {
        let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
        edit(&mut world, by, &format!(r#"{{"a":"{value}"}}"#));
        world.plan()
    };
    let edited = plan(Foreign::Update("kubectl-edit"), "9");
    assert_ne!(edited.decision_digest(), plan(Foreign::Update("helm"), "9").decision_digest());
    let mut later = edited.clone();
    later.conflicts[0].fields[0].time = Some("2026-02-02T03:04:05Z".into());
    assert_eq!(edited.decision_digest(), later.decision_digest(), "the same edit, made again");
    later.conflicts[0].fields[0].decision = FieldPolicy::Yield;
    assert_ne!(edited.decision_digest(), later.decision_digest());
}

#[test]
fn the_effect_of_a_merge_has_only_its_own_conflicts() {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    edit(&mut world, Foreign::Update("kubectl-edit"), r#"{"a":"9"}"#);
    let pending = world.plan();
    assert_eq!(conflicts(&pending.without(&pending)), [""; 0]);
    world.declare([settings(r#"{"a":"2"}"#)]);
    assert_eq!(conflicts(&world.plan().without(&pending)).len(), 1);
}

#[test]
fn managed_fields_that_somebody_emptied_stop_nothing() {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    world.touch(SETTINGS, |live| {
        live.set_at(&["metadata", "managedFields"], Value::list([]));
        live.set_at(&["data", "a"], "9".into());
    });
    let plan = world.plan();
    assert_eq!(faults(&plan), [""; 0]);
    assert!(plan.has_changes());
}
