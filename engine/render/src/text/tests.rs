use engine_core::diagnostic::{Code, Diagnostic};
use engine_core::field_path::{KeyFields, PathElement};
use engine_core::object::Operation;
use engine_core::object_ref::GroupKind;
use engine_core::plan::{Exceptions, FieldConflict, OutputChange, Shown};
use engine_core::resource::FieldPolicy;
use engine_core::value::Value;
use proptest::prelude::*;

use super::*;
use crate::samples::{
    address, change, conflict, contest, drifted, field, mixed, plan, shown, uid, update, value,
};
use crate::style::Colour;

fn text(plan: &Plan) -> String {
    plan_text(plan, Style::PLAIN)
}

/// Without the line of the digest, which says nothing to a reader of this file.
fn body(plan: &Plan) -> String {
    let text = text(plan);
    let lines = text.lines().filter(|line| !line.starts_with("Decision: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_reads_from_drift_to_counts() {
    insta::assert_snapshot!(body(&mixed()), @r#"
    Changed outside of Terrane:

      ~ Deployment.apps/dev/web
          spec.replicas: 5, set by kubectl-edit at 2026-01-02T03:04:05Z

    Terrane will make these changes, in this order:

      + ConfigMap/dev/settings will be created  (app.x.manifest.settings)
          + apiVersion: "v1"
          + data:
            + level: "1"
            + mode: "fast"
          + metadata.labels.team: "tasks"

      ~ Deployment.apps/dev/web will be changed  (app.x.manifest.web)
          ~ spec.replicas: 5 -> 3
          ~ spec.template.spec.containers.image: "app:v1" -> "app:v2"
            restarts its pods

    -/+ Job.batch/dev/migrate will be deleted and created again: a field cannot be changed in place  (app.x.manifest.migrate)
          ~ spec.completions: 1 -> 2

      ~ Secret/dev/token will be changed  (app.x.manifest.token)
          ~ data.password: (sensitive value, changed)

      - Role.rbac.authorization.k8s.io/dev/old will be deleted: it is no longer declared  (app.x.manifest.old)

    Plan: 2 to create, 2 to change, 2 to delete; 1 unchanged.
    "#);
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let script = |first: &str, last: &str| {
        let steps: String = (1..=20).map(|step| format!("migrate {step}\n")).collect();
        Shown::Value(Value::string(format!("{first}\n{steps}{last}\n")))
    };
    let mut start = field("data", "", "");
    start.path.push(PathElement::Field("start.sh".into()));
    (start.before, start.after) = (script("set -e", "exec app"), script("set -eu", "exec app --quiet"));
    let mut image = field("spec.template.spec.containers", r#""app:v1""#, r#""app:v2""#);
    let name = value(r#"{"name":"web"}"#);
    image.path.push(PathElement::Key(KeyFields::new(name.as_map().unwrap())));
    image.path.push(PathElement::Field("image".into()));
    let fields = vec![drifted("spec.replicas", "5", "3"), image];
    let mut web = change("Deployment.apps/dev/web", update(), Reason::Changed, fields);
    web.restarts = vec![web.object_ref.clone()];
    let flags = field("data", "", r#"{"level":"debug","mode":"fast"}"#);
    let mut plan = plan(vec![
        change("ConfigMap/dev/flags", Action::Create, Reason::New, vec![flags]),
        change("ConfigMap/dev/scripts", update(), Reason::Changed, vec![start]),
        web,
        change("Namespace/dev", Action::NoOp, Reason::Settled, vec![]),
    ]);
    let (before, after) = (shown(r#""info""#), shown(r#""debug""#));
    plan.outputs.push(OutputChange { name: "level".into(), before, after });
    let taken = conflict("spec.replicas", "5", "3", FieldPolicy::Take);
    contest(&mut plan, "Deployment.apps/dev/web", vec![taken]);
    let printed = body(&plan);
    assert!(include_str!("../../../docs/plan.md").contains(&printed), "it prints:\n{printed}");
}

#[test]
fn nothing_to_do_is_one_sentence_and_a_digest() {
    let plan = plan(vec![change("Namespace/dev", Action::NoOp, Reason::Settled, vec![])]);
    let digest = plan.decision_digest();
    assert_eq!(
        text(&plan),
        format!("No changes. The environment matches its definition.\nDecision: {digest}\n")
    );
}

#[test]
fn what_could_not_be_seen_is_said() {
    let mut plan = plan(vec![]);
    plan.unobserved.insert(ClusterRef::new("main"), vec!["Role.rbac.authorization.k8s.io: forbidden".into()]);
    insta::assert_snapshot!(body(&plan), @r"
    Not observed, so this plan is incomplete:

      cluster main: Role.rbac.authorization.k8s.io: forbidden

    No changes in what could be observed.
    ");
}

#[test]
fn errors_withhold_the_digest() {
    let mut plan = plan(vec![]);
    plan.diagnostics.push(Diagnostic::error(Code(601), "conflict on Deployment.apps/dev/web"));
    insta::assert_snapshot!(text(&plan), @r"
    error[TRN0601]: conflict on Deployment.apps/dev/web

    1 error

    No changes could be planned.
    This plan has errors and cannot be applied.
    ");
}

/// One change of each of the less common kinds, and conflicts of each kind.
fn less_common() -> Plan {
    let mut moved = change(
        "ConfigMap/a",
        Action::Move { uid: uid(), exceptions: Exceptions::default() },
        Reason::Moved,
        vec![],
    );
    moved.moved_from = Some(address("app.old.manifest.a"));
    moved.tier = Tier::Client;
    let mut emptied = change("Namespace/n", Action::Delete { uid: uid() }, Reason::Removed, vec![]);
    let owned = [("Job", 1), ("Widget", 2), ("NetworkPolicy", 3), ("Ingress", 2), ("Gateway", 2)];
    emptied.takes_along = owned.map(|(kind, count)| (GroupKind::new("", kind), count)).into();
    let mut elsewhere = change("ConfigMap/dev/read", Action::Read, Reason::Deferred, vec![]);
    elsewhere.object_ref.cluster = ClusterRef::new("edge");
    let taken = Action::Update {
        uid: uid(),
        exceptions: Exceptions {
            yielded: vec![field("spec.replicas", "", "").path],
            kept: vec![(field("spec.paused", "", "").path, true.into())],
        },
    };
    let imported = Action::Import { uid: uid(), exceptions: Exceptions::default() };
    let mut plan = plan(vec![
        moved,
        emptied,
        change("ConfigMap/b", Action::Release { uid: uid() }, Reason::Removed, vec![]),
        change("ConfigMap/e", imported, Reason::New, vec![field("data.x", "1", "2")]),
        change("Job.batch/dev/f", Action::Replace { uid: uid() }, Reason::Triggered, vec![]),
        change("ConfigMap/d", Action::Adopt { uid: uid() }, Reason::New, vec![]),
        change("ConfigMap/c", Action::Create, Reason::Missing, vec![]),
        change("HorizontalPodAutoscaler.autoscaling/dev/web", taken, Reason::Ownership, vec![]),
        elsewhere,
        change("Service/dev/web", Action::NoOp, Reason::Settled, vec![]),
    ]);
    let applied = |path, theirs, ours, decision| FieldConflict {
        manager: "argocd".into(),
        operation: Some(Operation::Apply),
        time: None,
        ..conflict(path, theirs, ours, decision)
    };
    let scaled = FieldConflict {
        subresource: Some("scale".into()),
        ..conflict("spec.replicas", "5", "3", FieldPolicy::Yield)
    };
    let text = r#""a\nb\n""#;
    contest(&mut plan, "ConfigMap/e", vec![conflict("data.x", "1", "2", FieldPolicy::Take)]);
    contest(
        &mut plan,
        "HorizontalPodAutoscaler.autoscaling/dev/web",
        vec![applied("spec.max", "1", "1", FieldPolicy::Take), scaled.clone()],
    );
    contest(
        &mut plan,
        "Service/dev/web",
        vec![
            applied("spec.text", text, "", FieldPolicy::Yield),
            applied("spec.token", "*!", "*!", FieldPolicy::Yield),
        ],
    );
    plan
}

#[test]
fn the_less_common_actions_say_what_they_are() {
    insta::assert_snapshot!(body(&less_common()), @r#"
    Changed outside of Terrane:

      - ConfigMap/c on main is gone

    Left to other field managers:

      = Service/dev/web on main
          leaves spec.text to argocd, which applied it: (text of 2 lines) there, (absent) here
          leaves spec.token to argocd, which applied it: (sensitive value, changed)

    Terrane will make these changes, in this order:

    On cluster main:

     -> ConfigMap/a will move to another address (predicted without the server)  (app.x.manifest.a)
            moved from app.old.manifest.a

      - Namespace/n will be deleted: it is no longer declared  (app.x.manifest.n)
            takes along what others own: 2 Gateways, 2 Ingresses, 1 Job, 3 NetworkPolicies, 2 Widgets

      . ConfigMap/b will leave the state and stay on the cluster  (app.x.manifest.b)

      ~ ConfigMap/e exists and will be imported  (app.x.manifest.e)
          ~ data.x: 1 -> 2
            takes data.x from kubectl-edit, which updated it at 2026-01-02T03:04:05Z

    -/+ Job.batch/dev/f will be deleted and created again: what replaces it changes  (app.x.manifest.f)

      ~ ConfigMap/d is nobody's and will be adopted  (app.x.manifest.d)

      + ConfigMap/c is gone and will be created again  (app.x.manifest.c)

      ~ HorizontalPodAutoscaler.autoscaling/dev/web will be changed: only who owns its fields  (app.x.manifest.web)
            takes spec.max from argocd, which applied it: 1 on both sides
            leaves spec.replicas to kubectl-edit, which updated it through scale at 2026-01-02T03:04:05Z: 5 there, 3 here
            keeps spec.paused as it is

    On cluster edge:

     <= ConfigMap/dev/read will be read at apply  (app.x.manifest.read)

    Plan: 2 to create, 4 to change, 2 to delete, 1 to forget, 1 to read; 1 unchanged.
    "#);
}

#[test]
fn outputs_are_drawn_as_fields() {
    let mut plan = plan(vec![]);
    for (name, before, after) in [
        ("url", r#""a""#, "?"),
        ("key", "", "*"),
        ("urls", r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#),
        ("old", r#"["x","y"]"#, ""),
    ] {
        let (before, after) = (shown(before), shown(after));
        plan.outputs.push(OutputChange { name: name.into(), before, after });
    }
    insta::assert_snapshot!(body(&plan).split("\n\n").nth(1).unwrap(), @r#"
      ~ url: "a" -> (known after apply)
      + key: (sensitive value)
      ~ urls:
          a: 1
        - b: 2
        + b: 3
      - old:
        - - "x"
        - - "y"
    "#);
}

#[test]
fn long_values_are_cut_around_what_changes() {
    let long = "x".repeat(200);
    let fields = vec![field("data.key", &format!("\"{long}1\""), &format!("\"{long}2\""))];
    let plan = plan(vec![change("ConfigMap/dev/a", update(), Reason::Changed, fields)]);
    let text = plan_text(&plan, Style { colour: Colour::Off, width: 40 });
    insta::assert_snapshot!(text.lines().skip(4).take(3).collect::<Vec<_>>().join("\n"), @r#"
    ~ data.key:
      - …xxxxxxxxxxxxxxxxxxxxxxxxxxx1"
      + …xxxxxxxxxxxxxxxxxxxxxxxxxxx2"
    "#);
}

/// Names of clusters and objects in the order in which they are printed.
fn heads(clusters: &[(&str, &str)]) -> String {
    let changes = clusters.iter().map(|(cluster, key)| {
        let mut one = change(key, Action::Create, Reason::New, vec![]);
        one.object_ref.cluster = ClusterRef::new(*cluster);
        one
    });
    let text = body(&plan(changes.collect()));
    let lines = text.lines().filter(|line| line.contains(" on ") || line.starts_with("On "));
    lines.map(|line| line.replace(" will be created", "")).collect::<Vec<_>>().join("\n")
}

#[test]
fn clusters_that_come_one_after_the_other_have_headings() {
    insta::assert_snapshot!(heads(&[("a", "Namespace/x"), ("a", "Namespace/y"), ("b", "Namespace/x")]), @r"
    On cluster a:
    On cluster b:
    ");
}

#[test]
fn clusters_that_alternate_stand_with_each_name() {
    insta::assert_snapshot!(heads(&[("a", "Namespace/x"), ("b", "Namespace/x"), ("a", "Namespace/y")]), @r"
    + Namespace/x on a  (app.x.manifest.x)
    + Namespace/x on b  (app.x.manifest.x)
    + Namespace/y on a  (app.x.manifest.y)
    ");
}

#[test]
fn heads_are_broken_between_their_parts() {
    let keys = ["ConfigMap/dev/a", "ConfigMap/development/a", "Namespace/very-long-name"];
    let one = |key| change(key, Action::Create, Reason::New, vec![]);
    let text = plan_text(&plan(keys.map(one).into()), Style { colour: Colour::Off, width: 40 });
    insta::assert_snapshot!(text.lines().skip(2).take(9).collect::<Vec<_>>().join("\n"), @r"
    + ConfigMap/dev/a will be created
        (app.x.manifest.a)

    + ConfigMap/development/a
        will be created
        (app.x.manifest.a)

    + Namespace/very-long-name
        will be created
    ");
}

#[test]
fn what_drifted_in_a_text_is_left_to_the_change() {
    let text = drifted("data.script", r#""a\nb\n""#, r#""a\n""#);
    let text = body(&plan(vec![change("ConfigMap/dev/a", update(), Reason::Drift, vec![text])]));
    assert!(text.contains("data.script: (text of 2 lines), set by kubectl-edit"), "{text}");
}

#[test]
fn colour_is_never_the_only_signal() {
    let coloured = plan_text(&mixed(), Style { colour: Colour::On, width: 0 });
    assert!(coloured.contains("\x1b[32m+\x1b[0m"));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), text(&mixed()));
}

proptest! {
    #[test]
    fn hostile_text_stays_text(name in any::<String>(), value in any::<String>(), width in 0usize..200) {
        let mut one = change("ConfigMap/dev/a", update(), Reason::Drift, vec![]);
        one.object_ref.name = name.as_str().into();
        let mut field = field("data", r#""x""#, "");
        field.path.push(PathElement::Field(name.into()));
        field.after = Shown::Value(Value::string(value));
        one.fields = vec![field];
        let text = plan_text(&plan(vec![one]), Style { colour: Colour::Off, width });
        prop_assert!(!text.chars().any(|char| char != '\n' && crate::escape::is_hidden(char)));
        let counts = text.lines().filter(|line| line.starts_with("Plan: ")).count();
        prop_assert_eq!(counts, 1);
    }
}
