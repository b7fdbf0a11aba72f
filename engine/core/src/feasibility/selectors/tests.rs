use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn service(spec: &str) -> Declared {
    with_spec("v1 Service", "door", spec)
}

fn budget(rest: &str) -> Declared {
    let spec = format!(r#"{{"selector":{{"matchLabels":{{"app":"web"}}}}{rest}}}"#);
    with_spec("policy/v1 PodDisruptionBudget", "budget", &spec)
}

const LOST: &str =
    "warning TRN0807: Service/dev/door selects no pod of a declared workload: It has no endpoints.";

#[test]
fn services_select_pods() {
    for (spec, is_lost) in [
        (r#"{"selector":{"app":"web"}}"#, false),
        (r#"{"selector":{"app":"wbe"}}"#, true),
        (r#"{"selector":{"app":"web","tier":"front"}}"#, true),
        (r#"{"selector":{}}"#, false),
        ("{}", false),
        (r#"{"selector":{"app":"wbe"},"type":"ExternalName"}"#, false),
    ] {
        let found = first_plan([namespace(), deployment("web", "{}"), service(spec)]);
        assert_eq!(found, Vec::from_iter(is_lost.then_some(LOST)), "{spec}");
    }
}

#[test]
fn pods_of_others_are_not_missed() {
    let lost = || service(r#"{"selector":{"app":"wbe"}}"#);
    let delivery = |into: &str| {
        let spec = format!(r#"{{"spec":{{"destination":{{{into}}}}}}}"#);
        Declared::new("argoproj.io/v1alpha1 Application argocd/app", &spec)
    };
    for (declared, is_lost) in [
        (vec![namespace(), lost()], true),
        (vec![lost()], false),
        (vec![namespace(), lost(), Declared::new("example.com/v1 Site dev/site", "{}")], false),
        (vec![namespace(), lost(), Declared::new("example.com/v1 Site other/site", "{}")], true),
        (vec![namespace(), lost(), delivery(r#""namespace":"dev""#)], false),
        (vec![namespace(), lost(), delivery(r#""namespace":"other""#)], true),
        (vec![namespace(), lost(), delivery("")], false),
        (vec![namespace(), deployment("web", "{}"), lost().hole("spec.selector.app")], false),
    ] {
        assert_eq!(first_plan(declared.clone()), Vec::from_iter(is_lost.then_some(LOST)), "{declared:?}");
    }
}

#[test]
fn budgets_select_pods_and_leave_room() {
    let none = "TRN0808: PodDisruptionBudget.policy/dev/budget selects no pod of a declared workload: It protects nothing.";
    let kept = |why: &str| {
        format!(
            "TRN0809: PodDisruptionBudget.policy/dev/budget allows no eviction: {why}: Nodes with such a pod cannot be \
             drained."
        )
    };
    let all = kept("minAvailable keeps 2 of 2 pods");
    let zero = kept("maxUnavailable is 0");
    for (rest, name, want) in [
        (r#","minAvailable":1"#, "web", ""),
        (r#","minAvailable":2"#, "web", all.as_str()),
        (r#","minAvailable":"50%""#, "web", ""),
        (r#","minAvailable":"51%""#, "web", all.as_str()),
        (r#","minAvailable":"100%""#, "web", &kept("minAvailable is 100%")),
        (r#","maxUnavailable":1"#, "web", ""),
        (r#","maxUnavailable":0"#, "web", zero.as_str()),
        (r#","maxUnavailable":"0%""#, "web", zero.as_str()),
        (r#","maxUnavailable":1"#, "api", none),
    ] {
        let found = first_plan([namespace(), deployment(name, "{}"), budget(rest)]);
        let want = (!want.is_empty()).then(|| format!("warning {want}"));
        assert_eq!(found, Vec::from_iter(want), "{rest} {name}");
    }
}

#[test]
fn an_autoscaler_decides_how_many_pods_a_budget_has() {
    let cpu = r#"{"resources":{"requests":{"cpu":"1"}}}"#;
    for (least, is_found) in [(2, true), (3, false)] {
        let spec = format!(
            r#"{{"scaleTargetRef":{{"kind":"Deployment","name":"web"}},"minReplicas":{least},"maxReplicas":9}}"#
        );
        let scaler = with_spec("autoscaling/v2 HorizontalPodAutoscaler", "scaler", &spec);
        let found = first_plan([deployment("web", cpu), scaler, budget(r#","minAvailable":2"#)]);
        assert_eq!(found.len(), usize::from(is_found), "{least}: {found:?}");
    }
}

#[test]
fn expressions_select_as_in_kubernetes() {
    let labels = json(r#"{"app":"web"}"#);
    for (expression, want) in [
        (r#"{"key":"app","operator":"In","values":["web"]}"#, true),
        (r#"{"key":"app","operator":"In","values":["api"]}"#, false),
        (r#"{"key":"app","operator":"NotIn","values":["api"]}"#, true),
        (r#"{"key":"app","operator":"NotIn","values":["web"]}"#, false),
        (r#"{"key":"tier","operator":"NotIn","values":["web"]}"#, true),
        (r#"{"key":"app","operator":"Exists"}"#, true),
        (r#"{"key":"tier","operator":"Exists"}"#, false),
        (r#"{"key":"tier","operator":"DoesNotExist"}"#, true),
        (r#"{"key":"app","operator":"DoesNotExist"}"#, false),
    ] {
        let selector = json(&format!(r#"{{"matchExpressions":[{expression}]}}"#));
        assert_eq!(super::selects(&selector, Some(&labels)), want, "{expression}");
    }
}
