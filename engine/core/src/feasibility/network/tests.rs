use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn policy(spec: &str) -> Declared {
    with_spec("networking.k8s.io/v1 NetworkPolicy", "policy", spec)
}

#[test]
fn pods_that_may_send_need_dns() {
    let egress = |rules: &str| format!(r#"{{"podSelector":{{}},"policyTypes":["Egress"],"egress":{rules}}}"#);
    let tcp = |port: &str| egress(&format!(r#"[{{"ports":[{{"protocol":"TCP","port":{port}}}]}}]"#));
    for (spec, is_cut) in [
        (r#"{"podSelector":{},"policyTypes":["Egress"]}"#.to_owned(), true),
        (r#"{"podSelector":{},"policyTypes":["Ingress"]}"#.to_owned(), false),
        (r#"{"podSelector":{}}"#.to_owned(), false),
        (r#"{"podSelector":{"matchLabels":{"app":"other"}},"policyTypes":["Egress"]}"#.to_owned(), false),
        (r#"{"podSelector":{"matchLabels":{"app":"web"}},"policyTypes":["Egress"]}"#.to_owned(), true),
        (egress("[{}]"), false),
        (tcp("443"), true),
        (tcp("53"), false),
        (tcp("5353"), false),
        (tcp(r#"50,"endPort":60"#), false),
        (tcp(r#""dns""#), false),
        (egress(r#"[{"to":[{"podSelector":{}}]}]"#), true),
        (egress(r#"[{"to":[{"namespaceSelector":{}}]}]"#), false),
        (egress(r#"[{"to":[{"ipBlock":{"cidr":"10.0.0.10/32"}}],"ports":[{"port":53}]}]"#), false),
    ] {
        let found = first_plan([namespace(), deployment("web", "{}"), policy(&spec)]);
        let want = "warning TRN0814: the pods of Deployment.apps/dev/web cannot ask DNS: No egress rule of \
                    NetworkPolicy.networking.k8s.io/dev/policy allows port 53.";
        assert_eq!(found, Vec::from_iter(is_cut.then_some(want)), "{spec}");
    }
}

#[test]
fn policies_add_up_and_others_may_add_theirs() {
    let deny = || policy(r#"{"podSelector":{},"policyTypes":["Egress"]}"#);
    let dns = r#"{"podSelector":{},"policyTypes":["Egress"],"egress":[{"ports":[{"port":53}]}]}"#;
    let allow = with_spec("networking.k8s.io/v1 NetworkPolicy", "dns", dns);
    assert_eq!(first_plan([namespace(), deployment("web", "{}"), deny(), allow]), [""; 0]);
    assert_eq!(first_plan([deployment("web", "{}"), deny()]), [""; 0], "the namespace is that of others");
}
