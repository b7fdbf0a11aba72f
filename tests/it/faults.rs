//! Faults: at each request of a run something goes wrong, and the next run makes it good.
//!
//! Each sweep goes on to the next request until a run has none left to fail.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

mod claims;
mod foreign;
mod log;
mod wire;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use engine_converge::apply::ApplyError;
use engine_core::plan::outcome::{Outcome, Report};
use engine_core::ports::StateError;

use self::foreign::guests;
use self::wire::{Fault, Strike, Which};
use self::world::{Definitions, Ended, Goal, Left, World};

/// Objects by the ends of their paths; the second is written only when the first is ready, and deleted first.
const ORDER: [(&str, &str); 8] = [
    ("/namespaces/dev", "/configmaps/settings"),
    ("/namespaces/dev", "/secrets/credentials"),
    ("/namespaces/dev", "/widgets/widget"),
    ("/namespaces/dev", "/widgets/gadget"),
    ("/configmaps/settings", "/deployments/web"),
    ("/secrets/credentials", "/deployments/web"),
    ("/customresourcedefinitions/widgets.example.com", "/widgets/widget"),
    ("/deployments/web", "/configmaps/copy"),
];

/// What a user does after a run that did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Repeat,
    Destroy,
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

/// Brings a new world to where a goal starts from.
async fn before(definitions: &Definitions, goal: Goal) -> World<'_> {
    let world = World::new(definitions).await;
    if goal != Goal::First {
        world.run(Goal::First, None).await.0.done("the first apply");
    }
    world
}

/// What a goal leaves when nothing goes wrong, and nothing is left to do.
async fn undisturbed(definitions: &Definitions, goal: Goal) -> Left {
    let world = before(definitions, goal).await;
    for _ in 0..2 {
        world.run(goal, None).await.0.done("undisturbed");
    }
    world.left().await
}

/// Checks the order of writes since a moment.
fn check_order(world: &World<'_>, moment: usize, goal: Goal) {
    let writes = world.log.writes_since(moment);
    let at = |end: &str, method: &str| {
        let found = writes.iter().position(|write| write.starts_with(method) && write.ends_with(end));
        let deleted = writes.iter().any(|write| write.starts_with("DELETE") && write.ends_with(end));
        found.filter(|_| deleted == (method == "DELETE"))
    };
    for (dependency, dependent) in ORDER {
        if let (Some(one), Some(other)) = (at(dependency, "PATCH"), at(dependent, "PATCH")) {
            assert!(one < other, "{goal:?}: {dependent} is written before {dependency}: {writes:#?}");
        }
        if let (Some(one), Some(other)) = (at(dependency, "DELETE"), at(dependent, "DELETE")) {
            assert!(other < one, "{goal:?}: {dependency} is deleted before {dependent}: {writes:#?}");
        }
    }
}

/// Runs with a fault, then does what a user does, and insists that nothing of the fault is left.
async fn recover(world: &World<'_>, (goal, wanted): (Goal, &Left), then: Then, when: &str) {
    if then == Then::Destroy {
        world.unlock_elsewhere();
    }
    if then == Then::Repeat {
        world.run(goal, None).await.0.done(when);
        let moment = world.log.len();
        let report = world.run(goal, None).await.0.done(when).report;
        assert_eq!(report, Report::default(), "{when}: a second run has nothing to do");
        assert_eq!(world.log.writes_since(moment), [""; 0], "{when}: a second run writes nothing");
        world.left().await.check(wanted, when);
    } else {
        world.run(Goal::Nothing, None).await.0.done(when);
        assert_eq!(world.ours().await.keys().collect::<Vec<_>>(), [""; 0], "{when}: orphans");
        let state = world.stored().state;
        assert!(state.records.is_empty() && state.intents.is_empty(), "{when}: {state:?}");
    }
    world.log.check_intents();
    world.check_secrecy();
}

/// Strikes at one request. A run that did not end is gone on from both ways, each in a world of its own; else they
/// take turns. Returns whether there was such a request.
async fn strike_once(
    definitions: &Definitions,
    (goal, wanted): (Goal, &Left),
    strike: Strike,
    check: &impl Fn(&Ended, &str),
) -> bool {
    let unfinished = matches!(strike.fault, Fault::DeathAfter | Fault::Outage);
    let (first, second) = if strike.n.is_multiple_of(2) {
        (Then::Repeat, Then::Destroy)
    } else {
        (Then::Destroy, Then::Repeat)
    };
    for then in [Some(first), unfinished.then_some(second)].into_iter().flatten() {
        let world = before(definitions, goal).await;
        let foreign = world.foreign().await;
        let moment = world.log.len();
        let (ended, happened) = world.run(goal, Some(strike)).await;
        if !happened {
            return false;
        }
        let when = format!("{goal:?}, {strike:?}, then {then:?}");
        check(&ended, &when);
        check_order(&world, moment, goal);
        recover(&world, (goal, wanted), then, &when).await;
        assert_eq!(world.foreign().await, foreign, "{when}: what is not ours is left alone");
    }
    true
}

/// Strikes at every request that counts, in turn, and checks every recovery.
fn sweep(goal: Goal, faults: &[Fault], which: Which, check: impl Fn(&Ended, &str)) {
    let definitions = Definitions::write();
    block_on(async {
        let wanted = undisturbed(&definitions, goal).await;
        for fault in faults {
            let mut struck = 0;
            for n in 1.. {
                let strike = Strike { fault: *fault, which, n };
                let happened = strike_once(&definitions, (goal, &wanted), strike, &check).await;
                if !happened {
                    break;
                }
                struck = n;
            }
            assert!(struck > 3, "{fault:?} struck {struck} times");
        }
    });
}

fn died(ended: &Ended, when: &str) {
    assert!(matches!(ended, Ended::Died), "{when}");
}

/// The run itself overcomes the fault.
fn overcome(ended: &Ended, when: &str) {
    let Ended::Finished(finished) = ended else { panic!("{when}: not finished") };
    assert!(finished.report.is_success(), "{when}: {:#?}", finished.report);
}

/// The run comes to its end, whatever it says: an update may be sent again, a creation may not.
fn finished(ended: &Ended, when: &str) {
    assert!(matches!(ended, Ended::Finished(_)), "{when}");
}

/// The run says that not everything is done.
fn told(ended: &Ended, when: &str) {
    match ended {
        Ended::Finished(finished) => assert!(!finished.report.is_success(), "{when}: {:#?}", finished.report),
        Ended::Unplanned(_) => {}
        Ended::Died | Ended::Refused(_) => panic!("{when}: it goes on to its end"),
    }
}

#[test]
fn a_first_apply_may_die_at_any_request() {
    sweep(Goal::First, &[Fault::DeathBefore], Which::Every, died);
}

#[test]
fn a_first_apply_may_die_before_any_answer() {
    sweep(Goal::First, &[Fault::DeathAfter], Which::Writes, died);
}

#[test]
fn a_later_apply_may_die_at_any_request() {
    sweep(Goal::Second, &[Fault::DeathBefore], Which::Applying, died);
}

#[test]
fn a_later_apply_may_die_before_any_answer() {
    sweep(Goal::Second, &[Fault::DeathAfter], Which::Writes, died);
}

#[test]
fn a_destroy_may_die_before_any_write() {
    sweep(Goal::Nothing, &[Fault::DeathBefore], Which::Writes, died);
}

#[test]
fn a_destroy_may_die_before_any_answer() {
    sweep(Goal::Nothing, &[Fault::DeathAfter], Which::Writes, died);
}

#[test]
fn a_lost_answer_to_a_first_apply_is_found_out() {
    sweep(Goal::First, &[Fault::Failed, Fault::Reset, Fault::Cut], Which::Writes, overcome);
}

#[test]
fn a_lost_answer_to_a_later_apply_is_found_out() {
    sweep(Goal::Second, &[Fault::Failed, Fault::Reset], Which::Writes, overcome);
}

#[test]
fn a_lost_answer_to_a_deletion_is_found_out() {
    sweep(Goal::Nothing, &[Fault::Reset, Fault::Cut], Which::Writes, overcome);
}

#[test]
fn a_server_that_refuses_for_a_moment_is_asked_again() {
    sweep(Goal::First, &[Fault::Refused(429), Fault::Refused(409)], Which::Writes, overcome);
    sweep(Goal::Second, &[Fault::Refused(503)], Which::Writes, overcome);
    sweep(Goal::Nothing, &[Fault::Refused(429)], Which::Writes, overcome);
}

#[test]
fn a_request_that_fails_is_made_good_by_the_next_run() {
    sweep(Goal::First, &[Fault::Refused(500)], Which::Writes, told);
    sweep(Goal::Second, &[Fault::Refused(500)], Which::Writes, finished);
    sweep(Goal::Nothing, &[Fault::Refused(500)], Which::Writes, told);
}

#[test]
fn a_server_that_stays_away_is_made_good_by_the_next_run() {
    for goal in [Goal::First, Goal::Second, Goal::Nothing] {
        sweep(goal, &[Fault::Outage], Which::Writes, told);
    }
}

#[test]
fn what_depends_on_a_failed_object_is_skipped_and_the_rest_is_done() {
    let definitions = Definitions::write();
    block_on(async {
        let world = World::new(&definitions).await;
        let which = Which::To("/configmaps/settings");
        let (ended, _) =
            world.run(Goal::First, Some(Strike { fault: Fault::Refused(500), which, n: 1 })).await;
        let Ended::Finished(finished) = ended else { panic!("it goes on to its end") };
        let outcomes = finished.report.entries.iter().map(|entry| {
            let outcome = match &entry.outcome {
                Outcome::Done { .. } => "done".into(),
                Outcome::Skipped { because } => format!("skipped because of {because}"),
                Outcome::Unknown(_) => "unknown".into(),
                other => panic!("{}: {other:?}", entry.address),
            };
            (entry.object_ref.to_string(), outcome)
        });
        let outcomes: BTreeMap<String, String> = outcomes.collect();
        let found: Vec<(&str, &str)> =
            outcomes.iter().map(|(name, what)| (name.as_str(), what.as_str())).collect();
        let skipped = "skipped because of manifest.settings";
        let wanted = [
            ("ConfigMap/dev/copy", skipped),
            ("ConfigMap/dev/settings", "unknown"),
            ("CustomResourceDefinition.apiextensions.k8s.io/widgets.example.com", "done"),
            ("Deployment.apps/dev/web", skipped),
            ("Namespace/dev", "done"),
            ("ResourceQuota/dev/quota", "done"),
            ("Secret/dev/credentials", "done"),
            ("Widget.example.com/dev/widget", "done"),
        ];
        assert_eq!(found, wanted);
        recover(
            &world,
            (Goal::First, &undisturbed(&definitions, Goal::First).await),
            Then::Repeat,
            "after it",
        )
        .await;
    });
}

#[test]
fn a_state_that_cannot_be_taken_stops_the_run_before_any_write() {
    let definitions = Definitions::write();
    let moved = StateError::Moved { expected: "1".into(), found: "2".into() };
    block_on(async {
        for goal in [Goal::First, Goal::Second, Goal::Nothing] {
            for error in [moved.clone(), StateError::Unreachable("the remote hung up".into())] {
                let world = before(&definitions, goal).await;
                let (moment, base) = (world.log.len(), world.stored());
                world.store.refuse_after(0, error.clone());
                let (ended, _) = world.run(goal, None).await;
                let Ended::Refused(ApplyError::Begin(found)) = ended else {
                    panic!("{goal:?}: it cannot begin")
                };
                assert_eq!(found, error);
                assert_eq!(world.log.len(), moment, "{goal:?}: nothing is written");
                assert_eq!(world.stored(), base, "{goal:?}: the state is as it was");
            }
        }
    });
}

#[test]
fn a_result_that_cannot_be_recorded_is_noted_and_found_again() {
    let definitions = Definitions::write();
    let moved = StateError::Moved { expected: "1".into(), found: "2".into() };
    block_on(async {
        for goal in [Goal::First, Goal::Second, Goal::Nothing] {
            let wanted = undisturbed(&definitions, goal).await;
            for (error, then) in [
                (moved.clone(), Then::Repeat),
                (StateError::Refused("a rule is against it".into()), Then::Repeat),
                (StateError::Refused("a rule is against it".into()), Then::Destroy),
            ] {
                let world = before(&definitions, goal).await;
                world.store.refuse_after(1, error.clone());
                let (ended, _) = world.run(goal, None).await;
                let Ended::Refused(
                    ApplyError::Unrecorded { source, report } | ApplyError::Displaced { source, report },
                ) = ended
                else {
                    panic!("{goal:?}: it cannot record its end")
                };
                assert_eq!(source, error);
                assert!(report.is_success(), "{goal:?}: {report:#?}");
                let mut state = world.stored().state;
                let left = world.files.left_behind().unwrap().expect("a log");
                assert!(left.settle(&mut state), "{goal:?}: the run still holds the lock");
                let live = world.ours().await;
                let recorded: BTreeSet<&str> =
                    state.records.values().map(|record| record.uid.as_str()).collect();
                let uids: BTreeSet<&str> =
                    live.values().filter_map(|it| it["metadata"]["uid"].as_str()).collect();
                assert_eq!(recorded, uids, "{goal:?}: the log has what the state has not");
                recover(&world, (goal, &wanted), then, &format!("{goal:?}, {error}, then {then:?}")).await;
            }
        }
    });
}

#[test]
fn what_somebody_else_put_into_ours_is_never_deleted_with_it() {
    let definitions = Definitions::write();
    block_on(async {
        for guest in guests() {
            let world = before(&definitions, Goal::Nothing).await;
            world.put(&guest).await;
            let (ended, _) = world.run(Goal::Nothing, None).await;
            told(&ended, &guest.0);
            assert!(world.get(&guest.0).await.is_some(), "{} is deleted", guest.0);
            world.delete(&guest.0).await;
            recover(&world, (Goal::Nothing, &Left::default()), Then::Destroy, &guest.0).await;
        }
    });
}
