//! A chain that somebody damaged or rewrote is refused, with the reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use engine_core::mark::Lineage;
use engine_core::state::State;

use super::support::{Sandbox, forge};
use super::*;
use crate::format::{Files, encode};

const TRAILERS: &str =
    "Forged\n\nLineage: 01010101010101010101010101010101\nSerial: 2\nEpoch: 1\nNonce: 00\n";

/// A repository with one good revision, and its commit.
fn started() -> (Sandbox, Oid) {
    let sandbox = Sandbox::new();
    let revision = sandbox.local().advance(None, &first(), "First").unwrap();
    let oid = chain::oid(&revision).unwrap();
    (sandbox, oid)
}

fn refusal(sandbox: &Sandbox) -> String {
    let error = sandbox.local().latest().unwrap_err();
    assert!(matches!(error, StateError::Corrupt(_) | StateError::Newer(_)), "{error}");
    error.to_string()
}

/// Forges the second revision from this state, these trailers and parents.
fn forged(state: &State, message: &str, more_parents: bool) -> String {
    let (sandbox, parent) = started();
    let repository = sandbox.git2();
    let files = encode(state).unwrap();
    let contents = files.contents();
    let entries: Vec<_> =
        Files::NAMES.into_iter().zip(contents).map(|(name, content)| (name, 0o100_644, content)).collect();
    let mut parents = vec![parent];
    if more_parents {
        parents.push(forge(&repository, &entries, &[parent], message));
    }
    forge(&repository, &entries, &parents, message);
    refusal(&sandbox)
}

#[test]
fn forged_revisions_are_refused() {
    let second = after(&first());
    let foreign = State { lineage: Lineage::new([9; 16]), ..second.clone() };
    let elsewhere = State { environment: "prod".parse().unwrap(), ..second.clone() };
    let foreign_trailers = TRAILERS.replace("01010101010101010101010101010101", &"09".repeat(16));
    for (state, message, merge, want) in [
        (&second, TRAILERS.to_owned(), true, "more than one parent"),
        (&second, TRAILERS.replace("Serial: 2", "Serial: 9"), false, "serial 9 follows serial 1"),
        (&second, TRAILERS.replace("Epoch: 1", "Epoch: 0"), false, "epoch 0 follows epoch 1"),
        (&second, TRAILERS.replace("Serial: 2", "Serial: two"), false, "no valid `Serial` trailer"),
        (&second, TRAILERS.replace("Epoch: 1", "Epoch: 1\nEpoch: 1"), false, "no valid `Epoch` trailer"),
        (&second, "Serial: 2".to_owned(), false, "no valid `Lineage` trailer"),
        (&first(), TRAILERS.to_owned(), false, "of different revisions"),
        (&foreign, TRAILERS.to_owned(), false, "of different revisions"),
        (&foreign, foreign_trailers, false, "follows lineage 01010101"),
        (&elsewhere, TRAILERS.to_owned(), false, "it is the state of environment prod"),
    ] {
        let refusal = forged(state, &message, merge);
        assert!(refusal.contains(want), "{want}: {refusal}");
    }
}

#[test]
fn forged_trees_are_refused() {
    let files = encode(&after(&first())).unwrap();
    let meta = String::from_utf8(files.meta.clone()).unwrap();
    let newer = meta.replace("\"schema\":2", "\"schema\":99").into_bytes();
    let plain = 0o100_644;
    let good = ("meta.json", plain, files.meta.as_slice());
    let intents = ("intents.jsonl", plain, b"".as_slice());
    let objects = ("objects.jsonl", plain, b"".as_slice());
    let big = vec![b'\n'; crate::format::MAX_BYTES];
    for (entries, want) in [
        (vec![good, intents], "its tree has 2 entries, not 3"),
        (vec![good, intents, objects, ("x", plain, b"")], "its tree has 4 entries"),
        (vec![good, intents, ("x", plain, b"")], "its tree has no objects.jsonl"),
        (vec![good, intents, ("objects.jsonl", 0o120_000, b"/etc/passwd")], "objects.jsonl has mode 120000"),
        (vec![good, intents, ("objects.jsonl", 0o100_755, b"")], "objects.jsonl has mode 100755"),
        (vec![good, intents, ("objects.jsonl", plain, big.as_slice())], "over 20971520 bytes"),
        (vec![good, intents, ("objects.jsonl", plain, b"{}\n{}\n")], "objects.jsonl, line 1: missing field"),
        (vec![("meta.json", plain, newer.as_slice()), intents, objects], "has schema 99"),
        (vec![("meta.json", plain, b"{\n"), intents, objects], "meta.json: EOF"),
        (vec![("meta.json", plain, b"{}"), intents, objects], "the last line is cut off"),
    ] {
        let (sandbox, parent) = started();
        forge(&sandbox.git2(), &entries, &[parent], TRAILERS);
        let refusal = refusal(&sandbox);
        assert!(refusal.contains(want), "{want}: {refusal}");
    }
}

#[test]
fn a_symbolic_ref_is_refused() {
    let (sandbox, _) = started();
    sandbox.git2().reference_symbolic("refs/terrane/state/dev", "refs/heads/main", true, "forged").unwrap();
    assert!(refusal(&sandbox).contains("symbolic ref"));
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (sandbox, commit) = started();
    let repository = sandbox.git2();
    let tree = repository.find_commit(commit).unwrap().tree().unwrap();
    let objects = [commit, tree.id(), tree.get_name("meta.json").unwrap().id()];
    let mut noticed = 0;
    for oid in objects {
        let hex = oid.to_string();
        let path = sandbox.git_directory().join("objects").join(&hex[..2]).join(&hex[2..]);
        let good = fs::read(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            match sandbox.local().latest() {
                // Some bits of the compression mean nothing.
                Ok(stored) => assert_eq!(stored.unwrap().state, first(), "byte {at} of {oid}"),
                Err(error) => {
                    assert!(matches!(error, StateError::Corrupt(_)), "{error}");
                    noticed += 1;
                }
            }
        }
        fs::write(&path, &good[..good.len() / 2]).unwrap();
        assert!(refusal(&sandbox).contains(&commit.to_string()), "truncated");
        fs::write(&path, &good).unwrap();
    }
    assert!(noticed > 100, "{noticed}");
}

#[test]
fn a_deleted_ref_is_noticed_and_can_be_restored_as_told() {
    let (sandbox, commit) = started();
    let mark = sandbox.path("work/high-water.json");
    let store = sandbox.local().with_high_water(&mark);
    let revision = store.latest().unwrap().unwrap().revision;
    sandbox.git2().find_reference(&store.reference()).unwrap().delete().unwrap();

    assert_eq!(sandbox.local().latest().unwrap(), None, "nothing is known without the mark");
    let error = store.latest().unwrap_err().to_string();
    assert!(error.contains("serial 1") && error.contains("there is no state any more"), "{error}");
    let command = error.split('`').nth(1).unwrap();
    assert_eq!(command, format!("terrane state restore {commit}"));
    assert!(error.ends_with("high-water.json"), "and what to remove if it is meant: {error}");
    let wanted = store.find(command.rsplit(' ').next().unwrap()).unwrap().unwrap();
    store.restore(None, &wanted, "state restore").unwrap();
    assert_eq!(store.latest().unwrap().unwrap().revision, revision);
}

#[test]
fn a_rewound_or_replaced_ref_is_noticed() {
    let (sandbox, old) = started();
    let store = sandbox.local().with_high_water(sandbox.path("high-water.json"));
    let old_revision = Revision(old.to_string());
    store.advance(Some(&old_revision), &after(&first()), "Second").unwrap();
    let repository = sandbox.git2();
    repository.reference(&store.reference(), old, true, "rewound").unwrap();
    let error = store.latest().unwrap_err().to_string();
    assert!(error.contains("does not descend from it"), "{error}");
    assert!(store.history(5).is_err());

    repository.find_reference(&store.reference()).unwrap().delete().unwrap();
    let other = State { lineage: Lineage::new([5; 16]), ..first() };
    sandbox.local().advance(None, &other, "Somebody started again").unwrap();
    let error = store.latest().unwrap_err().to_string();
    assert!(error.contains("has lineage 05050505"), "{error}");

    let command = error.split('`').nth(3).unwrap();
    assert!(command.starts_with("terrane state restore "), "{command}");
    let wanted = store.find(command.rsplit(' ').next().unwrap()).unwrap().unwrap();
    let tip = store.unchecked().unwrap().unwrap().revision;
    assert_eq!(store.restore(Some(&tip), &wanted, "state restore").unwrap(), wanted, "nothing is written");
    assert_eq!(store.latest().unwrap(), Some(Stored { revision: tip, state: other }), "and it is accepted");
}

#[test]
fn a_lost_revision_survives_garbage_collection() {
    let (sandbox, commit) = started();
    let store = sandbox.local().with_high_water(sandbox.path("high-water.json"));
    store.latest().unwrap();
    sandbox.git2().find_reference(&store.reference()).unwrap().delete().unwrap();
    store.latest().unwrap_err();
    sandbox.git(&["-C", "repository", "gc", "-q", "--prune=now"]);
    assert!(sandbox.git2().find_commit(commit).is_ok());
}

#[test]
fn a_broken_high_water_mark_is_refused() {
    let (sandbox, _) = started();
    let mark = sandbox.path("high-water.json");
    fs::write(&mark, "{\"serial\":1}").unwrap();
    let error = sandbox.local().with_high_water(&mark).latest().unwrap_err().to_string();
    assert!(error.contains("is no high-water mark"), "{error}");
}
