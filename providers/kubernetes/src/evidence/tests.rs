//! Logs and events.

use engine_core::object_ref::Uid;
use engine_core::ports::{ClusterProvider, ProviderError};
use engine_core::status::Evidence;
use serde_json::json;

use super::{LONGEST_LINE, message, without_colours};
use crate::scenario::{Reply, Scenario, kind, refusal, reply, target, text};

/// Asks for evidence on the pod `web`, whose uid is `u`.
async fn ask(request: &str, answer: Reply, evidence: Evidence) -> Result<Option<String>, ProviderError> {
    let scenario = Scenario::new("evidence").on(request, answer);
    let pod = target(kind("", "Pod", "pods"));
    let found = scenario.provider().evidence(&pod, &Uid::new("u"), &evidence).await;
    scenario.finish();
    found
}

#[tokio::test]
async fn the_last_line_of_a_container_is_asked_for_once() {
    let log = |previous| Evidence::Log { container: "main".into(), previous };
    let path = "GET /api/v1/namespaces/dev/pods/web/log?container=main";
    let now = &format!("{path}&tailLines=1&limitBytes=16384");
    let before = &format!("{path}&previous=true&tailLines=1&limitBytes=16384");
    assert_eq!(ask(before, text(200, "boom\n"), log(true)).await, Ok(Some("boom".into())));
    assert_eq!(ask(now, text(200, "\n"), log(false)).await, Ok(None));
    let long = "x".repeat(LONGEST_LINE);
    assert_eq!(ask(now, text(200, &long), log(false)).await, Ok(None), "a cut line may hold half a secret");
    let denied = refusal(403, "Forbidden", "no");
    assert_eq!(ask(now, denied, log(false)).await, Err(ProviderError::Forbidden("no".into())));
    let lost = refusal(502, "BadGateway", "no kubelet");
    assert_eq!(ask(now, lost, log(false)).await, Err(ProviderError::Server("no kubelet".into())));
}

#[test]
fn a_line_is_read_as_a_person_reads_it() {
    for (line, wanted) in [
        (
            r#"{"level":"fatal","msg":"cannot start","error":"no \"users\" table"}"#,
            Some("cannot start: no \"users\" table"),
        ),
        (r#"{"message":"cannot start","error":{"code":3}}"#, Some("cannot start")),
        (r#"{"level":"fatal","msg":""}"#, None),
        ("cannot start", None),
        ("3", None),
    ] {
        assert_eq!(message(line).as_deref(), wanted, "{line}");
    }
    let coloured = "\u{1b}[31;1mERROR\u{1b}[0m hun\u{1b}[7mter2 \u{1b}[";
    assert_eq!(without_colours(coloured), "ERROR hunter2 ");
}

#[tokio::test]
async fn the_newest_warning_counts() {
    let request =
        "GET /api/v1/namespaces/dev/events?fieldSelector=involvedObject.uid%3Du%2Ctype%3DWarning&limit=500";
    let events = json!({"items": [
        {"reason": "Old", "message": "first", "lastTimestamp": "2026-01-01T00:00:00Z"},
        {"reason": "Unhealthy", "message": "probe failed", "lastTimestamp": null,
         "eventTime": "2026-01-01T00:00:00Z", "series": {"lastObservedTime": "2026-01-03T00:00:00Z"}},
        {"reason": "Later", "message": "second", "eventTime": "2026-01-02T00:00:00Z"}]});
    let found = ask(request, reply(200, &events), Evidence::Events).await;
    assert_eq!(found, Ok(Some("Unhealthy: probe failed".into())));
    let none = reply(200, &json!({"items": null}));
    assert_eq!(ask(request, none, Evidence::Events).await, Ok(None));
}
