use super::*;
use crate::digest::Digest;
use crate::lock::Renewal;
use crate::object_ref::Uid;
use crate::state::tests::state;

pub(crate) fn holder() -> Holder {
    Holder {
        run: "r".into(),
        who: "a@b".into(),
        operation: "apply".into(),
        since: "now".into(),
        renewal: Renewal::default(),
    }
}

#[test]
fn states_that_differ_in_their_serial_do_not_differ() {
    let before = state(&["manifest.a", "manifest.b"]);
    let after = State { serial: before.serial + 1, epoch: 9, ..before.clone() };
    assert!(Difference::between(&before, &after).is_empty());
}

#[test]
fn records_are_added_removed_and_changed_by_field() {
    let before = state(&["manifest.a", "manifest.b", "manifest.c"]);
    let mut after = before.clone();
    let (gone, _) = after.records.pop_first().unwrap();
    let record = after.records.values_mut().next().unwrap();
    record.uid = Uid::new("other");
    record.settled = Some(Fingerprint::NOTHING);
    record.fields = vec![7];
    let mut new = gone.clone();
    new.name = "new".into();
    after.records.insert(new, before.records.values().next().unwrap().clone());
    let found = Difference::between(&before, &after);
    assert_eq!(found.removed, [Recorded { object_ref: gone, address: "manifest.a".parse().unwrap() }]);
    assert_eq!(found.added.len(), 1);
    let names: Vec<_> = found.changed[0].fields.iter().map(|field| field.name).collect();
    assert_eq!((found.changed.len(), names), (1, vec!["uid", "settled", "fields"]));
    let mirrored = Difference::between(&after, &before);
    assert_eq!((mirrored.added, mirrored.removed), (found.removed, found.added));
}

#[test]
fn what_only_its_digest_tells_is_told() {
    let before = state(&["manifest.a"]);
    let mut after = before.clone();
    let record = after.records.values_mut().next().unwrap();
    record.desired.seal = crate::digest::Seal::Keyed(Digest::of_bytes(b"secret").print());
    let found = Difference::between(&before, &after);
    assert_eq!(found.changed[0].fields[0].name, "desired");
}

#[test]
fn sensitive_outputs_clusters_holder_and_intents_are_compared() {
    let before = state(&[]);
    let mut after = before.clone();
    after.outputs.insert("key".into(), Output::Sensitive);
    let record = ClusterRecord { connection: Connection::Sandbox, uid: Uid::new("u") };
    after.clusters.insert(ClusterRef::new("main"), record);
    after.holder = Some(holder());
    let found = Difference::between(&before, &after);
    assert_eq!(found.outputs[0].after, Shown::Sensitive { changed: true });
    assert_eq!(found.outputs[0].before, Shown::Absent);
    assert_eq!(found.clusters[0].1.len(), 2);
    assert_eq!(found.holder, Some((None, Some(holder()))));
    assert_eq!(found.intents, None);
}
