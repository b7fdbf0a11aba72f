//! What happens during a run, each event one line of JSON.

use std::time::Duration;

use engine_core::diagnostic::Diagnostics;
use engine_core::plan::outcome::{Outcome, Report};
use engine_core::plan::{Change, Plan};
use engine_core::rollout::Gate;
use serde::Serialize;

use super::object::{ObjectJson, of_object};
use super::plan::{PlanJson, of_plan};
use super::{FORMAT_VERSION, to_json};
use crate::diagnostics::{DiagnosticJson, diagnostic_list};

/// What happens during a run.
#[derive(Debug, Clone, Copy)]
pub enum RunEvent<'a> {
    /// The first: what is to be done.
    Planned(&'a Plan),
    /// A change begins.
    Begun(&'a Change),
    /// A change was written and waits; says what is missing.
    Waiting(&'a Change, &'a str),
    /// A wave is to begin after this time.
    Soaking(&'a Gate, Duration),
    /// A change ended.
    Ended(&'a Change, &'a Outcome),
    /// The last: what became of all, and what checks say.
    Finished(&'a Plan, &'a Report, &'a Diagnostics),
}

/// Returns an event as one JSON object. `time` is when it happened, in RFC 3339.
pub fn event_json(event: RunEvent<'_>, time: &str) -> String {
    let (kind, said) = match event {
        RunEvent::Planned(plan) => ("planned", Said::Planned { plan: Box::new(of_plan(plan)) }),
        RunEvent::Begun(change) => ("begun", Said::Change(of_change(change))),
        RunEvent::Waiting(change, missing) => {
            ("waiting", Said::Waiting { change: of_change(change), message: missing })
        }
        RunEvent::Soaking(gate, soak) => {
            let said = Said::Soaking { rollout: &gate.rollout, wave: &gate.wave, seconds: soak.as_secs() };
            ("soaking", said)
        }
        RunEvent::Ended(change, outcome) => ("ended", Said::Ended(of_result(of_change(change), outcome))),
        RunEvent::Finished(plan, report, found) => {
            ("finished", Said::Finished(of_report(plan, report, found)))
        }
    };
    to_json(&EventJson { format_version: FORMAT_VERSION, kind, time, said })
}

#[derive(Serialize)]
struct EventJson<'a> {
    format_version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    time: &'a str,
    #[serde(flatten)]
    said: Said<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said<'a> {
    Planned {
        plan: Box<PlanJson<'a>>,
    },
    Change(ChangeJson<'a>),
    Waiting {
        #[serde(flatten)]
        change: ChangeJson<'a>,
        message: &'a str,
    },
    Soaking {
        rollout: &'a str,
        wave: &'a str,
        seconds: u64,
    },
    Ended(ResultJson<'a>),
    Finished(ReportJson<'a>),
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    address: String,
    #[serde(flatten)]
    object: ObjectJson<'a>,
    action: &'static str,
}

fn of_change(change: &Change) -> ChangeJson<'_> {
    ChangeJson {
        address: change.address.to_string(),
        object: of_object(&change.object_ref),
        action: change.action.kind().as_str(),
    }
}

#[derive(Serialize)]
struct ReportJson<'a> {
    environment: &'a str,
    decision_digest: String,
    success: bool,
    results: Vec<ResultJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<DiagnosticJson>,
}

#[derive(Serialize)]
struct ResultJson<'a> {
    #[serde(flatten)]
    change: ChangeJson<'a>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn of_report<'a>(plan: &'a Plan, report: &'a Report, found: &Diagnostics) -> ReportJson<'a> {
    let results = report.entries.iter().map(|entry| {
        let change = ChangeJson {
            address: entry.address.to_string(),
            object: of_object(&entry.object_ref),
            action: entry.action.as_str(),
        };
        of_result(change, &entry.outcome)
    });
    ReportJson {
        environment: plan.environment.as_str(),
        decision_digest: plan.decision_digest().to_string(),
        success: report.is_success(),
        results: results.collect(),
        diagnostics: diagnostic_list(found),
    }
}

fn of_result<'a>(change: ChangeJson<'a>, outcome: &Outcome) -> ResultJson<'a> {
    let (outcome, took, message) = match outcome {
        Outcome::Done { took } => ("done", Some(*took), None),
        Outcome::Failed(why) => ("failed", None, Some(why.clone())),
        Outcome::Skipped { because } => ("skipped", None, Some(format!("depends on {because}"))),
        Outcome::Unknown(why) => ("unknown", None, Some(why.clone())),
        Outcome::Held(why) => ("held", None, Some(why.clone())),
        Outcome::Interrupted => ("interrupted", None, None),
    };
    ResultJson { change, outcome, took_ms: took.map(|took| took.as_millis()), message }
}
