use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn scaler(kind: &str, target: &str, rest: &str) -> Declared {
    let spec = format!(
        r#"{{"scaleTargetRef":{{"apiVersion":"apps/v1","kind":"Deployment","name":"{target}"}},"maxReplicas":3{rest}}}"#
    );
    with_spec(&format!("{kind} HorizontalPodAutoscaler"), "scaler", &spec)
}

#[test]
fn shares_are_of_something() {
    let metric = |resource: &str, target: &str| {
        format!(
            r#","metrics":[{{"type":"Resource","resource":{{"name":"{resource}","target":{{"type":"{target}"}}}}}}]"#
        )
    };
    let cpu = r#"{"resources":{"requests":{"cpu":"1"}}}"#;
    for (version, metrics, container, is_found) in [
        ("autoscaling/v2", String::new(), "{}", true),
        ("autoscaling/v2", String::new(), cpu, false),
        ("autoscaling/v1", String::new(), "{}", true),
        ("autoscaling/v1", String::new(), cpu, false),
        ("autoscaling/v2", metric("memory", "Utilization"), cpu, true),
        ("autoscaling/v2", metric("memory", "AverageValue"), cpu, false),
        ("autoscaling/v2", metric("cpu", "Utilization"), r#"{"resources":{"limits":{"cpu":"1"}}}"#, false),
        ("autoscaling/v2", r#","metrics":[{"type":"Pods"}]"#.to_owned(), "{}", false),
    ] {
        let found = first_plan([deployment("web", container), scaler(version, "web", &metrics)]);
        let is_so = found.iter().any(|it| it.starts_with("warning TRN0810: "));
        assert_eq!(
            (is_so, found.len()),
            (is_found, usize::from(is_found)),
            "{version} {metrics} {container}"
        );
    }
    let range = r#"{"limits":[{"type":"Container","defaultRequest":{"cpu":"1"}}]}"#;
    let declared = [
        deployment("web", "{}"),
        scaler("autoscaling/v2", "web", ""),
        with_spec("v1 LimitRange", "range", range),
    ];
    assert_eq!(first_plan(declared), [""; 0], "the request is filled in");
    assert_eq!(
        first_plan([deployment("web", "{}"), scaler("autoscaling/v2", "web", "")]),
        ["warning TRN0810: HorizontalPodAutoscaler.autoscaling/dev/scaler goes by the share of cpu that \
          Deployment.apps/dev/web does not request: Containers that request none: main. Without it nothing is scaled."]
    );
}

#[test]
fn what_is_scaled_is_declared_where_the_namespace_is() {
    let lost = || scaler("autoscaling/v2", "wbe", "");
    let said = "warning TRN0811: HorizontalPodAutoscaler.autoscaling/dev/scaler scales Deployment.apps wbe, which \
                nothing declares: The environment declares its namespace, and nothing of that name in it.";
    let custom = || Declared::new("example.com/v1 Site dev/site", "{}");
    assert_eq!(first_plan([namespace(), lost()]), [said]);
    assert_eq!(first_plan([lost()]), [""; 0], "the namespace is that of others");
    assert_eq!(first_plan([namespace(), lost(), custom()]), [""; 0], "a controller may make it");
    let cpu = r#"{"resources":{"requests":{"cpu":"1"}}}"#;
    assert_eq!(first_plan([namespace(), deployment("wbe", cpu), lost()]), [""; 0]);
}
