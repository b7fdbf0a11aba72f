use super::REMOVALS;
use crate::feasibility::tests::*;
use crate::object_ref::ApiVersion;
use crate::plan::fixtures::*;

#[test]
fn versions_that_are_gone_are_found() {
    for (kind, want) in [
        ("batch/v1beta1 CronJob", Some(25)),
        ("policy/v1beta1 PodDisruptionBudget", Some(25)),
        ("autoscaling/v2beta2 HorizontalPodAutoscaler", Some(26)),
        ("extensions/v1beta1 Ingress", Some(22)),
        ("extensions/v1beta1 Deployment", Some(16)),
        ("flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema", Some(32)),
        ("batch/v1 CronJob", None),
        ("policy/v1 PodDisruptionBudget", None),
        ("autoscaling/v2 HorizontalPodAutoscaler", None),
        ("networking.k8s.io/v1 Ingress", None),
        ("admissionregistration.k8s.io/v1beta1 ValidatingAdmissionPolicy", None),
        ("example.com/v1beta1 CronJob", None),
    ] {
        let (version, name) = kind.split_once(' ').unwrap();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let found = first_plan([Declared::new(&format!("{kind} dev/old"), "{}")]);
        let want = want.map(|since| {
            format!(
                "warning TRN0815: {name}.{group}/dev/old is written in {version}, which Kubernetes 1.{since} and \
                 later do not serve: "
            )
        });
        assert_eq!(found, Vec::from_iter(want), "{kind}");
    }
}

#[test]
fn what_takes_the_place_is_served() {
    for removal in REMOVALS.iter().filter(|removal| !removal.instead.is_empty()) {
        let version: ApiVersion = parse(removal.instead);
        for kind in removal.kinds {
            let served = engine_kinds::builtin::all()
                .iter()
                .any(|it| it.group == version.group && it.version == version.version && it.kind == *kind);
            assert!(served, "{kind} of {version}");
        }
    }
}
