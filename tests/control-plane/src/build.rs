//! Builds the binary, once for each state of its sources.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// The Go module.
const MODULE: &str = env!("CARGO_MANIFEST_DIR");

/// Where the version is stamped: a client refuses a server that calls itself v0.0.0.
const VERSION: &str = "k8s.io/component-base/version";

/// Returns the path of the binary that holds all programs, kubectl among them, and builds it if need be. It is kept in
/// Cargo's target directory.
///
/// # Panics
/// If Go is missing, or the build fails.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let directory = target().join("control-plane");
        fs::create_dir_all(&directory).expect("the target directory is writable");
        let binary = directory.join(format!("control-plane-{}", digest(&sources())));
        // Test programs that run at the same time wait for one build.
        let lock = File::create(directory.join("lock")).expect("the target directory is writable");
        lock.lock().expect("the lock file can be locked");
        if !binary.exists() {
            build(&binary);
        }
        binary
    })
}

/// Cargo's target directory: the nearest above this program that Cargo has tagged as its own.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    target.expect("the program lies in Cargo's target directory").to_owned()
}

/// Everything the build reads in this module, in a fixed order.
fn sources() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for directory in [Path::new(MODULE).to_owned(), Path::new(MODULE).join("cluster")] {
        for entry in fs::read_dir(&directory).expect("the module is readable") {
            let path = entry.expect("the module is readable").path();
            let is_source = path
                .extension()
                .is_some_and(|extension| extension == "go" || extension == "mod" || extension == "sum");
            if path.is_file() && (is_source || directory.ends_with("cluster")) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
}

fn digest(paths: &[PathBuf]) -> String {
    let mut digest = Sha256::new();
    for path in paths {
        let content = fs::read(path).expect("the module is readable");
        digest.update(path.file_name().expect("a file has a name").as_encoded_bytes());
        digest.update(content.len().to_le_bytes());
        digest.update(content);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn build(binary: &Path) {
    let (version, major, minor) = kubernetes_version();
    let stamps = [("gitVersion", &version), ("gitMajor", &major), ("gitMinor", &minor)];
    let stamps: String = stamps.iter().map(|(name, value)| format!(" -X {VERSION}.{name}={value}")).collect();
    eprintln!(
        "building the control plane of Kubernetes {version}; the first time on a machine this takes minutes"
    );
    let unfinished = binary.with_extension("unfinished");
    let status = Command::new(go())
        .args(["build", "-trimpath", "-ldflags", &format!("-s -w{stamps}"), "-o"])
        .arg(&unfinished)
        .arg(".")
        .current_dir(MODULE)
        .stdin(Stdio::null())
        .status()
        .expect("Go can be executed");
    assert!(status.success(), "building the control plane failed; what Go said is above");
    fs::rename(&unfinished, binary).expect("the target directory is writable");
}

/// The version that go.mod asks for, and its first two numbers.
fn kubernetes_version() -> (String, String, String) {
    let manifest = fs::read_to_string(Path::new(MODULE).join("go.mod")).expect("go.mod is readable");
    let required = manifest.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    let version = required.expect("go.mod requires k8s.io/kubernetes").to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map(str::to_owned);
    let mut next = || numbers.next().expect("a version has numbers");
    let (major, minor) = (next(), next());
    (version, major, minor)
}

fn go() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/local/go/bin")])
        .map(|directory| directory.join("go"))
        .find(|candidate| candidate.is_file())
        .expect("Go is needed to build the control plane: install Go 1.26 or newer (https://go.dev/doc/install) and put `go` into PATH")
}
