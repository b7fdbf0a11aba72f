//! What `git` answers: output, errors, exit code and configuration. `tests/fuzz/bin` must come first in `PATH`.

#![no_main]

use engine_core::ports::StateStore;
use engine_core::state::State;
use engine_state::{GitLocation, GitStore};
use git2::Repository;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static DIRECTORY: TempDir = {
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory");
        let repository = Repository::init(directory.path()).expect("a repository can be made");
        repository.remote("origin", "https://git.example.com/a.git").expect("a remote can be added");
        std::fs::create_dir(directory.path().join("answer")).expect("a directory");
        directory
    };
}

fuzz_target!(|bytes: &[u8]| {
    DIRECTORY.with(|directory| {
        let mut parts = bytes.split(|byte| *byte == 0xff);
        let code = bytes.len() % 3;
        let answers = [
            ("configuration", parts.next().unwrap_or_default()),
            ("output", parts.next().unwrap_or_default()),
            ("errors", parts.next().unwrap_or_default()),
            ("code", ["0", "1", "128"][code].as_bytes()),
        ];
        for (name, content) in answers {
            std::fs::write(directory.path().join("answer").join(name), content).expect("files can be written");
        }
        let location = GitLocation::Remote { repository: directory.path().to_owned(), remote: "origin".into() };
        let environment: engine_core::mark::EnvironmentName = "fuzz".parse().expect("a name");
        let Ok(store) = GitStore::open(&location, &environment) else { return };
        // What is made up can be no state: there is nothing to be fetched.
        assert!(!matches!(store.latest(), Ok(Some(_))), "a state out of nothing");
        let mut state = State::empty(environment, engine_core::mark::Lineage::new([1; 16]));
        state.serial = 1;
        let pushed = store.advance(None, &state, "init");
        assert!(pushed.is_err() || code == 0, "a push that failed counts");
    });
});
