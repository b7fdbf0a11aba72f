//! Kubeconfigs and logins: what a credential plugin says is nobody's business, and a run keeps to its cluster.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::crash::wire::Refusal;
use crate::crash::world::{Goal, World};

/// Has the context log in by a credential plugin: a shell script.
fn log_in_by(kubeconfig: &Path, script: &str) {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let mut config: Json = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"] = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", script],
        "interactiveMode": "IfAvailable",
    } });
    std::fs::write(kubeconfig, config.to_string()).unwrap();
}

#[test]
fn what_a_credential_plugin_prints_is_never_shown() {
    let token = "t0ken-9f31c0de77aa";
    for (script, why) in [
        (format!("echo '{{\"status\": {{\"token\": \"{token}\"}}}}'; exit 1"), "it fails after its token"),
        (format!("echo {token}"), "it prints no credential"),
        (format!("echo {token} >&2; exit 3"), "it complains"),
        (format!("printf '{{\"apiVersion\": \"{token}\"'"), "its answer is cut off"),
    ] {
        let world = World::new();
        log_in_by(&world.path("kubeconfig"), &script);
        let ran = world.run(&["plan"], Goal::First, None);
        assert_eq!(ran.code, Some(1), "{why}: {}{}", ran.stdout, ran.stderr);
        for text in ["error[TRN0630]: no credential for cluster \"main\"", "main.hcl:", "help: "] {
            assert!(ran.stderr.contains(text), "{why}: {}", ran.stderr);
        }
        // What the plugin says on standard error goes where it always goes: past Terrane.
        let shown =
            format!("{}{}", ran.stdout, ran.stderr.lines().filter(|line| *line != token).collect::<String>());
        assert!(!shown.contains(token), "{why}: {shown}");
    }
}

#[test]
fn a_credential_plugin_has_nothing_to_read_and_none_of_the_variables() {
    let world = World::new();
    let credential =
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let notes = world.path("notes");
    log_in_by(&world.path("kubeconfig"), &format!("(cat; env) > {}; echo '{credential}'", notes.display()));
    // The sandbox does not know the token: what counts is that the plugin has come to its end.
    world.run(&["plan"], Goal::First, None);
    let notes = std::fs::read_to_string(notes).unwrap();
    assert!(notes.contains("HOME="), "it has run: {notes}");
    assert!(!notes.contains("TERRANE_VAR_"), "{notes}");
}

#[test]
fn for_a_definition_that_is_wrong_nobody_is_asked_to_log_in() {
    let world = World::new();
    let ran = world.path("ran");
    log_in_by(&world.path("kubeconfig"), &format!("touch {}; exit 1", ran.display()));
    // Long enough for a plugin to be begun while it is loaded, and wrong at its end.
    let wrong = r#"
        manifest "many" {
          for_each = toset([for n in range(2000) : "n${n}"])
          object   = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = each.key, namespace = "dev" } }
        }
        manifest "wrong" {
          depends_on = [manifest.many]
          object     = { apiVersion = "v1", kind = "ConfigMap", metadata = { name = "without-a-namespace" } }
        }
    "#;
    let definition = world.path("work/main.hcl");
    let text = std::fs::read_to_string(&definition).unwrap();
    std::fs::write(&definition, format!("{text}{wrong}")).unwrap();
    let planned = world.run(&["plan"], Goal::First, None);
    assert_eq!(planned.code, Some(1));
    assert!(planned.stderr.contains("TRN0401"), "{}", planned.stderr);
    assert!(!ran.exists(), "the plugin has run");
}

#[test]
fn a_context_that_leads_to_another_cluster_is_refused_before_any_write() {
    let (world, other) = (World::new(), World::new());
    world.recover(Goal::First, "the first apply");
    std::fs::copy(other.path("kubeconfig"), world.path("kubeconfig")).unwrap();
    let chain = world.chain().len();
    for arguments in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"]] {
        let ran = world.run(arguments, Goal::Second, None);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("is not the one that the state records"),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert!(!other.wire.log().iter().any(crate::crash::wire::Asked::writes), "nothing is written to it");
    assert_eq!(world.chain().len(), chain, "the state is as it was");
}

#[test]
fn a_login_that_ends_during_an_apply_loses_nothing() {
    let world = World::new();
    let ends = &["/configmaps/settings", "/deployments/web"];
    world.wire.refuse(Some(Refusal { ends, code: StatusCode::UNAUTHORIZED, dry: false }));
    let ran = world.reach(Goal::First);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Apply incomplete"), "{}", ran.stdout);
    assert!(world.chain().last().unwrap().state.holder.is_none(), "the lock is released");
    world.wire.refuse(None);
    world.recover(Goal::First, "logged in again");
    let planned = world.run(&["plan", "--detailed-exitcode"], Goal::First, None);
    assert_eq!(planned.code, Some(0), "{}{}", planned.stdout, planned.stderr);
}
