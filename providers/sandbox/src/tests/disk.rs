//! A sandbox kept in a directory.

use std::io::Write;

use serde_json::json;

use super::{Client, names};
use crate::{Sandbox, SandboxError};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn a_directory_keeps_the_cluster_and_one_process_has_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state");
    let client = Client::of(Sandbox::open(&path).expect("a sandbox"));
    assert!(matches!(Sandbox::open(&path), Err(SandboxError::Locked(_))));
    let object =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": { "k": "v" } });
    let made = client.post(MAPS, &object).body;
    let space = client.get("/api/v1/namespaces/kube-system").body;
    let config = client.sandbox.kubeconfig(([127, 0, 0, 1], 1).into());
    drop(client);

    // A crash cut the last line.
    let log = path.join("writes.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).expect("the log");
    file.write_all(b"{\"version\":999,\"group\":").expect("half a line");
    drop(file);

    let client = Client::of(Sandbox::open(&path).expect("the same sandbox"));
    assert_eq!(client.get(&format!("{MAPS}/a")).body, made);
    assert_eq!(
        client.get("/api/v1/namespaces/kube-system").body["metadata"]["uid"],
        space["metadata"]["uid"]
    );
    assert_eq!(client.sandbox.kubeconfig(([127, 0, 0, 1], 1).into()), config);
    let next = client
        .post(MAPS, &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "b" } }))
        .body;
    let version = |object: &serde_json::Value| {
        object["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
            .expect("a version")
    };
    assert!(version(&next) > version(&made));
}

#[test]
fn a_list_that_began_before_a_restart_goes_on_in_the_present() {
    let directory = tempfile::tempdir().expect("a directory");
    let client = Client::of(Sandbox::open(directory.path()).expect("a sandbox"));
    for name in ["a", "b"] {
        client.post(MAPS, &json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } }));
    }
    let first = client.get(&format!("{MAPS}?limit=1")).body;
    client.delete(&format!("{MAPS}/b"));
    drop(client);

    let client = Client::of(Sandbox::open(directory.path()).expect("the same sandbox"));
    let next = |list: &serde_json::Value| {
        let token = list["metadata"]["continue"].as_str().expect("a token").to_owned();
        client.get(&format!("{MAPS}?continue={token}"))
    };
    let expired = next(&first);
    assert_eq!((expired.code, &expired.body["reason"]), (410, &json!("Expired")));
    assert_eq!(names(&next(&expired.body).body), ["kube-root-ca.crt"]);
}

#[test]
fn a_reset_leaves_the_same_cluster_empty() {
    let directory = tempfile::tempdir().expect("a directory");
    let client = Client::of(Sandbox::open(directory.path()).expect("a sandbox"));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    client.post(MAPS, &map);
    let uid = |client: &Client, name: &str| {
        client.get(&format!("/api/v1/namespaces/{name}")).body["metadata"]["uid"].clone()
    };
    let (identity, other) = (uid(&client, "kube-system"), uid(&client, "default"));
    assert!(matches!(Sandbox::reset(directory.path()), Err(SandboxError::Locked(_))));
    drop(client);

    Sandbox::reset(directory.path()).expect("the sandbox is reset");
    for _ in 0..2 {
        let client = Client::of(Sandbox::open(directory.path()).expect("a sandbox"));
        assert_eq!(client.get(&format!("{MAPS}/a")).code, 404);
        assert_eq!(uid(&client, "kube-system"), identity);
        let default = uid(&client, "default");
        assert!(default.is_string() && default != other, "what every cluster has is made anew");
    }
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let client = Client::of(Sandbox::open(directory.path()).expect("a sandbox"));
    // Enough writes to fold the log into a snapshot.
    for index in 0..5000 {
        client.merge(&format!("{MAPS}/kube-root-ca.crt"), &json!({ "data": { "n": index.to_string() } }));
    }
    let files: Vec<_> = std::fs::read_dir(directory.path()).expect("files").flatten().collect();
    assert!(files.iter().any(|file| file.file_name() == "objects.jsonl"));
    for file in files {
        let mode = file.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
    drop(client);
    let client = Client::of(Sandbox::open(directory.path()).expect("the same sandbox"));
    assert_eq!(client.get(&format!("{MAPS}/kube-root-ca.crt")).body["data"]["n"], "4999");
}

#[test]
fn a_damaged_file_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(Sandbox::open(directory.path()).expect("a sandbox"));
    std::fs::write(directory.path().join("writes.jsonl"), "nonsense\n{}\n").expect("a file");
    assert!(matches!(Sandbox::open(directory.path()), Err(SandboxError::Corrupt { .. })));
}
