use super::CODES;
use crate::plan::fixtures::*;

/// What the first plan of an environment finds: every object is created.
pub(super) fn first_plan(declared: impl IntoIterator<Item = Declared>) -> Vec<String> {
    findings(&World::new(declared))
}

/// What a plan finds of a world.
pub(super) fn findings(world: &World) -> Vec<String> {
    let codes: Vec<String> = CODES.iter().map(ToString::to_string).collect();
    faults(&world.plan()).into_iter().filter(|fault| codes.iter().any(|code| fault.contains(code))).collect()
}

/// Declares a workload of two replicas in `dev`, the rest of its pod spec and its only container from JSON.
pub(super) fn deployment(name: &str, container: &str) -> Declared {
    workload("apps/v1 Deployment", name, r#"{"replicas":2}"#, container)
}

/// Declares a workload in `dev` with one container `main`.
pub(super) fn workload(kind: &str, name: &str, spec: &str, container: &str) -> Declared {
    let mut body = json(&format!(r#"{{"spec":{spec}}}"#));
    let mut container = json(container);
    container.set_at(&["name"], "main".into());
    if container.get("image").is_none() {
        container.set_at(&["image"], "app:v1".into());
    }
    let pod: &[&str] = match kind {
        "v1 Pod" => &[],
        "batch/v1 CronJob" => &["spec", "jobTemplate", "spec", "template"],
        _ => &["spec", "template"],
    };
    let place = |rest: &[&'static str]| [pod, rest].concat();
    body.set_at(&place(&["spec", "containers"]), crate::value::Value::list([container]));
    body.set_at(&place(&["metadata", "labels", "app"]), name.into());
    Declared::new(&format!("{kind} dev/{name}"), &body.to_string())
}

/// Declares an object of `dev` with the spec.
pub(super) fn with_spec(kind: &str, name: &str, spec: &str) -> Declared {
    Declared::new(&format!("{kind} dev/{name}"), &format!(r#"{{"spec":{spec}}}"#))
}

pub(super) fn quota(hard: &str) -> Declared {
    with_spec("v1 ResourceQuota", "quota", &format!(r#"{{"hard":{hard}}}"#))
}

pub(super) fn namespace() -> Declared {
    Declared::new("v1 Namespace dev", "{}")
}

#[test]
fn an_accepted_finding_is_not_shown() {
    let mut world = World::new([quota(r#"{"pods":"1"}"#), deployment("web", "{}")]);
    assert_eq!(findings(&world).len(), 1);
    let digest = world.plan().decision_digest();
    world.accepted.insert(super::OVER_QUOTA);
    assert_eq!(findings(&world), [""; 0]);
    assert_eq!(world.plan().decision_digest(), digest, "a finding decides nothing");
}

#[test]
fn a_finding_says_of_which_resource_it_is() {
    let plan = World::new([quota(r#"{"pods":"1"}"#), deployment("web", "{}")]).plan();
    let found = plan.diagnostics.iter().next().unwrap();
    assert_eq!(found.address, Some(parse("manifest.quota")));
    assert!(found.hint.is_some());
}

#[test]
fn sensitive_values_are_not_told() {
    let limits = r#"{"resources":{"requests":{"cpu":"7"}}}"#;
    let secret = deployment("web", limits).sensitive("spec.template.spec.containers.resources");
    assert_eq!(first_plan([quota(r#"{"requests.cpu":"1"}"#), secret]), [""; 0]);
    let quota = quota(r#"{"requests.cpu":"1"}"#).sensitive("spec.hard");
    assert_eq!(first_plan([quota, deployment("web", limits)]), [""; 0]);
}

#[test]
fn what_is_removed_or_not_declared_is_not_judged() {
    let mut world = World::applied([quota(r#"{"pods":"1"}"#), deployment("web", "{}")]);
    world.declare([]);
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn of_a_part_only_findings_about_it_are_shown_and_they_are_judged_by_the_whole() {
    let service = |name: &str, app: &str| {
        with_spec("v1 Service", name, &format!(r#"{{"selector":{{"app":"{app}"}},"ports":[{{"port":80}}]}}"#))
    };
    let served = || vec![namespace(), service("served", "web")];
    let unserved = || vec![namespace(), service("unserved", "nobody")];
    let rest = [deployment("web", r#"{"image":"app"}"#)];
    let mut world = World::new([served(), unserved()[1..].to_vec(), rest.to_vec()].concat());
    let all = findings(&world);
    assert!(all.len() == 2 && all.iter().any(|it| it.contains("TRN0813")), "{all:?}");
    world.whole = Some(world.graph());
    world.declare(served());
    assert_eq!(
        findings(&world),
        [""; 0],
        "its pods are those of the rest, and the image of the rest is not asked for"
    );
    world.declare(unserved());
    let about_it = findings(&world);
    assert!(about_it.len() == 1 && about_it[0].contains("TRN0807"), "{about_it:?}");
    world.accepted.insert(super::SERVICE_WITHOUT_PODS);
    assert_eq!(findings(&world), [""; 0], "what is accepted is so of a part as well");
}
