//! What was lost is brought back, and every machine that has seen something agrees to it.

use engine_core::ports::Stored;
use engine_core::state::State;

use super::support::{Sandbox, forge};
use super::*;

/// Appends revisions until this serial.
fn up_to(store: &GitStore, serial: u64) -> Stored {
    loop {
        let tip = store.latest().unwrap();
        if let Some(tip) = tip.clone().filter(|tip| tip.state.serial >= serial) {
            return tip;
        }
        let next = tip.as_ref().map_or_else(first, |tip| after(&tip.state));
        store.advance(tip.as_ref().map(|tip| &tip.revision), &next, "On").unwrap();
    }
}

fn delete(repository: &Repository) {
    repository.find_reference("refs/terrane/state/dev").unwrap().delete().unwrap();
}

#[test]
fn a_ref_that_is_gone_begins_again_where_it_was() {
    for is_remote in [false, true] {
        let sandbox = Sandbox::new();
        let open = || if is_remote { sandbox.remote() } else { sandbox.local() };
        let store = open().with_high_water(sandbox.path("high-water"));
        let lost = up_to(&store, 3);
        delete(&if is_remote { sandbox.origin() } else { sandbox.git2() });
        store.latest().unwrap_err();
        assert_eq!(store.unchecked().unwrap(), None);
        for name in ["3", &lost.revision.0, &lost.revision.0[..8]] {
            assert_eq!(store.find(name).unwrap(), Some(lost.clone()), "{name}");
        }
        assert_eq!(store.restore(None, &lost, "state restore").unwrap(), lost);
        assert_eq!(store.latest().unwrap(), Some(lost));
        assert_eq!(store.history(9).unwrap().len(), 3);
    }
}

#[test]
fn a_ref_that_was_rewound_goes_forward() {
    let sandbox = Sandbox::new();
    let store = sandbox.local().with_high_water(sandbox.path("high-water"));
    let old = up_to(&store, 2);
    let lost = up_to(&store, 4);
    sandbox
        .git2()
        .reference(&store.reference(), chain::oid(&old.revision).unwrap(), true, "rewound")
        .unwrap();
    store.latest().unwrap_err();
    assert_eq!(store.unchecked().unwrap().unwrap().serial, 2);
    assert_eq!(store.restore(Some(&old.revision), &lost, "state restore").unwrap(), lost);
    assert_eq!(store.latest().unwrap(), Some(lost), "no revision is made for it");
}

#[test]
fn a_ref_that_was_rewritten_gets_the_content_back_and_who_saw_it_agrees() {
    let sandbox = Sandbox::new();
    let ours = sandbox.remote().with_high_water(sandbox.path("ours.mark"));
    let theirs = sandbox.colleague("clone").with_high_water(sandbox.path("theirs.mark"));
    up_to(&ours, 2);
    theirs.latest().unwrap();
    let lost = up_to(&ours, 3);
    let late = sandbox.colleague("late").with_high_water(sandbox.path("late.mark"));
    late.latest().unwrap();
    // Somebody begins again from the first revision.
    let base = ours.find("1").unwrap().unwrap();
    let origin = sandbox.origin();
    origin.reference(&ours.reference(), chain::oid(&base.revision).unwrap(), true, "rewound").unwrap();
    let rival = sandbox.colleague("rival");
    rival.latest().unwrap();
    let other =
        rival.advance(Some(&base.revision), &State { epoch: 9, ..after(&base.state) }, "Rival").unwrap();
    ours.latest().unwrap_err();
    let restored = ours.restore(Some(&other), &lost, "state restore").unwrap();
    assert_eq!((restored.state.serial, restored.state.epoch), (3, 10));
    for (who, store) in [("ours", &ours), ("late", &late)] {
        assert_eq!(store.latest().unwrap(), Some(restored.clone()), "{who}");
    }
    // What lies before the lost revision is kept where all find it.
    assert_eq!(theirs.latest().unwrap(), Some(restored.clone()), "theirs");
    up_to(&late, 6);
    assert_eq!(ours.latest().unwrap().unwrap().state.serial, 6);
}

#[test]
fn a_state_that_was_made_anew_is_accepted_by_each_who_saw_the_old_one() {
    let sandbox = Sandbox::new();
    let ours = sandbox.remote().with_high_water(sandbox.path("ours.mark"));
    let theirs = sandbox.colleague("clone").with_high_water(sandbox.path("theirs.mark"));
    up_to(&ours, 3);
    let lost = theirs.latest().unwrap().unwrap();
    delete(&sandbox.origin());
    // As `state rebuild` does it where nobody has the lost revisions.
    let rebuilt = State { epoch: 1, ..first() };
    let begun = ours.advance(None, &rebuilt, "state rebuild: 0 objects found by their marks").unwrap();
    assert_eq!(ours.latest().unwrap().unwrap().revision, begun, "who did it has accepted it");
    let error = theirs.latest().unwrap_err();
    assert!(matches!(error, StateError::Rewritten(_)));
    let error = error.to_string();
    for name in [&lost.revision.0, &begun.0] {
        assert!(error.contains(&format!("`terrane state restore {name}`")), "{error}");
    }
    assert!(theirs.latest().is_err(), "it is never accepted without a word");
    let wanted = theirs.find(&begun.0[..12]).unwrap().unwrap();
    theirs.restore(Some(&begun), &wanted, "state restore").unwrap();
    let next = up_to(&theirs, 3);
    assert_eq!(ours.latest().unwrap(), Some(next));
}

#[test]
fn what_only_one_machine_has_left_is_brought_back_from_its_newest_revision() {
    let sandbox = Sandbox::new();
    up_to(&sandbox.remote(), 4);
    // This one has never read anything but the newest revision.
    let store = sandbox.colleague("clone").with_high_water(sandbox.path("mark"));
    let lost = store.latest().unwrap().unwrap();
    delete(&sandbox.origin());
    store.latest().unwrap_err();
    let wanted = store.find("4").unwrap().unwrap();
    let restored = store.restore(None, &wanted, "state restore").unwrap();
    assert_eq!(restored.state.records, lost.state.records);
    assert_eq!(store.latest().unwrap(), Some(restored.clone()));
    assert_eq!(sandbox.colleague("other").latest().unwrap(), Some(restored));
}

#[test]
fn another_lineage_is_no_place_to_restore_to() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let lost = up_to(&store, 2);
    delete(&sandbox.git2());
    let other = State { lineage: engine_core::mark::Lineage::new([5; 16]), ..first() };
    let tip = store.advance(None, &other, "Somebody started again").unwrap();
    let error = store.restore(Some(&tip), &lost, "state restore").unwrap_err().to_string();
    assert!(error.contains("lineage"), "{error}");
    assert_eq!(store.latest().unwrap().unwrap().state, other);
}

#[test]
fn a_newest_revision_that_cannot_be_read_is_followed() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let good = up_to(&store, 1);
    let parent = chain::oid(&good.revision).unwrap();
    let message = "Forged\n\nLineage: 01010101010101010101010101010101\nSerial: 2\nEpoch: 1\nNonce: 00\n";
    let bad = forge(&sandbox.git2(), &[], &[parent], message);
    let tip = store.unchecked().unwrap().unwrap();
    assert_eq!((tip.serial, tip.revision.0.clone()), (2, bad.to_string()));
    assert!(tip.state.is_err());
    let restored = store.restore(Some(&tip.revision), &good, "state restore").unwrap();
    assert_eq!(restored.state.serial, 3);
    assert_eq!(store.latest().unwrap(), Some(restored));
}

#[test]
fn a_compacted_chain_is_accepted_where_any_of_it_was_seen() {
    for keep in [0, 2] {
        let sandbox = Sandbox::new();
        let ours = sandbox.remote().with_high_water(sandbox.path("ours.mark"));
        let early = sandbox.colleague("early").with_high_water(sandbox.path("early.mark"));
        up_to(&ours, 2);
        early.latest().unwrap();
        let old = up_to(&ours, 5);
        let late = sandbox.colleague("late").with_high_water(sandbox.path("late.mark"));
        late.latest().unwrap();
        let compacted = ours.compact(&old, keep).unwrap().unwrap();
        assert_eq!(compacted.revisions, keep + 1);
        assert_eq!(compacted.archive, "refs/terrane/archive/dev/5");
        let kept = sandbox.git(&["-C", "origin.git", "rev-parse", &compacted.archive]);
        assert_eq!(kept.trim(), old.revision.0);
        let fresh = sandbox.colleague("fresh").with_high_water(sandbox.path("fresh.mark"));
        for (who, store) in [("ours", &ours), ("late", &late), ("early", &early), ("fresh", &fresh)] {
            assert_eq!(store.latest().unwrap(), Some(compacted.stored.clone()), "{who}, keep {keep}");
            let serials: Vec<_> = store.history(99).unwrap().iter().map(|entry| entry.serial).collect();
            assert_eq!(serials, [6, 5, 4, 3, 2, 1], "{who}, keep {keep}");
            assert_eq!(store.verify().unwrap().faults, [], "{who}, keep {keep}");
            assert_eq!(store.find("2").unwrap().unwrap().state.serial, 2, "{who}, keep {keep}");
        }
        let reachable = sandbox.git(&["-C", "origin.git", "rev-list", "--count", "refs/terrane/state/dev"]);
        assert_eq!(reachable.trim(), (keep + 1).to_string());
        up_to(&early, 8);
        assert_eq!(ours.latest().unwrap().unwrap().state.serial, 8);
    }
}

#[test]
fn an_old_chain_takes_no_place_of_another() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let one = store.compact(&up_to(&store, 3), 0).unwrap().unwrap();
    delete(&sandbox.git2());
    let two = store.compact(&up_to(&store, 3), 0).unwrap().unwrap();
    assert_eq!(one.archive, "refs/terrane/archive/dev/3");
    assert!(two.archive.starts_with("refs/terrane/archive/dev/3-"), "{}", two.archive);
    assert_eq!(store.history(9).unwrap().len(), 4);
}

#[test]
fn one_environment_of_a_branch_is_brought_back_and_the_others_stay() {
    let sandbox = Sandbox::new();
    let mark = sandbox.path("ours.mark");
    let store = sandbox.local().in_branch("states").unwrap().with_high_water(mark);
    let location = GitLocation::Local { repository: sandbox.repository() };
    let other = GitStore::open(&location, &"prod".parse().unwrap()).unwrap().in_branch("states").unwrap();
    up_to(&store, 1);
    let theirs = State { environment: "prod".parse().unwrap(), ..first() };
    other.advance(None, &theirs, "First of prod").unwrap();
    let tip = up_to(&store, 3);
    let wanted = store.find("1").unwrap().unwrap();
    let restored = store.restore(Some(&tip.revision), &wanted, "state restore").unwrap();
    assert_eq!(restored.state.serial, 4);
    assert_eq!(store.latest().unwrap(), Some(restored));
    assert_eq!(store.unchecked().unwrap().unwrap().serial, 4);
    let verified = store.verify().unwrap();
    assert_eq!((verified.revisions, verified.faults), (4, vec![]));
    assert_eq!(other.latest().unwrap().unwrap().state, theirs);
}

#[test]
fn a_fresh_machine_compacts_what_it_has_never_read() {
    let sandbox = Sandbox::new();
    up_to(&sandbox.remote(), 5);
    let fresh = sandbox.colleague("fresh");
    let tip = fresh.latest().unwrap().unwrap();
    let compacted = fresh.compact(&tip, 2).unwrap().unwrap();
    assert_eq!((compacted.revisions, compacted.stored.state.serial), (3, 6));
    let serials: Vec<_> = fresh.history(99).unwrap().iter().map(|entry| entry.serial).collect();
    assert_eq!(serials, [6, 5, 4, 3, 2, 1]);
}

#[test]
fn there_must_be_something_to_compact() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let tip = up_to(&store, 3);
    for keep in [3, 99] {
        assert_eq!(store.compact(&tip, keep).unwrap(), None);
    }
    assert_eq!(store.latest().unwrap(), Some(tip));
}

#[test]
fn the_history_ends_where_its_archive_was_deleted() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let old = up_to(&store, 4);
    let compacted = store.compact(&old, 0).unwrap().unwrap();
    sandbox.git2().find_reference(&compacted.archive).unwrap().delete().unwrap();
    sandbox.git(&["-C", "repository", "gc", "-q", "--prune=now"]);
    assert_eq!(store.latest().unwrap(), Some(compacted.stored));
    assert_eq!(store.history(99).unwrap().len(), 1);
    let faults = store.verify().unwrap().faults;
    assert!(faults.len() == 1 && faults[0].revision == old.revision, "{faults:?}");
}
