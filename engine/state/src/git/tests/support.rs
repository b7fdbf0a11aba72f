//! A user's machine in a directory: home, repository, remote, and a `git` that knows nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use git2::{Oid, Repository, Signature};
use tempfile::TempDir;

use super::super::child::Environment;
use super::super::{GitLocation, GitStore};

/// The machine. Everything is gone with it.
pub(super) struct Sandbox {
    directory: TempDir,
}

/// A file of a hand-made tree.
pub(super) type Entry<'a> = (&'a str, i32, &'a [u8]);

impl Sandbox {
    /// Makes a repository with an `origin` that is a bare repository beside it.
    pub(super) fn new() -> Self {
        let sandbox = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(sandbox.path("home")).unwrap();
        std::fs::create_dir_all(sandbox.path("bin")).unwrap();
        sandbox.git(&["init", "-q", "--bare", "origin.git"]);
        sandbox.git(&["init", "-q", "repository"]);
        let origin = sandbox.origin_url();
        for (key, value) in
            [("user.name", "Tester"), ("user.email", "tester@example.com"), ("remote.origin.url", &origin)]
        {
            sandbox.configure(key, value);
        }
        sandbox
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    pub(super) fn git_directory(&self) -> PathBuf {
        self.path("repository/.git")
    }

    pub(super) fn origin_url(&self) -> String {
        format!("file://{}", self.path("origin.git").display())
    }

    pub(super) fn git2(&self) -> Repository {
        Repository::open(self.repository()).unwrap()
    }

    pub(super) fn origin(&self) -> Repository {
        Repository::open(self.path("origin.git")).unwrap()
    }

    /// Sets something in the repository's own configuration.
    pub(super) fn configure(&self, key: &str, value: &str) {
        self.git(&["-C", "repository", "config", key, value]);
    }

    /// Sets something in the user's configuration.
    pub(super) fn configure_user(&self, key: &str, value: &str) {
        self.git(&["config", "--global", key, value]);
    }

    /// Writes an executable that leaves a file behind and fails; returns the file.
    pub(super) fn trap(&self, program: &Path) -> PathBuf {
        let marker = program.with_extension("ran");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        write_program(program, &format!("#!/bin/sh\n: > '{}'\nexit 1\n", marker.display()));
        marker
    }

    /// The variables of the user's shell: `bin` comes first on the path.
    pub(super) fn environment(&self) -> Environment {
        self.variables().into_iter().collect()
    }

    pub(super) fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        vec![
            ("PATH".into(), path),
            ("HOME".into(), self.path("home").into()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ]
    }

    /// Runs the user's `git` beside the repository.
    pub(super) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.variables())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn open(&self, location: &GitLocation) -> GitStore {
        self.try_open(location).map_err(|error| error.to_string()).unwrap()
    }

    pub(super) fn try_open(&self, location: &GitLocation) -> Result<GitStore, super::StateError> {
        GitStore::open_in(location, &"dev".parse().unwrap(), &self.environment())
    }

    pub(super) fn local(&self) -> GitStore {
        self.open(&GitLocation::Local { repository: self.repository() })
    }

    pub(super) fn remote(&self) -> GitStore {
        self.open(&self.remote_location("origin"))
    }

    pub(super) fn remote_location(&self, remote: &str) -> GitLocation {
        GitLocation::Remote { repository: self.repository(), remote: remote.into() }
    }

    /// A colleague's clone with an own mirror of the state.
    pub(super) fn colleague(&self, name: &str) -> GitStore {
        self.git(&["init", "-q", name]);
        let origin = self.origin_url();
        self.git(&["-C", name, "config", "remote.origin.url", &origin]);
        self.open(&GitLocation::Remote { repository: self.path(name), remote: "origin".into() })
    }
}

/// Commits a hand-made tree and points the state's ref at it, as somebody with write access could.
pub(super) fn forge(repository: &Repository, entries: &[Entry<'_>], parents: &[Oid], message: &str) -> Oid {
    let mut tree = repository.treebuilder(None).unwrap();
    for (name, mode, content) in entries {
        tree.insert(name, repository.blob(content).unwrap(), *mode).unwrap();
    }
    let tree = repository.find_tree(tree.write().unwrap()).unwrap();
    let author = Signature::now("Mallory", "mallory@example.com").unwrap();
    let parents: Vec<_> = parents.iter().map(|oid| repository.find_commit(*oid).unwrap()).collect();
    let parents: Vec<_> = parents.iter().collect();
    let oid = repository.commit(None, &author, &author, message, &tree, &parents).unwrap();
    repository.reference("refs/terrane/state/dev", oid, true, "forged").unwrap();
    oid
}

/// Writes an executable, by another process: one that is open for writing cannot be run, and a process that a test
/// beside this one starts just now holds what is open here.
pub(super) fn write_program(path: &Path, script: &str) {
    let source = path.with_extension("source");
    std::fs::write(&source, script).unwrap();
    let installed = Command::new("install").args(["-m", "755"]).args([&source, path]).status();
    assert!(installed.unwrap().success());
}
