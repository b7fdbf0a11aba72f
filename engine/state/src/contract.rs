//! What every store promises, checked on each of them.

use engine_core::digest::Digest;
use engine_core::mark::Lineage;
use engine_core::ports::{Revision, RevisionStore, StateError, StateStore, Stored};
use engine_core::state::{Output, State};

/// The state that all checks begin with.
pub(crate) fn first() -> State {
    State { serial: 1, epoch: 1, ..State::empty("dev".parse().unwrap(), Lineage::new([1; 16])) }
}

/// Returns the state that may follow.
pub(crate) fn after(state: &State) -> State {
    State { serial: state.serial + 1, ..state.clone() }
}

/// Checks a store that is empty.
pub(crate) fn check(store: &dyn RevisionStore) {
    check_growing(store);
    begins_anew(store);
}

/// Checks all but that a chain can begin anew.
pub(crate) fn check_growing(store: &dyn RevisionStore) {
    assert_eq!(store.latest().unwrap(), None);
    assert_eq!(store.history(10).unwrap(), []);

    let one = first();
    let revision = store.advance(None, &one, "Apply: 1 to create").unwrap();
    let stored = store.latest().unwrap().unwrap();
    assert_eq!((&stored.revision, &stored.state), (&revision, &one));

    let two = after(&one);
    let second = store.advance(Some(&revision), &two, "Apply: nothing").unwrap();
    assert_ne!(revision, second);
    assert_eq!(store.latest().unwrap().unwrap().state, two);

    keeps_approvals(store);
    refuses_the_stale(store, &revision, &one);
    refuses_what_does_not_follow(store, &second, &two);

    assert_eq!(store.latest().unwrap().unwrap().revision, second);
    let history = store.history(10).unwrap();
    let told: Vec<_> =
        history.iter().map(|entry| (&entry.revision, entry.serial, entry.summary.as_str())).collect();
    assert_eq!(told, [(&second, 2, "Apply: nothing"), (&revision, 1, "Apply: 1 to create")]);
    assert_eq!(store.history(1).unwrap().len(), 1);

    says_which_plan(store);
    brings_back(store, &one);
}

fn tip(store: &dyn RevisionStore) -> Stored {
    store.latest().unwrap().unwrap()
}

fn says_which_plan(store: &dyn RevisionStore) {
    let (tip, plan) = (tip(store), Digest::of_bytes(b"plan"));
    store.append(Some(&tip.revision), &after(&tip.state), "apply: begin", Some(&plan)).unwrap();
    let history = store.history(2).unwrap();
    assert_eq!((history[0].plan, history[1].plan), (Some(plan), None));
    assert!(store.approvals().unwrap().values().all(|approval| !approval.who.is_empty()));
    store.approve(&plan).unwrap();
    assert!(store.approvals().unwrap().contains_key(&plan));
}

fn brings_back(store: &dyn RevisionStore, one: &State) {
    let before = tip(store);
    let found = store.find("1").unwrap().unwrap();
    assert_eq!(found.state, *one);
    assert_eq!(store.find(&found.revision.0).unwrap(), Some(found.clone()));
    for name in ["99", "nothing", ""] {
        assert_eq!(store.find(name).unwrap(), None, "{name}");
    }
    let restored = store.restore(Some(&before.revision), &found, "state restore: serial 1").unwrap();
    assert_eq!(tip(store), restored);
    assert_eq!(restored.state, one.restored_after(&before.state));
    assert_eq!(store.history(1).unwrap()[0].restored, Some(found.revision.clone()));
    let error = store.restore(Some(&before.revision), &found, "Stale").unwrap_err();
    assert!(matches!(error, StateError::Moved { .. }), "{error}");
    let seen = store.unchecked().unwrap().unwrap();
    assert_eq!(
        (seen.revision, seen.serial, seen.state),
        (restored.revision, restored.state.serial, Ok(restored.state))
    );
}

fn begins_anew(store: &dyn RevisionStore) {
    let before = tip(store);
    let compacted = store.compact(&before, 1).unwrap().unwrap();
    let now = tip(store);
    assert_eq!(compacted.stored, now);
    assert_eq!((now.state.serial, &now.state.records), (before.state.serial + 1, &before.state.records));
    let error = store.compact(&before, 1).unwrap_err();
    assert!(matches!(error, StateError::Moved { .. }), "{error}");
    let serials: Vec<_> = store.history(usize::MAX).unwrap().iter().map(|entry| entry.serial).collect();
    assert_eq!(
        serials,
        (1..=now.state.serial).rev().collect::<Vec<_>>(),
        "the history goes on behind the seam"
    );
    let verified = store.verify().unwrap();
    assert_eq!((verified.revisions, verified.faults), (serials.len(), vec![]));
    store.advance(Some(&now.revision), &after(&now.state), "And on").unwrap();
}

fn keeps_approvals(store: &dyn RevisionStore) {
    // A store may be a new one on a repository that has been checked before.
    let decision = || Digest::of_bytes(&crate::random::bytes::<16>().unwrap());
    let (one, other) = (decision(), decision());
    assert_eq!(store.approval(&one).unwrap(), None);
    let approval = store.approve(&one).unwrap();
    assert_eq!(store.approval(&one).unwrap(), Some(approval.clone()));
    assert_eq!(store.approve(&one).unwrap(), approval, "an approval stays as it is");
    assert_eq!(store.approval(&other).unwrap(), None, "a decision is approved, not an environment");
}

fn refuses_the_stale(store: &dyn RevisionStore, old: &Revision, one: &State) {
    for expected in [Some(old), None] {
        let error = store.advance(expected, &after(one), "Stale").unwrap_err();
        assert!(matches!(error, StateError::Moved { .. }), "{error}");
    }
}

fn refuses_what_does_not_follow(store: &dyn RevisionStore, tip: &Revision, state: &State) {
    let lineage = State { lineage: Lineage::new([2; 16]), ..after(state) };
    let skipped = after(&after(state));
    let displaced = State { epoch: 0, ..after(state) };
    for (next, want) in
        [(&lineage, "lineage"), (&skipped, "serial"), (state, "serial"), (&displaced, "epoch")]
    {
        let error = store.advance(Some(tip), next, "Broken").unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
}

/// Lets each of the stores, one a thread, raise a shared counter; returns what it counts to.
pub(crate) fn race<S: StateStore>(stores: &[S], increments: usize) -> State {
    std::thread::scope(|scope| {
        for store in stores {
            scope.spawn(|| (0..increments).for_each(|_| increment(store)));
        }
    });
    stores[0].latest().unwrap().unwrap().state
}

fn increment(store: &dyn StateStore) {
    loop {
        let tip = store.latest().unwrap();
        let mut next = tip.as_ref().map_or_else(first, |stored| after(&stored.state));
        let count = counter(&next) + 1;
        next.outputs.insert("counter".into(), Output::Value(count.into()));
        let expected = tip.map(|stored| stored.revision);
        match store.advance(expected.as_ref(), &next, "Count") {
            Ok(_) => return,
            Err(StateError::Moved { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Returns the counter of [`race`].
pub(crate) fn counter(state: &State) -> i64 {
    match state.outputs.get("counter") {
        Some(Output::Value(value)) => value.as_i64().unwrap(),
        Some(Output::Sensitive) => panic!("the counter is not sensitive"),
        None => 0,
    }
}
