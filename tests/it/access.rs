//! What the API server forbids: a coded error with place and hint, and nothing written.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::JoinHandle;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use providers_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::cluster::{Cluster, Server, User, on_both_servers, runtime};
use crate::environment::{Environment, root};

/// A sandbox on a loopback port for as long as it lives.
struct Served {
    sandbox: Sandbox,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    fn start() -> Self {
        let sandbox = Sandbox::in_memory();
        let (tell, told) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = sandbox.clone();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody listens");
                let ended = served.serve(listener, async { stopped.await.unwrap_or_default() }).await;
                ended.expect("the sandbox serves");
            });
        });
        let address = told.recv().expect("the sandbox is served");
        Self { sandbox, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends a request as the cluster's administrator.
    fn send(&self, method: &Method, path: &str, body: &Value) -> StatusCode {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let answer = self.sandbox.router().oneshot(request.body(body).expect("a request"));
        runtime().block_on(answer).expect("an answer").status()
    }

    /// A kubeconfig that acts as another user.
    fn kubeconfig(&self, user: &str) -> String {
        let admin = self.sandbox.kubeconfig(self.address);
        let mut config: Value = serde_saphyr::from_str(&admin).expect("a kubeconfig");
        config["users"][0]["user"]["as"] = json!(user);
        config.to_string()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server ends");
        }
    }
}

/// A definition whose commands a user runs that may not do everything.
struct Restricted {
    environment: Environment,
    /// What it asks, if that is a sandbox.
    served: Option<Served>,
}

/// The rights of a user; both servers know it by this name.
fn restricted(server: Server, user: User, definition: &str) -> Restricted {
    let cluster = server.start();
    let mut environment = Environment::on(cluster.clone(), &root().join("tests/clusters").join(definition));
    environment.run_by(user);
    let (kubeconfig, served) = match &cluster {
        Cluster::Sandbox => {
            let served = Served::start();
            (served.kubeconfig(user.name()), Some(served))
        }
        Cluster::Real(cluster) => {
            let kubeconfig = std::fs::read_to_string(cluster.control_plane().kubeconfig());
            (kubeconfig.expect("a kubeconfig"), None)
        }
    };
    std::fs::write(environment.directory.join("kubeconfig.yaml"), kubeconfig).expect("written");
    Restricted { environment, served }
}

impl Restricted {
    /// Sends a request as the administrator.
    fn send(&self, method: &Method, path: &str, body: &Value) -> StatusCode {
        match &self.served {
            Some(served) => served.send(method, path, body),
            None => self.environment.send(method, path, "application/json", body).0,
        }
    }
}

fn without_any_right_the_cluster_is_named(server: Server) {
    let restricted = restricted(server, User::Nobody, "forbidden");
    let ran = restricted.environment.terrane(&["plan"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    for text in ["[TRN06", "main.hcl:6:1", "cluster \"main\"", "User \"nobody\" cannot get", "help:"] {
        assert!(ran.stderr.contains(text), "lacks `{text}`:\n{}", ran.stderr);
    }
}

fn without_the_right_to_write_a_plan_is_shown_and_an_apply_refused(server: Server) {
    let restricted = restricted(server, User::Reader, "forbidden");
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "viewer" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader" }],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    assert!(restricted.send(&Method::POST, bindings, &binding).is_success());
    let shown = restricted.environment.terrane(&["plan"]);
    assert_eq!(shown.code, Some(0), "{}{}", shown.stdout, shown.stderr);
    assert!(shown.stdout.contains("warning[TRN0604]"), "{}", shown.stdout);
    let refused = restricted.environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for text in ["error[TRN0604]", "main.hcl:12:1", "cannot patch resource \"configmaps\"", "help:"] {
        assert!(refused.stdout.contains(text), "lacks `{text}`:\n{}", refused.stdout);
    }
    let object = "/api/v1/namespaces/default/configmaps/settings";
    assert_eq!(restricted.send(&Method::GET, object, &Value::Null), StatusCode::NOT_FOUND);
}

/// What comes after a change that is not made yet may be refused for the want of it. A right that is missing comes with
/// no change.
fn a_missing_right_stops_an_apply_also_after_something_that_changes(server: Server) {
    let restricted = restricted(server, User::Reader, "forbidden");
    let (rbac, group) = ("/apis/rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io");
    let subjects = json!([{ "apiGroup": group, "kind": "User", "name": "reader" }]);
    let binding = |name: &str, role: &str| {
        json!({
            "metadata": { "name": name }, "subjects": subjects,
            "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": role },
        })
    };
    let rules = json!([
        { "apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"] },
        { "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["first"], "verbs": ["patch"] },
    ]);
    for (path, object) in [
        ("clusterrolebindings", binding("viewer", "view")),
        ("clusterroles", json!({ "metadata": { "name": "first" }, "rules": rules })),
        ("clusterrolebindings", binding("first", "first")),
    ] {
        assert!(restricted.send(&Method::POST, &format!("{rbac}/{path}"), &object).is_success());
    }
    let main = restricted.environment.directory.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("the definition");
    let after = "manifest \"settings\" {\n  depends_on = [manifest.first]\n";
    let first = "\nmanifest \"first\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    \
                 metadata = { name = \"first\", namespace = \"default\" }\n  }\n}\n";
    std::fs::write(&main, text.replace("manifest \"settings\" {\n", after) + first).expect("written");
    let shown = restricted.environment.terrane(&["plan"]);
    assert!(shown.stdout.contains("+ ConfigMap/default/first will be created"), "{}", shown.stdout);
    let refused = restricted.environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    for text in
        ["error[TRN0604]", "forbids ConfigMap/default/settings", "cannot patch resource \"configmaps\""]
    {
        assert!(refused.stdout.contains(text), "lacks `{text}`:\n{}", refused.stdout);
    }
    let first = "/api/v1/namespaces/default/configmaps/first";
    assert_eq!(restricted.send(&Method::GET, first, &Value::Null), StatusCode::NOT_FOUND, "nothing is begun");
}

/// Who may do everything in one namespace needs no right elsewhere but to see which cluster it is.
fn within_one_namespace_an_environment_lives_and_dies(server: Server) {
    let restricted = restricted(server, User::Tenant, "tenant");
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let subjects = json!([{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "tenant" }]);
    let group = "rbac.authorization.k8s.io";
    for (path, object) in [
        ("/api/v1/namespaces".into(), json!({ "metadata": { "name": "tenant" } })),
        (
            format!("{rbac}/namespaces/tenant/rolebindings"),
            json!({
                "metadata": { "name": "tenant" }, "subjects": subjects,
                "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "admin" },
            }),
        ),
        (
            format!("{rbac}/clusterroles"),
            json!({
                "metadata": { "name": "know-cluster" },
                "rules": [{ "apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"] }],
            }),
        ),
        (
            format!("{rbac}/clusterrolebindings"),
            json!({
                "metadata": { "name": "know-cluster" }, "subjects": subjects,
                "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "know-cluster" },
            }),
        ),
    ] {
        let status = restricted.send(&Method::POST, &path, &object);
        // The control plane has the first two from the beginning.
        assert!(status.is_success() || status == StatusCode::CONFLICT, "{path}: {status}");
    }
    let run = |arguments: &[&str], code| {
        let ran = restricted.environment.terrane(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    };
    run(&["plan", "--detailed-exitcode"], 2);
    run(&["apply", "--auto-approve"], 0);
    run(&["plan", "--detailed-exitcode"], 0);
    run(&["destroy", "--auto-approve"], 0);
    let gone = "/apis/apps/v1/namespaces/tenant/deployments/web";
    assert_eq!(restricted.send(&Method::GET, gone, &Value::Null), StatusCode::NOT_FOUND);
}

/// A sandbox has no certificate.
#[test]
fn a_cluster_that_is_not_verified_is_warned_of_each_time() {
    let Restricted { environment, .. } = restricted(Server::ControlPlane, User::Admin, "forbidden");
    let write =
        |file: &str, text: &str| std::fs::write(environment.directory.join(file), text).expect("written");
    let read = |file: &str| std::fs::read_to_string(environment.directory.join(file)).expect("a file");
    write("main.hcl", &read("main.hcl").replace("name = \"settings\"", "name = \"not-verified\""));
    let run = |arguments: &[&str]| {
        let ran = environment.terrane(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    let planned = run(&["plan"]);
    assert!(!planned.contains("TRN0631"), "{planned}");
    let mut config: Value = serde_saphyr::from_str(&read("kubeconfig.yaml")).expect("a kubeconfig");
    for named in config["clusters"].as_array_mut().expect("clusters") {
        let cluster = named["cluster"].as_object_mut().expect("a cluster");
        cluster.retain(|field, _| !field.starts_with("certificate-authority"));
        cluster.insert("insecure-skip-tls-verify".into(), json!(true));
    }
    write("kubeconfig.yaml", &config.to_string());
    for arguments in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]] {
        let said = run(arguments);
        for text in ["warning[TRN0631]: cluster \"main\" is not verified", "main.hcl:6:1", "help: "] {
            assert!(said.contains(text), "{arguments:?} lacks `{text}`: {said}");
        }
    }
}

on_both_servers! {
    a_missing_right_stops_an_apply_also_after_something_that_changes,
    within_one_namespace_an_environment_lives_and_dies,
    without_any_right_the_cluster_is_named,
    without_the_right_to_write_a_plan_is_shown_and_an_apply_refused,
}
