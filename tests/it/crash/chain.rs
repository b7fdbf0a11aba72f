//! The chain of an environment as its remote holds it, read commit by commit.

use std::collections::BTreeMap;
use std::path::Path;

use engine_core::state::State;
use engine_state::{Files, decode};
use git2::{Oid, Repository};

/// The ref of the environment `crash`.
const REFERENCE: &str = "refs/terrane/state/crash";

/// A revision.
pub struct Link {
    pub oid: Oid,
    pub state: State,
}

/// Returns the newest commit.
pub fn tip(remote: &Repository) -> Option<Oid> {
    remote.refname_to_id(REFERENCE).ok()
}

/// Returns the whole chain, oldest first: linear, each revision the successor of the one before.
pub fn read(remote: &Path) -> Vec<Link> {
    let repository = Repository::open_bare(remote).unwrap();
    let mut links = Vec::new();
    let mut next = tip(&repository);
    while let Some(oid) = next {
        let commit = repository.find_commit(oid).unwrap();
        assert!(commit.parent_count() <= 1, "{oid} is a merge");
        let tree = commit.tree().unwrap();
        let file = |name| {
            let entry = tree.get_name(name).unwrap_or_else(|| panic!("{oid} has no {name}"));
            repository.find_blob(entry.id()).unwrap().content().to_vec()
        };
        let [meta, objects, intents] = ["meta.json", "objects.jsonl", "intents.jsonl"].map(file);
        let state =
            decode(&Files { meta, objects, intents }).unwrap_or_else(|error| panic!("{oid}: {error}"));
        links.push(Link { oid, state });
        next = commit.parent_ids().next();
    }
    links.reverse();
    links
}

/// Insists that the chain is one: same lineage, serials one by one, epochs that never fall, and a lock that changes
/// hands only with its epoch.
pub fn check(links: &[Link], when: &str) {
    for pair in links.windows(2) {
        let (before, after) = (&pair[0].state, &pair[1].state);
        assert_eq!(after.lineage, before.lineage, "{when}: another lineage");
        assert_eq!(after.serial, before.serial + 1, "{when}: a gap in the serials");
        assert!(after.epoch >= before.epoch, "{when}: the epoch falls at serial {}", after.serial);
        let taken = after.holder.is_some() && after.holder != before.holder;
        assert!(!taken || after.epoch > before.epoch, "{when}: serial {} keeps the epoch", after.serial);
    }
    assert!(links.first().is_none_or(|first| first.state.serial == 1), "{when}: the chain has no beginning");
}

/// Insists that the ref only ever went from one revision to its child, as the remote's log of it tells.
pub fn check_log(remote: &Path, links: &[Link], when: &str) {
    let log = std::fs::read_to_string(remote.join("logs").join(REFERENCE)).unwrap_or_default();
    let parents: BTreeMap<String, String> =
        links.windows(2).map(|pair| (pair[1].oid.to_string(), pair[0].oid.to_string())).collect();
    let mut at = Oid::ZERO_SHA1.to_string();
    for line in log.lines() {
        let mut words = line.split(' ');
        let (old, new) = (words.next().unwrap(), words.next().unwrap());
        assert_eq!(old, at, "{when}: the ref jumped");
        assert_eq!(
            parents.get(new).cloned().unwrap_or(Oid::ZERO_SHA1.to_string()),
            old,
            "{when}: {new} is no child"
        );
        new.clone_into(&mut at);
    }
    let newest = links.last().map_or(Oid::ZERO_SHA1, |link| link.oid);
    assert_eq!(at, newest.to_string(), "{when}: the log ends elsewhere");
}
