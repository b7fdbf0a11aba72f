//! The journal on a store in memory; its protocol in [`simulation`].

mod simulation;
mod world;

use std::sync::Arc;
use std::time::Duration;

use engine_core::plan::ActionKind;
use engine_core::ports::{StateError, StateStore};
use engine_core::state::Intent;

use super::{Chain, Journal};
use world::{Machine, Store, holder, intent, object, record};

const NOW: Duration = Duration::ZERO;

fn begun(store: &Arc<Store>, machine: &Machine) -> Journal {
    let base = store.latest().unwrap().unwrap();
    let chain = Chain { store: store.clone(), log: machine.log("run", None), plan: None };
    Journal::begin(chain, &base, vec![intent(0), intent(1)], holder("run"), NOW).unwrap()
}

#[test]
fn results_replace_intents_one_by_one() {
    let (store, machine) = (Store::new(), Machine::default());
    let journal = begun(&store, &machine);
    let tip = || store.latest().unwrap().unwrap().state;
    assert_eq!(tip().intents, [intent(0), intent(1)]);
    journal.applied(&object(0), record(7));
    assert_eq!(tip().records.len(), 0, "between signs of life nothing is pushed");
    journal.renew(NOW).unwrap();
    assert_eq!((tip().intents, tip().records.len()), (vec![intent(0), intent(1)], 1), "it is waited for");
    journal.seen(&object(0));
    journal.renew(NOW).unwrap();
    assert_eq!((tip().intents, tip().records.len()), (vec![intent(1)], 1));
    journal.removed(&object(1));
    journal.conclude([].into(), &[].into());
    let stored = journal.release("apply: 2 changes done", NOW).unwrap();
    assert_eq!(stored.state, tip());
    assert_eq!((tip().intents.len(), tip().holder, tip().records.len()), (0, None, 1));
    assert_eq!(machine.left(), None, "the log is closed");
}

#[test]
fn what_may_have_landed_stays_intended() {
    let (store, machine) = (Store::new(), Machine::default());
    let journal = begun(&store, &machine);
    journal.applied(&object(0), record(7));
    journal.conclude([].into(), &[object(0)].into());
    let stored = journal.release("apply", NOW).unwrap();
    assert_eq!(stored.state.intents, [intent(0)]);
}

#[test]
fn what_nobody_has_seen_current_stays_intended() {
    let (store, machine) = (Store::new(), Machine::default());
    let base = store.latest().unwrap().unwrap();
    let chain = Chain { store: store.clone(), log: machine.log("run", None), plan: None };
    let waited_for = |idx| Intent { action: ActionKind::Await, ..intent(idx) };
    let intents = vec![intent(0), waited_for(1), waited_for(2)];
    let journal = Journal::begin(chain, &base, intents, holder("run"), NOW).unwrap();
    journal.applied(&object(0), record(7));
    journal.seen(&object(1));
    journal.conclude([].into(), &[].into());
    let stored = journal.release("apply", NOW).unwrap();
    assert_eq!(stored.state.intents, [intent(0), waited_for(2)]);
    assert!(stored.state.records.contains_key(&object(0)));
}

#[test]
fn a_lost_reply_is_no_lost_lock() {
    let (store, machine) = (Store::new(), Machine::default());
    let journal = begun(&store, &machine);
    store.fail_next(world::Fault::ReplyLost);
    assert!(matches!(journal.renew(NOW), Err(StateError::Unknown { .. })));
    journal.applied(&object(0), record(7));
    journal.conclude([].into(), &[].into());
    store.fail_next(world::Fault::ReplyLost);
    assert!(matches!(journal.release("apply", NOW), Err(StateError::Unknown { .. })));
    let stored = journal.release("apply", NOW).unwrap();
    assert_eq!(stored.state, store.latest().unwrap().unwrap().state);
    assert!(!journal.is_displaced());
}

#[test]
fn a_push_that_lands_late_is_still_ours() {
    let (store, machine) = (Store::new(), Machine::default());
    let journal = begun(&store, &machine);
    store.fail_next(world::Fault::Delayed);
    assert!(matches!(journal.renew(NOW), Err(StateError::Unknown { .. })));
    store.land_late_before_next();
    journal.renew(NOW).unwrap();
    assert!(!journal.is_displaced());
}

#[test]
fn a_displaced_run_appends_nothing_and_may_not_write() {
    let (store, machine) = (Store::new(), Machine::default());
    let journal = begun(&store, &machine);
    assert!(journal.may_write(NOW));
    let rival = store.latest().unwrap().unwrap();
    let mut next = rival.state.clone();
    next.serial += 1;
    next.epoch += 1;
    store.advance(Some(&rival.revision), &next, "rival").unwrap();
    assert!(matches!(journal.renew(NOW), Err(StateError::Moved { .. })));
    assert!(journal.is_displaced() && !journal.may_write(NOW));
    journal.conclude([].into(), &[].into());
    assert!(journal.release("apply", NOW).is_err());
    assert_eq!(store.latest().unwrap().unwrap().state, next);
    assert!(machine.left().is_some(), "what was done is still noted");
}
