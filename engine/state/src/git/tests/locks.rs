//! Lock files that somebody left: ours are known and taken away, those of others are named.

use std::fs::{self, File};
use std::path::PathBuf;

use super::support::Sandbox;
use super::*;

const REFERENCE: &str = "refs/terrane/state/dev";

/// A store with one revision, and its lock and its draft of the ref.
fn started() -> (Sandbox, Revision, [PathBuf; 2]) {
    let sandbox = Sandbox::new();
    let base = sandbox.local().advance(None, &first(), "First").unwrap();
    let lock = sandbox.git_directory().join(format!("{REFERENCE}.lock"));
    let draft = sandbox.git_directory().join("terrane/refs").join(REFERENCE.replace('/', "~"));
    assert!(!lock.exists() && !draft.exists(), "nothing is left");
    (sandbox, base, [lock, draft])
}

#[test]
fn the_lock_of_a_run_that_was_killed_is_taken_away() {
    let (sandbox, base, [lock, draft]) = started();
    // What is there when the process dies between the link and the rename.
    fs::write(&draft, "0123456789012345678901234567890123456789\n").unwrap();
    fs::hard_link(&draft, &lock).unwrap();
    let next = sandbox.local().advance(Some(&base), &after(&first()), "Next").unwrap();
    assert_eq!(sandbox.local().latest().unwrap().unwrap().revision, next);
    assert!(!lock.exists() && !draft.exists());
    // Or between the rename and the end: the draft is the ref then, which must stay as it is.
    fs::hard_link(sandbox.git_directory().join(REFERENCE), &draft).unwrap();
    let last = sandbox.local().advance(Some(&next), &after(&after(&first())), "Last").unwrap();
    assert_eq!(sandbox.git(&["-C", "repository", "rev-parse", REFERENCE]).trim(), last.0);
}

#[test]
fn the_lock_of_a_run_that_lives_is_left_alone() {
    let (sandbox, base, [lock, draft]) = started();
    let held = File::create(draft.with_extension("held")).unwrap();
    held.try_lock().unwrap();
    fs::write(&draft, "").unwrap();
    fs::hard_link(&draft, &lock).unwrap();
    let late = || sandbox.local().advance(Some(&base), &after(&first()), "Late");
    assert!(matches!(late().unwrap_err(), StateError::Stuck(_)));
    assert!(lock.exists() && draft.exists());
    drop(held);
    late().unwrap();
}

#[test]
fn a_lock_of_git_is_named_and_removing_it_by_hand_is_all() {
    let (sandbox, base, [lock, draft]) = started();
    fs::write(&lock, "").unwrap();
    // A draft of a run that died before it had the lock proves nothing.
    fs::write(&draft, "").unwrap();
    let late = || sandbox.local().advance(Some(&base), &after(&first()), "Late");
    let error = late().unwrap_err();
    assert!(matches!(error, StateError::Stuck(_)));
    let message = error.to_string();
    assert!(message.contains("if no other process works on this repository, remove "), "{message}");
    let named = PathBuf::from(message.rsplit(' ').next().unwrap());
    assert_eq!(named.canonicalize().unwrap(), lock.canonicalize().unwrap());
    assert_eq!(sandbox.local().latest().unwrap().unwrap().revision, base, "reading goes on");
    fs::remove_file(named).unwrap();
    let next = late().unwrap();
    assert_eq!(sandbox.local().latest().unwrap().unwrap().revision, next);
}

#[test]
fn a_lock_of_a_branch_is_named_as_well() {
    let sandbox = Sandbox::new();
    let store = sandbox.local().in_branch("states").unwrap();
    let base = store.advance(None, &first(), "First").unwrap();
    let lock = sandbox.git_directory().join("refs/heads/states.lock");
    fs::write(&lock, "").unwrap();
    let late = || store.advance(Some(&base), &after(&first()), "Late");
    let message = late().unwrap_err().to_string();
    assert!(message.contains("is locked") && message.contains("states.lock"), "{message}");
    fs::remove_file(lock).unwrap();
    late().unwrap();
}

#[test]
fn locks_of_other_refs_are_in_nobodys_way() {
    let (sandbox, base, _) = started();
    sandbox.git(&["-C", "repository", "pack-refs", "--all", "--prune"]);
    for name in ["packed-refs.lock", "HEAD.lock", "index.lock", "refs/terrane/state/dev-2.lock"] {
        fs::create_dir_all(sandbox.git_directory().join("refs/terrane/state")).unwrap();
        fs::write(sandbox.git_directory().join(name), "").unwrap();
    }
    let next = sandbox.local().advance(Some(&base), &after(&first()), "Next").unwrap();
    assert_eq!(sandbox.local().latest().unwrap().unwrap().revision, next);
}

#[test]
fn git_sees_what_was_moved_and_packs_it() {
    let (sandbox, base, _) = started();
    let git = |args: &[&str]| sandbox.git(&[&["-C", "repository"], args].concat());
    git(&["pack-refs", "--all", "--prune"]);
    let next = sandbox.local().advance(Some(&base), &after(&first()), "Next").unwrap();
    assert_eq!(git(&["rev-parse", REFERENCE]).trim(), next.0);
    git(&["pack-refs", "--all", "--prune"]);
    assert_eq!(git(&["for-each-ref", "--format=%(objectname)", REFERENCE]).trim(), next.0);
    git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn where_there_are_no_links_a_ref_is_moved_as_git_does_it() {
    let sandbox = Sandbox::new();
    // No link leads from one file system to another.
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    std::os::unix::fs::symlink(elsewhere.path(), sandbox.git_directory().join("terrane")).unwrap();
    let store = sandbox.local();
    let base = store.advance(None, &first(), "First").unwrap();
    let lock = sandbox.git_directory().join(format!("{REFERENCE}.lock"));
    fs::write(&lock, "").unwrap();
    let late = || store.advance(Some(&base), &after(&first()), "Late");
    assert!(matches!(late().unwrap_err(), StateError::Stuck(_)));
    fs::remove_file(&lock).unwrap();
    let next = late().unwrap();
    assert_eq!(store.latest().unwrap().unwrap().revision, next);
    assert!(!lock.exists());
}
