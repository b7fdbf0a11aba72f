//! Fetches what a definition rests on: trees of other commits of the Git repository it lies in, for the preview of a
//! merge, and modules of other repositories.
//!
//! Invariant: nothing here runs a hook or a filter, and nothing touches the work tree. What the user has configured to
//! reach a server is run by `git` alone.

mod git;
mod module;

use std::io;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Tree};

pub use self::module::{Pinned, fetch_module};

/// The most that one exported tree may hold.
const MAX_FILES: usize = 100_000;
const MAX_BYTES: usize = 1 << 30;
const MAX_DEPTH: usize = 100;

/// Why a repository could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Git refuses.
    #[error("{what}")]
    Git {
        /// What was attempted.
        what: String,
        /// Why.
        #[source]
        source: git2::Error,
    },
    /// `git` cannot fetch.
    #[error("git {command} failed: {why}")]
    Fetch {
        /// Its command.
        command: String,
        /// What it said.
        why: String,
    },
    /// A file cannot be written.
    #[error("write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The tree holds what no work tree may hold, or too much of it.
    #[error("the tree cannot be exported: {0}")]
    Tree(String),
}

/// A commit of a [`Repository`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit(Oid);

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The Git repository that a definition lies in.
pub struct Repository {
    git: git2::Repository,
    root: PathBuf,
}

impl Repository {
    /// Finds the repository around a directory; `None` outside of any, and for a bare one.
    ///
    /// # Errors
    /// There is one, and it cannot be opened.
    pub fn discover(directory: &Path) -> Result<Option<Self>, SourceError> {
        match git2::Repository::discover(directory) {
            Ok(git) => Ok(git.workdir().map(Path::to_path_buf).map(|root| Self { git, root })),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(SourceError::Git {
                what: format!("open the repository of {}", directory.display()),
                source,
            }),
        }
    }

    /// Returns the root of the work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the URL of the remote `origin` and the branch that is checked out; `None` without either.
    pub fn origin(&self) -> Option<(String, String)> {
        let remote = self.git.find_remote("origin").ok()?;
        let head = self.git.find_reference("HEAD").ok()?;
        let branch = head.symbolic_target().ok()??.strip_prefix("refs/heads/")?.to_owned();
        Some((without_credentials(remote.url().ok()?), branch))
    }

    /// Finds the commit that a revision names: a branch, a tag, a hash, `HEAD~1`.
    ///
    /// # Errors
    /// It names none.
    pub fn commit(&self, revision: &str) -> Result<Commit, SourceError> {
        let found = self.git.revparse_single(revision).and_then(|object| object.peel_to_commit());
        found
            .map(|commit| Commit(commit.id()))
            .map_err(|source| SourceError::Git { what: format!("find the commit `{revision}`"), source })
    }

    /// Returns the commit at which two lines of history part.
    ///
    /// # Errors
    /// They have no commit in common.
    pub fn merge_base(&self, one: Commit, other: Commit) -> Result<Commit, SourceError> {
        let found = self.git.merge_base(one.0, other.0);
        found.map(Commit).map_err(|source| SourceError::Git {
            what: format!("find the merge base of {one} and {other}"),
            source,
        })
    }

    /// Writes a commit's tree into an empty directory. Submodules are left out.
    ///
    /// # Errors
    /// The tree holds names that lead out of the directory, or more than a repository of definitions would.
    pub fn export(&self, commit: Commit, into: &Path) -> Result<(), SourceError> {
        let git = |source| SourceError::Git { what: format!("read the tree of {commit}"), source };
        let tree = self.git.find_commit(commit.0).and_then(|commit| commit.tree()).map_err(git)?;
        Export { git: &self.git, links: Links::Any, files: 0, bytes: 0 }.tree(&tree, into, 0)
    }
}

/// A token in a URL is for Git, not for a manifest.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}/{path}")
        }
        _ => url.to_owned(),
    }
}

/// What a tree may hold besides files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    /// Links to anywhere: whoever reads the tree resolves and judges them. Submodules are left out.
    Any,
    /// Links within the tree, and no submodules.
    Inside,
}

struct Export<'a> {
    git: &'a git2::Repository,
    links: Links,
    files: usize,
    bytes: usize,
}

impl Export<'_> {
    fn tree(&mut self, tree: &Tree<'_>, into: &Path, depth: usize) -> Result<(), SourceError> {
        let write = |path: &Path| {
            let path = path.to_path_buf();
            move |source| SourceError::Write { path, source }
        };
        if depth > MAX_DEPTH {
            return Err(SourceError::Tree(format!("directories are nested more than {MAX_DEPTH} deep")));
        }
        for entry in tree {
            let path = into.join(safe_name(entry.name_bytes())?);
            let read = |source| SourceError::Git { what: format!("read {}", path.display()), source };
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    std::fs::create_dir(&path).map_err(write(&path))?;
                    let inner = self.git.find_tree(entry.id()).map_err(read)?;
                    self.tree(&inner, &path, depth + 1)?;
                }
                Some(ObjectType::Blob) => {
                    let blob = self.git.find_blob(entry.id()).map_err(read)?;
                    self.account(blob.size())?;
                    if self.links == Links::Inside && entry.filemode() == i32::from(git2::FileMode::Link) {
                        check_link(&path, blob.content(), depth)?;
                    }
                    write_file(&path, entry.filemode(), blob.content()).map_err(write(&path))?;
                }
                _ if self.links == Links::Inside => {
                    return Err(SourceError::Tree(format!("{} is a submodule", shown(&path))));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn account(&mut self, bytes: usize) -> Result<(), SourceError> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.files > MAX_FILES || self.bytes > MAX_BYTES {
            return Err(SourceError::Tree(format!("more than {MAX_FILES} files or {MAX_BYTES} bytes")));
        }
        Ok(())
    }
}

/// A hostile tree may hold names that Git itself would never write.
fn safe_name(name: &[u8]) -> Result<&str, SourceError> {
    let refused = || SourceError::Tree(format!("the name {:?}", String::from_utf8_lossy(name)));
    let name = std::str::from_utf8(name).map_err(|_| refused())?;
    let bad = matches!(name, "" | "." | "..")
        || name.eq_ignore_ascii_case(".git")
        || name.contains(['/', '\\', '\0']);
    if bad { Err(refused()) } else { Ok(name) }
}

/// Checks that a link in a directory so deep leads to a place in its tree. Steps up may only come first: behind the name
/// of another link they would lead who knows where.
fn check_link(path: &Path, target: &[u8], depth: usize) -> Result<(), SourceError> {
    let refused = || SourceError::Tree(format!("{} is a link that leads out of it", shown(path)));
    let target = std::str::from_utf8(target).map_err(|_| refused())?;
    let mut parts = target.split('/').filter(|part| *part != ".").peekable();
    let mut up = 0;
    while parts.next_if_eq(&"..").is_some() {
        up += 1;
    }
    let is_inside = !target.is_empty() && up <= depth && parts.all(|part| !matches!(part, "" | ".."));
    if is_inside { Ok(()) } else { Err(refused()) }
}

/// Returns a name of a tree: where it is written to concerns nobody.
fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Symbolic links are written as such.
fn write_file(path: &Path, mode: i32, content: &[u8]) -> io::Result<()> {
    if mode != i32::from(git2::FileMode::Link) {
        return std::fs::write(path, content);
    }
    let target =
        std::str::from_utf8(content).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    std::os::unix::fs::symlink(target, path)
}

#[cfg(test)]
mod tests;
