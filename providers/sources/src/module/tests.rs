use git2::{Oid, Repository as Git, Signature};

use super::*;

/// Commits files on top of a parent; the mode says whether a file is one, a link or a submodule.
fn commit(git: &Git, files: &[(&str, &str, i32)], parent: Option<Oid>) -> Oid {
    let mut builder = git.treebuilder(None).unwrap();
    for (name, content, mode) in files {
        let oid = match mode {
            0o160_000 => Oid::from_str(&"1".repeat(40)).unwrap(),
            _ => git.blob(content.as_bytes()).unwrap(),
        };
        builder.insert(name, oid, *mode).unwrap();
    }
    let tree = git.find_tree(builder.write().unwrap()).unwrap();
    let author = Signature::now("tests", "tests@localhost").unwrap();
    let parents: Vec<_> = parent.into_iter().map(|oid| git.find_commit(oid).unwrap()).collect();
    let parents: Vec<_> = parents.iter().collect();
    git.commit(Some("refs/heads/main"), &author, &author, "change", &tree, &parents).unwrap()
}

fn fetched(url: &str, reference: &str, commit: Option<&str>) -> Result<(String, String), SourceError> {
    let (work, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let commit = fetch_module(Pinned { url, reference, commit }, work.path(), into.path())?;
    Ok((commit.to_string(), std::fs::read_to_string(into.path().join("main.hcl")).unwrap()))
}

#[test]
fn a_tag_a_branch_and_a_commit_are_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let git = Git::init_bare(directory.path()).unwrap();
    let first = commit(&git, &[("main.hcl", "one", 0o100_644)], None);
    git.tag_lightweight("v1", git.find_commit(first).unwrap().as_object(), false).unwrap();
    let second = commit(&git, &[("main.hcl", "two", 0o100_644)], Some(first));
    let (one, two) = (first.to_string(), second.to_string());
    let url = format!("file://{}", directory.path().display());
    for (reference, locked, want) in [
        ("v1", None, (&one, "one")),
        ("main", None, (&two, "two")),
        ("refs/heads/main", None, (&two, "two")),
        (one.as_str(), None, (&one, "one")),
        ("main", Some(one.as_str()), (&one, "one")),
    ] {
        let (commit, text) = fetched(&url, reference, locked).unwrap();
        assert_eq!((&commit, text.as_str()), want, "{reference} {locked:?}");
    }
    for reference in ["v2", &"0".repeat(40)] {
        assert!(fetched(&url, reference, None).is_err(), "{reference}");
    }
}

#[test]
fn trees_that_reach_elsewhere_are_refused() {
    for (name, content, mode, is_good) in [
        ("sub", "", 0o160_000, false),
        ("link", "main.hcl", 0o120_000, true),
        ("link", "./main.hcl", 0o120_000, true),
        ("link", "../main.hcl", 0o120_000, false),
        ("link", "a/../../b", 0o120_000, false),
        ("link", "/etc/passwd", 0o120_000, false),
        ("link", "", 0o120_000, false),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let git = Git::init_bare(directory.path()).unwrap();
        commit(&git, &[("main.hcl", "x", 0o100_644), (name, content, mode)], None);
        let url = format!("file://{}", directory.path().display());
        let outcome = fetched(&url, "main", None);
        assert_eq!(outcome.is_ok(), is_good, "{name} -> {content:?}: {outcome:?}");
    }
}

#[test]
fn other_protocols_are_not_spoken() {
    for url in ["http://localhost:1/x.git", "git://localhost:1/x", "ext::sh -c true"] {
        let error = fetched(url, "main", None).unwrap_err();
        assert!(format!("{error:?}").contains("not allowed"), "{url}: {error:?}");
    }
}
