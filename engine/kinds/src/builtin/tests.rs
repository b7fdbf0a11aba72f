use std::collections::HashSet;

use super::*;

#[test]
fn every_line_of_the_table_is_read() {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(all().len(), lines);
}

#[test]
fn no_two_kinds_share_a_path() {
    let paths: HashSet<_> = all().iter().map(|kind| (kind.group, kind.version, kind.plural)).collect();
    assert_eq!(paths.len(), all().len());
}

#[test]
fn finds_kinds_by_name_and_by_path() {
    let deployment = find("apps", "v1", "Deployment").unwrap();
    assert_eq!(deployment.api_version(), "apps/v1");
    assert_eq!(deployment.singular, "deployment");
    assert_eq!(deployment.short_names, ["deploy"]);
    assert_eq!(deployment.categories, ["all"]);
    assert_eq!(deployment.subresources, ["scale", "status"]);
    assert_eq!(by_plural("apps", "v1", "deployments"), Some(deployment));
    assert_eq!(find("", "v1", "Pod").unwrap().api_version(), "v1");
    assert_eq!(find("apps", "v1beta1", "Deployment"), None);
    assert_eq!(find("extensions", "v1", "Deployment"), None);
}

#[test]
fn knows_scopes_and_preferred_versions() {
    assert_eq!(scope_of("", "Namespace"), Some(Scope::Cluster));
    assert_eq!(scope_of("batch", "Job"), Some(Scope::Namespaced));
    assert_eq!(scope_of("argoproj.io", "Application"), None);
    let preferred = |version| find("autoscaling", version, "HorizontalPodAutoscaler").unwrap().preferred;
    assert!(preferred("v2") && !preferred("v1"));
}
