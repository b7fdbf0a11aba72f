//! Exchanges with a server, request by request.

use engine_core::object::Object;
use engine_core::object_ref::{GroupKind, Uid};
use engine_core::ports::{
    Applied, ApplyRequest, ClusterProvider, Conflict, DeleteRequest, Force, Mode, Page, Propagation,
    ProviderError, Witness,
};
use serde_json::json;

use crate::KubernetesProvider;
use crate::scenario::{Reply, Scenario, apply, kind, query, refusal, reply, target, text};

const MAPS: &str = "GET /api/v1/namespaces/dev/configmaps?limit=500";
const MAP: &str = "/api/v1/namespaces/dev/configmaps/web";

fn config_map() -> engine_core::kind_info::KindInfo {
    kind("", "ConfigMap", "configmaps")
}

fn manager() -> String {
    apply(config_map()).manager.as_str().to_owned()
}

/// Lists and notes what the sink saw: names, and `restart`.
async fn list(provider: &KubernetesProvider) -> (Vec<String>, Result<(), ProviderError>) {
    let mut seen = Vec::new();
    let mut sink = |page| match page {
        Page::Items(objects) => seen.extend(objects.iter().map(|object: &Object| object.name().to_owned())),
        Page::Restart => seen.push(String::from("restart")),
    };
    let outcome = provider.list(&query(config_map()), &mut sink).await;
    (seen, outcome)
}

fn page(names: &[&str], next: &str) -> Reply {
    let items: Vec<_> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    let metadata = json!({"resourceVersion": "41", "continue": next});
    reply(200, &json!({"kind": "ConfigMapList", "metadata": metadata, "items": items}))
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let scenario = Scenario::new("paging")
        .on(MAPS, page(&["a", "b"], "t/1"))
        .on(&format!("{MAPS}&continue=t%2F1"), page(&["c"], ""));
    let provider = scenario.provider();
    let (seen, outcome) = list(&provider).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(seen, ["a", "b", "c"]);
    assert_eq!(provider.requests(), 2);
    scenario.finish();
}

#[tokio::test]
async fn an_expired_list_begins_anew_and_says_so() {
    let expired = || refusal(410, "Expired", "too old");
    let scenario = Scenario::new("410 restart")
        .on(MAPS, page(&["a"], "t"))
        .on(&format!("{MAPS}&continue=t"), expired())
        .on(MAPS, page(&["a", "b"], ""));
    let (seen, outcome) = list(&scenario.provider()).await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(seen, ["a", "restart", "a", "b"]);
    scenario.finish();

    let mut scenario = Scenario::new("410 for ever");
    for _ in 0..4 {
        scenario = scenario.on(MAPS, page(&["a"], "t")).on(&format!("{MAPS}&continue=t"), expired());
    }
    let (_, outcome) = list(&scenario.provider()).await;
    assert!(matches!(outcome, Err(ProviderError::Server(_))));
    scenario.finish();
}

#[tokio::test]
async fn listed_objects_carry_their_type_and_the_selector_is_sent() {
    let mut wanted = query(kind("apps", "Deployment", "deployments"));
    wanted.namespace = None;
    wanted.labels = Some("a=b".to_owned());
    let items = json!([{"metadata": {"name": "a"}}, {"apiVersion": "apps/v2", "kind": "Own"}]);
    let scenario = Scenario::new("types").on(
        "GET /apis/apps/v1/deployments?limit=500&labelSelector=a%3Db",
        reply(200, &json!({"metadata": {}, "items": items})),
    );
    let mut types = Vec::new();
    let mut sink = |page| {
        if let Page::Items(objects) = page {
            types.extend(objects.iter().map(|object| {
                let text = |name: &str| object.body().str_at(&[name]).unwrap_or_default().to_owned();
                (text("apiVersion"), text("kind"))
            }));
        }
    };
    scenario.provider().list(&wanted, &mut sink).await.unwrap();
    let owned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(types, [owned("apps/v1", "Deployment"), owned("apps/v2", "Own")]);
    scenario.finish();
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let busy = |code| refusal(code, "TooManyRequests", "wait").header("retry-after", "0");
    let scenario = Scenario::new("retry-after")
        .on(MAPS, busy(429))
        .on(MAPS, busy(503))
        .on(MAPS, Reply::Broken)
        .on(MAPS, page(&["a"], ""));
    let provider = scenario.provider();
    let (seen, outcome) = list(&provider).await;
    assert_eq!((seen, outcome), (vec!["a".to_owned()], Ok(())));
    assert_eq!(provider.requests(), 4);
    scenario.finish();
}

#[tokio::test]
async fn what_asking_again_does_not_change_is_asked_once() {
    let cases = [
        (refusal(401, "Unauthorized", "no"), ProviderError::Unauthorized("no".into())),
        (refusal(403, "Forbidden", "not you"), ProviderError::Forbidden("not you".into())),
        (text(404, "404 page not found"), ProviderError::NotFound("HTTP 404 Not Found".into())),
        (refusal(500, "InternalError", "broken"), ProviderError::Server("broken".into())),
    ];
    for (answer, error) in cases {
        let scenario = Scenario::new("final").on(MAPS, answer);
        let (_, outcome) = list(&scenario.provider()).await;
        assert_eq!(outcome, Err(error));
        scenario.finish();
    }
}

#[tokio::test]
async fn get_tells_absence_from_failure() {
    let scenario = Scenario::new("get")
        .on(&format!("GET {MAP}"), reply(200, &json!({"metadata": {"name": "web", "uid": "u1"}})))
        .on(&format!("GET {MAP}"), refusal(404, "NotFound", "none"))
        .on(&format!("GET {MAP}"), refusal(403, "Forbidden", "no"));
    let provider = scenario.provider();
    let target = target(config_map());
    let found = provider.get(&target).await.unwrap();
    assert_eq!(found.map(|object| object.uid()), Some(Uid::new("u1")));
    assert!(provider.get(&target).await.unwrap().is_none());
    assert!(matches!(provider.get(&target).await, Err(ProviderError::Forbidden(_))));
    scenario.finish();
}

/// Applies against one answer.
async fn apply_once(request: ApplyRequest, options: &str, answer: Reply) -> Result<Applied, ProviderError> {
    let path = match request.target.kind.plural.as_str() {
        "secrets" => MAP.replace("configmaps", "secrets"),
        _ => MAP.to_owned(),
    };
    let line = format!("PATCH {path}?fieldManager={}{options}&fieldValidation=Strict", manager());
    let scenario = Scenario::new("apply").on(&line, answer);
    let outcome = scenario.provider().apply(&request).await;
    let seen = scenario.finish();
    assert_eq!(seen[0].headers["content-type"], "application/apply-patch+yaml");
    let uid = request.uid.as_ref().map(Uid::as_str);
    assert_eq!(seen[0].body.str_at(&["metadata", "uid"]), uid);
    assert_eq!(seen[0].body.str_at(&["data", "key"]), Some("hunter2"));
    outcome
}

#[tokio::test]
async fn the_status_code_is_the_witness() {
    for (code, witness) in [(201, Witness::Created), (200, Witness::Existed)] {
        let answer = reply(code, &json!({"metadata": {"uid": "u1"}}))
            .header("warning", r#"299 - "first \"one\"""#)
            .header("warning", r#"299 - "second", 299 - "third""#);
        let applied = apply_once(apply(config_map()), "", answer).await.ok().unwrap();
        assert_eq!(applied.witness, witness);
        assert_eq!(applied.object.uid(), Uid::new("u1"));
        assert_eq!(applied.warnings, [r#"first "one""#, "second", "third"]);
    }
    let odd = apply_once(apply(config_map()), "", text(202, "{}")).await;
    assert!(matches!(odd, Err(ProviderError::Server(_))));
}

#[tokio::test]
async fn mode_force_and_uid_are_sent() {
    let request = ApplyRequest {
        mode: Mode::DryRun,
        force: Force::Yes,
        uid: Some(Uid::new("u1")),
        ..apply(config_map())
    };
    let applied = apply_once(request, "&force=true&dryRun=All", text(200, "{}")).await;
    assert!(applied.is_ok());
}

#[tokio::test]
async fn conflicts_name_managers_and_fields() {
    let cause = |message: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": message, "field": field});
    let causes = [
        cause(r#"conflict with "hpa" with subresource "scale" using apps/v1"#, ".spec.replicas"),
        cause(r#"conflict with "argo" using v1"#, ".data.key"),
    ];
    let answer = reply(
        409,
        &json!({"kind": "Status", "reason": "Conflict", "code": 409, "message": "Apply failed",
            "details": {"causes": causes}}),
    );
    let outcome = apply_once(apply(config_map()), "", answer).await;
    let Err(ProviderError::Conflict(conflicts)) = outcome else {
        panic!("no conflict");
    };
    let expected = [
        Conflict { manager: "argo".into(), subresource: None, field: ".data.key".into() },
        Conflict { manager: "hpa".into(), subresource: Some("scale".into()), field: ".spec.replicas".into() },
    ];
    assert_eq!(conflicts, expected);
}

#[tokio::test]
async fn another_object_of_the_name_is_stale() {
    let on_uid = json!({"causes": [{"reason": "FieldValueInvalid", "field": "metadata.uid",
        "message": "Invalid value: \"u1\": field is immutable"}]});
    let answers = [
        refusal(
            409,
            "Conflict",
            "Operation cannot be fulfilled: uid mismatch: the provided object specified uid u1",
        ),
        reply(
            422,
            &json!({"kind": "Status", "reason": "Invalid", "code": 422, "message": "invalid", "details": on_uid}),
        ),
    ];
    for answer in answers {
        let request = ApplyRequest { uid: Some(Uid::new("u1")), ..apply(config_map()) };
        let outcome = apply_once(request, "", answer).await;
        assert!(matches!(outcome, Err(ProviderError::Stale(_))));
    }
}

#[tokio::test]
async fn a_creation_without_answer_is_not_repeated() {
    for answer in [Reply::Broken, refusal(504, "Timeout", "slow"), text(503, "")] {
        let outcome = apply_once(apply(config_map()), "", answer).await;
        assert!(outcome.is_err_and(|error| error.outcome_unknown()));
    }
}

#[tokio::test]
async fn a_lost_race_is_run_again() {
    let line = format!("PATCH {MAP}?fieldManager={}&fieldValidation=Strict", manager());
    let lost = "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified";
    let scenario =
        Scenario::new("lost race").on(&line, refusal(409, "Conflict", lost)).on(&line, text(201, "{}"));
    let applied = scenario.provider().apply(&apply(config_map())).await.ok().unwrap();
    assert_eq!(applied.witness, Witness::Created);
    scenario.finish();
}

#[tokio::test]
async fn no_error_on_a_secret_quotes_it() {
    let cause =
        json!({"reason": "FieldValueInvalid", "field": "data[key]", "message": "Invalid value: \"hunter2\""});
    let answers = [
        reply(
            422,
            &json!({"reason": "Invalid", "code": 422, "message": "data[key]: \"hunter2\"",
                "details": {"causes": [cause]}}),
        ),
        refusal(400, "BadRequest", "cannot decode \"hunter2\""),
        refusal(
            500,
            "",
            "failed to create typed patch object (dev/web; /v1, Kind=Secret): .data.key: got \"hunter2\"",
        ),
    ];
    let messages = ["Invalid: data[key]", "BadRequest", "failed to create typed patch object: .data.key"];
    for (answer, message) in answers.into_iter().zip(messages) {
        let outcome = apply_once(apply(kind("", "Secret", "secrets")), "", answer).await;
        assert_eq!(outcome.err(), Some(ProviderError::Invalid(message.to_owned())));
    }
    let denied = refusal(403, "Forbidden", "admission webhook \"w\" denied the request: \"hunter2\" is weak");
    let outcome = apply_once(apply(kind("", "Secret", "secrets")), "", denied).await;
    let message = "admission webhook \"w\" denied the request".to_owned();
    assert_eq!(outcome.err(), Some(ProviderError::Forbidden(message)));
}

async fn delete_once(answer: Reply) -> Result<Option<Object>, ProviderError> {
    let request = DeleteRequest {
        target: target(config_map()),
        uid: Uid::new("u1"),
        propagation: Propagation::Foreground,
    };
    let scenario = Scenario::new("delete").on(&format!("DELETE {MAP}"), answer);
    let outcome = scenario.provider().delete(&request).await;
    let body = &scenario.finish()[0].body;
    assert_eq!(body.str_at(&["preconditions", "uid"]), Some("u1"));
    assert_eq!(body.str_at(&["propagationPolicy"]), Some("Foreground"));
    outcome
}

#[tokio::test]
async fn delete_tells_gone_from_going() {
    let gone = [
        reply(200, &json!({"kind": "Status", "status": "Success"})),
        reply(200, &json!({"kind": "ConfigMap", "metadata": {"name": "web"}})),
        refusal(404, "NotFound", "none"),
    ];
    for answer in gone {
        assert!(delete_once(answer).await.unwrap().is_none());
    }
    let going = json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    for code in [200, 202] {
        let object = delete_once(reply(code, &going)).await.unwrap();
        assert!(object.is_some_and(|object| object.is_terminating()));
    }
    let other = refusal(409, "Conflict", "the UID in the precondition (u1) does not match the UID in record");
    assert!(matches!(delete_once(other).await, Err(ProviderError::Stale(_))));
}

fn aggregated(items: &serde_json::Value) -> Reply {
    reply(200, &json!({"kind": "APIGroupDiscoveryList", "items": items}))
}

fn core_group() -> serde_json::Value {
    json!([{"metadata": {}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
        {"resource": "configmaps", "responseKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
         "scope": "Namespaced", "verbs": ["get", "list", "watch"]},
        {"resource": "bindings", "responseKind": {"group": "", "version": "v1", "kind": "Binding"},
         "scope": "Namespaced", "verbs": ["create"]},
        {"resource": "odd", "scope": "Namespaced", "verbs": null}]}]}])
}

#[tokio::test]
async fn discovery_is_two_requests_and_then_none_that_cost() {
    let groups = json!([
        {"metadata": {"name": "autoscaling"}, "versions": [
            {"version": "v2", "resources": [{"resource": "horizontalpodautoscalers", "scope": "Namespaced",
                "responseKind": {"kind": "HorizontalPodAutoscaler"}, "verbs": ["list", "watch"]}]},
            {"version": "v1", "resources": [{"resource": "horizontalpodautoscalers", "scope": "Namespaced",
                "responseKind": {"kind": "HorizontalPodAutoscaler"}, "verbs": ["list", "watch"]}]}]},
        {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]}]);
    let scenario = Scenario::new("aggregated discovery")
        .on("GET /api", aggregated(&core_group()).header("etag", "\"1\""))
        .on("GET /apis", aggregated(&groups).header("etag", "\"2\""))
        .on("GET /api", text(304, ""))
        .on("GET /apis", text(304, ""));
    let provider = scenario.provider();
    let discovery = provider.discover().await.unwrap();
    assert_eq!(provider.discover().await.unwrap(), discovery);

    let autoscaler = GroupKind::new("autoscaling", "HorizontalPodAutoscaler");
    assert_eq!(discovery.preferred(&autoscaler).unwrap().version, "v2");
    assert_eq!(discovery.find(&autoscaler, "v1").unwrap().plural, "horizontalpodautoscalers");
    assert!(discovery.preferred(&GroupKind::new("", "ConfigMap")).unwrap().listable);
    assert!(!discovery.preferred(&GroupKind::new("", "Binding")).unwrap().listable);
    assert_eq!(discovery.iter().count(), 3);
    assert!(discovery.unavailable["metrics.k8s.io"].contains("v1beta1"));
    let etags: Vec<_> =
        scenario.finish().iter().filter_map(|seen| seen.headers.get("if-none-match").cloned()).collect();
    assert_eq!(etags, ["\"1\"", "\"2\""]);
}

#[tokio::test]
async fn servers_without_aggregated_discovery_are_asked_group_by_group() {
    let resources = |name: &str, kind: &str| {
        reply(
            200,
            &json!({"kind": "APIResourceList", "resources": [
                {"name": name, "kind": kind, "namespaced": true, "verbs": ["list", "watch"]},
                {"name": format!("{name}/status"), "kind": kind, "namespaced": true, "verbs": ["get"]}]}),
        )
    };
    let groups = json!({"kind": "APIGroupList", "groups": [
        {"name": "apps", "versions": [{"groupVersion": "apps/v2", "version": "v2"}, {"version": "v1"}],
         "preferredVersion": {"version": "v1"}},
        {"name": "dead.example", "versions": [{"version": "v1"}]}]});
    let scenario = Scenario::new("classic discovery")
        .on("GET /api", aggregated(&json!([])))
        .on("GET /api", reply(200, &json!({"kind": "APIVersions", "versions": ["v1"]})))
        .on("GET /api/v1", resources("configmaps", "ConfigMap"))
        .on("GET /apis", reply(200, &groups))
        .on("GET /apis/apps/v2", resources("deployments", "Deployment"))
        .on("GET /apis/apps/v1", resources("deployments", "Deployment"))
        .on("GET /apis/dead.example/v1", refusal(503, "ServiceUnavailable", "no endpoints"));
    let discovery = scenario.provider().discover().await.unwrap();
    let deployment = GroupKind::new("apps", "Deployment");
    assert_eq!(discovery.preferred(&deployment).unwrap().version, "v1");
    assert_eq!(discovery.find(&deployment, "v2").unwrap().plural, "deployments");
    assert_eq!(discovery.iter().count(), 2);
    let unavailable: Vec<_> = discovery.unavailable.keys().collect();
    assert_eq!(unavailable, ["dead.example"]);
    scenario.finish();
}
