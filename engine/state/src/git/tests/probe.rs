//! What a remote can do is found out before the first revision.

use super::support::{Sandbox, write_program};
use super::*;

fn refs(sandbox: &Sandbox) -> Vec<String> {
    let refs = sandbox.git(&["-C", "origin.git", "for-each-ref", "--format=%(refname)"]);
    refs.lines().map(str::to_owned).collect()
}

fn recorded(sandbox: &Sandbox) -> serde_json::Value {
    let bytes = std::fs::read(sandbox.git_directory().join("terrane/remotes.json")).unwrap();
    let all: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    all[sandbox.origin_url()].clone()
}

#[test]
fn a_remote_that_can_all_keeps_refs_of_our_own() {
    let sandbox = Sandbox::new();
    sandbox.remote().advance(None, &first(), "First").unwrap();
    assert_eq!(refs(&sandbox), ["refs/terrane/state/dev"], "the probe leaves nothing behind");
    let want = serde_json::json!({"atomic": true, "base": "refs/terrane", "delete": true});
    assert_eq!(recorded(&sandbox), want);
}

#[test]
fn a_remote_that_takes_branches_only_gets_a_branch() {
    let sandbox = Sandbox::new();
    sandbox.git(&["-C", "origin.git", "config", "receive.hideRefs", "refs/terrane"]);
    contract::check(&sandbox.remote());
    let found = refs(&sandbox);
    assert!(found.contains(&"refs/heads/terrane/state/dev".to_owned()), "{found:?}");
    assert!(found.iter().all(|name| name.starts_with("refs/heads/terrane/")), "{found:?}");
    assert_eq!(recorded(&sandbox)["base"], "refs/heads/terrane");
    // Others find it by its name, without a probe of their own.
    let colleague = sandbox.colleague("clone");
    let seen = colleague.latest().unwrap().unwrap();
    colleague.advance(Some(&seen.revision), &after(&seen.state), "Next").unwrap();
    assert!(!sandbox.path("clone/.git/terrane/remotes.json").exists());
}

#[test]
fn a_remote_that_deletes_nothing_is_good_enough() {
    let sandbox = Sandbox::new();
    let hook = sandbox.path("origin.git/hooks/update");
    write_program(&hook, "#!/bin/sh\ncase $3 in *[1-9a-f]*) exit 0;; *) exit 1;; esac\n");
    contract::check(&sandbox.remote());
    assert_eq!(recorded(&sandbox)["delete"], false);
}

#[test]
fn a_remote_that_takes_neither_is_refused_with_its_words() {
    let sandbox = Sandbox::new();
    let hook = sandbox.path("origin.git/hooks/pre-receive");
    write_program(&hook, "#!/bin/sh\nread old new name\necho \"rule 7: no $name here\" >&2\nexit 1\n");
    let error = sandbox.remote().advance(None, &first(), "First").unwrap_err();
    assert!(matches!(error, StateError::Refused(_)), "{error}");
    for below in ["refs/terrane/probe/", "refs/heads/terrane/probe/"] {
        assert!(error.to_string().contains(&format!("rule 7: no {below}")), "{error}");
    }
    assert_eq!(refs(&sandbox), [""; 0]);
}

#[test]
fn no_second_state_is_begun_below_another_name() {
    let sandbox = Sandbox::new();
    let ours = sandbox.remote();
    let base = ours.advance(None, &first(), "First").unwrap();
    // Somebody moves the ref to a branch; this clone has recorded that there are refs of our own.
    sandbox.git(&["-C", "origin.git", "update-ref", "-d", "refs/terrane/state/dev"]);
    sandbox.git(&["-C", "origin.git", "update-ref", "refs/heads/terrane/state/dev", &base.0]);
    let error = sandbox.remote().advance(None, &first(), "Again").unwrap_err();
    assert!(
        error.to_string().contains("keeps this environment's state below refs/heads/terrane/"),
        "{error}"
    );
    sandbox.git(&["-C", "origin.git", "update-ref", "refs/terrane/state/dev", &base.0]);
    let error = sandbox.colleague("clone").latest().unwrap_err();
    assert!(error.to_string().contains("has two states"), "{error}");
}
