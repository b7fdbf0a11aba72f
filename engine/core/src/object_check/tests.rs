use super::*;
use crate::object_ref::ClusterRef;
use crate::sensitive::SensitivePaths;

fn kind(group: &str, kind: &str) -> GroupKind {
    GroupKind::new(group, kind)
}

#[test]
fn kinds_that_do_not_exist_are_told_from_those_that_do() {
    let meant = |group, name| kind_instead(&kind(group, name));
    assert_eq!(meant("", "configmap").as_deref(), Some("ConfigMap of v1"));
    assert_eq!(meant("", "Deployment").as_deref(), Some("Deployment of apps/v1"));
    assert_eq!(meant("apps", "statefulSet").as_deref(), Some("StatefulSet of apps/v1"));
    for (group, name) in
        [("", "ConfigMap"), ("apps", "Deployment"), ("", "Site"), ("example.com", "deployment")]
    {
        assert_eq!(meant(group, name), None, "{group} {name}");
    }
}

#[test]
fn quantities_are_read_as_the_server_reads_them() {
    let wrong = |kind: &str, place: &[&str], list: bool, amount: &str| {
        let mut body = Value::map([("apiVersion", Value::from("v1")), ("kind", kind.into())]);
        body.set_at(&["metadata", "name"], "a".into());
        body.set_at(&["metadata", "namespace"], "b".into());
        let amounts = Value::map([("memory", Value::from(amount))]);
        if list {
            let mut container = Value::map([("name", Value::from("c"))]);
            container.set_at(&["resources", "limits"], amounts);
            body.set_at(place, Value::List(vec![container].into()));
        } else {
            body.set_at(place, amounts);
        }
        let manifest =
            Manifest::new(ClusterRef::new("main"), body, SensitivePaths::default(), Vec::new()).unwrap();
        invalid_quantity(&manifest).map(|(path, _)| path.to_string())
    };
    let quota = |amount| wrong("ResourceQuota", &["spec", "hard"], false, amount);
    assert_eq!(quota("64 GB").as_deref(), Some("spec.hard.memory"));
    for right in ["64Gi", "500m", "1e3", "2"] {
        assert_eq!(quota(right), None, "{right}");
    }
    let pod = wrong("Pod", &["spec", "containers"], true, "1GB");
    assert_eq!(pod.as_deref(), Some("spec.containers[0].resources.limits.memory"));
    assert_eq!(
        wrong("Site", &["spec", "hard"], false, "64 GB"),
        None,
        "nobody knows what a Site means by it"
    );
}

fn manifest(kind: &str, field: &[&str], value: Value) -> Manifest {
    let mut body = Value::map([("apiVersion", Value::from("v1")), ("kind", kind.into())]);
    body.set_at(&["metadata", "name"], "a".into());
    body.set_at(&["metadata", "namespace"], "b".into());
    body.set_at(field, value);
    Manifest::new(ClusterRef::new("main"), body, SensitivePaths::default(), Vec::new()).unwrap()
}

#[test]
fn marks_are_not_for_manifests_to_set() {
    let of = |field, name: &str| {
        reserved_mark(&manifest("ConfigMap", &["metadata", field, name], "x".into()))
            .map(|path| path.to_string())
    };
    assert_eq!(
        of("labels", ENVIRONMENT_LABEL).as_deref(),
        Some(r#"metadata.labels["terrane.dev/environment"]"#)
    );
    assert_eq!(
        of("annotations", ADDRESS_ANNOTATION).as_deref(),
        Some(r#"metadata.annotations["terrane.dev/address"]"#)
    );
    assert_eq!(of("labels", ADDRESS_ANNOTATION), None);
}

#[test]
fn sizes_are_measured_as_the_server_measures_them() {
    let of = |kind: &str, field: &[&str], bytes: usize| {
        let found = too_large(&manifest(kind, field, Value::string("y".repeat(bytes))));
        found.map(|found| (found.path.to_string(), found.limit))
    };
    const MIB: usize = 1 << 20;
    assert_eq!(of("ConfigMap", &["data", "x"], MIB), None);
    assert_eq!(of("ConfigMap", &["data", "x"], MIB + 1), Some(("data".into(), MIB)));
    assert_eq!(of("ConfigMap", &["binaryData", "x"], MIB / 3 * 4), None);
    assert_eq!(of("Secret", &["data", "x"], MIB / 3 * 4), None);
    assert_eq!(of("Secret", &["data", "x"], MIB / 3 * 4 + 8), Some(("data".into(), MIB)));
    let annotation = ["metadata", "annotations", "x"];
    assert_eq!(of("Service", &annotation, (MIB >> 2) - 1), None);
    assert_eq!(of("Service", &annotation, MIB >> 2), Some(("metadata.annotations".into(), MIB >> 2)));
    assert_eq!(of("Service", &["spec", "x"], 3 * MIB - 100), None);
    assert_eq!(of("Service", &["spec", "x"], 3 * MIB), Some((String::new(), 3 * MIB)));
}

#[test]
fn values_of_a_secret_that_have_to_be_text_are_told_from_those_that_are() {
    let wrong = |kind: &str, body: &str| {
        let mut object: Value = serde_json::from_str(body).unwrap();
        object.set_at(&["apiVersion"], "v1".into());
        object.set_at(&["kind"], kind.into());
        object.set_at(&["metadata", "name"], "a".into());
        let manifest =
            Manifest::new(ClusterRef::new("main"), object, SensitivePaths::default(), Vec::new()).unwrap();
        not_text(&manifest).map(|(path, found)| format!("{path} {found}"))
    };
    for (kind, body, want) in [
        ("Secret", r#"{"stringData":{"a":"b","c":7}}"#, Some("stringData.c number")),
        ("Secret", r#"{"data":{"a":1}}"#, Some("data.a number")),
        ("Secret", r#"{"data":{"a":"MQ==","b":null}}"#, None),
        ("ConfigMap", r#"{"data":{"a":1}}"#, None),
    ] {
        assert_eq!(wrong(kind, body).as_deref(), want, "{kind} {body}");
    }
}
