use std::collections::HashMap;

use crate::kind_info::{KindInfo, Scope};
use crate::object_ref::GroupKind;
use crate::plan::fixtures::*;

fn namespace(name: &str) -> Declared {
    Declared::new(&format!("v1 Namespace {name}"), "{}")
}

fn settings(name: &str) -> Declared {
    Declared::new(&format!("v1 ConfigMap {name}"), "{}")
}

fn definition() -> Declared {
    let spec = r#"{"spec":{"group":"x.y","names":{"kind":"Widget","plural":"widgets"}}}"#;
    Declared::new("apiextensions.k8s.io/v1 CustomResourceDefinition widgets.x.y", spec)
}

fn widget(name: &str) -> Declared {
    Declared::new(&format!("x.y/v1 Widget {name}"), "{}")
}

/// A world that serves two kinds of the group `x.y`, with all this applied.
fn applied<const N: usize>(declared: [Declared; N]) -> World {
    let mut world = World::new(declared);
    for (kind, plural) in [("Widget", "widgets"), ("Gadget", "gadgets")] {
        world.discovery.insert(KindInfo {
            kind: GroupKind::new("x.y", kind),
            version: "v1".into(),
            plural: plural.into(),
            scope: Scope::Namespaced,
            listable: true,
        });
    }
    world.apply();
    world
}

const NAMESPACE: &str = "error TRN0610: Namespace/dev would be deleted with what must stay: \
                         A Namespace is deleted with all that lies in it.";
const DEFINITION: &str = "error TRN0610: CustomResourceDefinition.apiextensions.k8s.io/widgets.x.y would be \
                          deleted with what must stay: \
                          A CustomResourceDefinition is deleted with all objects of its kind.";

#[test]
fn a_namespace_goes_only_with_all_that_is_in_it() {
    let still = format!("{NAMESPACE} Still declared: manifest.a (ConfigMap/dev/a).");
    for (declared, want) in [
        (vec![namespace("dev"), settings("dev/a")], None),
        (vec![], None),
        (vec![settings("other/a")], None),
        (vec![settings("dev/a")], Some(&still)),
    ] {
        let mut world = applied([namespace("dev"), settings("dev/a"), settings("other/b")]);
        world.declare(declared.clone());
        assert_eq!(faults(&world.plan()), Vec::from_iter(want.cloned()), "{declared:?}");
        assert_eq!(faults(&world.plan_offline()), Vec::from_iter(want.cloned()), "{declared:?}");
    }
}

#[test]
fn an_object_that_is_yet_to_be_created_also_keeps_its_namespace() {
    let mut world = applied([namespace("dev")]);
    world.declare([settings("dev/new")]);
    assert_eq!(
        faults(&world.plan()),
        [format!("{NAMESPACE} Still declared: manifest.new (ConfigMap/dev/new).")]
    );
}

#[test]
fn many_objects_are_counted() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let inside = || names.map(|name| settings(&format!("dev/{name}")));
    let mut world = applied([namespace("dev")]);
    world.declare(inside());
    let said = faults(&world.plan());
    assert_eq!(said.len(), 1);
    assert!(
        said[0].ends_with("manifest.d (ConfigMap/dev/d), manifest.e (ConfigMap/dev/e) and 2 more."),
        "{said:?}"
    );
}

#[test]
fn protection_inside_protects_the_namespace() {
    let mut world =
        applied([namespace("dev"), settings("dev/a").protected(), settings("other/b").protected()]);
    world.declare([settings("other/b").protected()]);
    let said = faults(&world.plan());
    let protected = format!("{NAMESPACE} Protected by prevent_destroy: manifest.a (ConfigMap/dev/a).");
    assert!(said.contains(&protected), "{said:?}");
    world.unobserved.insert((GroupKind::new("", "ConfigMap"), Some("dev".into())), "timed out".into());
    assert!(faults(&world.plan()).contains(&protected), "what could not be observed may be there");
    world.unobserved.clear();
    world.objects.remove(&object_ref("ConfigMap/dev/a"));
    assert_eq!(faults(&world.plan()), [""; 0], "nothing is left to protect");
}

#[test]
fn a_definition_goes_only_with_all_objects_of_its_kind() {
    let gadget = || Declared::new("x.y/v1 Gadget dev/g", "{}");
    let still = format!("{DEFINITION} Still declared: manifest.w (Widget.x.y/dev/w).");
    let protected = format!("{DEFINITION} Protected by prevent_destroy: manifest.w (Widget.x.y/dev/w).");
    for (before, after, want) in [
        (widget("dev/w"), vec![definition(), widget("dev/w")], None),
        (widget("dev/w"), vec![], None),
        (widget("dev/w"), vec![gadget()], None),
        (widget("dev/w"), vec![gadget(), widget("dev/w")], Some(&still)),
        (widget("dev/w").protected(), vec![], Some(&protected)),
    ] {
        let mut world = applied([definition(), before, gadget()]);
        world.declare(after.clone());
        let said = faults(&world.plan());
        let about_definition = said.into_iter().filter(|fault| fault.contains("TRN0610"));
        assert_eq!(Vec::from_iter(about_definition), Vec::from_iter(want.cloned()), "{after:?}");
    }
}

#[test]
fn the_error_points_at_what_stays_and_says_what_to_do() {
    let mut world = applied([namespace("dev"), settings("dev/a")]);
    world.declare([settings("dev/a")]);
    let plan = world.plan();
    let fault = plan.diagnostics.iter().next().unwrap();
    assert_eq!(fault.address, Some(parse("manifest.dev")));
    let hint = "declare Namespace/dev again, or first move or remove what is named above";
    assert_eq!(fault.hint.as_deref(), Some(hint));
}

#[test]
fn what_is_no_part_of_the_plan_is_not_taken_along() {
    let mut world = applied([namespace("dev"), settings("dev/settings")]);
    world.declare([]);
    assert_eq!(faults(&world.plan()), Vec::<String>::new());
    let object_ref = world.state.records.keys().find(|it| it.name == "settings").unwrap().clone();
    let record = world.state.records.remove(&object_ref).unwrap();
    world.objects.remove(&object_ref);
    world.left_out.insert(object_ref, record);
    let want = format!("{NAMESPACE} No part of this plan: manifest.settings (ConfigMap/dev/settings).");
    assert_eq!(faults(&world.plan()), [want]);
}

/// A settings object that others own: all that has these uids.
fn owned(name: &str, owners: &[&str]) -> Declared {
    let owners: Vec<String> = owners.iter().map(|uid| format!(r#"{{"uid":"{uid}"}}"#)).collect();
    let rest = format!(r#"{{"metadata":{{"ownerReferences":[{}]}}}}"#, owners.join(","));
    Declared::new(&format!("v1 ConfigMap {name}"), &rest)
}

const OWNER: &str = "error TRN0610: ConfigMap/dev/owner would be deleted with what must stay: \
                     The cluster deletes what names it as owner and has no other.";

#[test]
fn an_owner_goes_only_with_all_that_nobody_else_owns() {
    let still = |names: &[&str]| {
        let named: Vec<String> =
            names.iter().map(|it| format!("manifest.{it} (ConfigMap/dev/{it})")).collect();
        format!("{OWNER} Still declared: {}.", named.join(", "))
    };
    let by = |uid: &str| owned("dev/a", &[uid]);
    for (what, before, after, want) in [
        ("it stays declared", vec![by("uid-of-owner")], vec![by("uid-of-owner")], Some(still(&["a"]))),
        ("it goes as well", vec![by("uid-of-owner")], vec![], None),
        ("another owns it", vec![by("uid-of-other")], vec![by("uid-of-other")], None),
        (
            "another owns it too",
            vec![owned("dev/a", &["uid-of-owner", "uid-of-other"])],
            vec![owned("dev/a", &["uid-of-owner", "uid-of-other"])],
            None,
        ),
        (
            "the plan takes the owner off",
            vec![by("uid-of-owner")],
            vec![settings("dev/a")],
            Some(still(&["a"])),
        ),
        (
            "what it owns goes with it",
            vec![by("uid-of-owner"), owned("dev/b", &["uid-of-a"])],
            vec![by("uid-of-owner"), owned("dev/b", &["uid-of-a"])],
            Some(still(&["a", "b"])),
        ),
    ] {
        let mut world = applied([]);
        world.declare([settings("dev/owner")].into_iter().chain(before));
        world.apply();
        world.declare(after);
        assert_eq!(faults(&world.plan()), Vec::from_iter(want), "{what}");
    }
}

#[test]
fn a_replaced_owner_takes_along_what_it_owns() {
    let declared = || [settings("dev/owner"), owned("dev/a", &["uid-of-owner"])];
    let mut world = applied(declared());
    world.replace.insert(parse("manifest.owner"));
    assert_eq!(faults(&world.plan()), [format!("{OWNER} Still declared: manifest.a (ConfigMap/dev/a).")]);
}

#[test]
fn an_owner_takes_along_nothing_that_is_protected_or_no_part_of_the_plan() {
    let mut world = applied([settings("dev/owner"), owned("dev/a", &["uid-of-owner"]).protected()]);
    world.declare([]);
    let protected = format!("{OWNER} Protected by prevent_destroy: manifest.a (ConfigMap/dev/a).");
    assert!(faults(&world.plan()).contains(&protected), "{:?}", faults(&world.plan()));

    let left_out = object_ref("ConfigMap/dev/a");
    let graph = world.graph();
    let mut live = world.observe(&graph);
    let record = world.state.records.remove(&left_out).unwrap();
    world.left_out.insert(left_out.clone(), record);
    live.clusters.values_mut().for_each(|cluster| drop(cluster.objects.remove(&left_out)));
    let triage = world.triage();
    let plan = world.plan_with(&graph, Some((&live, &triage)), &HashMap::new());
    assert_eq!(faults(&plan), [format!("{OWNER} No part of this plan: manifest.a (ConfigMap/dev/a).")]);
}
