mod waves;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::plan::ActionKind;
use crate::plan::fixtures::*;
use crate::state::Intent;

/// What may begin only after what, by object: all pairs of changes, through stages.
fn precedence(plan: &Plan, schedule: &Schedule) -> BTreeSet<(String, String)> {
    let name = |step: StepId| schedule.steps[step].change.map(|idx| plan.changes[idx].object_ref.to_string());
    let mut pairs = BTreeSet::new();
    for step in 0..schedule.steps.len() {
        let Some(first) = name(step) else { continue };
        let after = following(schedule, step).into_iter().filter_map(name);
        pairs.extend(after.map(|second| (first.clone(), second)));
    }
    pairs
}

fn following(schedule: &Schedule, step: StepId) -> BTreeSet<StepId> {
    let mut found = BTreeSet::new();
    let mut queue = vec![step];
    while let Some(at) = queue.pop() {
        queue.extend(schedule.steps[at].dependents.iter().copied().filter(|next| found.insert(*next)));
    }
    found
}

fn swapped(pairs: &BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(first, second)| (second.clone(), first.clone())).collect()
}

/// Random blocks of one or two objects each, in modules or not; a block depends only on earlier ones.
fn blocks() -> impl Strategy<Value = Vec<Declared>> {
    let block = (any::<bool>(), 1usize..=2, prop::collection::vec(any::<Index>(), 0..3));
    prop::collection::vec(block, 1..8).prop_map(|blocks| {
        let name = |idx: usize| match blocks[idx].0 {
            true => format!("app.m{idx}.manifests.b"),
            false => format!("manifests.b{idx}"),
        };
        let mut declared = Vec::new();
        for (idx, (_, objects, needs)) in blocks.iter().enumerate() {
            let needs: BTreeSet<usize> =
                needs.iter().filter(|_| idx > 0).map(|need| need.index(idx)).collect();
            for object in 0..*objects {
                let key = format!("dev/o{idx}-{object}");
                let one = Declared::new(&format!("v1 ConfigMap {key}"), r#"{"data":{"k":"1"}}"#);
                let one = one.at(&format!(r#"{}["ConfigMap/{key}"]"#, name(idx)));
                declared.push(needs.iter().fold(one, |one, need| one.after(&name(*need))));
            }
        }
        declared
    })
}

proptest! {
    #[test]
    fn destruction_is_the_exact_reverse_of_creation(declared in blocks()) {
        let mut world = World::new(declared.clone());
        let create = world.apply();
        let created = Schedule::new(&create, &world.graph(), &State::empty(parse("demo"), other_lineage()));
        world.declare([]);
        let destroy = world.plan();
        let destroyed = Schedule::new(&destroy, &world.graph(), &world.state);
        prop_assert_eq!(destroy.counts().delete, declared.len());
        prop_assert_eq!(precedence(&destroy, &destroyed), swapped(&precedence(&create, &created)));
        // It is the same if the run that created them died before it recorded any.
        let mut died = world.state.clone();
        died.intents = std::mem::take(&mut died.records).into_iter().map(|(object_ref, record)| Intent {
            object_ref,
            address: record.address,
            action: ActionKind::Create,
            api_version: record.api_version,
            dependencies: record.dependencies,
        }).collect();
        let unrecorded = Schedule::new(&destroy, &world.graph(), &died);
        prop_assert_eq!(precedence(&destroy, &unrecorded), precedence(&destroy, &destroyed));
    }

    #[test]
    fn every_walk_respects_every_edge(declared in blocks(), choices in prop::collection::vec(any::<Index>(), 64)) {
        let world = World::new(declared);
        let plan = world.plan();
        let schedule = Schedule::new(&plan, &world.graph(), &world.state);
        let mut walk = schedule.walk();
        let (mut running, mut done) = (Vec::new(), BTreeSet::new());
        for turn in 0.. {
            while let Some(step) = walk.next_ready() {
                let before = (0..schedule.steps.len()).filter(|it| following(&schedule, *it).contains(&step));
                prop_assert!(before.into_iter().all(|it| done.contains(&it)), "{step} began too early");
                running.push(step);
            }
            if running.is_empty() {
                break;
            }
            let step: StepId = running.swap_remove(choices[turn % choices.len()].index(running.len()));
            prop_assert!(done.insert(step), "{step} ended twice");
            walk.done(step);
        }
        prop_assert!(walk.is_finished());
        prop_assert_eq!(done.len(), schedule.steps.len());
    }

    #[test]
    fn a_failure_skips_exactly_what_depends_on_it(
        declared in blocks(),
        fails in prop::collection::btree_set(any::<Index>().prop_map(|index| index.index(24)), 1..4),
        choices in prop::collection::vec(any::<Index>(), 64),
    ) {
        let world = World::new(declared);
        let plan = world.plan();
        let schedule = Schedule::new(&plan, &world.graph(), &world.state);
        let mut walk = schedule.walk();
        let (mut running, mut done, mut failed, mut skipped) =
            (Vec::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for turn in 0.. {
            running.extend(std::iter::from_fn(|| walk.next_ready()));
            if running.is_empty() {
                break;
            }
            let step: StepId = running.swap_remove(choices[turn % choices.len()].index(running.len()));
            if fails.contains(&step) {
                failed.insert(step);
                for lost in walk.failed(step) {
                    prop_assert!(skipped.insert(lost), "{lost} is skipped twice");
                }
            } else {
                done.insert(step);
                walk.done(step);
            }
        }
        let want: BTreeSet<StepId> = failed.iter().flat_map(|step| following(&schedule, *step)).collect();
        prop_assert_eq!(&skipped, &want);
        prop_assert_eq!(done.len() + failed.len() + skipped.len(), schedule.steps.len());
        prop_assert!(walk.is_finished());
    }

    #[test]
    fn a_plan_lists_its_changes_in_the_order_of_its_schedule(before in blocks(), after in blocks()) {
        let mut world = World::applied(before);
        world.declare(after);
        let plan = world.plan();
        let schedule = Schedule::new(&plan, &world.graph(), &world.state);
        let order: Vec<usize> = schedule.steps.iter().filter_map(|step| step.change).collect();
        prop_assert_eq!(order, (0..plan.changes.len()).collect::<Vec<_>>());
        for (at, step) in schedule.steps.iter().enumerate() {
            prop_assert!(step.dependents.iter().all(|dependent| *dependent > at));
        }
    }

    #[test]
    fn after_an_apply_there_is_nothing_to_do(before in blocks(), after in blocks()) {
        let mut world = World::new(before);
        for declared in [after, Vec::new()] {
            world.apply();
            prop_assert!(!world.plan().has_changes(), "{:?}", lines(&world.plan()));
            world.declare(declared);
        }
        world.apply();
        prop_assert!(world.objects.is_empty() && world.state.records.is_empty());
    }
}

/// What a plan does, in order.
fn order(world: &World) -> Vec<String> {
    let heads =
        lines(&world.plan()).into_iter().map(|line| line.split(':').next().unwrap_or_default().into());
    heads.collect()
}

fn config(name: &str, value: &str) -> Declared {
    Declared::new(&format!("v1 ConfigMap dev/{name}"), &format!(r#"{{"data":{{"k":"{value}"}}}}"#))
}

#[test]
fn what_stops_depending_on_an_object_changes_before_the_object_goes() {
    let mut world = World::applied([config("a-base", "1"), config("b-user", "1").after("manifest.a-base")]);
    world.declare([config("b-user", "2")]);
    assert_eq!(order(&world), ["~ ConfigMap/dev/b-user changed", "- ConfigMap/dev/a-base removed"]);
    let (plan, graph) = (world.plan(), world.graph());
    let schedule = Schedule::new(&plan, &graph, &world.state);
    let pairs = precedence(&plan, &schedule);
    assert!(pairs.contains(&("ConfigMap/dev/b-user".into(), "ConfigMap/dev/a-base".into())), "{pairs:?}");
}

#[test]
fn an_object_that_a_workload_mounts_goes_after_the_workload_has_changed() {
    let web = |volumes: &str| {
        let spec = format!(r#"{{"containers":[{{"name":"c","image":"x"}}],"volumes":[{volumes}]}}"#);
        Declared::new(
            "apps/v1 Deployment dev/web",
            &format!(r#"{{"spec":{{"template":{{"spec":{spec}}}}}}}"#),
        )
    };
    let mounted = web(r#"{"name":"v","configMap":{"name":"a-settings"}}"#);
    let mut world = World::applied([config("a-settings", "1"), mounted]);
    world.declare([web("")]);
    assert_eq!(
        order(&world),
        ["~ Deployment.apps/dev/web changed (restarts)", "- ConfigMap/dev/a-settings removed"]
    );
    world.declare([]);
    assert_eq!(order(&world), ["- Deployment.apps/dev/web removed", "- ConfigMap/dev/a-settings removed"]);
}

#[test]
fn a_failed_update_keeps_what_it_still_depends_on() {
    let mut world = World::applied([config("a-base", "1"), config("b-user", "1").after("manifest.a-base")]);
    world.declare([config("b-user", "2"), config("c-beside", "1")]);
    let plan = world.plan();
    let schedule = Schedule::new(&plan, &world.graph(), &world.state);
    let step = |key: &str| {
        let change = plan.changes.iter().position(|change| change.object_ref.key() == key);
        schedule.steps.iter().position(|step| step.change == change).unwrap()
    };
    let mut walk = schedule.walk();
    while let Some(ready) = walk.next_ready() {
        if ready == step("ConfigMap/dev/b-user") {
            let lost = walk.failed(ready);
            assert!(lost.contains(&step("ConfigMap/dev/a-base")));
            assert!(!lost.contains(&step("ConfigMap/dev/c-beside")));
        } else {
            walk.done(ready);
        }
    }
    assert!(walk.is_finished());
}

#[test]
fn records_that_contradict_each_other_still_have_an_order() {
    let mut world = World::applied([config("a", "1"), config("b", "1").after("manifest.a")]);
    let record = world.state.records.get_mut(&object_ref("ConfigMap/dev/a")).unwrap();
    record.dependencies.blocks.push(parse("manifest.b"));
    world.declare([]);
    let plan = world.plan();
    let schedule = Schedule::new(&plan, &world.graph(), &world.state);
    assert_eq!(plan.counts().delete, 2);
    let mut walk = schedule.walk();
    while let Some(step) = walk.next_ready() {
        walk.done(step);
    }
    assert!(walk.is_finished());
}
