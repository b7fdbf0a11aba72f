use std::collections::BTreeSet;

use super::*;

#[test]
fn each_cluster_has_its_own_directory() {
    let clusters =
        ["main", "a-b", "a_b", "a.b", "a b", "a%2eb", "..", "/", "é", "edge[\"a_b\"]", "edge[\"a-b\"]"];
    let root = Path::new("work");
    let directories: BTreeSet<PathBuf> = clusters.iter().map(|it| sandbox_directory(root, it)).collect();
    assert_eq!(directories.len(), clusters.len(), "{directories:?}");
    for directory in &directories {
        assert_eq!(directory.parent(), Some(Path::new("work/sandbox")), "none leads elsewhere");
    }
    assert_eq!(sandbox_directory(root, "main"), Path::new("work/sandbox/main"));
    assert_eq!(sandbox_directory(root, "a.b"), Path::new("work/sandbox/a%2eb"));
}
