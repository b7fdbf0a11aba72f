//! The control plane itself: who may do what, what is counted, and that nothing outlives its user.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, User};

fn kubectl(plane: &ControlPlane, user: User, arguments: &str) -> String {
    let mut command = plane.kubectl(user);
    let output = command.args(arguments.split_whitespace()).output().expect("kubectl runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn users_may_do_what_their_names_say() {
    let plane = ControlPlane::shared();
    for (user, question, answer) in [
        (User::Admin, "delete nodes", "yes"),
        (User::Reader, "list secrets --all-namespaces", "yes"),
        (User::Reader, "create configmaps", "no"),
        (User::Tenant, "create deployments.apps --namespace tenant", "yes"),
        (User::Tenant, "list configmaps --namespace default", "no"),
        (User::Nobody, "list namespaces", "no"),
    ] {
        let found = kubectl(plane, user, &format!("auth can-i {question}"));
        assert_eq!(found.lines().last(), Some(answer), "{user:?}: {question}: {found}");
    }
}

#[test]
fn every_request_is_counted_with_its_user_and_its_answer() {
    let plane = ControlPlane::shared();
    let moment = plane.moment();
    kubectl(plane, User::Tenant, "get configmaps --namespace kube-public");
    let found = plane.requests_since(moment);
    let path = "/api/v1/namespaces/kube-public/configmaps?limit=500";
    let request = found.iter().find(|request| request.uri == path).expect("the request is in the log");
    assert_eq!((request.verb.as_str(), request.user.as_str(), request.code), ("list", "tenant", 403));
    assert!(!request.is_write());
}

#[test]
fn pods_run() {
    let plane = ControlPlane::shared();
    kubectl(plane, User::Admin, "create deployment web --image web:1.0 --replicas 2");
    let waited = kubectl(plane, User::Admin, "wait deployment/web --for condition=Available --timeout 60s");
    assert_eq!(waited, "deployment.apps/web condition met");
}

#[test]
fn pods_that_ask_for_trouble_have_it() {
    let plane = ControlPlane::shared();
    let run = |name: &str| {
        let annotation = format!("sandbox.terrane.dev/pods={name}");
        kubectl(plane, User::Admin, &format!("run {name} --image web:1.0 --annotations {annotation}"));
    };
    let ready = |name: &str| {
        let path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
        kubectl(plane, User::Admin, &format!("get pod {name} --output {path}"))
    };
    run("never-ready");
    run("crash");
    // What is made later, and is ready, has overtaken them.
    run("fine");
    kubectl(plane, User::Admin, "wait pod/fine --for condition=Ready --timeout 60s");
    assert_eq!(["fine", "crash", "never-ready"].map(ready), ["True", "False", "False"]);
}

#[test]
fn nothing_outlives_a_user_that_is_killed() {
    let mut user = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let said = BufReader::new(user.stdout.take().expect("the output is piped"));
    let (mut address, mut directory) = (None, None);
    for line in said.lines().map(|line| line.expect("the output is text")) {
        if let Some(rest) = line.strip_prefix("Kubernetes answers at https://") {
            address = rest.split(". ").next().map(str::to_owned);
        }
        if let Some(path) = line.trim().strip_prefix("export KUBECONFIG=") {
            directory = Path::new(path).parent().map(PathBuf::from);
            break;
        }
    }
    let (address, directory) = (address.expect("an address"), directory.expect("a kubeconfig"));
    assert!(TcpStream::connect(&address).is_ok() && directory.is_dir(), "it runs");
    // No chance to clean up.
    user.kill().expect("the program can be killed");
    user.wait().expect("the program ends");
    let since = Instant::now();
    while directory.exists() || TcpStream::connect(&address).is_ok() {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "{address} and {} are still there",
            directory.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
