//! Watches, and what ends and breaks them.

use engine_core::ports::{ClusterProvider, ProviderError, WatchEvent};
use serde_json::json;

use crate::scenario::{Reply, Scenario, kind, query, refusal, reply, text};

const MAPS: &str = "GET /api/v1/namespaces/dev/configmaps?limit=500";

/// Returns the request for changes since a version.
fn changes(version: &str) -> String {
    format!(
        "GET /api/v1/namespaces/dev/configmaps?watch=1&allowWatchBookmarks=true&resourceVersion={version}\
         &timeoutSeconds=290"
    )
}

fn existing(name: &'static str) -> Scenario {
    let maps = json!({"metadata": {"resourceVersion": "41"}, "items": [{"metadata": {"name": "a"}}]});
    Scenario::new(name).on(MAPS, reply(200, &maps))
}

/// Watches and notes events: `+name`, `-name`, `synced`; stops after `limit` events.
async fn watch(scenario: &Scenario, limit: usize) -> (Vec<String>, Result<(), ProviderError>) {
    let mut seen = Vec::new();
    let mut sink = |event| {
        seen.push(match event {
            WatchEvent::Applied(object) => format!("+{}", object.name()),
            WatchEvent::Deleted(object) => format!("-{}", object.name()),
            WatchEvent::Synced => "synced".to_owned(),
        });
        seen.len() < limit
    };
    let maps = query(kind("", "ConfigMap", "configmaps"));
    let outcome = scenario.provider().watch(&maps, &mut sink).await;
    (seen, outcome)
}

/// Five lines, the last of which breaks off; the newest version is the bookmark's.
const EVENTS: &str = r#"{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"45"}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"50"}}}
{"type":"MODIFIED","object":{"metadata":{"name":"b"}}}
{"type":"DELETED","object":{"metadata":{"name":"a"}}}
{"type":"ADDED","object":{"metad"#;

#[tokio::test]
async fn a_watch_begins_with_what_exists_and_goes_on_where_it_was() {
    let more = r#"{"type":"ADDED","object":{"metadata":{"name":"c","resourceVersion":"51"}}}"#;
    let scenario = existing("watch")
        .on(&changes("41"), text(200, EVENTS))
        .on(&changes("50"), text(200, &format!("{more}\n")))
        .on(&changes("51"), refusal(410, "Expired", "old"));
    let (seen, outcome) = watch(&scenario, 99).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(seen, ["+a", "synced", "+b", "+b", "-a", "+c"], "nothing is listed twice");
    let requests = scenario.finish();
    assert_eq!(requests[1].headers["accept-encoding"], "identity");
}

#[tokio::test]
async fn a_connection_that_is_not_made_again_ends_the_watch() {
    let scenario = existing("lost").on(&changes("41"), text(200, "")).on(&changes("41"), Reply::Broken);
    let (seen, outcome) = watch(&scenario, 99).await;
    assert_eq!(seen, ["+a", "synced"]);
    assert!(matches!(outcome, Err(ProviderError::Unreachable(_))), "{outcome:?}");
    scenario.finish();
}

#[tokio::test]
async fn a_watch_ends_when_its_sink_does() {
    for (limit, last) in [(1, "+a"), (2, "synced")] {
        let scenario = existing("sink breaks");
        let (seen, outcome) = watch(&scenario, limit).await;
        assert_eq!((seen.last().map(String::as_str), outcome), (Some(last), Ok(())));
        scenario.finish();
    }
    let scenario = existing("sink breaks").on(&changes("41"), text(200, EVENTS));
    let (seen, outcome) = watch(&scenario, 3).await;
    assert_eq!((seen.len(), outcome), (3, Ok(())));
    scenario.finish();
}

#[tokio::test]
async fn a_watch_that_is_too_old_or_too_many_ends_without_error() {
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}"#;
    let answers = [text(200, gone), refusal(410, "Expired", "old"), refusal(429, "TooManyRequests", "wait")];
    for answer in answers {
        let scenario = existing("watch ends").on(&changes("41"), answer);
        assert_eq!(watch(&scenario, 99).await, (vec!["+a".to_owned(), "synced".to_owned()], Ok(())));
        scenario.finish();
    }
    let broken = r#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"broken"}}"#;
    for answer in [text(200, broken), refusal(500, "InternalError", "broken")] {
        let scenario = existing("watch fails").on(&changes("41"), answer);
        let (_, outcome) = watch(&scenario, 99).await;
        assert_eq!(outcome, Err(ProviderError::Server("broken".to_owned())));
        scenario.finish();
    }
}
