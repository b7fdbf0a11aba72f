//! Every fault of a chain is found, and named with its commit.

use engine_core::state::State;

use super::support::{Sandbox, forge};
use super::*;
use crate::format::tests::{sample, schema_1};
use crate::format::{Files, encode};

/// Writes a revision whatever it holds.
fn append(sandbox: &Sandbox, parent: Oid, state: &State, edit: impl Fn(&mut Files)) -> Oid {
    let mut files = encode(state).unwrap();
    edit(&mut files);
    write(sandbox, &[parent], state, &files)
}

fn write(sandbox: &Sandbox, parents: &[Oid], state: &State, files: &Files) -> Oid {
    let contents = files.contents();
    let entries: Vec<_> =
        Files::NAMES.into_iter().zip(contents).map(|(name, content)| (name, 0o100_644, content)).collect();
    let message = format!(
        "Forged\n\nLineage: {}\nSerial: {}\nEpoch: {}\nNonce: 00\n",
        state.lineage, state.serial, state.epoch
    );
    forge(&sandbox.git2(), &entries, parents, &message)
}

fn text(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let old = String::from_utf8(bytes.clone()).unwrap();
    assert!(old.contains(from), "{from} is not in {old}");
    *bytes = old.replace(from, to).into_bytes();
}

#[test]
fn a_good_chain_has_no_faults() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    assert_eq!(store.verify().unwrap().revisions, 0);
    contract::check(&store);
    let base = State { serial: 1, ..sample() };
    let location = GitLocation::Private { directory: sandbox.path("other.git") };
    let store = sandbox.open(&location);
    let mut tip = store.advance(None, &base, "First").unwrap();
    for serial in 2..20 {
        tip = store.advance(Some(&tip), &State { serial, ..base.clone() }, "On").unwrap();
    }
    assert_eq!(store.verify().unwrap(), Verified { revisions: 19, faults: vec![] });
}

#[test]
fn what_a_later_version_adds_is_no_fault() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let state = |serial: u64| State { serial, ..sample() };
    let mut tip = chain::oid(&store.advance(None, &state(1), "First").unwrap()).unwrap();
    type Edit = fn(&mut Files);
    let edits: [Edit; 3] = [
        |files| text(&mut files.objects, "{\"a", "{\"Later\":{\"b\":[1,null]},\"a"),
        |files| text(&mut files.intents, "{\"a", "{\"Later\":\"x\",\"a"),
        |files| text(&mut files.meta, "{\"clusters\"", "{\"Later\":1.5,\"clusters\""),
    ];
    for (edit, serial) in edits.into_iter().zip(2..) {
        tip = append(&sandbox, tip, &state(serial), edit);
        assert_eq!(store.latest().unwrap().unwrap().state, state(serial), "it is passed over");
    }
    assert_eq!(store.verify().unwrap(), Verified { revisions: 4, faults: vec![] });
    // But what is known must be as it is written.
    append(&sandbox, tip, &state(5), |files| text(&mut files.objects, "{\"a", "{ \"Later\":1,\"a"));
    let faults = store.verify().unwrap().faults;
    assert!(faults.len() == 1 && faults[0].reason.contains("canonical form"), "{faults:?}");
}

#[test]
fn all_faults_are_reported_with_their_commits() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let state = |serial: u64| State { serial, ..sample() };
    let root = chain::oid(&store.advance(None, &state(1), "First").unwrap()).unwrap();
    type Edit = fn(&mut Files);
    let cases: [(u64, Edit, &str); 9] = [
        (2, |files| text(&mut files.objects, "\"address\"", " \"address\""), "canonical form"),
        (
            3,
            |files| text(&mut files.meta, "\"objects\":1", "\"objects\":2"),
            "counts 2 lines, the file has 1",
        ),
        (4, |files| files.objects = files.objects.repeat(2), "there twice"),
        (5, |files| text(&mut files.meta, "{\"clusters\"", "{ \"clusters\""), "canonical form"),
        (6, |files| text(&mut files.meta, "\"serial\":6", "\"serial\":7"), "of different revisions"),
        (7, |files| files.intents.clear(), "counts 1 lines, the file has 0"),
        (8, |files| text(&mut files.intents, "update", "explode"), "explode"),
        (8, |_| {}, "serial 8 follows serial 8"),
        (
            9,
            |files| text(&mut files.meta, "\"environment\":\"dev\"", "\"environment\":\"prod\""),
            "environment prod",
        ),
    ];
    let mut parent = root;
    let mut wanted = Vec::new();
    for (serial, edit, reason) in cases {
        parent = append(&sandbox, parent, &state(serial), edit);
        wanted.push((parent.to_string(), reason));
    }
    let verified = store.verify().unwrap();
    assert_eq!(verified.revisions, 10);
    for (revision, reason) in wanted {
        let of_commit = verified.faults.iter().filter(|fault| fault.revision.0 == revision);
        let reasons: Vec<_> = of_commit.map(|fault| fault.reason.as_str()).collect();
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
    }
    let twice = verified.faults.iter().filter(|fault| fault.reason == "serial 8 is there twice").count();
    assert_eq!((twice, verified.faults.len()), (1, 10), "{:?}", verified.faults);
}

#[test]
fn a_chain_of_schema_1_goes_on_in_the_newest() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let state = sample();
    let old = write(&sandbox, &[], &state, &schema_1());
    let found = store.latest().unwrap().unwrap();
    assert_eq!((found.revision.0.as_str(), &found.state), (old.to_string().as_str(), &state));
    assert_eq!(store.verify().unwrap(), Verified { revisions: 1, faults: vec![] });

    let next = after(&state);
    let newest = store.advance(Some(&found.revision), &next, "On").unwrap();
    assert_eq!(store.latest().unwrap().unwrap().state, next);
    let meta = sandbox.git(&["-C", "repository", "show", &format!("{}:meta.json", newest.0)]);
    assert!(meta.contains(r#""schema":2"#), "{meta}");
    assert_eq!(store.verify().unwrap(), Verified { revisions: 2, faults: vec![] });

    let tip = Stored { revision: newest, state: next };
    let wanted = store.find(&old.to_string()).unwrap().unwrap();
    let restored = store.restore(Some(&tip.revision), &wanted, "Restore").unwrap();
    assert_eq!(restored.state.records, state.records);
    assert_eq!(store.verify().unwrap().faults, []);
}

#[test]
fn a_commit_that_is_missing_ends_the_chain_with_a_fault() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let one = store.advance(None, &first(), "First").unwrap();
    let two = store.advance(Some(&one), &after(&first()), "Second").unwrap();
    store.advance(Some(&two), &after(&after(&first())), "Third").unwrap();
    let lost = sandbox.git_directory().join("objects").join(&two.0[..2]).join(&two.0[2..]);
    std::fs::remove_file(lost).unwrap();
    let verified = store.verify().unwrap();
    assert_eq!(verified.faults.iter().map(|fault| &fault.revision).collect::<Vec<_>>(), [&two]);
}
