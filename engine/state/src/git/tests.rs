mod depth;
mod foreign;
mod hygiene;
mod inputs;
mod locks;
mod probe;
mod recovery;
mod redirect;
mod remote;
mod shared;
mod support;
mod tamper;
mod verify;

use engine_core::ports::{StateError, StateStore};
use support::Sandbox;

use super::*;
use crate::contract::{self, after, counter, first};

#[test]
fn a_local_store_keeps_the_contract() {
    let sandbox = Sandbox::new();
    contract::check(&sandbox.local());
}

#[test]
fn a_private_store_keeps_the_contract_and_makes_its_repository() {
    let sandbox = Sandbox::new();
    let directory = sandbox.path("work/.terrane/state.git");
    let location = GitLocation::Private { directory };
    contract::check(&sandbox.open(&location));
    assert!(sandbox.open(&location).latest().unwrap().is_some(), "it is found again");
}

#[test]
fn a_subdirectory_leads_to_its_repository() {
    let sandbox = Sandbox::new();
    let below = sandbox.repository().join("environments/dev");
    std::fs::create_dir_all(&below).unwrap();
    sandbox.local().advance(None, &first(), "First").unwrap();
    let store = sandbox.open(&GitLocation::Local { repository: below });
    assert_eq!(store.latest().unwrap().unwrap().state, first());
}

#[test]
fn outside_of_a_repository_there_is_no_local_store() {
    let directory = tempfile::tempdir().unwrap();
    let location = GitLocation::Local { repository: directory.path().join("nothing") };
    let error = GitStore::open(&location, &"dev".parse().unwrap()).err().unwrap();
    assert!(matches!(error, StateError::Unusable(_)), "{error}");
}

#[test]
fn racers_lose_no_increment() {
    let sandbox = Sandbox::new();
    let stores: Vec<_> = (0..8).map(|_| sandbox.local()).collect();
    let state = contract::race(&stores, 25);
    assert_eq!((counter(&state), state.serial), (200, 200));
    let serials: Vec<_> =
        stores[0].history(usize::MAX).unwrap().into_iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, (1..=200).rev().collect::<Vec<_>>());
}

#[test]
fn of_many_first_revisions_one_wins() {
    let sandbox = Sandbox::new();
    let location = GitLocation::Local { repository: sandbox.repository() };
    for round in 0..30 {
        let environment: EnvironmentName = format!("race-{round}").parse().unwrap();
        let state = State { environment: environment.clone(), ..first() };
        let barrier = std::sync::Barrier::new(6);
        let landed = std::thread::scope(|scope| {
            let racer = || {
                let store = GitStore::open(&location, &environment).unwrap();
                barrier.wait();
                store.advance(None, &state, "First").is_ok()
            };
            let racers: Vec<_> = (0..6).map(|_| scope.spawn(racer)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).filter(|landed| *landed).count()
        });
        assert_eq!(landed, 1, "round {round}");
    }
}

#[test]
fn a_lost_race_names_both_sides() {
    let sandbox = Sandbox::new();
    let (ours, theirs) = (sandbox.local(), sandbox.local());
    let base = ours.advance(None, &first(), "Apply: base").unwrap();
    theirs.advance(Some(&base), &after(&first()), "Apply: rival").unwrap();
    let error = ours.advance(Some(&base), &after(&first()), "Apply: late").unwrap_err();
    let StateError::Moved { expected, found } = error else {
        panic!("{error}");
    };
    assert!(expected.starts_with("serial 1 (") && expected.ends_with("Z: Apply: base"), "{expected}");
    assert!(
        found.contains("serial 2 (") && found.contains(") by Tester <tester@example.com> at "),
        "{found}"
    );
    assert!(found.ends_with(": Apply: rival"), "{found}");
}

#[test]
fn environments_share_a_repository_without_meeting() {
    let sandbox = Sandbox::new();
    sandbox.local().advance(None, &first(), "First").unwrap();
    let other: EnvironmentName = "dev-2".parse().unwrap();
    let location = GitLocation::Local { repository: sandbox.repository() };
    let store = GitStore::open(&location, &other).unwrap();
    assert_eq!(store.latest().unwrap(), None);
    let error = store.advance(None, &first(), "Wrong").unwrap_err().to_string();
    assert!(error.contains("keeps environment dev-2, not dev"), "{error}");
}

#[test]
fn equal_states_are_equal_blobs_but_never_equal_commits() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let one = store.advance(None, &first(), "Same").unwrap();
    let two = store.advance(Some(&one), &after(&first()), "Same").unwrap();
    let repository = sandbox.git2();
    let objects = |revision: &Revision| {
        let tree = repository.find_commit(chain::oid(revision).unwrap()).unwrap().tree().unwrap();
        tree.get_name("objects.jsonl").unwrap().id()
    };
    assert_eq!(objects(&one), objects(&two));
    let other = Sandbox::new();
    assert_ne!(other.local().advance(None, &first(), "Same").unwrap(), one);
}

#[test]
fn packed_refs_are_compared_too() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let base = store.advance(None, &first(), "First").unwrap();
    sandbox.git(&["-C", "repository", "gc", "-q"]);
    let next = store.advance(Some(&base), &after(&first()), "Second").unwrap();
    sandbox.git(&["-C", "repository", "gc", "-q"]);
    for expected in [Some(&base), None] {
        let error = store.advance(expected, &after(&first()), "Stale").unwrap_err();
        assert!(matches!(error, StateError::Moved { .. }), "{error}");
    }
    assert_eq!(store.latest().unwrap().unwrap().revision, next);
}

#[test]
fn a_private_repository_is_packed_now_and_then() {
    let sandbox = Sandbox::new();
    let directory = sandbox.path("state.git");
    let store = sandbox.open(&GitLocation::Private { directory: directory.clone() });
    let almost = State { serial: TIDY_EVERY - 1, ..first() };
    let base = store.advance(None, &almost, "Almost").unwrap();
    let loose = || sandbox.git(&["--git-dir=state.git", "count-objects"]);
    assert!(!loose().starts_with("0 objects"), "{}", loose());
    store.advance(Some(&base), &after(&almost), "Now").unwrap();
    assert!(loose().starts_with("0 objects"), "{}", loose());
    assert_eq!(store.latest().unwrap().unwrap().state, after(&almost));
}
