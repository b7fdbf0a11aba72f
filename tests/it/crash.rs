//! Deaths: a run is killed at each request, each push and each write of a file, and the next one makes it good.
//!
//! The command is the real one, its state is kept at a Git remote or in the repository itself, and its cluster survives
//! it. Each sweep goes on to the next moment until a run comes to its end.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

pub mod chain;
mod check;
pub mod wire;
pub mod world;

use crate::cluster::{Cluster, Server};

use self::check::{Left, after_death, after_recovery};
use self::wire::Moment;
use self::world::{Goal, Push, Store, Strike, World, preload};

/// Brings a world to where a goal starts from.
fn before(goal: Goal, store: Store) -> World {
    let world = World::keeping(store);
    if goal != Goal::First {
        world.recover(Goal::First, "the first apply");
    }
    world
}

/// What a goal leaves when nothing goes wrong.
fn undisturbed(start: &World, goal: Goal) -> Left {
    let world = start.copy();
    world.recover(goal, "undisturbed");
    let left = Left::of(&world);
    assert_eq!(left.is_empty(), goal == Goal::Destroy, "{left:?}");
    left
}

/// Where a sweep starts, and what it is to leave.
struct Sweep {
    goal: Goal,
    start: World,
    wanted: Left,
    nothing: Left,
}

impl Sweep {
    fn new(goal: Goal) -> Self {
        Self::keeping(goal, Store::Remote)
    }

    fn keeping(goal: Goal, store: Store) -> Self {
        let start = before(goal, store);
        let (wanted, nothing) = (undisturbed(&start, goal), undisturbed(&start, Goal::Destroy));
        Self { goal, start, wanted, nothing }
    }

    /// Kills at every moment in turn, and insists that there were some.
    fn all(&self, strike: impl Fn(usize) -> Strike, least: usize) {
        let mut struck = 0;
        while self.once(strike(struck + 1), struck) {
            struck += 1;
        }
        assert!(struck >= least, "{:?}: only {struck} moments to die at", strike(1));
    }

    /// Kills once and does what a user does. Returns whether there was such a moment.
    fn once(&self, strike: Strike, n: usize) -> bool {
        let world = self.start.copy();
        let ran = world.reach_with(self.goal, Some(strike));
        let when = format!("{:?} and {strike:?}", self.goal);
        if !ran.killed {
            assert_eq!(ran.code, Some(0), "{when}: {}{}", ran.stdout, ran.stderr);
            return false;
        }
        after_death(&world, &when);
        // Now and then nobody wants it any more.
        let (goal, wanted) = match n % 3 {
            2 => (Goal::Destroy, &self.nothing),
            _ => (self.goal, &self.wanted),
        };
        // And now and then the machine is gone as well.
        match n % 4 {
            1 => world.recover_elsewhere(goal, &when),
            _ => world.recover(goal, &when),
        }
        after_recovery(&world, goal, wanted, &when);
        true
    }
}

#[test]
fn a_first_apply_may_die_at_any_request() {
    let sweep = Sweep::new(Goal::First);
    sweep.all(|n| Strike::Wire(Moment::BeforeRequest, n), 12);
    sweep.all(|n| Strike::Wire(Moment::BeforeAnswer, n), 6);
}

#[test]
fn a_later_apply_may_die_at_any_request() {
    let sweep = Sweep::new(Goal::Second);
    sweep.all(|n| Strike::Wire(Moment::BeforeRequest, n), 20);
    sweep.all(|n| Strike::Wire(Moment::BeforeAnswer, n), 12);
}

#[test]
fn a_destroy_may_die_at_any_request() {
    let sweep = Sweep::new(Goal::Destroy);
    sweep.all(|n| Strike::Wire(Moment::BeforeRequest, n), 15);
    sweep.all(|n| Strike::Wire(Moment::BeforeAnswer, n), 6);
}

#[test]
fn a_run_may_die_at_any_push() {
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        let sweep = Sweep::new(goal);
        sweep.all(|n| Strike::Push(Push::DeathBefore, n), 2);
        sweep.all(|n| Strike::Push(Push::DeathAfter, n), 2);
    }
}

#[test]
fn a_first_apply_may_die_at_any_write_to_a_file() {
    if preload().is_some() {
        Sweep::new(Goal::First).all(Strike::File, 80);
    }
}

#[test]
fn a_later_apply_may_die_at_any_write_to_a_file() {
    if preload().is_some() {
        Sweep::new(Goal::Second).all(Strike::File, 50);
    }
}

#[test]
fn a_destroy_may_die_at_any_write_to_a_file() {
    if preload().is_some() {
        Sweep::new(Goal::Destroy).all(Strike::File, 50);
    }
}

#[test]
fn a_run_whose_state_is_local_may_die_at_any_request() {
    for (goal, least) in [(Goal::First, 6), (Goal::Second, 12), (Goal::Destroy, 6)] {
        let sweep = Sweep::keeping(goal, Store::Local);
        sweep.all(|n| Strike::Wire(Moment::BeforeAnswer, n), least);
    }
}

#[test]
fn a_run_whose_state_is_local_may_die_at_any_write_to_a_file() {
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        if preload().is_some() {
            Sweep::keeping(goal, Store::Local).all(Strike::File, 50);
        }
    }
}

#[test]
fn a_push_whose_answer_is_lost_is_found_to_have_landed() {
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        let sweep = Sweep::new(goal);
        for n in 1.. {
            let world = sweep.start.copy();
            let ran = world.reach_with(goal, Some(Strike::Push(Push::Unheard, n)));
            let when = format!("{goal:?} and push {n} unheard");
            assert_eq!(ran.code, Some(0), "{when}: {}{}", ran.stdout, ran.stderr);
            after_recovery(&world, goal, &sweep.wanted, &when);
            if !world.pushed(n) {
                assert!(n > 2, "{when}");
                break;
            }
        }
    }
}

#[test]
fn a_push_that_is_refused_stops_the_run_or_loses_nothing() {
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        let sweep = Sweep::new(goal);
        // The last push is the one after all that happens on the cluster.
        let last = if goal == Goal::First { 3 } else { 2 };
        for n in 1..=last {
            let world = sweep.start.copy();
            let ran = world.reach_with(goal, Some(Strike::Push(Push::Refused, n)));
            let when = format!("{goal:?} and push {n} refused");
            let written = world.wire.log().iter().any(wire::Asked::writes);
            assert_eq!(written, n == last, "{when}: only what was announced is done");
            assert_eq!(ran.code, Some(if n == last { 4 } else { 1 }), "{when}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.contains("GH013"), "{when}: {}", ran.stderr);
            after_death(&world, &when);
            world.recover(goal, &when);
            after_recovery(&world, goal, &sweep.wanted, &when);
        }
    }
}

/// Dies twice: in a run, and in the one that makes it good.
fn twice(sweep: &Sweep, first: Strike, second: Strike) {
    let world = sweep.start.copy();
    for strike in [first, second] {
        world.reach_with(sweep.goal, Some(strike));
        after_death(&world, &format!("{:?} and {strike:?} of {first:?}, {second:?}", sweep.goal));
    }
    let when = format!("{:?}, {first:?}, and {second:?} in its recovery", sweep.goal);
    world.recover(sweep.goal, &when);
    after_recovery(&world, sweep.goal, &sweep.wanted, &when);
}

#[test]
fn a_recovery_may_die_as_well() {
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        let sweep = Sweep::new(goal);
        for n in (1..12).step_by(2) {
            let m = 1 + n * 5 % 11;
            twice(&sweep, Strike::Wire(Moment::BeforeAnswer, n), Strike::Wire(Moment::BeforeAnswer, m));
            twice(&sweep, Strike::Wire(Moment::BeforeAnswer, m), Strike::Push(Push::DeathAfter, 1 + n % 2));
            if preload().is_some() {
                twice(&sweep, Strike::File(n * 7), Strike::File(n * 13 % 90));
                twice(&sweep, Strike::Wire(Moment::BeforeAnswer, n), Strike::File(n * 11 % 60));
            }
        }
    }
}

#[test]
fn deaths_are_made_good_on_a_control_plane_as_well() {
    let Cluster::Real(cluster) = Server::ControlPlane.start() else { unreachable!("it is a real one") };
    let mut worlds = 0;
    let mut world = |goal: Goal| {
        worlds += 1;
        let world = World::on(&cluster, &format!("crash-{worlds}"));
        if goal != Goal::First {
            world.recover(Goal::First, "the first apply");
        }
        world
    };
    for goal in [Goal::First, Goal::Second, Goal::Destroy] {
        let undisturbed = world(goal);
        undisturbed.recover(goal, "undisturbed");
        let wanted = Left::of(&undisturbed);
        for strike in [
            Strike::Wire(Moment::BeforeAnswer, 3),
            Strike::Wire(Moment::BeforeAnswer, 6),
            Strike::Push(Push::DeathAfter, 2),
        ] {
            let world = world(goal);
            let when = format!("{goal:?} and {strike:?} on a control plane");
            assert!(world.reach_with(goal, Some(strike)).killed, "{when}");
            after_death(&world, &when);
            world.recover(goal, &when);
            after_recovery(&world, goal, &wanted, &when);
        }
    }
}
