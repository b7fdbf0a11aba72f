//! What every store promises, checked on each of them.

use engine_core::digest::Digest;
use engine_core::mark::Lineage;
use engine_core::ports::{Revision, StateError, StateStore};
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
pub(crate) fn check(store: &dyn StateStore) {
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
}

fn keeps_approvals(store: &dyn StateStore) {
    // A store may be a new one on a repository that has been checked before.
    let decision = || Digest::of_bytes(&crate::random::bytes::<16>().unwrap());
    let (one, other) = (decision(), decision());
    assert_eq!(store.approval(&one).unwrap(), None);
    let approval = store.approve(&one).unwrap();
    assert_eq!(store.approval(&one).unwrap(), Some(approval.clone()));
    assert_eq!(store.approve(&one).unwrap(), approval, "an approval stays as it is");
    assert_eq!(store.approval(&other).unwrap(), None, "a decision is approved, not an environment");
}

fn refuses_the_stale(store: &dyn StateStore, old: &Revision, one: &State) {
    for expected in [Some(old), None] {
        let error = store.advance(expected, &after(one), "Stale").unwrap_err();
        assert!(matches!(error, StateError::Moved { .. }), "{error}");
    }
}

fn refuses_what_does_not_follow(store: &dyn StateStore, tip: &Revision, state: &State) {
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
