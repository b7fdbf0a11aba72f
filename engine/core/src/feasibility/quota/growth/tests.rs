use crate::feasibility::tests::*;
use crate::object_ref::GroupKind;
use crate::plan::fixtures::*;

const HALF: &str = r#"{"resources":{"requests":{"cpu":"500m"}}}"#;
const ONE: &str = r#"{"resources":{"requests":{"cpu":"1"}}}"#;

/// A quota of others, and what is used of it.
fn hold(world: &mut World, hard: &str, used: &str) {
    let rest = format!(r#"{{"spec":{{"hard":{hard}}},"status":{{"hard":{hard},"used":{used}}}}}"#);
    world.create("v1 ResourceQuota dev/theirs", Foreign::Update("admin"), &rest);
}

/// What is said of a plan that adds too much: the sum, and what adds.
fn growth(world: &World) -> Vec<String> {
    let told = findings(world).into_iter();
    told.filter_map(|it| {
        let (summary, detail) = it.strip_prefix("warning TRN0816: ")?.split_once(", of which ")?;
        let adds = detail.split_once("This plan adds: ")?.1.split(". Autoscalers").next()?;
        Some(format!("{summary}: {adds}"))
    })
    .collect()
}

fn replicas(count: u32, container: &str) -> Declared {
    workload("apps/v1 Deployment", "web", &format!(r#"{{"replicas":{count}}}"#), container)
}

#[test]
fn new_pods_come_on_top_of_what_is_used() {
    for (hard, used, is_found) in
        [("4", "3", false), ("4", "3100m", true), ("4", "0", false), ("4", "4", true)]
    {
        let mut world = World::new([deployment("web", HALF)]);
        hold(
            &mut world,
            &format!(r#"{{"requests.cpu":"{hard}"}}"#),
            &format!(r#"{{"requests.cpu":"{used}"}}"#),
        );
        assert_eq!(!growth(&world).is_empty(), is_found, "{hard} {used}: {:?}", findings(&world));
    }
    let mut world = World::new([deployment("web", HALF), deployment("api", ONE)]);
    hold(&mut world, r#"{"requests.cpu":"4"}"#, r#"{"requests.cpu":"1500m"}"#);
    assert_eq!(
        findings(&world),
        [
            "warning TRN0816: requests.cpu would come to 4500m, of which ResourceQuota/dev/theirs allows 4: The cluster \
          counts 1500m as used already. This plan adds: Deployment.apps/dev/api 2, Deployment.apps/dev/web 1. \
          Autoscalers count with their maxReplicas, Jobs as if all ran at once."
        ]
    );
}

#[test]
fn what_runs_already_is_not_counted_twice() {
    let full = |world: &mut World| hold(world, r#"{"requests.cpu":"2"}"#, r#"{"requests.cpu":"2"}"#);
    let scaler = |most: u32| {
        let spec =
            format!(r#"{{"scaleTargetRef":{{"kind":"Deployment","name":"web"}},"maxReplicas":{most}}}"#);
        with_spec("autoscaling/v2 HorizontalPodAutoscaler", "scaler", &spec)
    };
    let settings = || Declared::new("v1 ConfigMap dev/settings", "{}");
    let other_image = r#"{"image":"app:v2","resources":{"requests":{"cpu":"500m"}}}"#;
    for (before, after, want) in [
        (vec![replicas(2, HALF)], vec![replicas(2, other_image)], None),
        (vec![replicas(2, HALF)], vec![replicas(2, HALF), settings()], None),
        (vec![replicas(2, HALF)], vec![replicas(1, HALF)], None),
        (vec![replicas(2, HALF)], vec![replicas(3, HALF)], Some("2500m: Deployment.apps/dev/web 500m")),
        (vec![replicas(2, HALF)], vec![replicas(2, ONE)], Some("3: Deployment.apps/dev/web 1")),
        (vec![replicas(2, HALF), scaler(4)], vec![replicas(2, other_image), scaler(4)], None),
        (
            vec![replicas(2, HALF), scaler(4)],
            vec![replicas(2, HALF), scaler(5)],
            Some("2500m: Deployment.apps/dev/web 500m"),
        ),
        (vec![replicas(2, HALF)], vec![deployment("api", HALF)], None),
    ] {
        let mut world = World::applied(before);
        world.declare(after.clone());
        full(&mut world);
        let want = want.map(|want| format!("requests.cpu would come to {want}"));
        assert_eq!(growth(&world), Vec::from_iter(want), "{after:?}");
    }
}

#[test]
fn objects_are_counted_as_well() {
    let settings = |name: &str| Declared::new(&format!("v1 ConfigMap dev/{name}"), "{}");
    let mut world = World::applied([settings("a")]);
    hold(&mut world, r#"{"configmaps":"3"}"#, r#"{"configmaps":"2"}"#);
    world.declare([settings("a"), settings("b")]);
    assert_eq!(growth(&world), [""; 0]);
    world.declare([settings("a"), settings("b"), settings("c")]);
    assert_eq!(growth(&world), ["configmaps would come to 4: ConfigMap/dev/b 1, ConfigMap/dev/c 1"]);
}

#[test]
fn a_declared_quota_counts_with_what_it_will_allow() {
    let mut world = World::applied([quota(r#"{"pods":"4"}"#)]);
    world.edit(
        "ResourceQuota/dev/quota",
        Foreign::Update("controller"),
        r#"{"status":{"used":{"pods":"3"}}}"#,
    );
    world.declare([quota(r#"{"pods":"4"}"#), deployment("web", "{}")]);
    assert_eq!(growth(&world), ["pods would come to 5: Deployment.apps/dev/web 2"]);
    world.declare([quota(r#"{"pods":"5"}"#), deployment("web", "{}")]);
    assert_eq!(growth(&world), [""; 0]);
    world.declare([quota(r#"{"pods":"1"}"#), deployment("web", "{}")]);
    assert_eq!(growth(&world), [""; 0], "that the declared pods alone are too many is said once");
    world.declare([deployment("web", "{}")]);
    assert_eq!(findings(&world), [""; 0], "the quota is deleted");
}

#[test]
fn quotas_and_ranges_of_others_bind_the_pods_that_are_written() {
    let told = |container: &str, range: Option<&str>, may_list: bool| {
        let mut world = World::new([deployment("web", container)]);
        hold(&mut world, r#"{"requests.cpu":"1"}"#, r#"{"requests.cpu":"0"}"#);
        if let Some(range) = range {
            let rest = format!(r#"{{"spec":{{"limits":[{{"type":"Container",{range}}}]}}}}"#);
            world.create("v1 LimitRange dev/range", Foreign::Update("admin"), &rest);
        }
        if !may_list {
            world.unlisted.insert(GroupKind::new("", "LimitRange"));
        }
        let codes = findings(&world).into_iter().filter_map(|it| Some(it.split_once(':')?.0.to_owned()));
        codes.collect::<Vec<_>>()
    };
    let large = r#"{"resources":{"requests":{"cpu":"2"}}}"#;
    assert_eq!(told("{}", None, true), ["warning TRN0803"]);
    assert_eq!(told("{}", None, false), [""; 0], "a range may fill it in");
    assert_eq!(told("{}", Some(r#""default":{"cpu":"100m"}"#), true), [""; 0]);
    assert_eq!(told("{}", Some(r#""default":{"cpu":"600m"}"#), true), ["warning TRN0816"]);
    assert_eq!(told(large, None, true), ["error TRN0802"]);
    assert_eq!(
        told(HALF, Some(r#""max":{"cpu":"400m"}"#), true),
        [""; 0],
        "the limit is not named, and filled in"
    );
    let limited = r#"{"resources":{"limits":{"cpu":"500m"}}}"#;
    assert_eq!(told(limited, Some(r#""max":{"cpu":"400m"}"#), true), ["warning TRN0804"]);
    let mut running = World::applied([deployment("web", "{}")]);
    hold(&mut running, r#"{"requests.cpu":"1"}"#, r#"{"requests.cpu":"0"}"#);
    running.declare([deployment("web", "{}"), deployment("api", HALF)]);
    assert_eq!(findings(&running), [""; 0], "pods that stay as they are, are no part of the plan");
}
