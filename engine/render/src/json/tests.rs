use serde_json::Value;

use crate::samples::{change, field, mixed, plan, update};
use crate::{RunEvent, event_json, plan_json};
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics};
use engine_core::plan::Reason;
use engine_core::plan::outcome::{Outcome, Report};
use engine_core::rollout::Gate;

#[test]
fn the_plan_has_a_stable_shape() {
    let mut json: Value = serde_json::from_str(&plan_json(&mixed())).unwrap();
    json["decision_digest"] = "…".into();
    let changes = json["resource_changes"].take();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "decision_digest": "…",
      "diagnostics": [],
      "environment": "demo",
      "errored": false,
      "format_version": "1.0",
      "has_changes": true,
      "lineage": "07070707070707070707070707070707",
      "output_changes": {},
      "resource_changes": null,
      "serial": 12,
      "summary": {
        "create": 2,
        "delete": 2,
        "forget": 0,
        "read": 0,
        "unchanged": 1,
        "update": 2
      },
      "unobserved": {}
    }
    "#);
    assert_eq!(changes.as_array().unwrap().len(), 5);
}

#[test]
fn a_change_has_all_that_the_text_shows() {
    let json: Value = serde_json::from_str(&plan_json(&mixed())).unwrap();
    let change = &json["resource_changes"][1];
    insta::assert_snapshot!(serde_json::to_string_pretty(change).unwrap(), @r#"
    {
      "action": "update",
      "address": "app.x.manifest.web",
      "change": {
        "actions": [
          "update"
        ]
      },
      "cluster": "main",
      "fields": [
        {
          "after": 3,
          "before": 5,
          "drift": {
            "manager": "kubectl-edit",
            "time": "2026-01-02T03:04:05Z"
          },
          "path": "spec.replicas",
          "sensitive": false,
          "unknown": false
        },
        {
          "after": "app:v2",
          "before": "app:v1",
          "path": "spec.template.spec.containers.image",
          "sensitive": false,
          "unknown": false
        }
      ],
      "force": false,
      "group": "apps",
      "kind": "Deployment",
      "name": "web",
      "namespace": "dev",
      "reason": "changed",
      "restarts": [
        "Deployment.apps/dev/web"
      ],
      "tier": "server"
    }
    "#);
}

#[test]
fn secrets_are_marked_and_not_shown() {
    let json: Value = serde_json::from_str(&plan_json(&mixed())).unwrap();
    let field = &json["resource_changes"][3]["fields"][0];
    assert_eq!(field["sensitive"], true);
    assert!(field.get("before").is_none() && field.get("after").is_none());
}

#[test]
fn hidden_characters_survive_as_escapes() {
    let hostile = "\u{9b}2J\u{202e}\u{e0041}\u{7f}\"\\";
    let mut field = field("data.x", "", "");
    field.after = engine_core::plan::Shown::Value(engine_core::value::Value::string(hostile));
    let text = plan_json(&plan(vec![change("ConfigMap/dev/a", update(), Reason::Changed, vec![field])]));
    assert!(!text.chars().any(crate::escape::is_hidden));
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["resource_changes"][0]["fields"][0]["after"], hostile);
}

#[test]
fn a_report_has_what_checks_say() {
    let report = Report::default();
    let plan = mixed();
    let finished =
        |found: &Diagnostics| event_json(RunEvent::Finished(&plan, &report, found), "2026-01-02T03:04:05Z");
    let plain = finished(&Diagnostics::default());
    assert!(!plain.contains("diagnostics"), "{plain}");
    let failed = Diagnostics::from(Diagnostic::warning(Code(184), "check.bundle failed: too short"));
    let said = finished(&failed);
    assert!(
        said.contains(r#""severity":"warning","code":"TRN0184","summary":"check.bundle failed: too short""#),
        "{said}"
    );
}

#[test]
fn each_event_of_a_run_is_a_line_with_its_type() {
    let plan = mixed();
    let change = &plan.changes[0];
    let gate = Gate {
        rollout: "all".into(),
        wave: "prod".into(),
        clusters: Vec::new(),
        soak: None,
        checks: Vec::new(),
        approval: false,
    };
    let object = r#""cluster":"main","group":"","kind":"ConfigMap","namespace":"dev","name":"settings""#;
    let outcome = Outcome::Failed("no\nroom".into());
    let soak = std::time::Duration::from_secs(90);
    for (event, want) in [
        (
            RunEvent::Begun(change),
            format!(r#""type":"begun","time":"T","address":"{}",{object}"#, change.address),
        ),
        (RunEvent::Waiting(change, "pods"), r#""message":"pods"}"#.into()),
        (
            RunEvent::Soaking(&gate, soak),
            r#""type":"soaking","time":"T","rollout":"all","wave":"prod","seconds":90}"#.into(),
        ),
        (RunEvent::Ended(change, &outcome), r#""outcome":"failed","message":"no\nroom"}"#.into()),
        (RunEvent::Planned(&plan), r#""type":"planned","time":"T","plan":{"format_version":"1.0""#.into()),
    ] {
        let line = event_json(event, "T");
        assert!(line.contains(&want), "{line}\nlacks {want}");
        assert!(line.starts_with(r#"{"format_version":"1.0","type":""#) && !line.contains('\n'), "{line}");
    }
}
