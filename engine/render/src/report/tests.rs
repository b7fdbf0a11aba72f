use std::time::Duration;

use super::*;
use crate::samples::{address, object};

fn entry(key: &str, action: ActionKind, outcome: Outcome) -> ReportEntry {
    ReportEntry { address: address("app.x"), object_ref: object(key), action, outcome }
}

fn done(millis: u64) -> Outcome {
    Outcome::Done { took: Duration::from_millis(millis) }
}

#[test]
fn success_is_one_line() {
    let entries = vec![
        entry("Namespace/dev", ActionKind::Create, done(10)),
        entry("Job.batch/dev/a", ActionKind::Replace, done(10)),
        entry("ConfigMap/dev/a", ActionKind::Move, done(10)),
    ];
    let text = report_text(&Report { entries }, Operation::Apply, Style::PLAIN);
    assert_eq!(text, "Apply complete! Resources: 2 created, 1 changed, 1 deleted.\n");
    let text = report_text(&Report::default(), Operation::Destroy, Style::PLAIN);
    assert_eq!(text, "Destroy complete! Resources: 0 created, 0 changed, 0 deleted.\n");
}

#[test]
fn what_is_not_done_says_why() {
    let entries = vec![
        entry("Namespace/dev", ActionKind::Create, done(10)),
        entry("ConfigMap/dev/a", ActionKind::Create, Outcome::Failed("denied\n::error::\x1b".into())),
        entry("Pod/dev/b", ActionKind::Create, Outcome::Skipped { because: address("app.x") }),
        entry("Pod/dev/c", ActionKind::Delete, Outcome::Unknown("no answer".into())),
    ];
    let text = report_text(&Report { entries }, Operation::Apply, Style::PLAIN);
    insta::assert_snapshot!(text, @r"
      ! ConfigMap/dev/a failed: denied
          \x3a:error::\x1b
          at app.x
      . Pod/dev/b skipped: depends on app.x
          at app.x
      ! Pod/dev/c may or may not be deleted: no answer
          at app.x

    Apply incomplete: 1 failed, 1 unknown, 1 skipped. Resources: 1 created, 0 changed, 0 deleted.
    ");
}

#[test]
fn an_interrupted_run_says_so() {
    let entries = vec![entry("Pod/dev/a", ActionKind::Create, Outcome::Interrupted)];
    let text = report_text(&Report { entries }, Operation::Destroy, Style::PLAIN);
    assert!(text.contains("Pod/dev/a not begun: the run was interrupted"));
    assert!(text.contains("Destroy interrupted: 1 not begun."));
}

#[test]
fn objects_of_several_clusters_are_told_apart() {
    let failed = || Outcome::Failed("denied".into());
    let mut entries = vec![entry("Namespace/web", ActionKind::Create, failed()); 2];
    entries[1].object_ref.cluster = engine_core::object_ref::ClusterRef::new("edge");
    let text = report_text(&Report { entries }, Operation::Apply, Style::PLAIN);
    assert!(text.contains("! Namespace/web on main failed"), "{text}");
    assert!(text.contains("! Namespace/web on edge failed"), "{text}");
}
