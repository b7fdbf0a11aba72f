use super::*;
use crate::plan::fixtures::*;

/// Applies `first` and then simulates `second`, after others have written what `theirs` says.
fn check(head: &str, first: &str, theirs: &str, second: &str, want: &str) {
    let mut world = World::applied([Declared::new(head, first)]);
    let object_ref = world.objects.keys().next().unwrap().clone();
    if !theirs.is_empty() {
        world.edit(&object_ref.key(), Foreign::Update("other"), theirs);
    }
    let live = Object::new(world.objects[&object_ref].clone());
    let manager = world.state.lineage.field_manager();
    let desired = body(head, second);
    let api_version = parse(desired.str_at(&["apiVersion"]).unwrap());
    let found = simulate(Some(&live), &desired, &manager, &api_version, None);
    let mut rest = found.body().clone();
    for field in ["apiVersion", "kind", "metadata"] {
        rest.remove_at(&[field]);
    }
    assert_eq!(rest, json(want), "{first} then {theirs} then {second}");
}

#[test]
fn without_a_live_object_the_desired_one_is_the_result() {
    let desired = body("v1 ConfigMap dev/a", r#"{"data":{"a":"1"}}"#);
    let found = simulate(None, &desired, &other_lineage().field_manager(), &parse("v1"), None);
    assert_eq!(*found.body(), desired);
}

#[test]
fn maps_merge_and_lose_what_is_no_longer_desired() {
    let head = "v1 ConfigMap dev/a";
    for (first, theirs, second, want) in [
        (r#"{"data":{"a":"1"}}"#, "", r#"{"data":{"a":"2"}}"#, r#"{"data":{"a":"2"}}"#),
        (r#"{"data":{"a":"1"}}"#, "", r#"{"data":{"b":"2"}}"#, r#"{"data":{"b":"2"}}"#),
        // Theirs stays, whatever we send.
        (
            r#"{"data":{"a":"1"}}"#,
            r#"{"data":{"x":"9"}}"#,
            r#"{"data":{"b":"2"}}"#,
            r#"{"data":{"b":"2","x":"9"}}"#,
        ),
        // Owned by both with the same value: ours goes, theirs stays.
        (r#"{"data":{"a":"1"}}"#, r#"{"data":{"a":"1"}}"#, r#"{"data":{}}"#, r#"{"data":{"a":"1"}}"#),
        // Taken from us before: no longer ours to remove.
        (r#"{"data":{"a":"1"}}"#, r#"{"data":{"a":"9"}}"#, r#"{"data":{}}"#, r#"{"data":{"a":"9"}}"#),
        (r#"{"data":{"a":"1"}}"#, "", r#"{"immutable":true}"#, r#"{"data":{},"immutable":true}"#),
    ] {
        check(head, first, theirs, second, want);
    }
}

#[test]
fn lists_of_built_in_kinds_merge_by_their_keys() {
    let pod = "v1 Pod dev/p";
    let of = |containers: &str| format!(r#"{{"spec":{{"containers":[{containers}]}}}}"#);
    let (a, b) = (r#"{"name":"a","image":"x:1"}"#, r#"{"name":"b","image":"y:1"}"#);
    let (a2, theirs) = (r#"{"name":"a","image":"x:2"}"#, r#"{"image":"z:1","name":"theirs"}"#);
    for (first, edit, second, want) in [
        (of(a), String::new(), of(a2), of(a2)),
        (of(a), String::new(), of(&format!("{a},{b}")), of(&format!("{a},{b}"))),
        (of(&format!("{a},{b}")), String::new(), of(b), of(b)),
        (of(a), of(&format!("{a},{theirs}")), of(a2), of(&format!("{a2},{theirs}"))),
    ] {
        check(pod, &first, &edit, &second, &want);
    }
}

#[test]
fn an_item_that_is_no_longer_desired_goes_with_its_defaults() {
    let head = "v1 Pod dev/p";
    let mut world = World::applied([Declared::new(
        head,
        r#"{"spec":{"containers":[{"name":"a","image":"x:1"},{"name":"side","image":"y:1"}]}}"#,
    )]);
    world.touch("Pod/dev/p", |live| {
        let text =
            live.to_string().replace(r#""image":"y:1""#, r#""image":"y:1","imagePullPolicy":"Always""#);
        *live = json(&text);
    });
    let live = Object::new(world.live("Pod/dev/p").clone());
    let desired = body(head, r#"{"spec":{"containers":[{"name":"a","image":"x:1"}]}}"#);
    let found = simulate(Some(&live), &desired, &world.state.lineage.field_manager(), &parse("v1"), None);
    assert_eq!(found.body().at(&["spec"]), desired.at(&["spec"]));
}

#[test]
fn a_port_without_protocol_is_the_tcp_port() {
    let of = |ports: &str| format!(r#"{{"spec":{{"ports":[{ports}]}}}}"#);
    let both = r#"{"name":"tcp","port":53,"protocol":"TCP"},{"name":"udp","port":53,"protocol":"UDP"}"#;
    check(
        "v1 Service dev/s",
        &of(r#"{"name":"tcp","port":53},{"name":"udp","port":53,"protocol":"UDP"}"#),
        &of(both),
        &of(r#"{"name":"renamed","port":53},{"name":"udp","port":53,"protocol":"UDP"}"#),
        &of(&both.replace(r#""name":"tcp""#, r#""name":"renamed""#)),
    );
}

#[test]
fn atomic_values_are_replaced_and_sets_are_joined() {
    check(
        "v1 Service dev/s",
        r#"{"spec":{"selector":{"a":"1"}}}"#,
        r#"{"spec":{"selector":{"theirs":"2"}}}"#,
        r#"{"spec":{"selector":{"b":"3"}}}"#,
        r#"{"spec":{"selector":{"b":"3"}}}"#,
    );
    check(
        "v1 Pod dev/p",
        r#"{"spec":{"containers":[{"name":"a","command":["x","y"]}]}}"#,
        "",
        r#"{"spec":{"containers":[{"name":"a","command":["z"]}]}}"#,
        r#"{"spec":{"containers":[{"name":"a","command":["z"]}]}}"#,
    );
    let mut world =
        World::applied([Declared::new("v1 ConfigMap dev/a", r#"{"metadata":{"finalizers":["a/ours"]}}"#)]);
    world.edit(
        "ConfigMap/dev/a",
        Foreign::Update("other"),
        r#"{"metadata":{"finalizers":["a/ours","b/theirs"]}}"#,
    );
    let live = Object::new(world.live("ConfigMap/dev/a").clone());
    let desired = body("v1 ConfigMap dev/a", r#"{"metadata":{"finalizers":["a/ours","c/new"]}}"#);
    let found = simulate(Some(&live), &desired, &world.state.lineage.field_manager(), &parse("v1"), None);
    assert_eq!(found.body().at(&["metadata", "finalizers"]), Some(&json(r#"["a/ours","b/theirs","c/new"]"#)));
}

#[test]
fn lists_of_other_kinds_merge_by_the_keys_of_our_managed_fields() {
    let manager = other_lineage().field_manager();
    let of = |items: &str, fields: &str| {
        let entry = format!(
            r#"{{"manager":"{}","operation":"Apply","apiVersion":"example.com/v1","fieldsV1":{fields}}}"#,
            manager.as_str()
        );
        let text = format!(r#"{{"metadata":{{"managedFields":[{entry}]}},"spec":{{"items":{items}}}}}"#);
        Object::new(body("example.com/v1 Widget dev/w", &text))
    };
    let live = r#"[{"id":1,"a":"x"},{"id":2,"a":"theirs"}]"#;
    let keyed = r#"{"f:spec":{"f:items":{"k:{\"id\":1}":{".":{},"f:id":{},"f:a":{}}}}}"#;
    let whole = r#"{"f:spec":{"f:items":{}}}"#;
    let set = r#"{"f:spec":{"f:items":{"v:\"a\"":{}}}}"#;
    for (live, fields, desired, want) in [
        (live, keyed, r#"[{"id":1,"a":"y"}]"#, r#"[{"id":1,"a":"y"},{"id":2,"a":"theirs"}]"#),
        (live, keyed, r#"[{"id":3}]"#, r#"[{"id":2,"a":"theirs"},{"id":3}]"#),
        (live, whole, r#"[{"id":3}]"#, r#"[{"id":3}]"#),
        (live, "{}", r#"[{"id":3}]"#, r#"[{"id":3}]"#),
        (r#"["a","b"]"#, set, r#"["a","c"]"#, r#"["a","b","c"]"#),
        (r#"["a","b"]"#, set, r#"["c"]"#, r#"["b","c"]"#),
    ] {
        let desired = body("example.com/v1 Widget dev/w", &format!(r#"{{"spec":{{"items":{desired}}}}}"#));
        let found = simulate(Some(&of(live, fields)), &desired, &manager, &parse("example.com/v1"), None);
        assert_eq!(found.body().at(&["spec", "items"]), Some(&json(want)), "{fields}");
    }
}

#[test]
fn kinds_that_the_definition_brings_merge_by_their_schema_and_have_its_defaults() {
    let definition = Declared::new(
        "apiextensions.k8s.io/v1 CustomResourceDefinition gears.a.example.com",
        r#"{"spec":{"group":"a.example.com","names":{"kind":"Gear"},"versions":[{"name":"v1","schema":{
            "openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{
              "speed":{"type":"integer","default":1},
              "more":{"type":"object","additionalProperties":{"type":"object","properties":{
                "x":{"type":"string","default":"y"}}}},
              "hooks":{"type":"array","items":{"type":"object","properties":{
                "at":{"type":"string"},"by":{"type":"string","default":"hand"}}}},
              "ports":{"type":"array","x-kubernetes-list-type":"map",
                "x-kubernetes-list-map-keys":["name","protocol"],
                "items":{"type":"object","properties":{"name":{"type":"string"},"number":{"type":"integer"},
                  "protocol":{"type":"string","default":"TCP"}}}}}}}}}}]}}"#,
    );
    let schema = CustomSchema::of(definition.manifest(), "v1").unwrap();
    assert!(CustomSchema::of(definition.manifest(), "v2").is_none());
    let head = "a.example.com/v1 Gear dev/g";
    let live = r#"{"spec":{"speed":1,"hooks":[{"at":"a","by":"hand"}],
        "ports":[{"name":"web","number":80,"protocol":"TCP"}],"more":{"a":{"x":"y"}}}}"#;
    let simulated = |live: Option<&Object>, desired: &str| {
        let (desired, manager) = (body(head, desired), other_lineage().field_manager());
        let found = simulate(live, &desired, &manager, &parse("a.example.com/v1"), Some(&schema));
        found.body().at(&["spec"]).unwrap().clone()
    };
    let live = Object::new(body(head, live));
    for (desired, want) in [
        (
            r#"{"spec":{"hooks":[{"at":"a"}],"ports":[{"name":"web","number":80}],"more":{"a":{}}}}"#,
            r#"{"speed":1,"hooks":[{"at":"a","by":"hand"}],
                "ports":[{"name":"web","number":80,"protocol":"TCP"}],"more":{"a":{"x":"y"}}}"#,
        ),
        (
            r#"{"spec":{"speed":2,"hooks":[{"at":"a","by":"foot"},{}],"ports":[{"name":"web","protocol":"UDP"}]}}"#,
            r#"{"speed":2,"hooks":[{"at":"a","by":"foot"},{"by":"hand"}],"ports":[
                {"name":"web","number":80,"protocol":"TCP"},{"name":"web","protocol":"UDP"}],"more":{"a":{"x":"y"}}}"#,
        ),
    ] {
        assert_eq!(simulated(Some(&live), desired), json(want), "{desired}");
    }
    assert_eq!(simulated(None, r#"{"spec":{"hooks":[{}]}}"#), json(r#"{"hooks":[{}]}"#), "as it is written");
}
