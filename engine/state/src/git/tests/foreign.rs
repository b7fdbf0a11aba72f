//! What else a repository can say of its commits has no say in the chain: replaced objects, grafts, the end of a shallow
//! history, objects that lie elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use engine_core::ports::HistoryEntry;

use super::support::Sandbox;
use super::*;

/// A store with three revisions.
fn started(is_remote: bool) -> (Sandbox, GitStore) {
    let sandbox = Sandbox::new();
    let store = if is_remote { sandbox.remote() } else { sandbox.local() };
    let one = store.advance(None, &first(), "One").unwrap();
    let two = store.advance(Some(&one), &after(&first()), "Two").unwrap();
    store.advance(Some(&two), &after(&after(&first())), "Three").unwrap();
    (sandbox, store)
}

/// What the chain says: the newest state, its history, and whether all is well.
fn said(store: &GitStore) -> (Option<Stored>, Vec<HistoryEntry>, Verified) {
    (store.latest().unwrap(), store.history(9).unwrap(), store.verify().unwrap())
}

/// Insists that the chain says what it said before, and goes on.
fn unmoved(store: &GitStore, before: &(Option<Stored>, Vec<HistoryEntry>, Verified), what: &str) {
    assert_eq!(&said(store), before, "{what}");
    assert_eq!(before.2.faults, [], "{what}");
    let tip = before.0.clone().unwrap();
    store.advance(Some(&tip.revision), &after(&tip.state), "Four").unwrap();
    let history: Vec<_> = store.history(9).unwrap().into_iter().map(|entry| entry.summary).collect();
    assert_eq!(history, ["Four", "Three", "Two", "One"], "{what}");
}

#[test]
fn replaced_objects_are_not_taken_for_the_real_ones() {
    for is_remote in [false, true] {
        let (sandbox, store) = started(is_remote);
        let before = said(&store);
        let directory = store.git_directory().display().to_string();
        let git = |args: &[&str]| {
            let directory = format!("--git-dir={directory}");
            sandbox.git(&[&[directory.as_str()], args].concat()).trim().to_owned()
        };
        let [three, two] = [&before.1[0].revision.0, &before.1[1].revision.0];
        // Whoever reads with `git` sees the second revision in place of the third.
        git(&["replace", three, two]);
        git(&["replace", &format!("{three}:objects.jsonl"), &format!("{three}:meta.json")]);
        let seen = git(&["log", "-1", "--format=%s", three]);
        assert_eq!(seen, "Two", "the replacement counts for git itself");
        unmoved(&store, &before, if is_remote { "mirror" } else { "repository" });
    }
}

#[test]
fn grafts_and_shallow_ends_change_no_parent() {
    for (file, is_remote) in [("info/grafts", false), ("shallow", false), ("info/grafts", true)] {
        let (_sandbox, store) = started(is_remote);
        let before = said(&store);
        let path = store.git_directory().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // The third revision without a parent; as a graft the second gets the third for one.
        let (three, two) = (&before.1[0].revision.0, &before.1[1].revision.0);
        let more = if file == "shallow" { String::new() } else { format!("{two} {three}\n") };
        fs::write(path, format!("{three}\n{more}")).unwrap();
        unmoved(&store, &before, file);
    }
}

#[test]
fn an_alternate_lends_objects_but_no_others_than_their_names_say() {
    let (sandbox, store) = started(false);
    let before = said(&store);
    let objects = sandbox.git_directory().join("objects");
    let alternate = sandbox.path("alternate");
    fs::write(objects.join("info/alternates"), format!("{}\n", alternate.display())).unwrap();
    let tip = &before.0.as_ref().unwrap().revision.0;
    let name = |oid: &str| format!("{}/{}", &oid[..2], &oid[2..]);
    let other = objects.join(name(&before.1[1].revision.0));
    fs::create_dir_all(alternate.join(&tip[..2])).unwrap();
    // Another commit, under the name of the newest one.
    let lent = alternate.join(name(tip));
    fs::copy(&other, &lent).unwrap();
    let own = objects.join(name(tip));
    let kept = fs::read(&own).unwrap();
    for has_own in [true, false] {
        if !has_own {
            fs::remove_file(&own).unwrap();
        }
        let error = sandbox.local().latest().unwrap_err();
        assert!(matches!(error, StateError::Corrupt(_)), "{error}");
    }
    // The right one lent is as good as one's own.
    fs::set_permissions(&lent, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&lent, kept).unwrap();
    unmoved(&sandbox.local(), &before, "alternate");
}
