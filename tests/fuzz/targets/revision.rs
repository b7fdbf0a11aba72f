//! A commit of the chain: its header and its message, over the tree of a state that is whole.

#![no_main]

use std::path::PathBuf;

use engine_core::ports::StateStore;
use engine_core::state::State;
use engine_state::{GitLocation, GitStore};
use git2::{ObjectType, Oid, Repository};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// A store whose tip is made up.
struct Chain {
    directory: TempDir,
    repository: Repository,
    store: GitStore,
    first: Oid,
    tree: Oid,
}

impl Chain {
    fn new() -> Self {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
        let place = directory.path().join("state.git");
        let environment = "fuzz".parse().expect("a name");
        let location = GitLocation::Private { directory: place.clone() };
        let store = GitStore::open(&location, &environment).expect("a store can be made");
        let mut state = State::empty(environment, engine_core::mark::Lineage::new([1; 16]));
        state.serial = 1;
        let first = store.advance(None, &state, "init").expect("a state can be written");
        let repository = Repository::open_bare(&place).expect("the store is a repository");
        let first = Oid::from_str(&first.0).expect("a revision is a commit");
        let tree = repository.find_commit(first).expect("it is there").tree_id();
        Self { directory, repository, store, first, tree }
    }

    /// Reads the chain with a commit at its tip that says this.
    fn read(&self, text: &[u8]) {
        let parent = if text.first().is_some_and(|byte| byte % 2 == 0) { self.first } else { self.tree };
        let head = format!("tree {}\nparent {parent}\n", self.tree);
        let content = [head.as_bytes(), text.get(1..).unwrap_or_default()].concat();
        let odb = self.repository.odb().expect("objects");
        let Ok(oid) = odb.write(ObjectType::Commit, &content) else { return };
        let reference = self.directory.path().join("state.git/refs/terrane/state/fuzz");
        std::fs::write(reference, format!("{oid}\n")).expect("a ref can be written");
        if let Ok(stored) = self.store.latest() {
            assert!(stored.is_some(), "there is a ref");
            self.store.history(10).expect("what is the tip is history");
        }
        if oid != self.first {
            std::fs::remove_file(self.loose(oid)).unwrap_or_default();
        }
    }

    fn loose(&self, oid: Oid) -> PathBuf {
        let name = oid.to_string();
        self.directory.path().join("state.git/objects").join(&name[..2]).join(&name[2..])
    }
}

thread_local! {
    static CHAIN: Chain = Chain::new();
}

fuzz_target!(|text: &[u8]| CHAIN.with(|chain| chain.read(text)));
