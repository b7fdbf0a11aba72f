use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

const CPU: &str = r#"{"requests.cpu":"1"}"#;
const HALF: &str = r#"{"resources":{"requests":{"cpu":"500m"}}}"#;
const MORE: &str = r#"{"resources":{"requests":{"cpu":"501m"}}}"#;

fn autoscaler(target: &str, most: &str) -> Declared {
    let spec =
        format!(r#"{{"scaleTargetRef":{{"kind":"Deployment","name":"{target}"}},"maxReplicas":{most}}}"#);
    with_spec("autoscaling/v2 HorizontalPodAutoscaler", "scaler", &spec)
}

/// The sum that a quota is compared with, or nothing if it is enough.
fn sum(hard: &str, declared: impl IntoIterator<Item = Declared>) -> String {
    let found = first_plan([quota(hard)].into_iter().chain(declared));
    let over: Vec<&str> = found.iter().filter_map(|it| it.strip_prefix("warning TRN0801: ")).collect();
    let words = over.first().and_then(|it| it.split(" can come to ").nth(1)?.split(',').next());
    words.unwrap_or("enough").to_owned()
}

#[test]
fn pods_are_counted_at_their_most() {
    let job = |spec| workload("batch/v1 Job", "job", spec, HALF);
    let cron = |spec| workload("batch/v1 CronJob", "cron", spec, HALF);
    for (declared, want) in [
        (vec![deployment("web", HALF)], "enough"),
        (vec![deployment("web", MORE)], "1002m"),
        (vec![deployment("web", HALF), autoscaler("web", "6")], "3"),
        (vec![deployment("web", HALF), autoscaler("other", "6")], "enough"),
        (vec![workload("apps/v1 Deployment", "web", "{}", HALF)], "enough"),
        (vec![workload("apps/v1 StatefulSet", "db", r#"{"replicas":3}"#, HALF)], "1500m"),
        (vec![workload("apps/v1 DaemonSet", "agent", "{}", MORE)], "enough"),
        (vec![workload("v1 Pod", "pod", "{}", HALF), deployment("web", HALF)], "1500m"),
        (vec![job(r#"{"parallelism":4,"completions":2}"#)], "enough"),
        (vec![job(r#"{"parallelism":4}"#)], "2"),
        (vec![cron("{}"), deployment("web", HALF)], "1500m"),
        (vec![cron(r#"{"suspend":true}"#), deployment("web", HALF)], "enough"),
        (vec![deployment("web", HALF), deployment("api", HALF)], "2"),
    ] {
        assert_eq!(sum(CPU, declared.clone()), want, "{declared:?}");
    }
}

#[test]
fn a_pod_takes_what_kubernetes_says() {
    let pod = |spec: &str| with_spec("v1 Pod", "pod", spec);
    let asks = |cpu: &str| format!(r#""resources":{{"requests":{{"cpu":"{cpu}"}}}}"#);
    let spec = |first: &str, restart: &str, main: &str, rest: &str| {
        let restart =
            if restart.is_empty() { String::new() } else { format!(r#","restartPolicy":"{restart}""#) };
        let (first, main) = (asks(first), asks(main));
        format!(
            r#"{{"initContainers":[{{"name":"i",{first}{restart}}}],
                "containers":[{{"name":"a",{main}}},{{"name":"b",{main}}}]{rest}}}"#
        )
    };
    for (spec, want) in [
        (spec("300m", "", "400m", ""), "enough"),
        (spec("300m", "", "600m", ""), "1200m"),
        (spec("900m", "", "100m", ""), "enough"),
        (spec("300m", "Always", "400m", ""), "1100m"),
        (spec("300m", "", "400m", r#","overhead":{"cpu":"250m"}"#), "1050m"),
        (spec("300m", "", "900m", r#","resources":{"requests":{"cpu":"1"}}"#), "enough"),
    ] {
        let found = first_plan([quota(CPU), pod(&spec)]);
        let told = found.first().map_or("enough", |it| {
            it.split(" takes ").nth(1).and_then(|it| it.split(' ').next()).unwrap_or(it)
        });
        assert_eq!(told, want, "{spec}");
    }
}

#[test]
fn objects_and_storage_are_counted() {
    let settings = |name: &str| Declared::new(&format!("v1 ConfigMap dev/{name}"), "{}");
    let claim = |class: &str| {
        let spec =
            format!(r#"{{"storageClassName":"{class}","resources":{{"requests":{{"storage":"5Gi"}}}}}}"#);
        with_spec("v1 PersistentVolumeClaim", class, &spec)
    };
    let claims = || {
        let template = r#"{"replicas":2,"volumeClaimTemplates":[{"spec":{"resources":{"requests":{"storage":"4Gi"}}}}]}"#;
        workload("apps/v1 StatefulSet", "db", template, "{}")
    };
    let door = |kind: &str| with_spec("v1 Service", "door", &format!(r#"{{"type":"{kind}"}}"#));
    for (hard, declared, want) in [
        (r#"{"pods":"1"}"#, vec![deployment("web", "{}")], "2"),
        (r#"{"pods":2}"#, vec![deployment("web", "{}")], "enough"),
        (r#"{"count/deployments.apps":"0"}"#, vec![deployment("web", "{}")], "1"),
        (r#"{"configmaps":"1"}"#, vec![settings("a"), settings("b")], "2"),
        (r#"{"configmaps":"2"}"#, vec![settings("a"), settings("b")], "enough"),
        (r#"{"requests.storage":"6Gi"}"#, vec![claim("fast"), claims()], "13Gi"),
        (r#"{"requests.storage":"13Gi"}"#, vec![claim("fast"), claims()], "enough"),
        (r#"{"persistentvolumeclaims":"2"}"#, vec![claim("fast"), claims()], "3"),
        (
            r#"{"fast.storageclass.storage.k8s.io/requests.storage":"5Gi"}"#,
            vec![claim("fast"), claim("slow")],
            "enough",
        ),
        (r#"{"fast.storageclass.storage.k8s.io/persistentvolumeclaims":"0"}"#, vec![claim("fast")], "1"),
        (r#"{"services.loadbalancers":"0"}"#, vec![door("LoadBalancer")], "1"),
        (r#"{"services.loadbalancers":"0"}"#, vec![door("ClusterIP")], "enough"),
        (r#"{"example.com/things":"0"}"#, vec![deployment("web", "{}")], "enough"),
    ] {
        assert_eq!(sum(hard, declared.clone()), want, "{hard} {declared:?}");
    }
}

#[test]
fn the_message_names_sum_limit_and_the_largest() {
    let small = r#"{"resources":{"requests":{"cpu":"100m"}}}"#;
    assert_eq!(
        first_plan([quota(CPU), deployment("web", HALF), deployment("api", small)]),
        [
            "warning TRN0801: requests.cpu can come to 1200m, of which ResourceQuota/dev/quota allows 1: The largest: \
          Deployment.apps/dev/web 2 × 500m, Deployment.apps/dev/api 2 × 100m. Autoscalers count with their \
          maxReplicas, Jobs as if all ran at once."
        ]
    );
}

#[test]
fn a_pod_larger_than_its_quota_is_an_error_where_it_is_awaited() {
    let large = || deployment("web", r#"{"resources":{"requests":{"cpu":"2"}}}"#);
    let said = |severity: &str| {
        vec![format!(
            "{severity} TRN0802: one pod of Deployment.apps/dev/web takes 2 of requests.cpu, of which \
             ResourceQuota/dev/quota allows 1: No such pod can ever be created."
        )]
    };
    assert_eq!(first_plan([quota(CPU), large()]), said("error"));
    let mut patient = large();
    patient.resource.wait = crate::resource::Wait::Never;
    assert_eq!(first_plan([quota(CPU), patient]), said("warning"));
    let mut running = World::applied([large()]);
    running.declare([quota(CPU), large()]);
    assert_eq!(findings(&running), said("warning"), "it has its pods from before the quota");
    let none = workload(
        "apps/v1 Deployment",
        "web",
        r#"{"replicas":0}"#,
        r#"{"resources":{"requests":{"cpu":"2"}}}"#,
    );
    assert_eq!(first_plan([quota(CPU), none]), [""; 0]);
}

#[test]
fn what_a_quota_demands_must_be_named_or_filled_in() {
    let range = |limits: &str| {
        let spec = format!(r#"{{"limits":[{{"type":"Container",{limits}}}]}}"#);
        with_spec("v1 LimitRange", "range", &spec)
    };
    let silent = || deployment("web", "{}");
    for (hard, declared, is_found) in [
        (r#"{"requests.cpu":"4"}"#, vec![silent()], true),
        (r#"{"limits.memory":"4Gi"}"#, vec![silent()], true),
        (
            r#"{"limits.memory":"4Gi"}"#,
            vec![deployment("web", r#"{"resources":{"limits":{"memory":"1Gi"}}}"#)],
            false,
        ),
        (
            r#"{"requests.memory":"4Gi"}"#,
            vec![deployment("web", r#"{"resources":{"limits":{"memory":"1Gi"}}}"#)],
            false,
        ),
        (r#"{"requests.cpu":"4"}"#, vec![silent(), range(r#""defaultRequest":{"cpu":"1"}"#)], false),
        (r#"{"requests.cpu":"4"}"#, vec![silent(), range(r#""default":{"cpu":"1"}"#)], false),
        (r#"{"limits.cpu":"4"}"#, vec![silent(), range(r#""max":{"cpu":"1"}"#)], false),
        (r#"{"limits.cpu":"4"}"#, vec![silent(), range(r#""defaultRequest":{"cpu":"1"}"#)], true),
        (r#"{"requests.cpu":"4"}"#, vec![silent().hole("spec.template.spec.containers")], false),
        (r#"{"requests.ephemeral-storage":"4Gi"}"#, vec![silent()], false),
        (r#"{"pods":"4"}"#, vec![silent()], false),
    ] {
        let found = first_plan([quota(hard)].into_iter().chain(declared.clone()));
        assert_eq!(found.iter().any(|it| it.contains("TRN0803")), is_found, "{hard} {declared:?}: {found:?}");
    }
    assert_eq!(
        first_plan([quota(r#"{"requests.cpu":"4"}"#), silent()]),
        ["warning TRN0803: Deployment.apps/dev/web names no requests of cpu: Containers without: main. \
          ResourceQuota/dev/quota counts requests.cpu, and the API server refuses pods that do not name it."]
    );
}

#[test]
fn defaults_are_counted() {
    let range =
        with_spec("v1 LimitRange", "range", r#"{"limits":[{"type":"Container","default":{"cpu":"600m"}}]}"#);
    assert_eq!(sum(CPU, [deployment("web", "{}"), range]), "1200m");
}

#[test]
fn quotas_of_some_pods_and_of_other_namespaces_are_passed_over() {
    let scoped = with_spec("v1 ResourceQuota", "scoped", r#"{"hard":{"pods":"0"},"scopes":["BestEffort"]}"#);
    assert_eq!(first_plan([scoped, deployment("web", "{}")]), [""; 0]);
    let elsewhere = Declared::new("v1 ResourceQuota other/quota", r#"{"spec":{"hard":{"pods":"0"}}}"#);
    assert_eq!(first_plan([elsewhere, deployment("web", "{}")]), [""; 0]);
}
