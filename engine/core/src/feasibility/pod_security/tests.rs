use crate::feasibility::tests::*;
use crate::plan::fixtures::*;

fn enforcing(standard: &str) -> Declared {
    let labels =
        format!(r#"{{"metadata":{{"labels":{{"pod-security.kubernetes.io/enforce":"{standard}"}}}}}}"#);
    Declared::new("v1 Namespace dev", &labels)
}

/// What a pod with this spec breaks, as far as it is said.
fn broken(standard: &str, spec: &str) -> String {
    let found = first_plan([enforcing(standard), with_spec("v1 Pod", "pod", spec)]);
    match found.first() {
        None => "nothing".to_owned(),
        Some(found) => {
            let detail = found.split("of Pod/dev/pod break: ").nth(1).unwrap_or(found);
            detail.replace(". The API server refuses such pods.", "")
        }
    }
}

#[test]
fn baseline_is_held() {
    let container = |rest: &str| format!(r#"{{"containers":[{{"name":"c","image":"app:v1"{rest}}}]}}"#);
    let context = |rest: &str| container(&format!(r#","securityContext":{{{rest}}}"#));
    let pod = |rest: &str| format!(r#"{{"containers":[{{"name":"c","image":"app:v1"}}],{rest}}}"#);
    for (spec, want) in [
        (container(""), "nothing"),
        (pod(r#""hostNetwork":true"#), "hostNetwork is set"),
        (pod(r#""hostPID":true,"hostIPC":false"#), "hostPID is set"),
        (pod(r#""volumes":[{"name":"v","hostPath":{"path":"/"}}]"#), "volume v is a hostPath"),
        (pod(r#""volumes":[{"name":"v","emptyDir":{}}]"#), "nothing"),
        (
            pod(r#""securityContext":{"sysctls":[{"name":"kernel.msgmax"}]}"#),
            "the sysctl kernel.msgmax is set",
        ),
        (pod(r#""securityContext":{"sysctls":[{"name":"net.ipv4.tcp_syncookies"}]}"#), "nothing"),
        (pod(r#""securityContext":{"seccompProfile":{"type":"Unconfined"}}"#), "the pod: seccomp is off"),
        (context(r#""privileged":true"#), "container c: privileged"),
        (context(r#""privileged":false"#), "nothing"),
        (context(r#""procMount":"Unmasked""#), "container c: procMount"),
        (
            context(r#""capabilities":{"add":["NET_ADMIN","CHOWN"]}"#),
            "container c: adds the capability NET_ADMIN",
        ),
        (context(r#""appArmorProfile":{"type":"Unconfined"}"#), "container c: AppArmor is off"),
        (context(r#""seLinuxOptions":{"type":"spc_t"}"#), "container c: seLinuxOptions.type"),
        (
            context(r#""seLinuxOptions":{"type":"container_t","user":"u"}"#),
            "container c: seLinuxOptions.user",
        ),
        (context(r#""windowsOptions":{"hostProcess":true}"#), "container c: hostProcess is set"),
        (container(r#","ports":[{"containerPort":80,"hostPort":80}]"#), "container c: hostPort 80"),
        (container(r#","ports":[{"containerPort":80}]"#), "nothing"),
    ] {
        assert_eq!(broken("baseline", &spec), want, "{spec}");
        assert_eq!(broken("privileged", &spec), "nothing", "{spec}");
    }
}

#[test]
fn restricted_is_held() {
    let good = r#""allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}"#;
    let pod = r#""runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}"#;
    let spec = |pod: &str, container: &str, rest: &str| {
        format!(
            r#"{{"containers":[{{"name":"c","image":"app:v1","securityContext":{{{container}}}}}],
                "securityContext":{{{pod}}}{rest}}}"#
        )
    };
    for (spec, want) in [
        (spec(pod, good, ""), "nothing"),
        (spec("", &format!("{good},{pod}"), ""), "nothing"),
        (spec(r#""runAsNonRoot":true"#, good, ""), "container c: has no seccompProfile"),
        (spec(r#""seccompProfile":{"type":"Localhost"}"#, good, ""), "container c: runAsNonRoot is not true"),
        (spec(pod, &format!(r#"{good},"runAsNonRoot":false"#), ""), "container c: runAsNonRoot is not true"),
        (spec(pod, &format!(r#"{good},"runAsUser":0"#), ""), "container c: runAsUser is 0"),
        (spec(&format!(r#"{pod},"runAsUser":0"#), good, ""), "the pod: runAsUser is 0"),
        (spec(&format!(r#"{pod},"runAsUser":0"#), good, r#","hostUsers":false"#), "nothing"),
        (
            spec(pod, r#""capabilities":{"drop":["ALL"]}"#, ""),
            "container c: allowPrivilegeEscalation is not false",
        ),
        (spec(pod, r#""allowPrivilegeEscalation":false"#, ""), "container c: does not drop ALL capabilities"),
        (
            spec(
                pod,
                r#""allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"],"add":["CHOWN"]}"#,
                "",
            ),
            "container c: adds the capability CHOWN",
        ),
        (spec(pod, good, r#","volumes":[{"name":"v","nfs":{}}]"#), "volume v is of the type nfs"),
        (spec(pod, good, r#","volumes":[{"name":"v","configMap":{"optional":true}}]"#), "nothing"),
        (spec(r#""runAsNonRoot":true"#, "", r#","os":{"name":"windows"}"#), "nothing"),
    ] {
        assert_eq!(broken("restricted", &spec), want, "{spec}");
    }
}

#[test]
fn what_is_not_known_breaks_nothing() {
    let unknown = deployment("web", "{}").hole("spec.template.spec.containers");
    assert_eq!(first_plan([enforcing("restricted"), unknown]), [""; 0]);
    let context = workload("apps/v1 Deployment", "web", "{}", r#"{"securityContext":{}}"#);
    let context = context.sensitive("spec.template.spec.containers.securityContext");
    assert_eq!(first_plan([enforcing("restricted"), context]), [""; 0]);
}

#[test]
fn the_finding_names_the_standard_and_the_pods() {
    let privileged = deployment("web", r#"{"securityContext":{"privileged":true}}"#);
    assert_eq!(
        first_plan([enforcing("baseline"), privileged]),
        ["warning TRN0812: Namespace/dev enforces the Pod Security Standard baseline, which the pods of \
          Deployment.apps/dev/web break: container main: privileged. The API server refuses such pods."]
    );
}
