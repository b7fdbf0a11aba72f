use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

/// Defines widgets whose spec has a schema.
fn definition(spec: &str) -> Declared {
    let schema = format!(r#"{{"openAPIV3Schema":{{"type":"object","properties":{{"spec":{spec}}}}}}}"#);
    let version = format!(r#"{{"name":"v1","served":true,"storage":true,"schema":{schema}}}"#);
    let names = r#"{"kind":"Widget","plural":"widgets"}"#;
    let spec =
        format!(r#"{{"group":"example.com","scope":"Namespaced","names":{names},"versions":[{version}]}}"#);
    let body = format!(r#"{{"spec":{spec}}}"#);
    Declared::new("apiextensions.k8s.io/v1 CustomResourceDefinition widgets.example.com", &body)
}

fn widget(spec: &str) -> Declared {
    with_spec("example.com/v1 Widget", "a", spec)
}

const SIZE: &str = r#"{"type":"object","properties":{"size":{"type":"integer","maximum":3}},
    "x-kubernetes-validations":[{"rule":"!has(self.size) || self.size != 2","message":"two is no size"}]}"#;

#[test]
fn what_the_plan_brings_must_fit_the_kind_that_it_brings() {
    let schema = "error TRN0822: Widget.example.com/dev/a breaks the schema of \
                  CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com: ";
    let rules = "warning TRN0823: Widget.example.com/dev/a breaks the rules of \
                 CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com: ";
    for (spec, want) in [
        (r#"{"size":3}"#, None),
        (
            r#"{"size":4}"#,
            Some(format!(
                "{schema}spec.size: Invalid value: 4: spec.size in body should be less than or equal to 3"
            )),
        ),
        (r#"{"sizes":3}"#, Some(format!("{schema}spec.sizes: Invalid value: field not declared in schema"))),
        (r#"{"size":2}"#, Some(format!("{rules}spec: Invalid value: two is no size"))),
    ] {
        assert_eq!(first_plan([definition(SIZE), widget(spec)]), Vec::from_iter(want.clone()), "{spec}");
        let offline = faults(&World::new([definition(SIZE), widget(spec)]).plan_offline());
        assert_eq!(offline, Vec::from_iter(want), "{spec} offline");
    }
}

#[test]
fn what_is_not_known_is_not_judged() {
    let held = [
        widget(r#"{"size":4}"#).hole("spec.size"),
        widget(r#"{"size":4}"#).hole("spec.other"),
        with_spec("example.com/v2 Widget", "a", r#"{"size":4}"#),
        with_spec("example.com/v1 Gadget", "a", r#"{"size":4}"#),
    ];
    for declared in held {
        let found = first_plan([definition(SIZE), declared.clone()]);
        assert_eq!(found, [""; 0], "{declared:?}");
    }
}

#[test]
fn what_stays_as_it_is_is_not_judged() {
    let any = r#"{"type":"object","x-kubernetes-preserve-unknown-fields":true}"#;
    let mut world = World::applied([definition(any), widget(r#"{"size":4}"#)]);
    world.declare([definition(SIZE), widget(r#"{"size":4}"#)]);
    assert_eq!(findings(&world), [""; 0]);
    world.declare([definition(SIZE), widget(r#"{"size":5}"#)]);
    assert_eq!(findings(&world).len(), 1, "the kind becomes stricter in the same plan");
    world.declare([definition(any), widget(r#"{"size":5}"#)]);
    assert_eq!(findings(&world), [""; 0], "of a kind that stays the server is asked");
}

#[test]
fn sensitive_values_are_not_told() {
    let secret = widget(r#"{"size":"hunter2-hunter2"}"#).sensitive("spec.size");
    let schema = r#"{"type":"object","properties":{"size":{"type":"string","maxLength":3,"enum":["a"]}}}"#;
    let found = first_plan([definition(schema), secret]);
    assert!(found[0].contains("TRN0822") && !found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn a_part_with_an_object_that_its_kind_refuses_is_refused() {
    let (kind, wrong) = (definition(SIZE), widget(r#"{"size":4}"#).after("manifest.widgets-example-com"));
    let beside = Declared::new("v1 ConfigMap dev/beside", "{}");
    let mut world = World::new([kind.clone(), wrong.clone(), beside.clone()]);
    world.whole = Some(world.graph());
    world.declare([kind, wrong]);
    assert!(world.plan().diagnostics.has_errors());
    world.declare([beside]);
    assert!(!world.plan().diagnostics.has_errors());
}
