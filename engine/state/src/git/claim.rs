//! Moves a ref of ours by its file, so that the lock of a writer who dies in the middle can be told from every other.
//!
//! Git locks a ref with a file `<ref>.lock`, which becomes the ref. A writer who dies leaves it, and since it does not say
//! whose it is, nobody else may remove it. Ours is a hard link to a draft, which only the holder of a lock of the operating
//! system makes, and that lock ends with its process. So a `<ref>.lock` that is the same file as the draft is one of a
//! dead writer in the eyes of whoever holds that lock now. All others are left alone: they are Git's.
//!
//! # Source
//! gitrepository-layout(5), `refs`: a ref is a file with the name of its commit. git-pack-refs(1): packing takes
//! the ref's lock before it removes the file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use engine_core::ports::StateError;
use git2::{Oid, Repository};

use super::local;
use crate::file;

/// Why a ref was not moved.
pub(super) enum Obstacle {
    /// Somebody holds its lock, for a moment or for ever.
    Locked,
    /// The file system has no links or no locks: Git's own way is left.
    Unsupported,
    /// Anything else.
    Failed(StateError),
}

impl From<StateError> for Obstacle {
    fn from(error: StateError) -> Self {
        Self::Failed(error)
    }
}

/// Tells whether a ref is one that is moved like this: below our own names, where no directory is in the way of a
/// file and nobody keeps a log.
pub(super) fn is_for(name: &str) -> bool {
    name.starts_with("refs/terrane/")
}

/// Compares and sets a ref.
pub(super) fn swap(
    repository: &Repository,
    name: &str,
    expected: Option<Oid>,
    new: Oid,
) -> Result<(), Obstacle> {
    let failed = |error: io::Error| match error.kind() {
        // The lock is there, or its directory was pruned at this moment.
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound | io::ErrorKind::WouldBlock => {
            Obstacle::Locked
        }
        io::ErrorKind::Unsupported => Obstacle::Unsupported,
        _ => Obstacle::Failed(StateError::Local(format!("{name} cannot be moved: {error}"))),
    };
    let claim = Claim::take(repository.commondir(), name, new).map_err(failed)?;
    // Who holds the lock sees what nobody else changes.
    local::expect(repository, name, expected)?;
    claim.fulfil().map_err(failed)
}

/// The lock of a ref, with what it is to become. Taken back when it is dropped.
struct Claim {
    reference: PathBuf,
    lock: PathBuf,
    draft: PathBuf,
    /// That no living process made the draft but this one.
    _held: File,
}

impl Claim {
    fn take(git_directory: &Path, name: &str, new: Oid) -> io::Result<Self> {
        let directory = git_directory.join("terrane").join("refs");
        fs::create_dir_all(&directory)?;
        // No name of a ref has a tilde.
        let flat = name.replace('/', "~");
        let held = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join(format!("{flat}.held")))?;
        held.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(error) => error,
        })?;
        let reference = git_directory.join(name);
        let lock = git_directory.join(format!("{name}.lock"));
        let claim = Self { reference, lock, draft: directory.join(flat), _held: held };
        claim.bury()?;
        let mut draft = OpenOptions::new().write(true).create_new(true).open(&claim.draft)?;
        draft.write_all(format!("{new}\n").as_bytes())?;
        draft.sync_all()?;
        fs::create_dir_all(claim.reference.parent().unwrap_or(git_directory))?;
        fs::hard_link(&claim.draft, &claim.lock).map_err(|error| match error.kind() {
            // A file system without links forbids them.
            io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices => {
                io::ErrorKind::Unsupported.into()
            }
            _ => error,
        })?;
        Ok(claim)
    }

    /// Takes away what a dead writer left, and nothing else.
    fn bury(&self) -> io::Result<()> {
        if is_same_file(&self.draft, &self.lock) {
            fs::remove_file(&self.lock)?;
            tracing::warn!(lock = %self.lock.display(), "removed the lock of a run that died");
        }
        match fs::remove_file(&self.draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes the lock the ref.
    fn fulfil(self) -> io::Result<()> {
        let is_new = !self.reference.exists();
        fs::rename(&self.lock, &self.reference)?;
        // Of the first ref of its kind the directories are new as well.
        let mut above = self.reference.ancestors().skip(1).take(if is_new { 4 } else { 1 });
        above.try_for_each(file::sync_directory)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Err(error) = self.bury() {
            tracing::warn!(draft = %self.draft.display(), %error, "the draft of a ref cannot be removed");
        }
    }
}

/// Tells whether two names are of one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (fs::symlink_metadata(one), fs::symlink_metadata(other)) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        // Nothing here tells: such a lock is removed by hand.
        let _ = (one, other);
        false
    }
}
