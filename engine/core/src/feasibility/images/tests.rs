use super::is_floating;
use crate::feasibility::tests::*;

#[test]
fn images_without_a_fixed_tag_are_told_apart() {
    for (image, want) in [
        ("nginx", true),
        ("nginx:latest", true),
        ("registry:5000/team/nginx", true),
        ("registry:5000/team/nginx:latest", true),
        ("nginx:1.27", false),
        ("registry:5000/team/nginx:1.27", false),
        ("nginx:latest@sha256:00", false),
        ("nginx@sha256:00", false),
    ] {
        assert_eq!(is_floating(image), want, "{image}");
    }
}

#[test]
fn workloads_with_such_images_are_found() {
    assert_eq!(
        first_plan([deployment("web", r#"{"image":"nginx"}"#)]),
        [
            "warning TRN0813: Deployment.apps/dev/web runs an image that can change: nginx: Pods started later may run \
          something else, and no plan shows it."
        ]
    );
    assert_eq!(first_plan([deployment("web", r#"{"image":"nginx:1.27"}"#)]), [""; 0]);
    let unknown = deployment("web", "{}").hole("spec.template.spec.containers");
    assert_eq!(first_plan([unknown]), [""; 0]);
}
