use std::os::unix::fs::symlink;
use std::process::Command;

use super::*;

struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("repository/overlay")).unwrap();
        fs::write(directory.path().join("secret"), "outside").unwrap();
        fs::write(directory.path().join("repository/shared.yaml"), "shared").unwrap();
        fs::write(directory.path().join("repository/overlay/own.yaml"), "own").unwrap();
        Self { directory }
    }

    fn read(&self, path: &str) -> Result<String, SourceError> {
        let root = fs::canonicalize(self.directory.path().join("repository/overlay")).unwrap();
        let mut tree = SourceTree::open(&self.directory.path().join("repository"))?;
        let source = tree.read(&root, path)?;
        Ok(String::from_utf8(source.bytes).unwrap())
    }
}

#[test]
fn files_are_read_in_or_below_their_kustomization_only() {
    let repository = Repository::new();
    let overlay = repository.directory.path().join("repository/overlay");
    symlink("own.yaml", overlay.join("link.yaml")).unwrap();
    symlink("../../secret", overlay.join("escape.yaml")).unwrap();
    symlink("../shared.yaml", overlay.join("aside.yaml")).unwrap();
    symlink("loop.yaml", overlay.join("loop.yaml")).unwrap();
    assert!(Command::new("mkfifo").arg(overlay.join("pipe")).status().unwrap().success());
    symlink("/dev/zero", overlay.join("zero")).unwrap();

    assert_eq!(repository.read("own.yaml").unwrap(), "own");
    assert_eq!(repository.read("link.yaml").unwrap(), "own");
    let cases = [
        ("../../secret", codes::OUTSIDE),
        ("escape.yaml", codes::OUTSIDE),
        ("/etc/passwd", codes::OUTSIDE),
        ("zero", codes::OUTSIDE),
        ("../shared.yaml", codes::OUTSIDE),
        ("aside.yaml", codes::OUTSIDE),
        ("nothing.yaml", codes::NOT_FOUND),
        ("own.yaml/below", codes::NOT_FOUND),
        ("a\0b", codes::NOT_FOUND),
        ("loop.yaml", codes::UNREADABLE),
        ("pipe", codes::NOT_A_FILE),
        (".", codes::NOT_A_FILE),
    ];
    for (path, code) in cases {
        let error = repository.read(path).expect_err(path);
        assert_eq!(error.code(), code, "{path}: {error}");
    }
}

#[test]
fn what_is_read_is_bounded_and_recorded() {
    let repository = Repository::new();
    let root = fs::canonicalize(repository.directory.path().join("repository")).unwrap();
    let mut tree = SourceTree::open(&root).unwrap();
    tree.bytes = MAX_BYTES - 6;
    tree.read(&root, "shared.yaml").unwrap();
    assert!(matches!(tree.read(&root, "overlay/own.yaml"), Err(SourceError::TooManyBytes)));
    let digest = "a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa";
    assert_eq!(tree.into_files(), [(PathBuf::from("shared.yaml"), digest.to_owned())]);

    let mut tree = SourceTree::open(&root).unwrap();
    tree.count = MAX_FILES;
    assert!(matches!(tree.read(&root, "shared.yaml"), Err(SourceError::TooManyFiles)));
}

#[test]
fn urls_are_told_from_paths() {
    for url in
        ["https://example.com/a.yaml", "git@example.com:a/b", "github.com/a/b", "host/a/b?ref=v1", "git::x"]
    {
        assert!(is_remote(url), "{url}");
    }
    for path in ["a.yaml", "../base", "apps/github.com", "./x"] {
        assert!(!is_remote(path), "{path}");
    }
}
