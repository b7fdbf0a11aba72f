use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::harness::Repository;

fn shipped(name: &str) -> Repository {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut repository = Repository::new(&[]);
    repository.options.repository = root.clone();
    repository.options.directory = root.join("environments").join(name);
    repository
}

#[test]
fn the_quickstart_loads() {
    let definition = shipped("quickstart").definition();
    let addresses = definition.addresses();
    eprintln!("{addresses:#?}");
    assert!(addresses.contains(&"namespace.dev.manifest.quota[0]".to_owned()));
}
