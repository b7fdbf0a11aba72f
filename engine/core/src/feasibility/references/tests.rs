use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn settings(data: &str) -> Declared {
    Declared::new("v1 ConfigMap dev/settings", &format!(r#"{{"data":{data}}}"#))
}

fn env(source: &str) -> Declared {
    deployment("web", &format!(r#"{{"env":[{{"name":"A","valueFrom":{{{source}}}}}]}}"#))
}

/// A workload that mounts a volume.
fn mounting(volume: &str) -> Declared {
    let spec = format!(r#"{{"template":{{"spec":{{"volumes":[{volume}]}}}}}}"#);
    workload("apps/v1 Deployment", "web", &spec, "{}")
}

#[test]
fn keys_that_a_declared_object_lacks_are_found() {
    let key = |name: &str| format!(r#""configMapKeyRef":{{"name":"settings","key":"{name}"}}"#);
    let items = r#"{"name":"v","configMap":{"name":"settings","items":[{"key":"url"}]}}"#;
    let projected =
        r#"{"name":"v","projected":{"sources":[{"configMap":{"name":"settings","items":[{"key":"url"}]}}]}}"#;
    let optional = r#""configMapKeyRef":{"name":"settings","key":"url","optional":true}"#;
    let level = || settings(r#"{"level":"1"}"#);
    for (map, pods, is_found) in [
        (level(), env(&key("level")), false),
        (level(), env(&key("url")), true),
        (level(), mounting(items), true),
        (level(), mounting(projected), true),
        (level(), env(optional), false),
        (settings(r#"{"url":"x"}"#), mounting(items), false),
        (settings("{}"), env(&key("url")), false),
        (level().hole("data.url"), env(&key("url")), false),
        (level().hole("data"), env(&key("url")), false),
        (level().ignoring("data.url"), env(&key("url")), false),
        (level().sensitive("data"), env(&key("level")), false),
        (level().sensitive("data"), env(&key("url")), true),
    ] {
        let found = first_plan([map.clone(), pods.clone()]);
        let want = "warning TRN0805: Deployment.apps/dev/web takes the key \"url\" of ConfigMap/dev/settings, which has \
                    none: Its pods do not start before the key is there.";
        assert_eq!(found, Vec::from_iter(is_found.then_some(want)), "{map:?} {pods:?}");
    }
}

#[test]
fn keys_of_secrets_are_known_without_their_values() {
    let secret = |kind: &str| {
        Declared::new(
            "v1 Secret dev/login",
            &format!(r#"{{"type":"{kind}","stringData":{{"user":"hunter2"}}}}"#),
        )
    };
    let key = |name: &str| env(&format!(r#""secretKeyRef":{{"name":"login","key":"{name}"}}"#));
    let found = first_plan([secret("Opaque"), key("password")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("TRN0805") && !found[0].contains("hunter2"), "{found:?}");
    assert_eq!(first_plan([secret("Opaque"), key("user")]), [""; 0]);
    assert_eq!(first_plan([secret("kubernetes.io/service-account-token"), key("token")]), [""; 0]);
}

#[test]
fn objects_are_missing_only_where_nobody_else_can_have_made_them() {
    let map = || env(r#""configMapKeyRef":{"name":"lost","key":"a"}"#);
    let from =
        |field: &str| deployment("web", &format!(r#"{{"envFrom":[{{"{field}":{{"name":"lost"}}}}]}}"#));
    let account = |name: &str| {
        workload(
            "apps/v1 Deployment",
            "web",
            &format!(r#"{{"template":{{"spec":{{"serviceAccountName":"{name}"}}}}}}"#),
            "{}",
        )
    };
    let claim =
        |name: &str| mounting(&format!(r#"{{"name":"v","persistentVolumeClaim":{{"claimName":"{name}"}}}}"#));
    let set = || {
        let spec = r#"{"volumeClaimTemplates":[{"metadata":{"name":"data"}}]}"#;
        workload("apps/v1 StatefulSet", "db", spec, "{}")
    };
    let job = || workload("batch/v1 Job", "job", "{}", "{}");
    let custom = || Declared::new("example.com/v1 Site dev/site", "{}");
    for (declared, want) in [
        (vec![map()], "ConfigMap/dev/lost"),
        (vec![from("configMapRef")], "ConfigMap/dev/lost"),
        (vec![from("secretRef")], "Secret/dev/lost"),
        (vec![mounting(r#"{"name":"v","secret":{"secretName":"lost"}}"#)], "Secret/dev/lost"),
        (vec![mounting(r#"{"name":"v","secret":{"secretName":"lost","optional":true}}"#)], ""),
        (vec![mounting(r#"{"name":"v","configMap":{"name":"kube-root-ca.crt"}}"#)], ""),
        (vec![account("runner")], "ServiceAccount/dev/runner"),
        (vec![account("runner"), Declared::new("v1 ServiceAccount dev/runner", "{}")], ""),
        (vec![account("default")], ""),
        (vec![claim("lost")], "PersistentVolumeClaim/dev/lost"),
        (vec![claim("data-db-0"), set()], ""),
        (vec![map(), Declared::new("v1 ConfigMap dev/lost", "{}")], ""),
        (vec![map(), job()], ""),
        (vec![map(), custom()], ""),
        (vec![map(), Declared::read("Secret/dev/other")], ""),
    ] {
        let found = first_plan([namespace()].into_iter().chain(declared.clone()));
        let is_said = found.len() == 1
            && found[0].starts_with("warning TRN0806: ")
            && found[0].contains(&format!(" needs {want}, which nothing declares"));
        assert!(if want.is_empty() { found.is_empty() } else { is_said }, "{declared:?}: {found:?}");
    }
    assert_eq!(first_plan([map()]), [""; 0], "the namespace is that of others");
    let mut world = World::applied([namespace()]);
    world.declare([namespace(), map()]);
    assert_eq!(findings(&world), [""; 0], "others may be in the namespace by now");
}
