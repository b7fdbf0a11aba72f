//! A repository on this machine: opening it, and moving a ref of it.

use std::fs;
use std::io;
use std::path::Path;

use engine_core::ports::StateError;
use git2::{ConfigLevel, ErrorCode, Oid, Repository, RepositoryInitOptions};

use super::chain;
use super::claim::{self, Obstacle};
use super::commit::failed;
use crate::file;
use crate::line::single_line;

/// What a repository of our own is configured with, whatever its file said before: `git` runs in it, so
/// nothing in it may name a program.
const OWN_CONFIGURATION: &str =
    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlogAllRefUpdates = false\n";

/// libgit2 syncs objects and refs only when told by configuration; the crate has no call for it.
const DURABLE: &str = "[core]\n\tfsyncObjectFiles = true\n";

const LOG_MESSAGE: &str = "terrane: advance the state";

/// How often a ref that another process holds locked is tried again.
const ATTEMPTS: u32 = 40;

/// Opens the repository that holds a path.
pub(super) fn discover(path: &Path) -> Result<Repository, StateError> {
    let found = Repository::discover(path).map_err(|error| unusable(path, &error))?;
    open(found.commondir())
}

/// Opens a bare repository, making it when it is not there.
pub(super) fn create(directory: &Path) -> Result<Repository, StateError> {
    let configuration = directory.join("config");
    if !configuration.exists() {
        initialise(directory)?;
    }
    write_once(&configuration, OWN_CONFIGURATION).map_err(|error| io_failed(directory, &error))?;
    open(directory)
}

/// Makes a repository beside its place and moves it there: one that a killed process has half made is none.
fn initialise(directory: &Path) -> Result<(), StateError> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false);
    let draft = file::draft(directory).map_err(|error| io_failed(directory, &error))?;
    Repository::init_opts(&draft, &options).map_err(|error| unusable(directory, &error))?;
    match fs::rename(&draft, directory) {
        // Another process has made it at the same moment.
        Err(_) if directory.join("config").exists() => fs::remove_dir_all(&draft),
        moved => moved,
    }
    .map_err(|error| io_failed(directory, &error))
}

/// Opens a Git directory for reading.
pub(super) fn open(git_directory: &Path) -> Result<Repository, StateError> {
    Repository::open(git_directory).map_err(|error| unusable(git_directory, &error))
}

/// Opens a Git directory so that objects and refs are synced to disk before they count.
///
/// The setting goes into a file of ours that is read on top of the repository's own configuration, which
/// stays as its owner wrote it.
pub(super) fn open_durable(git_directory: &Path) -> Result<Repository, StateError> {
    let repository = open(git_directory)?;
    let settings = repository.commondir().join("terrane").join("durable.config");
    write_once(&settings, DURABLE).map_err(|error| io_failed(git_directory, &error))?;
    repository
        .config()
        .and_then(|mut config| config.add_file(&settings, ConfigLevel::App, true))
        .map_err(|error| unusable(git_directory, &error))?;
    Ok(repository)
}

fn write_once(path: &Path, content: &str) -> io::Result<()> {
    if file::read(path)?.as_deref() == Some(content.as_bytes()) {
        return Ok(());
    }
    file::replace(path, content.as_bytes())
}

/// Returns the commit of a ref, `None` when there is no such ref.
pub(super) fn tip(repository: &Repository, name: &str) -> Result<Option<Oid>, StateError> {
    match repository.find_reference(name) {
        Ok(reference) => reference
            .target()
            .map(Some)
            .ok_or_else(|| StateError::Corrupt(format!("{name} is a symbolic ref"))),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => {
            let reason = single_line(error.message(), 200);
            Err(StateError::Corrupt(format!("{name} cannot be read: {reason}")))
        }
    }
}

/// Checks that a ref is at this commit.
pub(super) fn expect(repository: &Repository, name: &str, expected: Option<Oid>) -> Result<(), StateError> {
    let found = tip(repository, name)?;
    if found == expected { Ok(()) } else { Err(chain::moved(repository, expected, found)) }
}

/// Moves a ref from one commit to another, under the ref's own lock.
///
/// Whatever a failed attempt says, the ref decides: it is read again.
pub(super) fn advance(
    repository: &Repository,
    name: &str,
    expected: Option<Oid>,
    new: Oid,
) -> Result<(), StateError> {
    let mut attempt = 1;
    loop {
        let claimed = match claim::is_for(name) {
            true => claim::swap(repository, name, expected, new),
            false => Err(Obstacle::Unsupported),
        };
        let swapped = match claimed {
            Err(Obstacle::Unsupported) => {
                swap(repository, name, expected, new).map_err(|error| match error.code() {
                    ErrorCode::Locked => Obstacle::Locked,
                    _ => Obstacle::Failed(failed(&format!("{name} cannot be moved"), &error)),
                })
            }
            claimed => claimed,
        };
        let Err(obstacle) = swapped else { return Ok(()) };
        let found = tip(repository, name)?;
        if found == Some(new) {
            return Ok(());
        }
        if found != expected {
            return Err(chain::moved(repository, expected, found));
        }
        match obstacle {
            Obstacle::Failed(error) => return Err(error),
            _ if attempt == ATTEMPTS => return Err(stuck(repository, name)),
            _ => std::thread::sleep(pause(attempt)),
        }
        attempt += 1;
    }
}

/// Compares and sets a ref under its lock, in Git's own way. (`git_reference_create` looks whether a ref exists before
/// it takes the lock, so that of two first revisions the later one would win over the earlier.)
fn swap(repository: &Repository, name: &str, expected: Option<Oid>, new: Oid) -> Result<(), git2::Error> {
    let mut transaction = repository.transaction()?;
    transaction.lock_ref(name)?;
    let found = match repository.find_reference(name) {
        Ok(reference) => reference.target(),
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(error),
    };
    if found != expected {
        return Err(git2::Error::new(
            ErrorCode::Modified,
            git2::ErrorClass::Reference,
            "the ref has been moved",
        ));
    }
    transaction.set_target(name, new, None, LOG_MESSAGE)?;
    transaction.commit()
}

/// Points a ref at a commit, whatever it was: for refs that only mirror or keep, never for the truth.
pub(super) fn point(repository: &Repository, name: &str, oid: Oid) -> Result<(), StateError> {
    repository.reference(name, oid, true, LOG_MESSAGE).map(drop).map_err(|error| match error.code() {
        ErrorCode::Locked => stuck(repository, name),
        _ => failed(&format!("{name} cannot be moved"), &error),
    })
}

/// Returns how long to wait before the next attempt: up to 20 ms, random, so that rivals do not meet again.
pub(super) fn pause(attempt: u32) -> std::time::Duration {
    let random = crate::random::bytes::<2>().map_or(u16::MAX, u16::from_be_bytes);
    let limit_us = 1_000 * u64::from(attempt.min(20));
    std::time::Duration::from_micros(limit_us * u64::from(random) / u64::from(u16::MAX))
}

fn stuck(repository: &Repository, name: &str) -> StateError {
    let lock = repository.commondir().join(format!("{name}.lock"));
    StateError::Stuck(format!(
        "{name} is locked: if no other process works on this repository, remove {}",
        lock.display()
    ))
}

fn unusable(path: &Path, error: &git2::Error) -> StateError {
    let reason = single_line(error.message(), 300);
    StateError::Unusable(format!("the repository at {} cannot be used: {reason}", path.display()))
}

fn io_failed(path: &Path, error: &io::Error) -> StateError {
    StateError::Local(format!("{} cannot be prepared: {error}", path.display()))
}
