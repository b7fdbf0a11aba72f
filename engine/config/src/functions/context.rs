//! What functions work with: the repository, the clock, the record of files read.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// What functions work with besides their arguments.
#[derive(Debug, Default)]
pub struct FunctionContext {
    repository: PathBuf,
    clock: Option<Timestamp>,
    files_read: RefCell<BTreeMap<PathBuf, String>>,
    pub(super) in_template: Cell<bool>,
}

impl FunctionContext {
    /// Builds a context: paths start at `repository`, and no file outside of it is read.
    pub fn new(repository: impl Into<PathBuf>) -> Self {
        Self { repository: repository.into(), ..Self::default() }
    }

    /// Sets the fixed clock of the run; without one `timestamp` and `plantimestamp` are known after apply.
    #[must_use]
    pub fn with_clock(mut self, clock: Timestamp) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Returns the directory that paths start at and files must lie in.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Returns the fixed clock of the run.
    pub fn clock(&self) -> Option<Timestamp> {
        self.clock
    }

    /// Returns the files read so far, by path relative to the repository, with the SHA-256 of their contents
    /// in hexadecimal: part of the input digest.
    pub fn files_read(&self) -> BTreeMap<PathBuf, String> {
        self.files_read.borrow().clone()
    }

    pub(super) fn record(&self, path: PathBuf, digest: String) {
        self.files_read.borrow_mut().insert(path, digest);
    }
}
