use super::*;
use crate::field_path::{KeyFields, PathElement};
use crate::plan::fixtures::*;
use crate::value::Text;

/// A live deployment that several managers have written.
fn live() -> Object {
    Object::new(json(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web",
            "labels":{"app.kubernetes.io/name":"web"},
            "managedFields":[
              {"manager":"kubectl-edit","operation":"Update","apiVersion":"apps/v1",
               "fieldsV1":{"f:spec":{"f:paused":{},"f:minReadySeconds":{}},
                           "f:metadata":{"f:labels":{"f:app.kubernetes.io/name":{}}}}},
              {"manager":"argocd","operation":"Apply","apiVersion":"apps/v1",
               "fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{
                 "k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:image":{}}}}}}}},
              {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1",
               "subresource":"scale","fieldsV1":{"f:spec":{"f:replicas":{}}}}]},
            "spec":{"paused":true,"minReadySeconds":0,"replicas":5,
              "template":{"spec":{"containers":[{"name":"app","image":"x:1"}]}}}}"#,
    ))
}

fn conflict(manager: &str, subresource: Option<&str>, field: &str) -> Conflict {
    Conflict { manager: manager.into(), subresource: subresource.map(Text::from), field: field.into() }
}

/// The live object after force, all conflicting fields changed but `minReadySeconds`.
fn forced() -> Object {
    let text = live().body().to_string();
    let text = text.replace(r#""paused":true"#, r#""paused":false"#).replace("x:1", "x:2");
    let text = text.replace(r#""replicas":5"#, r#""replicas":1"#);
    Object::new(json(&text.replace(r#"kubernetes.io/name":"web""#, r#"kubernetes.io/name":"ours""#)))
}

const IMAGE: &str = r#".spec.template.spec.containers[name="app"].image"#;

#[test]
fn conflicts_are_judged_by_who_wrote_and_how() {
    let scale = Some("scale");
    let controller = "kube-controller-manager";
    for (what, conflict, ours, want) in [
        ("an edit of ours is taken back", conflict("kubectl-edit", None, ".spec.paused"), true, "force"),
        ("an edit of another's stands", conflict("kubectl-edit", None, ".spec.paused"), false, "fatal"),
        (
            "names with dots are not quoted",
            conflict("kubectl-edit", None, ".metadata.labels.app.kubernetes.io/name"),
            true,
            "force",
        ),
        ("another applier keeps its field", conflict("argocd", None, IMAGE), true, "fatal"),
        ("on an object of another, too", conflict("argocd", None, IMAGE), false, "fatal"),
        ("the autoscaler keeps the replicas", conflict(controller, scale, ".spec.replicas"), true, "yield"),
        ("but not on an object of another", conflict(controller, scale, ".spec.replicas"), false, "fatal"),
        (
            "a conflict that changes nothing",
            conflict("kubectl-edit", None, ".spec.minReadySeconds"),
            true,
            "force",
        ),
        ("stops nobody", conflict("kubectl-edit", None, ".spec.minReadySeconds"), false, "force"),
        ("a field that the manager does not list", conflict("kubectl-edit", None, ".spec.x"), true, "fatal"),
        ("a manager that is not there", conflict("helm", None, ".spec.paused"), true, "fatal"),
        ("another subresource", conflict("kubectl-edit", scale, ".spec.paused"), true, "fatal"),
    ] {
        let judgement = judge(std::slice::from_ref(&conflict), Some(&live()), Some(&forced()), ours);
        let found = match (judgement.yielded.len(), judgement.fatal.as_slice()) {
            (1, []) => "yield",
            (0, [fatal]) if *fatal == conflict => "fatal",
            (0, []) => "force",
            _ => "both",
        };
        assert_eq!(found, want, "{what}");
    }
}

#[test]
fn several_conflicts_are_judged_one_by_one() {
    let conflicts = [
        conflict("kubectl-edit", None, ".spec.paused"),
        conflict("kube-controller-manager", Some("scale"), ".spec.replicas"),
        conflict("argocd", None, IMAGE),
    ];
    let judgement = judge(&conflicts, Some(&live()), Some(&forced()), true);
    assert_eq!(judgement.yielded, [path("spec.replicas")]);
    assert_eq!(judgement.fatal, [conflicts[2].clone()]);
    assert!(judgement.force);
}

#[test]
fn without_a_known_object_every_conflict_stands() {
    let conflicts = [conflict("kubectl-edit", None, ".spec.paused")];
    assert_eq!(judge(&conflicts, None, None, false).fatal, conflicts);
}

#[test]
fn ignored_fields_are_left_to_their_manager_or_keep_their_live_value() {
    let containers = FieldPath::fields(["spec", "template", "spec", "containers"]);
    let key = PathElement::Key(KeyFields::new(json(r#"{"name":"app"}"#).as_map().unwrap()));
    let image = containers.join(key).join(PathElement::Field("image".into()));
    let manager = other_lineage().field_manager();
    for (ignored, with_live, want) in [
        (path("spec.paused"), true, "yielded spec.paused"),
        (path("spec.replicas"), true, "yielded spec.replicas"),
        (image, true, r#"yielded spec.template.spec.containers[name="app"].image"#),
        (path("spec.template"), true, "yielded spec.template"),
        (path("metadata.name"), true, r#"kept metadata.name "web""#),
        (path("spec.revisionHistoryLimit"), true, "yielded spec.revisionHistoryLimit"),
        (path("spec.paused"), false, ""),
    ] {
        let lifecycle = Lifecycle { ignore_changes: vec![ignored], ..Lifecycle::default() };
        let live = with_live.then(live);
        let exceptions = Exceptions::of_lifecycle(&lifecycle, live.as_ref(), &manager);
        let yielded = exceptions.yielded.iter().map(|path| format!("yielded {path}"));
        let kept = exceptions.kept.iter().map(|(path, value)| format!("kept {path} {value}"));
        assert_eq!(yielded.chain(kept).collect::<Vec<_>>().join(", "), want);
    }
}

#[test]
fn what_is_sent_leaves_out_yielded_fields_and_repeats_kept_ones() {
    let declared = Declared::new(
        "apps/v1 Deployment dev/web",
        r#"{"spec":{"replicas":1,"paused":false,"minReadySeconds":3}}"#,
    );
    let mark = OwnershipMark {
        environment: parse("demo"),
        lineage: other_lineage(),
        address: parse("manifest.web"),
    };
    let exceptions = Exceptions {
        yielded: vec![path("spec.replicas"), path("spec.absent")],
        kept: vec![(path("spec.paused"), Value::from(true)), (path("spec.kept"), Value::from("live"))],
    };
    let sent = exceptions.body(declared.manifest(), &mark);
    assert_eq!(sent.at(&["spec"]), Some(&json(r#"{"kept":"live","minReadySeconds":3,"paused":true}"#)));
    assert_eq!(OwnershipMark::read_from(&sent), Some(mark));
}

#[test]
fn kept_values_are_not_printed() {
    let exceptions = Exceptions { yielded: Vec::new(), kept: vec![(path("data.k"), "canary".into())] };
    let printed = format!("{exceptions:?}");
    assert!(printed.contains("data.k") && !printed.contains("canary"), "{printed}");
}
