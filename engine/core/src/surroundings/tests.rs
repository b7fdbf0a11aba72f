use super::needed;
use crate::plan::fixtures::*;
use crate::plan::triage::{desired_prints, triage};
use crate::value::Text;

/// What a plan of this world reads: `ResourceQuota in dev`, `StorageClass.storage.k8s.io`.
fn lists(world: &World) -> Vec<String> {
    let graph = world.graph();
    let live = world.observe(&graph);
    let triage = triage(&graph, &world.state, &live, &desired_prints(&graph, world.key.as_ref()));
    let needed = needed(&graph, &triage, &live).into_iter();
    needed
        .map(|it| {
            let namespaces: Vec<&str> = it.namespaces.iter().map(Text::as_str).collect();
            if namespaces.is_empty() {
                it.kind.to_string()
            } else {
                format!("{} in {}", it.kind, namespaces.join(" "))
            }
        })
        .collect()
}

fn pods(name: &str, more: &str) -> Declared {
    let spec = format!(
        r#"{{"spec":{{"template":{{"spec":{{"containers":[{{"name":"a","image":"a:1"}}]{more}}}}}}}}}"#
    );
    Declared::new(&format!("apps/v1 Deployment {name}"), &spec)
}

fn claim(name: &str) -> Declared {
    Declared::new(&format!("v1 PersistentVolumeClaim {name}"), "{}")
}

const CLAIMS: [&str; 3] = ["PersistentVolume", "ResourceQuota in dev", "StorageClass.storage.k8s.io"];
const PODS: [&str; 2] = ["LimitRange in dev", "ResourceQuota in dev"];

#[test]
fn only_what_new_or_changed_objects_depend_on_is_read() {
    let ingress = || Declared::new("networking.k8s.io/v1 Ingress dev/door", "{}");
    for (declared, want) in [
        (vec![], vec![]),
        (vec![Declared::new("v1 ConfigMap dev/settings", "{}")], vec!["ResourceQuota in dev"]),
        (vec![pods("dev/web", "")], PODS.to_vec()),
        (
            vec![pods("dev/web", ""), pods("prod/web", "").at("manifest.other")],
            vec!["LimitRange in dev prod", "ResourceQuota in dev prod"],
        ),
        (
            vec![pods("dev/web", r#","priorityClassName":"high""#)],
            [&PODS[..], &["PriorityClass.scheduling.k8s.io"]].concat(),
        ),
        (vec![claim("dev/data")], CLAIMS.to_vec()),
        (vec![ingress()], vec!["ResourceQuota in dev", "IngressClass.networking.k8s.io"]),
        (vec![Declared::new("v1 Namespace dev", "{}"), pods("dev/web", "")], vec![]),
        (vec![Declared::new("rbac.authorization.k8s.io/v1 ClusterRole reader", "{}")], vec![]),
    ] {
        let mut world = World::new(declared.clone());
        assert_eq!(lists(&world), want, "{declared:?}");
        world.apply();
        assert_eq!(lists(&world), [""; 0], "a plan without changes reads nothing: {declared:?}");
    }
}

#[test]
fn a_change_in_place_adds_no_object_and_no_claim() {
    let mut world = World::applied([Declared::new("v1 ConfigMap dev/settings", "{}"), claim("dev/data")]);
    let grown = Declared::new("v1 PersistentVolumeClaim dev/data", r#"{"spec":{"resources":{}}}"#);
    world.declare([Declared::new("v1 ConfigMap dev/settings", r#"{"data":{"a":"b"}}"#), grown]);
    assert_eq!(lists(&world), ["ResourceQuota in dev"], "the claim may have grown");
}
