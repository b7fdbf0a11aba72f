use super::*;
use crate::plan::fixtures::*;
use crate::value::Value;

const SERVICE: &str = "Service/dev/web";

fn service() -> Declared {
    Declared::new(
        "v1 Service dev/web",
        r#"{"spec":{"selector":{"app":"web"},
            "ports":[{"name":"http","port":80},{"name":"dns","port":53,"protocol":"UDP"}]}}"#,
    )
}

/// What triage makes of the only object of a world.
fn sorted(world: &World) -> String {
    let found = world.triage();
    let parts = [
        found.settled.iter().map(|_| "settled".to_owned()).collect::<Vec<_>>(),
        found.ask.values().map(|kind| format!("ask {}", kind.api_version())).collect(),
        found.simulate.values().map(|why| format!("simulate: {why}")).collect(),
        found.unknown.iter().map(|_| "unknown".to_owned()).collect(),
        found.unobserved.iter().map(|_| "unobserved".to_owned()).collect(),
    ];
    parts.concat().join(", ")
}

fn ports(world: &mut World, change: impl FnOnce(&mut Vec<Value>)) {
    world.touch(SERVICE, |live| {
        let mut ports = live.at(&["spec", "ports"]).unwrap().as_list().unwrap().to_vec();
        change(&mut ports);
        live.set_at(&["spec", "ports"], Value::list(ports));
    });
}

/// What happens to an applied object, and what triage then makes of it.
type Story<'a> = (&'a str, &'a dyn Fn(&mut World), &'a str);

#[test]
#[expect(clippy::too_many_lines, reason = "one flat table")]
fn a_record_settles_only_what_is_unchanged_in_every_respect() {
    let stories: [Story<'_>; 15] = [
        ("nothing happens", &|_| {}, "settled"),
        ("the address changes", &|world| world.declare([service().at("manifest.renamed")]), "ask v1"),
        (
            "others add fields of their own",
            &|world| world.edit(SERVICE, Foreign::Update("x"), r#"{"metadata":{"labels":{"a":"b"}}}"#),
            "settled",
        ),
        (
            "the server keeps its books",
            &|world| {
                world.touch(SERVICE, |live| {
                    live.set_at(&["metadata", "resourceVersion"], "42".into());
                    live.set_at(&["status", "loadBalancer"], Value::from(true));
                });
            },
            "settled",
        ),
        (
            "the manifest changes",
            &|world| world.declare([Declared::new("v1 Service dev/web", r#"{"spec":{}}"#)]),
            "ask v1",
        ),
        (
            "another object has its name",
            &|world| world.touch(SERVICE, |live| live.set_at(&["metadata", "uid"], "x".into())),
            "ask v1",
        ),
        (
            "a live value of ours changes",
            &|world| world.touch(SERVICE, |live| live.set_at(&["spec", "selector", "app"], "x".into())),
            "ask v1",
        ),
        ("the live list is in another order", &|world| ports(world, |ports| ports.reverse()), "ask v1"),
        ("an item of ours is gone", &|world| ports(world, |ports| drop(ports.pop())), "ask v1"),
        (
            "managed fields are cleared",
            &|world| {
                let none = Value::list([]);
                world.touch(SERVICE, |live| live.set_at(&["metadata", "managedFields"], none));
            },
            "ask v1",
        ),
        (
            "our entry went to another version",
            &|world| {
                world.touch(SERVICE, |live| {
                    let text = live.at(&["metadata", "managedFields"]).unwrap().to_string();
                    let moved = json(&text.replace(r#""apiVersion":"v1""#, r#""apiVersion":"v2""#));
                    live.set_at(&["metadata", "managedFields"], moved);
                });
            },
            "ask v1",
        ),
        (
            "the record is of another version",
            &|world| {
                let record = world.state.records.get_mut(&object_ref(SERVICE)).unwrap();
                record.api_version = parse("v2");
            },
            "ask v1",
        ),
        (
            "the record has no digest of what was applied",
            &|world| world.state.records.get_mut(&object_ref(SERVICE)).unwrap().settled = None,
            "ask v1",
        ),
        ("there is no record", &|world| world.state.records.clear(), "ask v1"),
        ("the object is gone", &|world| world.objects.clear(), "ask v1"),
    ];
    for (name, happens, want) in stories {
        let mut world = World::applied([service()]);
        happens(&mut world);
        assert_eq!(sorted(&world), want, "{name}");
    }
}

#[test]
fn sensitive_parts_settle_only_under_the_key_they_were_sealed_with() {
    let secret = || Declared::new("v1 Secret dev/s", r#"{"stringData":{"password":"hunter2"}}"#);
    for (sealed, now, want) in [
        (Some(1), Some(1), "settled"),
        (Some(1), Some(2), "ask v1"),
        (Some(1), None, "ask v1"),
        (None, Some(1), "ask v1"),
        (None, None, "ask v1"),
    ] {
        let key = |byte: Option<u8>| byte.map(|byte| SealKey::new([byte; 32]));
        let mut world = World::new([secret()]);
        world.key = key(sealed);
        world.apply();
        world.key = key(now);
        assert_eq!(sorted(&world), want, "sealed {sealed:?}, read {now:?}");
    }
    let mut world = World::new([service()]);
    world.key = None;
    world.apply();
    assert_eq!(sorted(&world), "settled", "what holds no secret needs no key");
}

#[test]
fn what_the_server_cannot_answer_is_simulated() {
    let namespace = || Declared::new("v1 Namespace dev", "{}");
    let crd = || {
        Declared::new(
            "apiextensions.k8s.io/v1 CustomResourceDefinition widgets.example.com",
            r#"{"spec":{"group":"example.com","names":{"kind":"Widget"}}}"#,
        )
    };
    let widget = || Declared::new("example.com/v1 Widget dev/w", "{}");
    for (name, world, asked, why) in [
        (
            "its namespace is created by the plan",
            World::new([namespace(), service()]),
            1,
            "namespace dev is created by this plan",
        ),
        (
            "its kind is defined by the plan",
            World::new([crd(), widget()]),
            1,
            "kind Widget.example.com is defined by this plan",
        ),
        (
            "a value is known only after apply",
            World::new([service().hole("spec.externalName")]),
            0,
            "some of its values are known only after apply",
        ),
    ] {
        let found = world.triage();
        assert_eq!(found.simulate.values().collect::<Vec<_>>(), [why], "{name}");
        assert_eq!(found.ask.len(), asked, "{name}");
    }
    let mut applied = World::applied([namespace()]);
    applied.declare([namespace(), service()]);
    assert_eq!(sorted(&applied), "settled, ask v1", "the namespace is there");
    let disconnected = World::new([service()]);
    let graph = disconnected.graph();
    let found = triage(&graph, &disconnected.state, &Live::default(), &desired_prints(&graph, None));
    assert_eq!(found.simulate.values().collect::<Vec<_>>(), ["its cluster is not observed"]);
}

#[test]
fn kinds_that_nobody_knows_or_that_cannot_be_listed_are_not_planned() {
    let widget = || Declared::new("example.com/v1 Widget dev/w", "{}");
    assert_eq!(sorted(&World::new([widget()])), "unknown");
    assert_eq!(sorted(&World::new([Declared::new("apps/v1beta1 Deployment dev/w", "{}")])), "unknown");
    for namespace in [None, Some("dev"), Some("other")] {
        let mut world = World::applied([service()]);
        let place = (GroupKind::new("", "Service"), namespace.map(crate::value::Text::from));
        world.unobserved.insert(place, "forbidden".into());
        let want = if namespace == Some("other") { "settled" } else { "unobserved" };
        assert_eq!(sorted(&world), want, "{namespace:?}");
    }
}

#[test]
fn reads_are_not_triaged() {
    assert_eq!(sorted(&World::new([Declared::read("Secret/dev/s")])), "");
}
