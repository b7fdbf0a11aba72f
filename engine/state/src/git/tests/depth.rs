//! A mirror holds as little of a chain as is needed.

use engine_core::digest::Fingerprint;
use engine_core::object_ref::{ObjectRef, Uid};
use engine_core::state::ResourceRecord;

use super::support::Sandbox;
use super::*;
use crate::format::tests::sample;

/// A remote with a chain of this many revisions, each with as many objects, of which each changes a few.
fn chain_of(sandbox: &Sandbox, revisions: u64, objects: usize) -> Revision {
    let origin = sandbox.origin();
    let author = commit::Author::configured(&origin);
    let mut state = large(objects);
    let mut tip = None;
    for serial in 1..=revisions {
        state.serial = serial;
        for (idx, record) in state.records.values_mut().enumerate() {
            if idx as u64 % 100 == serial % 100 {
                record.fields.push(serial as u32);
            }
        }
        tip = Some(commit::write(&origin, tip, &state, Draft::default(), &author).unwrap().oid);
    }
    let tip = tip.unwrap();
    origin.reference("refs/terrane/state/dev", tip, true, "made").unwrap();
    Revision(tip.to_string())
}

fn large(objects: usize) -> State {
    let mut state = State { epoch: 1, intents: Vec::new(), ..sample() };
    let (object_ref, record) = state.records.pop_first().unwrap();
    for idx in 0..objects {
        let object_ref = ObjectRef { name: format!("web-{idx}").into(), ..object_ref.clone() };
        let open = Digest::of_bytes(object_ref.name.as_bytes()).print();
        let desired = Fingerprint { open, ..record.desired };
        let uid = Uid::new(format!("{open:.8}-{idx:04}"));
        state.records.insert(object_ref, ResourceRecord { uid, desired, ..record.clone() });
    }
    state
}

fn commits(sandbox: &Sandbox) -> usize {
    let git_directory = "--git-dir=repository/.git/terrane/state.git";
    sandbox.git(&[git_directory, "rev-list", "--count", "refs/terrane/remote/dev"]).trim().parse().unwrap()
}

#[test]
fn a_fresh_mirror_has_the_newest_revision_alone() {
    let sandbox = Sandbox::new();
    let tip = chain_of(&sandbox, 40, 500);
    let store = sandbox.remote();
    assert_eq!(store.latest().unwrap().unwrap().revision, tip);
    assert_eq!(commits(&sandbox), 1);
    let size = |directory: &Path| -> u64 {
        let mut open = vec![directory.to_path_buf()];
        let mut bytes = 0;
        while let Some(path) = open.pop() {
            match std::fs::metadata(&path).unwrap() {
                found if found.is_dir() => {
                    open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                }
                found => bytes += found.len(),
            }
        }
        bytes
    };
    let bytes = size(&sandbox.git_directory().join("terrane/state.git/objects"));
    assert!(bytes <= 500_000, "{bytes}");
}

#[test]
fn a_shallow_mirror_is_pushed_from_and_grows_with_the_chain() {
    let sandbox = Sandbox::new();
    let tip = chain_of(&sandbox, 20, 2);
    let store = sandbox.remote();
    let mut state = store.latest().unwrap().unwrap().state;
    state.serial += 1;
    let next = store.advance(Some(&tip), &state, "On top").unwrap();
    assert_eq!(commits(&sandbox), 2);
    let stale = State { serial: state.serial, ..sample() };
    assert!(store.advance(Some(&tip), &stale, "Stale").is_err());
    assert_eq!(store.latest().unwrap().unwrap().revision, next);
    assert_eq!(sandbox.colleague("clone").latest().unwrap().unwrap().revision, next);
}

#[test]
fn history_is_fetched_when_it_is_asked_for() {
    let sandbox = Sandbox::new();
    chain_of(&sandbox, 20, 2);
    let store = sandbox.remote();
    store.latest().unwrap();
    let serials: Vec<_> = store.history(100).unwrap().into_iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, (1..=20).rev().collect::<Vec<_>>());
    assert_eq!(store.latest().unwrap().unwrap().state.serial, 20);
}

#[test]
fn what_was_seen_is_looked_for_in_the_whole_chain() {
    let sandbox = Sandbox::new();
    let old = chain_of(&sandbox, 10, 2);
    let mark = sandbox.path("high-water.json");
    sandbox.remote().with_high_water(&mark).latest().unwrap();
    let lost_mirror = || std::fs::remove_dir_all(sandbox.git_directory().join("terrane")).unwrap();
    lost_mirror();
    let colleague = sandbox.colleague("clone");
    let mut state = colleague.latest().unwrap().unwrap().state;
    state.serial += 1;
    let next = colleague.advance(Some(&old), &state, "On top").unwrap();
    assert_eq!(sandbox.remote().with_high_water(&mark).latest().unwrap().unwrap().revision, next);

    lost_mirror();
    chain_of(&sandbox, 30, 2);
    let error = sandbox.remote().with_high_water(&mark).latest().unwrap_err();
    assert!(matches!(error, StateError::Rewritten(_)), "{error}");
}
