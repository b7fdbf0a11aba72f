//! What large projects publish for installing them, on a real control plane.
//!
//! `tests/published/cases/<name>.yaml` says which manifests. No case says what Terrane prints: the laws here hold for
//! all of them, and what is right is what kube-apiserver and kubectl answer.

mod edits;
mod release;
mod world;

use crate::environment::root;
use release::Case;
use world::{World, actions};

/// Takes a project through its life: installed, upgraded, edited by others, mended, destroyed.
fn play(name: &str) {
    let case = Case::read(name);
    let mut world = World::start();
    for release in &case.releases {
        case.lay(release, world.directory());
        let done = world.apply();
        assert!(!done.is_empty(), "a release like the one before shows nothing");
        world.expect_nothing("after an apply", &[]);
        world.agrees_with_kubectl(release, case.namespace.as_deref());
    }
    world.expect_nothing("when everything is asked", &["--verify", "full"]);

    let due = edits::edit(&world);
    assert_eq!(actions(&world.plan(&[])), due, "planned, and edited by others");
    world.apply();
    world.expect_nothing("after edits were undone", &[]);
    let last = case.releases.last().expect("a case has releases");
    world.agrees_with_kubectl(last, case.namespace.as_deref());
    world.destroy();
}

/// Makes a test of each case. Every file has one: one that is forgotten fails here.
macro_rules! cases {
    ($($test:ident = $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                play($name);
            }
        )*

        #[test]
        fn every_case_is_played() {
            let entries = std::fs::read_dir(root().join("tests/published/cases")).expect("cases");
            let name = |path: std::path::PathBuf| path.file_stem().map(|name| name.to_string_lossy().into_owned());
            let mut found: Vec<String> =
                entries.filter_map(|entry| name(entry.expect("an entry").path())).collect();
            found.sort();
            let mut played = vec![$($name),*];
            played.sort_unstable();
            assert_eq!(found, played);
        }
    };
}

cases! {
    cadvisor = "cadvisor",
    calico = "calico",
    csi_hostpath = "csi-hostpath",
    csi_mock = "csi-mock",
    databases = "databases",
    kubectl = "kubectl",
    kwok = "kwok",
    kwok_stages = "kwok-stages",
    metrics_server = "metrics-server",
    node_addons = "node-addons",
    pod_security_webhook = "pod-security-webhook",
    volume_snapshots = "volume-snapshots",
}
