//! Fields that somebody claims: what the plan shows is taken, and nothing else.

use engine_core::plan::outcome::Outcome;
use serde_json::json;

use super::wire::{Fault, Strike, Which};
use super::world::{Definitions, Ended, Goal, World};
use super::{before, block_on};

const SETTINGS: &str = "/api/v1/namespaces/dev/configmaps/settings";

async fn which(world: &World<'_>) -> String {
    let live = world.get(SETTINGS).await.unwrap();
    live["data"]["which"].as_str().unwrap_or_default().to_owned()
}

/// How often the config map was written to.
fn writes(world: &World<'_>, moment: usize) -> usize {
    world.log.writes_since(moment).iter().filter(|write| write.ends_with(SETTINGS)).count()
}

#[test]
fn what_the_plan_takes_costs_one_more_request() {
    let definitions = Definitions::write();
    block_on(async {
        let world = before(&definitions, Goal::Second).await;
        let moment = world.log.len();
        world.run(Goal::Second, None).await.0.done("nobody else has a field");
        assert_eq!((which(&world).await.as_str(), writes(&world, moment)), ("second", 1));
        world.edit(SETTINGS, &json!({ "data": { "which": "edited" } })).await;
        let moment = world.log.len();
        world.run(Goal::Second, None).await.0.done("an edit is taken back");
        assert_eq!((which(&world).await.as_str(), writes(&world, moment)), ("second", 2));
    });
}

#[test]
fn what_is_claimed_between_plan_and_apply_is_not_overruled() {
    let definitions = Definitions::write();
    block_on(async {
        for edited in [false, true] {
            let world = before(&definitions, Goal::Second).await;
            if edited {
                // The plan takes this field, but from another manager.
                world.edit(SETTINGS, &json!({ "data": { "which": "edited" } })).await;
            }
            let moment = world.log.len();
            let strike = Strike { fault: Fault::Claimed, which: Which::To("/configmaps/settings"), n: 1 };
            let (ended, struck) = world.run(Goal::Second, Some(strike)).await;
            let Ended::Finished(finished) = ended else { panic!("it goes on to its end") };
            assert!(struck);
            let entries = finished.report.entries.iter();
            let mut failed = entries.filter(|it| it.address.to_string() == "manifest.settings");
            let Some(Outcome::Failed(why)) = failed.next().map(|it| &it.outcome) else {
                panic!("{:#?}", finished.report)
            };
            assert_eq!(
                why,
                "changed since the plan was made: .data.which is managed by rival; it is left as it is, plan again"
            );
            assert_eq!((which(&world).await.as_str(), writes(&world, moment)), ("theirs", 1));
            let (ended, _) = world.run(Goal::Second, None).await;
            let Ended::Unplanned(why) = ended else { panic!("the next plan stops at the conflict") };
            assert!(why.contains("data.which is managed by rival, which applied it"), "{why}");
        }
    });
}
