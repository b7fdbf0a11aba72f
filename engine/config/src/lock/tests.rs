use super::*;

fn source(text: &str) -> ModuleSource {
    ModuleSource::parse(text).unwrap()
}

fn written(text: &str) -> Result<Lock, Diagnostics> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(LOCK_FILE), text).unwrap();
    Lock::read(directory.path())
}

#[test]
fn what_is_written_is_read_again() {
    let mut lock = Lock::default();
    assert_eq!(Lock::read(tempfile::tempdir().unwrap().path()).unwrap(), lock);
    let (one, other) = (source("git::file:///a?ref=v1"), source("git::file:///a//sub?ref=v2"));
    for (source, digit) in [(&one, "1"), (&other, "2")] {
        let sha256 = Digest::of_bytes(digit.as_bytes());
        lock.insert(source, LockedModule { commit: digit.repeat(40).into(), sha256 });
    }
    let text = lock.to_text();
    let file = Arc::new(SourceFile { path: LOCK_FILE.into(), text: text.clone() });
    assert_eq!(crate::format(&file).unwrap(), text, "in the canonical style");
    assert_eq!(written(&text).unwrap(), lock);
    assert_eq!(
        lock.get(&source("git::file:///a//elsewhere?ref=v2")),
        lock.get(&other),
        "one tree, many directories"
    );
    lock.retain(std::slice::from_ref(&one));
    assert!(lock.get(&other).is_none() && lock.get(&one).is_some());
}

#[test]
fn what_nobody_has_written_is_refused() {
    let digest = "0".repeat(64);
    for text in [
        "x = 1\n".to_owned(),
        "resource \"a\" {}\n".to_owned(),
        "module {}\n".to_owned(),
        "module \"a\" {}\n".to_owned(),
        format!(
            "module \"a\" {{\n  ref = \"v1\"\n  commit = \"{}\"\n  sha256 = \"{digest}\"\n}}\n",
            "x".repeat(40)
        ),
        format!(
            "module \"a\" {{\n  ref = \"v1\"\n  commit = \"{}\"\n  sha256 = \"00\"\n}}\n",
            "0".repeat(40)
        ),
    ] {
        let faults = written(&text).unwrap_err();
        assert!(faults.iter().all(|fault| fault.code == LOCK && fault.hint.is_some()), "{text}\n{faults:?}");
    }
}

#[test]
fn a_digest_tells_trees_apart() {
    let tree = |files: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                None => std::fs::write(path, text).unwrap(),
            }
        }
        tree_digest(directory.path()).unwrap()
    };
    let trees = [
        tree(&[]),
        tree(&[("a", "x")]),
        tree(&[("a", "y")]),
        tree(&[("b", "x")]),
        tree(&[("a/b", "x")]),
        tree(&[("a", "-> x")]),
    ];
    let different: std::collections::BTreeSet<_> = trees.iter().collect();
    assert_eq!(different.len(), trees.len());
    assert_eq!(tree(&[("b", "2"), ("a", "1")]), tree(&[("a", "1"), ("b", "2")]));
    assert!(tree_digest(Path::new("/nowhere")).is_err());
}
