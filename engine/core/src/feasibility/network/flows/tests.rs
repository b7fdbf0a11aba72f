use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn policy(spec: &str) -> Declared {
    with_spec("networking.k8s.io/v1 NetworkPolicy", "policy", spec)
}

fn web() -> Declared {
    deployment(
        "web",
        r#"{"ports":[{"name":"http","containerPort":8080},{"name":"metrics","containerPort":9090}]}"#,
    )
}

fn service(spec: &str) -> Declared {
    let body = format!(r#"{{"metadata":{{"labels":{{"app":"web"}}}},"spec":{spec}}}"#);
    Declared::new("v1 Service dev/web", &body).at("manifest.service")
}

const PORTS: &str = r#"{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"http"},
    {"name":"metrics","port":9090}]}"#;

fn ingress() -> Declared {
    let backend = r#"{"service":{"name":"web","port":{"number":80}}}"#;
    let spec = format!(r#"{{"rules":[{{"http":{{"paths":[{{"path":"/","backend":{backend}}}]}}}}]}}"#);
    with_spec("networking.k8s.io/v1 Ingress", "door", &spec)
}

fn monitor(namespace: &str, more: &str) -> Declared {
    let spec = r#""selector":{"matchLabels":{"app":"web"}},"endpoints":[{"port":"metrics"}]"#;
    let body = format!(r#"{{"spec":{{{spec}{more}}}}}"#);
    Declared::new(&format!("monitoring.coreos.com/v1 ServiceMonitor {namespace}/monitor"), &body)
}

/// The codes that are found of it all.
fn codes(declared: Vec<Declared>) -> Vec<String> {
    let flows = ["TRN0820", "TRN0821"];
    let found = first_plan([vec![namespace(), web()], declared].concat());
    found
        .iter()
        .flat_map(|it| flows.iter().filter(|code| it.contains(**code)).map(|it| (*it).to_owned()))
        .collect()
}

const CUT: [&str; 2] = ["TRN0820", "TRN0821"];

#[test]
fn what_is_to_be_reached_must_be_let_in() {
    let rules =
        |rules: &str| format!(r#"{{"podSelector":{{}},"policyTypes":["Ingress"],"ingress":{rules}}}"#);
    let from = |peer: &str| rules(&format!(r#"[{{"from":[{peer}]}}]"#));
    let ports = |ports: &str| rules(&format!(r#"[{{"ports":[{ports}]}}]"#));
    for (spec, want) in [
        (r#"{"podSelector":{}}"#.to_owned(), &CUT[..]),
        (r#"{"podSelector":{},"policyTypes":["Egress"]}"#.to_owned(), &[]),
        (r#"{"podSelector":{"matchLabels":{"app":"other"}}}"#.to_owned(), &[]),
        (rules("[{}]"), &[]),
        (rules(r#"[{"from":[]}]"#), &[]),
        (from(r#"{"podSelector":{}}"#), &CUT),
        (from(r#"{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"dev"}}}"#), &CUT),
        (from(r#"{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"ingress"}}}"#), &[]),
        (from(r#"{"namespaceSelector":{}}"#), &[]),
        (from(r#"{"ipBlock":{"cidr":"10.0.0.0/8"}}"#), &[]),
        (ports(r#"{"port":8080}"#), &CUT[1..]),
        (ports(r#"{"port":"http"}"#), &CUT[1..]),
        (ports(r#"{"port":80}"#), &CUT),
        (ports(r#"{"port":9090}"#), &CUT[..1]),
        (ports(r#"{"port":8000,"endPort":9100}"#), &[]),
        (ports(r#"{"port":"nobody-knows"}"#), &[]),
        (ports(r#"{"port":8080,"protocol":"UDP"}"#), &CUT),
    ] {
        assert_eq!(codes(vec![service(PORTS), ingress(), monitor("dev", ""), policy(&spec)]), want, "{spec}");
    }
}

#[test]
fn the_finding_names_both_ends_and_the_policies() {
    let deny = policy(r#"{"podSelector":{}}"#);
    let found = first_plan([namespace(), web(), service(PORTS), ingress(), deny.clone()]);
    let want = "warning TRN0820: Ingress.networking.k8s.io/dev/door cannot reach the pods of Deployment.apps/dev/web: No \
                ingress rule of NetworkPolicy.networking.k8s.io/dev/policy admits an ingress controller of another namespace.";
    assert_eq!(found, [want]);
    let found = first_plan([namespace(), web(), service(PORTS), monitor("dev", ""), deny]);
    assert!(
        found[0].contains("ServiceMonitor.monitoring.coreos.com/dev/monitor cannot measure the pods of"),
        "{found:?}"
    );
}

#[test]
fn policies_add_up_and_doubt_is_silent() {
    let deny = || policy(r#"{"podSelector":{}}"#);
    let base = || vec![service(PORTS), ingress(), deny()];
    let allow = r#"{"podSelector":{"matchLabels":{"app":"web"}},"ingress":[{"ports":[{"port":8080}]}]}"#;
    let allow = with_spec("networking.k8s.io/v1 NetworkPolicy", "allow", allow);
    let door = with_spec("v1 Service", "door", r#"{"type":"LoadBalancer"}"#).at("manifest.balancer");
    let own = Declared::new("example.com/v1 Policy dev/own", "{}");
    let host = deployment("proxy", r#"{"ports":[{"hostPort":80,"containerPort":80}]}"#);
    for more in [allow, door, own, host] {
        assert_eq!(codes([base(), vec![more.clone()]].concat()), [""; 0], "{more:?}");
    }
    assert_eq!(codes(base()), ["TRN0820"]);
    let found = first_plan([base(), vec![web()]].concat());
    assert!(!found.iter().any(|it| it.contains("TRN0820")), "the namespace is that of others: {found:?}");
    for services in [r#"{"ports":[{"port":80}]}"#, r#"{"selector":{"app":"web"},"ports":[{"port":81}]}"#] {
        assert_eq!(codes(vec![service(services), ingress(), deny()]), [""; 0], "{services}");
    }
}

#[test]
fn monitors_look_where_they_say() {
    let deny = || policy(r#"{"podSelector":{}}"#);
    for (monitor, is_cut) in [
        (monitor("dev", ""), true),
        (monitor("metrics", ""), false),
        (monitor("metrics", r#","namespaceSelector":{"matchNames":["dev"]}"#), true),
        (monitor("metrics", r#","namespaceSelector":{"any":true}"#), true),
        (monitor("dev", r#","namespaceSelector":{"matchNames":["other"]}"#), false),
        (
            Declared::new(
                "monitoring.coreos.com/v1 ServiceMonitor dev/nothing",
                r#"{"spec":{"selector":{},"endpoints":[{"port":"nothing"}]}}"#,
            ),
            false,
        ),
        (
            Declared::new(
                "monitoring.coreos.com/v1 PodMonitor dev/pods",
                r#"{"spec":{"selector":{"matchLabels":{"app":"web"}},"podMetricsEndpoints":[{"port":"metrics"}]}}"#,
            ),
            true,
        ),
    ] {
        let found = codes(vec![service(PORTS), monitor.clone(), deny()]);
        assert_eq!(found, Vec::from_iter(is_cut.then_some("TRN0821")), "{monitor:?}");
    }
}
