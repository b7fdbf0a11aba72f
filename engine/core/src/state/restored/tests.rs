use crate::state::State;
use crate::state::difference::tests::holder;
use crate::state::tests::state;

#[test]
fn an_older_state_follows_the_newest_and_forgets_nothing() {
    let old = State { serial: 3, epoch: 2, ..state(&["manifest.a", "manifest.b"]) };
    let tip = state(&["manifest.a", "manifest.b", "manifest.c"]);
    let tip = State { serial: 8, epoch: 5, holder: Some(holder()), ..tip };
    let next = old.restored_after(&tip);
    assert_eq!((next.serial, next.epoch, &next.holder), (9, 6, &None));
    assert_eq!(next.records, old.records);
    let intended: Vec<String> = next.intents.iter().map(|intent| intent.address.to_string()).collect();
    assert_eq!(intended, ["manifest.c"], "it is looked for on the clusters");
}
