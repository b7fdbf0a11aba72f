//! Who may do what, and how clients get in.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/>

use serde_json::{Value, json};

use super::Client;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn rbac(client: &Client, plural: &str, kind: &str, body: Value) {
    let mut object =
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": { "name": "r" } });
    if let Value::Object(fields) = body {
        fields.into_iter().for_each(|(key, value)| object[key] = value);
    }
    let made =
        client.post(&format!("/apis/rbac.authorization.k8s.io/v1/namespaces/default/{plural}"), &object);
    assert_eq!(made.code, 201, "{}", made.body);
}

#[test]
fn a_role_allows_what_it_says_and_nothing_else() {
    let client = Client::new();
    let bob = client.with("impersonate-user", "bob");
    let refused = bob.get("/api/v1/configmaps");
    assert_eq!(
        (refused.code, refused.message()),
        (
            403,
            "configmaps is forbidden: User \"bob\" cannot list resource \"configmaps\" in API group \"\" at the cluster scope"
        )
    );
    assert_eq!(refused.body["details"], json!({ "kind": "configmaps" }));
    let rule = json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "patch"] });
    rbac(&client, "roles", "Role", json!({ "rules": [rule] }));
    rbac(
        &client,
        "rolebindings",
        "RoleBinding",
        json!({ "roleRef": { "kind": "Role", "name": "r" }, "subjects": [{ "kind": "User", "name": "bob" }] }),
    );
    assert_eq!(bob.get(MAPS).code, 200);
    assert_eq!(bob.get("/api/v1/configmaps").code, 403);
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    let created = bob.apply(&format!("{MAPS}/a"), &object);
    assert_eq!(
        (created.code, created.message()),
        (
            403,
            "configmaps \"a\" is forbidden: User \"bob\" cannot create resource \"configmaps\" in API group \"\" in the \
             namespace \"default\""
        )
    );
    client.apply(&format!("{MAPS}/a"), &object);
    assert_eq!(bob.apply(&format!("{MAPS}/a"), &object).code, 200);
    assert_eq!(bob.get("/version").code, 200);
}

#[test]
fn callers_can_ask_who_they_are_and_what_they_may() {
    let bob = Client::new().with("impersonate-user", "bob").with("impersonate-group", "devs");
    let who = bob.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &json!({}));
    assert_eq!(who.body["status"]["userInfo"]["groups"], json!(["devs", "system:authenticated"]));
    for (client, allowed) in [(bob, false), (Client::new(), true)] {
        let asked = json!({ "spec": { "resourceAttributes": { "verb": "list", "resource": "secrets" } } });
        let answer = client.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &asked);
        assert_eq!((answer.code, &answer.body["status"]["allowed"]), (201, &json!(allowed)));
    }
}

#[test]
fn the_network_needs_the_token_of_the_kubeconfig() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let client = Client::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let config = client.sandbox.kubeconfig(address);
        let token =
            config.lines().find_map(|line| line.trim().strip_prefix("token: ")).expect("a token").to_owned();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let sandbox = client.sandbox.clone();
        let server =
            tokio::spawn(async move { sandbox.serve(listener, async { drop(stopped.await) }).await });
        for (path, header, code) in [
            ("/version".to_owned(), String::new(), "401"),
            ("/version".to_owned(), format!("Authorization: Bearer {token}\r\n"), "200"),
            (format!("/{token}/version"), String::new(), "200"),
        ] {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{header}\r\n");
            stream.write_all(request.as_bytes()).await.expect("a request");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert_eq!(answer.split(' ').nth(1), Some(code), "{answer}");
        }
        drop(stop);
        server.await.expect("the task").expect("the server");
    });
}
