//! The program that holds Kubernetes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use go_program::GoProgram;

/// The Go module.
const MODULE: &str = env!("CARGO_MANIFEST_DIR");

/// Where the version is stamped: a client refuses a server that calls itself v0.0.0.
const VERSION: &str = "k8s.io/component-base/version";

/// Returns the path of the binary that holds all programs, kubectl among them, and builds it if need be.
///
/// # Panics
/// If Go is missing, or the build fails.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let (version, major, minor) = kubernetes_version();
        let stamps = [("gitVersion", &version), ("gitMajor", &major), ("gitMinor", &minor)];
        let stamps: String =
            stamps.iter().map(|(name, value)| format!(" -X {VERSION}.{name}={value}")).collect();
        let notice = format!(
            "building the control plane of Kubernetes {version}; the first time on a machine this takes minutes"
        );
        GoProgram {
            name: "control-plane",
            module: Path::new(MODULE),
            embedded: Some("cluster"),
            linker_flags: &format!("-s -w{stamps}"),
            notice: Some(&notice),
        }
        .path()
    })
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
