use crate::feasibility::tests::*;
use crate::object_ref::GroupKind;
use crate::plan::fixtures::*;

/// What is found of a plan on a cluster that holds these objects: head and rest of each.
fn found(held: &[(&str, &str)], declared: impl IntoIterator<Item = Declared>) -> Vec<String> {
    let mut world = World::new(declared);
    held.iter().for_each(|(head, rest)| world.create(head, Foreign::Update("admin"), rest));
    findings(&world)
}

const FAST: (&str, &str) = ("storage.k8s.io/v1 StorageClass fast", "{}");
const DEFAULT: (&str, &str) = (
    "storage.k8s.io/v1 StorageClass standard",
    r#"{"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}}}"#,
);
const BY_HAND: (&str, &str) = ("v1 PersistentVolume disk", r#"{"spec":{"storageClassName":"manual"}}"#);

fn claim(spec: &str) -> Declared {
    with_spec("v1 PersistentVolumeClaim", "data", spec)
}

fn lacks(class: &str, there: &str) -> String {
    format!(
        "warning TRN0817: PersistentVolumeClaim/dev/data is of the StorageClass {class}, which is not there: The cluster \
         and the environment have: {there}. The claim stays pending."
    )
}

#[test]
fn a_claim_needs_its_class_or_a_default_or_a_volume() {
    let of = |class: &str| format!(r#"{{"storageClassName":"{class}"}}"#);
    let no_default = "warning TRN0817: PersistentVolumeClaim/dev/data names no StorageClass, and no class is the \
                      default: The cluster and the environment have: fast. The claim stays pending.";
    for (held, spec, want) in [
        (vec![], of("fast"), Some(lacks("fast", "none"))),
        (vec![FAST], of("fast"), None),
        (vec![FAST, DEFAULT], of("fats"), Some(lacks("fats", "fast, standard"))),
        (vec![BY_HAND], of("manual"), None),
        (vec![BY_HAND], of("fast"), Some(lacks("fast", "none"))),
        (vec![], of(""), None),
        (vec![FAST], "{}".into(), Some(no_default.into())),
        (vec![FAST, DEFAULT], "{}".into(), None),
        (vec![], r#"{"storageClassName":"fast","volumeName":"disk"}"#.into(), None),
        (vec![], r#"{"storageClassName":"fast","selector":{}}"#.into(), None),
    ] {
        assert_eq!(found(&held, [claim(&spec)]), Vec::from_iter(want), "{held:?} {spec}");
    }
}

#[test]
fn what_is_declared_delivered_or_brought_by_a_controller_counts() {
    let fast = || claim(r#"{"storageClassName":"fast"}"#);
    let class = Declared::new("storage.k8s.io/v1 StorageClass fast", "{}");
    let flux = Declared::new("kustomize.toolkit.fluxcd.io/v1 Kustomization flux/apps", "{}");
    let kind = Declared::new("apiextensions.k8s.io/v1 CustomResourceDefinition volumes.example.com", "{}");
    for more in [class, flux, kind] {
        let told = found(&[], [fast(), more.clone()]);
        assert!(!told.iter().any(|it| it.contains("TRN0817")), "{more:?}: {told:?}");
    }
}

#[test]
fn templates_of_claims_are_judged_and_claims_that_exist_are_not() {
    let set = r#"{"replicas":1,"volumeClaimTemplates":[{"spec":{"storageClassName":"fast"}}]}"#;
    let told = found(&[], [workload("apps/v1 StatefulSet", "db", set, "{}")]);
    assert!(
        told.iter().any(|it| it.starts_with("warning TRN0817: StatefulSet.apps/dev/db is of")),
        "{told:?}"
    );
    let mut world = World::applied([claim(r#"{"storageClassName":"fast"}"#)]);
    world.declare([claim(r#"{"storageClassName":"fast","resources":{"requests":{"storage":"2Gi"}}}"#)]);
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn an_ingress_needs_its_class() {
    let nginx = ("networking.k8s.io/v1 IngressClass nginx", "{}");
    let default = (
        "networking.k8s.io/v1 IngressClass nginx",
        r#"{"metadata":{"annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}}}"#,
    );
    let old = r#"{"metadata":{"annotations":{"kubernetes.io/ingress.class":"nginx"}}}"#;
    for (held, rest, want) in [
        (vec![nginx], r#"{"spec":{"ingressClassName":"nginx"}}"#, None),
        (
            vec![nginx],
            r#"{"spec":{"ingressClassName":"ngnix"}}"#,
            Some("is of the IngressClass ngnix, which is not there"),
        ),
        (
            vec![],
            r#"{"spec":{"ingressClassName":"nginx"}}"#,
            Some("is of the IngressClass nginx, which is not there"),
        ),
        (vec![], "{}", None),
        (vec![nginx], "{}", Some("names no IngressClass, and no class is the default")),
        (vec![default], "{}", None),
        (vec![nginx], old, None),
    ] {
        let told = found(&held, [Declared::new("networking.k8s.io/v1 Ingress dev/door", rest)]);
        let told: Vec<&str> = told
            .iter()
            .filter_map(|it| {
                it.strip_prefix("warning TRN0818: Ingress.networking.k8s.io/dev/door ")?.split(": ").next()
            })
            .collect();
        assert_eq!(told, Vec::from_iter(want), "{held:?} {rest}");
    }
}

#[test]
fn pods_need_their_priority_class() {
    let pods = |class: &str| {
        let mut pods = deployment("web", "{}");
        let mut body = pods.manifest().body().clone();
        body.set_at(&["spec", "template", "spec", "priorityClassName"], class.into());
        pods = Declared::new("apps/v1 Deployment dev/web", &body.to_string());
        pods
    };
    let want = "warning TRN0819: Deployment.apps/dev/web is of the PriorityClass high, which is not there: The API server \
                refuses such pods.";
    assert_eq!(found(&[], [pods("high")]), [want]);
    assert_eq!(found(&[("scheduling.k8s.io/v1 PriorityClass high", "{}")], [pods("high")]), [""; 0]);
    assert_eq!(
        found(&[], [pods("high"), Declared::new("scheduling.k8s.io/v1 PriorityClass high", "{}")]),
        [""; 0]
    );
    assert_eq!(found(&[], [pods("system-node-critical")]), [""; 0]);
    let mut forbidden = World::new([pods("high")]);
    forbidden.unlisted.insert(GroupKind::new("scheduling.k8s.io", "PriorityClass"));
    assert_eq!(findings(&forbidden), [""; 0], "what must not be listed may be there");
    let offline: Vec<String> = faults(&World::new([pods("high")]).plan_offline());
    assert_eq!(offline, [""; 0]);
}

#[test]
fn a_class_that_the_plan_deletes_is_no_longer_there() {
    let class = || Declared::new("networking.k8s.io/v1 IngressClass nginx", "{}");
    let door =
        || Declared::new("networking.k8s.io/v1 Ingress dev/door", r#"{"spec":{"ingressClassName":"nginx"}}"#);
    let mut world = World::applied([class()]);
    world.declare([door()]);
    assert_eq!(findings(&world).len(), 1);
    world.declare([class(), door()]);
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn what_is_only_read_is_not_judged() {
    let nginx = ("networking.k8s.io/v1 IngressClass nginx", "{}");
    let mine =
        Declared::new("networking.k8s.io/v1 Ingress dev/mine", r#"{"spec":{"ingressClassName":"nginx"}}"#);
    let theirs = Declared::read("Ingress.networking.k8s.io/dev/theirs");
    assert_eq!(found(&[nginx], [mine, theirs]), [""; 0]);
}
