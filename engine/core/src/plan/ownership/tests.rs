use super::*;
use crate::field_path::{KeyFields, PathElement};
use crate::plan::fixtures::*;

/// A live deployment that several managers have written.
fn live() -> Object {
    Object::new(json(
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web",
            "labels":{"app.kubernetes.io/name":"web"},"annotations":{"revision":"2"},
            "managedFields":[
              {"manager":"kubectl-edit","operation":"Update","apiVersion":"apps/v1",
               "time":"2026-01-02T03:04:05Z",
               "fieldsV1":{"f:spec":{"f:paused":{},"f:minReadySeconds":{}},
                           "f:metadata":{"f:labels":{"f:app.kubernetes.io/name":{}}}}},
              {"manager":"argocd","operation":"Apply","apiVersion":"apps/v1",
               "fieldsV1":{"f:spec":{"f:template":{"f:spec":{"f:containers":{
                 "k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:image":{}}}}}}}},
              {"manager":"kube-controller-manager","operation":"Update","apiVersion":"apps/v1",
               "subresource":"status","fieldsV1":{"f:metadata":{"f:annotations":{"f:revision":{}}}}},
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
    let text = text.replace(r#""revision":"2""#, r#""revision":"1""#);
    Object::new(json(&text.replace(r#"kubernetes.io/name":"web""#, r#"kubernetes.io/name":"ours""#)))
}

const IMAGE: &str = r#".spec.template.spec.containers[name="app"].image"#;

/// What is declared: the fields that conflict.
fn declared() -> Declared {
    Declared::new(
        "apps/v1 Deployment dev/web",
        r#"{"metadata":{"labels":{"app.kubernetes.io/name":"ours"}},
            "spec":{"replicas":1,"paused":false,"minReadySeconds":0,
              "template":{"spec":{"containers":[{"name":"app","image":"x:2"}]}}}}"#,
    )
}

/// Judges conflicts of the live object under a lifecycle.
fn judge(conflicts: &[Conflict], lifecycle: &Lifecycle, ours: bool) -> Vec<FieldConflict> {
    let (declared, live, manager) = (declared(), live(), other_lineage().field_manager());
    let manifest = declared.manifest();
    let contested = Contested { manifest, lifecycle, manager: &manager, live: Some(&live), ours };
    contested.judge(conflicts, &forced())
}

#[test]
fn conflicts_are_judged_by_who_wrote_and_how() {
    let scale = Some("scale");
    let controller = "kube-controller-manager";
    for (what, conflict, ours, want) in [
        ("an edit of ours is taken back", conflict("kubectl-edit", None, ".spec.paused"), true, "take"),
        ("an edit of another's stands", conflict("kubectl-edit", None, ".spec.paused"), false, "fail"),
        (
            "names with dots are not quoted",
            conflict("kubectl-edit", None, ".metadata.labels.app.kubernetes.io/name"),
            true,
            "take",
        ),
        ("another applier keeps its field", conflict("argocd", None, IMAGE), true, "fail"),
        ("on an object of another, too", conflict("argocd", None, IMAGE), false, "fail"),
        ("the autoscaler keeps the replicas", conflict(controller, scale, ".spec.replicas"), true, "yield"),
        ("but not on an object of another", conflict(controller, scale, ".spec.replicas"), false, "fail"),
        (
            "a controller keeps what it writes with the status",
            conflict(controller, Some("status"), ".metadata.annotations.revision"),
            true,
            "yield",
        ),
        (
            "a conflict that changes nothing",
            conflict("kubectl-edit", None, ".spec.minReadySeconds"),
            true,
            "take",
        ),
        ("stops nobody", conflict("kubectl-edit", None, ".spec.minReadySeconds"), false, "take"),
        ("a field that the manager does not list", conflict("kubectl-edit", None, ".spec.x"), true, "fail"),
        ("a manager that is not there", conflict("helm", None, ".spec.paused"), true, "fail"),
        ("unless nobody was listed", conflict("before-first-apply", None, ".spec.paused"), true, "take"),
        ("another subresource", conflict("kubectl-edit", scale, ".spec.paused"), true, "fail"),
    ] {
        let judged = judge(std::slice::from_ref(&conflict), &Lifecycle::default(), ours);
        assert_eq!(judged.len(), 1, "{what}");
        assert_eq!(judged[0].decision.as_str(), want, "{what}");
        assert!(judged[0].is(&conflict), "{what}: apply finds it again");
    }
}

#[test]
fn a_conflict_says_whose_the_field_is_and_both_values() {
    let conflicts = [
        conflict("kubectl-edit", None, ".spec.paused"),
        conflict("kube-controller-manager", Some("scale"), ".spec.replicas"),
        conflict("argocd", None, IMAGE),
        conflict("nobody", None, ".metadata.generateName"),
    ];
    let judged = judge(&conflicts, &Lifecycle::default(), true);
    let said = judged.iter().map(|it| {
        let (theirs, ours) = (shown(&it.theirs), shown(&it.ours));
        format!("{} {}: {theirs} -> {ours}, {}", it.path, it.holder(), it.decision.as_str())
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "metadata.generateName nobody: none -> none, fail",
            "spec.paused kubectl-edit, which updated it at 2026-01-02T03:04:05Z: true -> false, take",
            "spec.replicas kube-controller-manager, which updated it through scale: 5 -> 1, yield",
            r#"spec.template.spec.containers[name="app"].image argocd, which applied it: "x:1" -> "x:2", fail"#,
        ]
    );
}

#[test]
fn the_lifecycle_says_who_keeps_a_field() {
    use FieldPolicy::{Fail, Take, Yield};
    let at = |text: &str, element: PathElement| path(text).join(element);
    let image =
        |element| at("spec.template.spec.containers", element).join(PathElement::Field("image".into()));
    let (edited, applied) = (conflict("kubectl-edit", None, ".spec.paused"), conflict("argocd", None, IMAGE));
    let scaled = conflict("kube-controller-manager", Some("scale"), ".spec.replicas");
    for (what, policies, conflict, ours, want) in [
        ("an edit can stop", vec![(path("spec.paused"), Fail)], &edited, true, "fail"),
        ("or be left", vec![(path("spec.paused"), Yield)], &edited, true, "yield"),
        ("an applier can be overruled", vec![(path("spec.template"), Take)], &applied, true, "take"),
        ("by the item's name", vec![(image(PathElement::Field("app".into())), Take)], &applied, true, "take"),
        ("or place", vec![(image(PathElement::Index(0)), Take)], &applied, true, "take"),
        ("not at another place", vec![(image(PathElement::Index(1)), Take)], &applied, true, "fail"),
        ("nor of another name", vec![(image(PathElement::Field("x".into())), Take)], &applied, true, "fail"),
        ("an autoscaler, too", vec![(path("spec.replicas"), Take)], &scaled, true, "take"),
        (
            "the longest path counts",
            vec![(path("spec.paused"), Yield), (path("spec"), Fail), (path("metadata"), Take)],
            &edited,
            true,
            "yield",
        ),
        ("another field is as ever", vec![(path("spec.paus"), Fail)], &edited, true, "take"),
        ("objects of others stay theirs", vec![(path("spec"), Take)], &edited, false, "fail"),
    ] {
        let lifecycle = Lifecycle { conflicts: policies, ..Lifecycle::default() };
        let judged = judge(std::slice::from_ref(conflict), &lifecycle, ours);
        assert_eq!(judged[0].decision.as_str(), want, "{what}");
    }
}

#[test]
fn a_field_that_is_left_to_one_is_left_to_all() {
    let text = live().body().to_string();
    let shared = text.replace(r#""f:minReadySeconds":{}"#, r#""f:minReadySeconds":{},"f:replicas":{}"#);
    let (live, declared, manager) = (Object::new(json(&shared)), declared(), other_lineage().field_manager());
    let lifecycle = Lifecycle::default();
    let contested = Contested {
        manifest: declared.manifest(),
        lifecycle: &lifecycle,
        manager: &manager,
        live: Some(&live),
        ours: true,
    };
    let conflicts = [
        conflict("kubectl-edit", None, ".spec.replicas"),
        conflict("kube-controller-manager", Some("scale"), ".spec.replicas"),
        conflict("argocd", None, IMAGE),
    ];
    let mut terms = contested.terms();
    assert!(terms.meet(contested.judge(&conflicts, &forced())), "the request is made again");
    assert_eq!(terms.exceptions.yielded, [path("spec.replicas")]);
    assert_eq!(terms.conflicts.len(), 2, "the rest is met again: {:?}", terms.conflicts);
    assert!(!terms.meet(contested.judge(&conflicts[2..], &forced())));
    assert_eq!(terms.conflicts.len(), 3);
    assert!(!terms.meet(contested.judge(&conflicts[1..2], &forced())), "what cannot be left out ends it");
    assert!(
        terms.conflicts.iter().any(|it| it.decision == FieldPolicy::Fail && it.path == path("spec.replicas"))
    );
}

#[test]
fn without_a_known_object_every_conflict_stands() {
    let conflicts = [conflict("kubectl-edit", None, ".spec.paused")];
    let (declared, manager, lifecycle) = (declared(), other_lineage().field_manager(), Lifecycle::default());
    let manifest = declared.manifest();
    let contested = Contested { manifest, lifecycle: &lifecycle, manager: &manager, live: None, ours: false };
    let judged = contested.judge(&conflicts, &forced());
    assert_eq!(judged.iter().map(|it| it.decision).collect::<Vec<_>>(), [FieldPolicy::Fail]);
}

#[test]
fn fields_of_others_are_left_out_before_anybody_is_asked() {
    let containers = FieldPath::fields(["spec", "template", "spec", "containers"]);
    let key = PathElement::Key(KeyFields::new(json(r#"{"name":"app"}"#).as_map().unwrap()));
    let image = containers.join(key).join(PathElement::Field("image".into()));
    let (declared, manager) = (declared(), other_lineage().field_manager());
    let ignored = |path| Lifecycle { ignore_changes: vec![path], ..Lifecycle::default() };
    let yielded = |path| Lifecycle { conflicts: vec![(path, FieldPolicy::Yield)], ..Lifecycle::default() };
    for (lifecycle, with_live, want) in [
        (ignored(path("spec.paused")), true, "yielded spec.paused"),
        (ignored(path("spec.replicas")), true, "yielded spec.replicas"),
        (ignored(image), true, r#"yielded spec.template.spec.containers[name="app"].image"#),
        (ignored(path("spec.template")), true, "yielded spec.template"),
        (ignored(path("metadata.name")), true, r#"kept metadata.name "web""#),
        (ignored(path("spec.revisionHistoryLimit")), true, "yielded spec.revisionHistoryLimit"),
        (ignored(path("spec.paused")), false, ""),
        (yielded(path("spec.replicas")), true, "yielded spec.replicas, over spec.replicas"),
        (yielded(path("spec.minReadySeconds")), true, "yielded spec.minReadySeconds"),
        (yielded(path("spec.revisionHistoryLimit")), true, ""),
        (
            yielded(path("spec.template")),
            true, // the item keeps its name
            r#"yielded spec.template.spec.containers[name="app"].image, over spec.template.spec.containers[name="app"].image"#,
        ),
        (yielded(path("spec.replicas")), false, ""),
    ] {
        let live = with_live.then(live);
        let manifest = declared.manifest();
        let contested =
            Contested { manifest, lifecycle: &lifecycle, manager: &manager, live: live.as_ref(), ours: true };
        let Terms { exceptions, conflicts } = contested.terms();
        let yielded = exceptions.yielded.iter().map(|path| format!("yielded {path}"));
        let kept = exceptions.kept.iter().map(|(path, value)| format!("kept {path} {value}"));
        let over = conflicts.iter().map(|it| format!("over {}", it.path));
        assert_eq!(yielded.chain(kept).chain(over).collect::<Vec<_>>().join(", "), want);
    }
}

#[test]
fn secrets_stay_out_of_conflicts() {
    let env = r#"[{"name":"CANARY-1","value":"CANARY-2"}]"#;
    let object = |env: &str| {
        format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"app","env":{env}}}]}}}}}}}}"#)
    };
    let declared = Declared::new("apps/v1 Deployment dev/web", &object(env))
        .sensitive("spec.template.spec.containers.env");
    let mut live = body("apps/v1 Deployment dev/web", &object(&env.replace("-2", "-3")));
    let owned = r#"[{"manager":"argocd","operation":"Apply","apiVersion":"apps/v1","fieldsV1":{"f:spec":{"f:template":
        {"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{"f:env":{"k:{\"name\":\"CANARY-1\"}":{"f:value":{}}}}}}}}}}]"#;
    live.set_at(&["metadata", "managedFields"], json(owned));
    let (live, forced) = (Object::new(live), Object::new(declared.manifest().body().clone()));
    let (manager, lifecycle) = (other_lineage().field_manager(), Lifecycle::default());
    let manifest = declared.manifest();
    let contested =
        Contested { manifest, lifecycle: &lifecycle, manager: &manager, live: Some(&live), ours: true };
    let met =
        conflict("argocd", None, r#".spec.template.spec.containers[name="app"].env[name="CANARY-1"].value"#);
    let judged = contested.judge(std::slice::from_ref(&met), &forced);
    assert!(!format!("{judged:?}").contains("CANARY"), "{judged:?}");
    assert_eq!(judged[0].theirs, Shown::Sensitive { changed: true });
    assert!(judged[0].is(&met) && judged[0].differs());
}

#[test]
fn what_was_only_computed_meets_the_same_managers() {
    let (declared, live, manager) = (declared(), live(), other_lineage().field_manager());
    let lifecycle = Lifecycle::default();
    let contested = |manifest| Contested {
        manifest,
        lifecycle: &lifecycle,
        manager: &manager,
        live: Some(&live),
        ours: true,
    };
    let said = |found: Vec<FieldConflict>| {
        found.iter().map(|it| format!("{} {}", it.decision.as_str(), it.path)).collect::<Vec<_>>()
    };
    let labels = r#"take metadata.labels["app.kubernetes.io/name"]"#;
    let revision = "yield metadata.annotations.revision";
    let image = r#"fail spec.template.spec.containers[name="app"].image"#;
    assert_eq!(
        said(contested(declared.manifest()).foresee(&forced())),
        [revision, labels, "take spec.paused", "yield spec.replicas", image]
    );
    let unknown = declared.clone().hole("spec.paused").hole("spec.template");
    let found = contested(unknown.manifest()).foresee(&forced());
    assert_eq!(found[2].ours, Shown::Unknown);
    assert_eq!(
        said(found),
        [revision, labels, "take spec.paused", "yield spec.replicas"],
        "it may turn out the same"
    );
    assert_eq!(said(contested(declared.manifest()).foresee(&live)), [""; 0]);
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
