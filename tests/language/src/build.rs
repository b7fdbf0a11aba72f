//! Builds the reference program, once for each state of its sources.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// The Go module.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle");

/// Returns the path of the program, and builds it if need be. It is kept in Cargo's target directory.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let directory = target().join("language");
        fs::create_dir_all(&directory).expect("the target directory is writable");
        let program = directory.join(format!("oracle-{}", digest()));
        // Test programs that run at the same time wait for one build.
        let lock = File::create(directory.join("lock")).expect("the target directory is writable");
        lock.lock().expect("the lock file can be locked");
        if !program.exists() {
            build(&program);
        }
        program
    })
}

/// Cargo's target directory: the nearest above this program that Cargo has tagged as its own.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    target.expect("the program lies in Cargo's target directory").to_owned()
}

fn digest() -> String {
    let entries = fs::read_dir(MODULE).expect("the module is readable");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the module is readable").path()).collect();
    paths.sort();
    let mut digest = Sha256::new();
    for path in paths {
        let content = fs::read(&path).expect("the module is readable");
        digest.update(path.file_name().expect("a file has a name").as_encoded_bytes());
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn build(program: &Path) {
    let unfinished = program.with_extension("unfinished");
    let output = Command::new(go())
        .args(["build", "-trimpath", "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(MODULE)
        .stdin(Stdio::null())
        .output()
        .expect("Go can be executed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "building the reference program failed\n{said}");
    fs::rename(&unfinished, program).expect("the target directory is writable");
}

fn go() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/local/go/bin")])
        .map(|directory| directory.join("go"))
        .find(|candidate| candidate.is_file())
        .expect("Go is needed to build the reference program: install Go 1.25 or newer (https://go.dev/doc/install) and put `go` into PATH")
}
