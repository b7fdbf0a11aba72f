//! Several machines and one state at a remote: what happens to it on one of them, the others learn of.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use engine_core::ports::StateStore;
use engine_core::state::Holder;
use engine_state::{GitLocation, GitStore};
use git2::{Oid, Repository};

use crate::crash::wire::Moment;
use crate::crash::world::{Goal, Push, Ran, Strike, World, copy};

const REFERENCE: &str = "refs/terrane/state/crash";

fn origin(world: &World) -> Repository {
    Repository::open(world.path("origin.git")).unwrap()
}

/// Returns the arguments of the commands that a message names.
fn commands(ran: &Ran) -> Vec<Vec<String>> {
    let quoted = ran.stderr.split('`').skip(1).step_by(2);
    let commands = quoted.filter_map(|text| text.strip_prefix("terrane "));
    commands.map(|command| command.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn a_rebuilt_state_is_accepted_elsewhere_only_by_a_person() {
    for (choice, serial) in [(0, 2), (1, 1)] {
        let world = World::new();
        world.recover(Goal::First, "the first apply");
        std::fs::create_dir(world.path("other")).unwrap();
        copy(&world.path("work"), &world.path("other"));
        let other = |arguments: &[&str]| world.run_in("other", arguments, Goal::First, None);
        // Somebody deletes the state, and this work copy has nothing of it left.
        origin(&world).find_reference(REFERENCE).unwrap().delete().unwrap();
        std::fs::remove_dir_all(world.path("work/.git/terrane")).unwrap();
        std::fs::remove_file(world.path("work/.terrane/high-water-crash")).unwrap();
        let rebuilt = world.run(&["state", "rebuild", "--auto-approve"], Goal::First, None);
        assert_eq!(rebuilt.code, Some(0), "{}{}", rebuilt.stdout, rebuilt.stderr);

        let refused = other(&["plan"]);
        assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains("error[TRN1004]"), "{}", refused.stderr);
        let commands = commands(&refused);
        assert_eq!(commands.len(), 2, "what was seen, or what is there: {}", refused.stderr);
        let arguments: Vec<&str> = commands[choice].iter().map(String::as_str).collect();
        let asked = other(&arguments);
        assert_eq!(asked.code, Some(1), "{}{}", asked.stdout, asked.stderr);
        assert!(asked.stderr.contains("approval is needed"), "{}", asked.stderr);
        assert_eq!(other(&["plan"]).code, Some(1), "nothing is accepted without an answer");
        let accepted = other(&[&arguments[..], &["--auto-approve"]].concat());
        assert_eq!(accepted.code, Some(0), "{}{}", accepted.stdout, accepted.stderr);
        assert!(accepted.stdout.contains(&format!("at serial {serial}.")), "{}", accepted.stdout);
        for copy in ["other", "work"] {
            let planned = world.run_in(copy, &["plan", "--detailed-exitcode"], Goal::First, None);
            assert_eq!(planned.code, Some(0), "{copy}: {}{}", planned.stdout, planned.stderr);
        }
    }
}

/// Kills a run while it holds the lock; returns the world, and the run.
fn held() -> (World, String) {
    let world = World::new();
    let ran = world.reach_with(Goal::First, Some(Strike::Wire(Moment::BeforeAnswer, 3)));
    assert!(ran.killed, "{}{}", ran.stdout, ran.stderr);
    let holder = world.chain().last().unwrap().state.holder.clone().unwrap();
    (world, holder.run.to_string())
}

/// Makes revisions as the holder would append them, and sets the ref back to before them.
fn to_be_appended(world: &World, holders: &[&str]) {
    let location = GitLocation::Local { repository: world.path("origin.git") };
    let store = GitStore::open(&location, &"crash".parse().unwrap()).unwrap();
    let mut tip = store.latest().unwrap().unwrap();
    let before = Oid::from_str(&tip.revision.0).unwrap();
    let mut rivals = String::new();
    for run in holders {
        let holder = tip.state.holder.clone().unwrap();
        tip.state.epoch += u64::from(holder.run != *run);
        tip.state.holder = Some(Holder { run: (*run).into(), ..holder });
        tip.state.serial += 1;
        tip.revision = store.advance(Some(&tip.revision), &tip.state, "apply: a sign of life").unwrap();
        rivals.push_str(&format!("{}\n", tip.revision.0));
    }
    std::fs::write(world.path("rivals"), rivals).unwrap();
    origin(world).reference(REFERENCE, before, true, "set back").unwrap();
}

#[test]
fn a_lock_whose_holder_goes_on_appending_is_released() {
    let (world, run) = held();
    to_be_appended(&world, &[&run, &run, &run]);
    let serial = world.chain().last().unwrap().state.serial;
    let unlock = ["state", "unlock", "--lock-id", &run];
    let unlocked = world.run(&unlock, Goal::First, Some(Strike::Push(Push::Overtaken, 3)));
    assert_eq!(unlocked.code, Some(0), "{}{}", unlocked.stdout, unlocked.stderr);
    let newest = world.chain().pop().unwrap().state;
    assert_eq!((newest.serial, newest.holder), (serial + 4, None), "three were appended before it");
    world.recover(Goal::First, "the lock is released");
}

#[test]
fn a_lock_that_another_run_takes_meanwhile_is_not_released() {
    let (world, run) = held();
    to_be_appended(&world, &[&run, "another-run"]);
    let unlock = ["state", "unlock", "--lock-id", &run];
    let refused = world.run(&unlock, Goal::First, Some(Strike::Push(Push::Overtaken, 2)));
    assert_eq!(refused.code, Some(1), "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("the lock is held by run another-run"), "{}", refused.stderr);
    let holder = world.chain().pop().unwrap().state.holder.unwrap();
    assert_eq!(holder.run, "another-run");
}
