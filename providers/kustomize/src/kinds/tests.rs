use super::*;

#[test]
fn the_table_is_sorted_for_its_search() {
    assert!(
        KINDS.is_sorted_by(
            |(a_group, a_kind, ..), (b_group, b_kind, ..)| (a_group, a_kind) < (b_group, b_kind)
        )
    );
}

#[test]
fn scope_depends_on_the_version_that_the_schema_has() {
    assert!(is_cluster_scoped("", "v1", "Namespace"));
    assert!(is_cluster_scoped("rbac.authorization.k8s.io", "v1beta1", "ClusterRole"));
    assert!(!is_cluster_scoped("rbac.authorization.k8s.io", "v2", "ClusterRole"));
    assert!(!is_cluster_scoped("apps", "v1", "Deployment"));
    assert!(!is_cluster_scoped("example.com", "v1", "Namespace"));
}

#[test]
fn pods_of_every_workload_merge_their_containers() {
    let paths = [
        ("", "Pod", vec!["spec"]),
        ("", "PodTemplate", vec!["template", "spec"]),
        ("apps", "DaemonSet", vec!["spec", "template", "spec"]),
        ("batch", "CronJob", vec!["spec", "jobTemplate", "spec", "template", "spec"]),
    ];
    for (group, kind, path) in paths {
        let spec = path.iter().fold(Shape::of_kind(group, "v1", kind), |shape, field| shape.field(field));
        assert_eq!(spec.field("containers"), Shape::Merged(&["name"], Element::Container), "{kind}");
    }
    assert_eq!(Shape::of_kind("example.com", "v1", "Deployment"), Shape::Opaque);
}
