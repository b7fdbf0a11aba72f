use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::ports::RevisionFault;
use engine_core::state::{Output, State};

use super::*;
use crate::json::{difference_json, history_json, verified_json};
use crate::samples::value;

fn entry(serial: u64, summary: &str) -> HistoryEntry {
    HistoryEntry {
        revision: Revision("0123456789abcdef".into()),
        serial,
        summary: summary.into(),
        author: "ops\x1b[0m@host".into(),
        time: "2026-01-02T03:04:05Z".into(),
        plan: None,
        restored: None,
    }
}

#[test]
fn history_is_one_line_a_step() {
    let plan = Digest::of_bytes(b"a");
    let applied = HistoryEntry { plan: Some(plan), ..entry(10, "apply: 1 created, 0 changed, 0 deleted") };
    let restored = HistoryEntry {
        restored: Some(Revision("fedcba9876543210".into())),
        ..entry(11, "state restore: serial 9")
    };
    let approval = Approval { who: "Jo <jo@example.com>".into(), time: "2026-01-02T03:00:00Z".into() };
    let approvals = Approvals::from([(plan, approval)]);
    let entries = [restored, applied, entry(9, "apply: begin, 1 change intended")];
    insta::assert_snapshot!(history_text(&entries, &approvals), @r"
    11  0123456789ab  2026-01-02T03:04:05Z  state restore: serial 9  (ops\x1b[0m@host; brings back fedcba987654)
    10  0123456789ab  2026-01-02T03:04:05Z  apply: 1 created, 0 changed, 0 deleted  (ops\x1b[0m@host; plan ca978112, approved by Jo <jo@example.com>)
     9  0123456789ab  2026-01-02T03:04:05Z  apply: begin, 1 change intended  (ops\x1b[0m@host)
    ");
    let json: serde_json::Value = serde_json::from_str(&history_json(&entries, &approvals)).unwrap();
    let applied = &json["entries"][1];
    assert_eq!(applied["operation"], "apply");
    assert_eq!(applied["counts"]["created"], 1);
    assert_eq!(applied["plan"], plan.to_string());
    assert_eq!(applied["approval"]["who"], "Jo <jo@example.com>");
    assert_eq!(json["entries"][2].get("counts"), None, "a run that has not ended has no counts");
}

#[test]
fn a_difference_shows_no_secret_and_no_control_character() {
    let before = State::empty("demo".parse().unwrap(), Lineage::new([7; 16]));
    let mut after = before.clone();
    let holder = Holder {
        run: "7f".into(),
        who: "a@b\u{7}".into(),
        operation: "apply".into(),
        since: "now".into(),
        renewal: Renewal::default(),
    };
    after.holder = Some(holder);
    after.outputs.insert("key".into(), Output::Sensitive);
    after.outputs.insert("url".into(), Output::Value(value(r#""http://a""#)));
    let difference = Difference::between(&before, &after);
    insta::assert_snapshot!(difference_text(&difference), @r#"
    ~ output key: none -> (sensitive value)
    ~ output url: none -> "http://a"
    ~ lock: free -> run 7f (apply by a@b\x07)
    "#);
    let names = ["a", "b"].map(|name| Revision(name.into()));
    let ends = [(&names[0], 1), (&names[1], 2)];
    let json: serde_json::Value = serde_json::from_str(&difference_json(ends, &difference)).unwrap();
    assert_eq!(json["outputs"][0], serde_json::json!({ "name": "key", "sensitive": true }));
    assert_eq!(json["holder"]["after"]["run"], "7f");
    assert_eq!(json["to"], serde_json::json!({ "revision": "b", "serial": 2 }));
    assert_eq!(difference_text(&Difference::default()), "");
}

#[test]
fn faults_name_their_revision() {
    let fault =
        RevisionFault { revision: Revision("ab12".into()), serial: Some(3), reason: "it\u{1b}".into() };
    let verified = Verified { revisions: 5, faults: vec![fault] };
    insta::assert_snapshot!(verified_text(&verified), @r"
    ! serial 3 (ab12): it\x1b
    5 revisions, 1 faults.
    ");
    let json: serde_json::Value = serde_json::from_str(&verified_json(&verified)).unwrap();
    assert_eq!((&json["revisions"], &json["faults"][0]["serial"]), (&5.into(), &3.into()));
}
