use std::path::Path;

use git2::{Oid, Repository as Git, Signature};

use super::*;

/// Commits one file on top of a parent, without a work tree.
fn commit(git: &Git, name: &str, content: &str, mode: i32, parent: Option<Oid>) -> Oid {
    let blob = git.blob(content.as_bytes()).unwrap();
    let mut builder = git.treebuilder(None).unwrap();
    builder.insert(name, blob, mode).unwrap();
    let tree = git.find_tree(builder.write().unwrap()).unwrap();
    let author = Signature::now("tests", "tests@localhost").unwrap();
    let parents: Vec<_> = parent.into_iter().map(|oid| git.find_commit(oid).unwrap()).collect();
    let parents: Vec<_> = parents.iter().collect();
    git.commit(None, &author, &author, "change", &tree, &parents).unwrap()
}

fn repository(directory: &Path) -> Repository {
    Git::init(directory).unwrap();
    Repository::discover(directory).unwrap().unwrap()
}

#[test]
fn trees_are_exported_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let repository = repository(directory.path());
    let base = commit(&repository.git, "main.hcl", "one", 0o100_644, None);
    let left = commit(&repository.git, "main.hcl", "two", 0o100_644, Some(base));
    let right = commit(&repository.git, "main.hcl", "three", 0o100_644, Some(base));
    let found = repository.merge_base(Commit(left), Commit(right)).unwrap();
    assert_eq!(found, Commit(base));
    let into = tempfile::tempdir().unwrap();
    repository.export(found, into.path()).unwrap();
    assert_eq!(std::fs::read_to_string(into.path().join("main.hcl")).unwrap(), "one");
}

#[test]
fn links_stay_links() {
    let directory = tempfile::tempdir().unwrap();
    let repository = repository(directory.path());
    let oid = commit(&repository.git, "link", "/etc/hostname", 0o120_000, None);
    let into = tempfile::tempdir().unwrap();
    repository.export(Commit(oid), into.path()).unwrap();
    assert_eq!(std::fs::read_link(into.path().join("link")).unwrap(), Path::new("/etc/hostname"));
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["..", ".", "", ".GIT", "a/b", "a\\b", "a\0b"] {
        assert!(safe_name(name.as_bytes()).is_err(), "{name:?}");
    }
    assert!(safe_name(b"\xff").is_err());
    assert_eq!(safe_name(b"main.hcl").unwrap(), "main.hcl");
}

#[test]
fn outside_of_a_repository_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    assert!(Repository::discover(directory.path()).unwrap().is_none());
    let repository = repository(directory.path());
    assert!(repository.commit("no-such-branch").is_err());
}

#[test]
fn the_origin_is_told_without_credentials() {
    let directory = tempfile::tempdir().unwrap();
    let repository = repository(directory.path());
    assert!(repository.origin().is_none());
    repository.git.remote("origin", "https://user:token@forge.example/team/app.git").unwrap();
    repository.git.set_head("refs/heads/trunk").unwrap();
    let expected = ("https://forge.example/team/app.git".to_owned(), "trunk".to_owned());
    assert_eq!(repository.origin(), Some(expected));
}
