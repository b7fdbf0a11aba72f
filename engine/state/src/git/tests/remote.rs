//! A shared remote, reached through the real `git` over `file://`.

use super::support::{Sandbox, write_program};
use super::*;

#[test]
fn a_remote_store_keeps_the_contract() {
    let sandbox = Sandbox::new();
    contract::check(&sandbox.remote());
}

#[test]
fn colleagues_see_each_other() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = (sandbox.remote(), sandbox.colleague("clone"));
    let base = ours.advance(None, &first(), "Apply: base").unwrap();
    let seen = theirs.latest().unwrap().unwrap();
    assert_eq!((&seen.revision, &seen.state), (&base, &first()));
    let next = theirs.advance(Some(&base), &after(&first()), "Apply: rival").unwrap();
    assert_eq!(ours.latest().unwrap().unwrap().revision, next);
    let serials: Vec<_> = ours.history(10).unwrap().into_iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, [2, 1]);
}

#[test]
fn a_stale_writer_is_told_who_was_first() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = (sandbox.remote(), sandbox.colleague("clone"));
    let base = ours.advance(None, &first(), "Apply: base").unwrap();
    theirs.latest().unwrap();
    theirs.advance(Some(&base), &after(&first()), "Apply: rival").unwrap();
    let error = ours.advance(Some(&base), &after(&first()), "Apply: late").unwrap_err();
    let StateError::Moved { expected, found } = error else {
        panic!("{error}");
    };
    assert!(expected.contains("serial 1 (") && expected.contains(": Apply: base"), "{expected}");
    assert!(found.contains("serial 2 (") && found.ends_with(": Apply: rival"), "{found}");
}

#[test]
fn racers_lose_no_increment() {
    let sandbox = Sandbox::new();
    let stores: Vec<_> = ["a", "b", "c"].map(|name| sandbox.colleague(name)).into();
    let state = contract::race(&stores, 5);
    assert_eq!((counter(&state), state.serial), (15, 15));
}

#[test]
fn processes_may_share_a_mirror() {
    let sandbox = Sandbox::new();
    let stores = [sandbox.remote(), sandbox.remote()];
    let state = contract::race(&stores, 5);
    assert_eq!(counter(&state), 10);
}

#[test]
fn the_users_repository_is_not_touched() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    let base = store.advance(None, &first(), "First").unwrap();
    assert_eq!(sandbox.git(&["-C", "repository", "for-each-ref"]), "");
    assert_eq!(sandbox.git(&["-C", "repository", "count-objects"]), "0 objects, 0 kilobytes\n");
    let shown = sandbox.git(&["-C", "origin.git", "rev-parse", "refs/terrane/state/dev"]);
    assert_eq!(shown.trim(), base.0);
}

#[test]
fn a_push_that_landed_before_its_reply_was_lost_counts() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    store.advance(None, &first(), "First").unwrap();
    // The reply gets lost: the push lands, the program in front of `git` says that it failed.
    let real = sandbox.git(&["--exec-path"]);
    let wrapper = sandbox.path("bin/git");
    let script = format!(
        "#!/bin/sh\n'{}/git' \"$@\"\ncode=$?\ncase \"$*\" in *' push '*) exit 1;; esac\nexit $code\n",
        real.trim()
    );
    write_program(&wrapper, &script);
    let base = store.latest().unwrap().unwrap().revision;
    let next = store.advance(Some(&base), &after(&first()), "Second").unwrap();
    assert_eq!(store.latest().unwrap().unwrap().revision, next);
}

#[test]
fn a_refusal_of_the_server_is_passed_on() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    let hook = sandbox.path("origin.git/hooks/pre-receive");
    write_program(&hook, "#!/bin/sh\nprintf 'rule 7:\\033[2J no state here\\n' >&2\nexit 1\n");
    let error = store.advance(None, &first(), "First").unwrap_err();
    let StateError::Refused(message) = &error else {
        panic!("{error}");
    };
    assert!(message.contains("rule 7:") && message.contains("no state here"), "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
}

#[test]
fn a_ref_deleted_at_the_remote_is_noticed_and_can_be_restored_as_told() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote().with_high_water(sandbox.path("high-water.json"));
    let base = store.advance(None, &first(), "First").unwrap();
    sandbox.git(&["-C", "origin.git", "update-ref", "-d", "refs/terrane/state/dev"]);
    let error = store.latest().unwrap_err().to_string();
    let command = error.split('`').nth(1).unwrap();
    assert_eq!(command, format!("terrane state restore {}", base.0));
    let wanted = store.find(&base.0).unwrap().unwrap();
    store.restore(None, &wanted, "state restore").unwrap();
    assert_eq!(store.latest().unwrap().unwrap().revision, base);
}

#[test]
fn an_unreachable_remote_is_a_failure_of_the_store() {
    let sandbox = Sandbox::new();
    sandbox.configure("remote.origin.url", "file:///nowhere/at/all.git");
    let error = sandbox.remote().latest().unwrap_err();
    assert!(matches!(error, StateError::Unreachable(_)), "{error}");
    assert!(error.to_string().contains("/nowhere/at/all.git"), "{error}");
}

#[test]
fn the_mirror_can_be_lost() {
    let sandbox = Sandbox::new();
    let base = sandbox.remote().advance(None, &first(), "First").unwrap();
    std::fs::remove_dir_all(sandbox.git_directory().join("terrane")).unwrap();
    assert_eq!(sandbox.remote().latest().unwrap().unwrap().revision, base);
}

#[test]
fn a_lock_file_at_the_remote_is_named_and_waited_for_only_so_long() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    let base = store.advance(None, &first(), "First").unwrap();
    let lock = sandbox.path("origin.git/refs/terrane/state/dev.lock");
    std::fs::write(&lock, "").unwrap();
    let error = store.advance(Some(&base), &after(&first()), "Late").unwrap_err();
    assert!(matches!(error, StateError::Stuck(_)), "{error}");
    assert!(error.to_string().contains("dev.lock"), "{error}");
    std::fs::remove_file(&lock).unwrap();
    store.advance(Some(&base), &after(&first()), "Now").unwrap();
}

#[test]
fn a_revision_that_others_built_on_landed() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = (sandbox.remote(), sandbox.colleague("clone"));
    let base = ours.advance(None, &first(), "First").unwrap();
    theirs.latest().unwrap();
    // Before the reply is lost, somebody appends to what has landed.
    let real = sandbox.git(&["--exec-path"]);
    let (git, go, gone) = (format!("{}/git", real.trim()), sandbox.path("go"), sandbox.path("gone"));
    let script = format!(
        "#!/bin/sh\n'{git}' \"$@\"\ncode=$?\ncase \"$*\" in *--git-dir=*/repository/*' push '*)\n: > '{}'\n\
         while [ ! -e '{}' ]; do sleep 0.02; done\nexit 1;; esac\nexit $code\n",
        go.display(),
        gone.display()
    );
    write_program(&sandbox.path("bin/git"), &script);
    std::thread::scope(|scope| {
        let second = after(&first());
        let landed = scope.spawn(move || ours.advance(Some(&base), &after(&first()), "Second"));
        while !go.exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let tip = theirs.latest().unwrap().unwrap();
        assert_eq!(tip.state, second);
        theirs.advance(Some(&tip.revision), &after(&second), "Third").unwrap();
        std::fs::write(&gone, "").unwrap();
        assert_eq!(landed.join().unwrap().unwrap(), tip.revision);
    });
}

#[test]
fn a_push_whose_fate_nobody_can_tell_says_so() {
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    let base = store.advance(None, &first(), "First").unwrap();
    let real = sandbox.git(&["--exec-path"]);
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *' push '*) '{}/git' \"$@\"; echo 'fatal: the remote end hung up unexpectedly' >&2;; \
         *) echo 'ssh: connect to host h port 22: Connection refused' >&2;; esac\nexit 128\n",
        real.trim()
    );
    write_program(&sandbox.path("bin/git"), &script);
    let error = store.advance(Some(&base), &after(&first()), "Second").unwrap_err();
    let StateError::Unknown { revision, .. } = error else { panic!("{error}") };
    std::fs::remove_file(sandbox.path("bin/git")).unwrap();
    assert_eq!(store.latest().unwrap().unwrap().revision, revision, "the next one who asks finds out");
}
