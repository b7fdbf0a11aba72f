use crate::feasibility::tests::*;

#[test]
fn containers_outside_of_the_bounds_are_found() {
    let range = |bounds: &str| {
        with_spec("v1 LimitRange", "range", &format!(r#"{{"limits":[{{"type":"Container",{bounds}}}]}}"#))
    };
    let (max, min) = (r#""max":{"cpu":"1"}"#, r#""min":{"memory":"64Mi"}"#);
    for (bounds, resources, want) in [
        (max, r#"{"limits":{"cpu":"2"}}"#, "may use 2 of cpu, more than the maximum 1"),
        (max, r#"{"limits":{"cpu":"1"}}"#, ""),
        (max, r#"{"limits":{"memory":"2Gi"}}"#, ""),
        (max, "{}", ""),
        (min, r#"{"requests":{"memory":"32Mi"}}"#, "asks for 32Mi of memory, less than the minimum 64Mi"),
        (min, r#"{"limits":{"memory":"32Mi"}}"#, "asks for 32Mi of memory, less than the minimum 64Mi"),
        (min, r#"{"requests":{"memory":"64Mi"}}"#, ""),
        (min, "{}", ""),
    ] {
        let found =
            first_plan([range(bounds), deployment("web", &format!(r#"{{"resources":{resources}}}"#))]);
        let want = (!want.is_empty()).then(|| {
            format!(
                "warning TRN0804: container main of Deployment.apps/dev/web {want} of LimitRange/dev/range: The API \
                 server refuses such pods."
            )
        });
        assert_eq!(found, Vec::from_iter(want), "{bounds} {resources}");
    }
}
