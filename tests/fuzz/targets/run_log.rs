//! What a run that died has noted on its machine.

#![no_main]

use engine_state::RunFiles;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static DIRECTORY: TempDir = tempfile::tempdir().expect("a temporary directory can be made");
}

fuzz_target!(|bytes: &[u8]| {
    DIRECTORY.with(|directory| {
        let files = RunFiles::new(directory.path(), &"fuzz".parse().expect("a name"));
        std::fs::write(directory.path().join("run-fuzz.jsonl"), bytes).expect("files can be written");
        if let Ok(left) = files.left_behind() {
            assert!(left.is_some(), "the log is there");
        }
    });
});
