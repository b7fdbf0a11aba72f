//! The files of a repository: what an overlay may read, how much of it, and what it has read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use engine_core::diagnostic::{Code, Diagnostic, SourceSpan};
use sha2::{Digest as _, Sha256};

use crate::codes;

/// How many files one overlay may read, files read twice counted twice.
pub const MAX_FILES: usize = 10_000;
/// How many bytes one overlay may read.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Why a path was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("`{0}` does not exist")]
    NotFound(String),
    #[error("`{0}` lies outside the repository")]
    OutsideRepository(String),
    #[error("`{0}` lies outside the directory of its kustomization")]
    OutsideRoot(String),
    #[error("`{0}` is not a regular file")]
    NotAFile(String),
    #[error("`{0}` is not a directory")]
    NotADirectory(String),
    #[error("the overlay reads more than {MAX_FILES} files")]
    TooManyFiles,
    #[error("the overlay reads more than {} MiB", MAX_BYTES / (1024 * 1024))]
    TooManyBytes,
    #[error("`{path}` cannot be read: {kind}")]
    Unreadable { path: String, kind: ErrorKind },
}

impl SourceError {
    /// Turns the fault into a diagnostic at the place that names the path.
    pub(crate) fn diagnostic(&self, span: Option<SourceSpan>) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.code(), self.to_string()).at(span);
        match self {
            Self::OutsideRoot(_) => diagnostic.hint(
                "move the file into the kustomization's directory, or make its directory a base of its own",
            ),
            _ => diagnostic,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => codes::NOT_FOUND,
            Self::OutsideRepository(_) | Self::OutsideRoot(_) => codes::OUTSIDE,
            Self::NotAFile(_) | Self::NotADirectory(_) => codes::NOT_A_FILE,
            Self::TooManyFiles | Self::TooManyBytes => codes::TOO_MUCH_SOURCE,
            Self::Unreadable { .. } => codes::UNREADABLE,
        }
    }
}

/// One file as read.
pub(crate) struct SourceBytes {
    /// Its path below the repository, symbolic links resolved.
    pub path: PathBuf,
    pub bytes: Vec<u8>,
}

/// A repository and what has been read of it.
#[derive(Debug)]
pub(crate) struct SourceTree {
    repository: PathBuf,
    files: BTreeMap<PathBuf, String>,
    count: usize,
    bytes: u64,
}

impl SourceTree {
    pub(crate) fn open(repository: &Path) -> Result<Self, SourceError> {
        Ok(Self {
            repository: resolve(repository, &repository.to_string_lossy())?,
            files: BTreeMap::new(),
            count: 0,
            bytes: 0,
        })
    }

    /// Resolves a directory inside the repository.
    pub(crate) fn directory(&self, path: &Path, written: &str) -> Result<PathBuf, SourceError> {
        let resolved = resolve(path, written)?;
        if !resolved.starts_with(&self.repository) {
            return Err(SourceError::OutsideRepository(written.to_owned()));
        }
        if !resolved.is_dir() {
            return Err(SourceError::NotADirectory(written.to_owned()));
        }
        Ok(resolved)
    }

    /// Reads a file that must lie, after symbolic links, in or below `root`.
    pub(crate) fn read(&mut self, root: &Path, written: &str) -> Result<SourceBytes, SourceError> {
        let resolved = resolve(&root.join(written), written)?;
        let Ok(path) = resolved.strip_prefix(&self.repository) else {
            return Err(SourceError::OutsideRepository(written.to_owned()));
        };
        let path = path.to_owned();
        let metadata = fs::metadata(&resolved).map_err(|error| fault(written, &error))?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile(written.to_owned()));
        }
        if !resolved.starts_with(root) {
            return Err(SourceError::OutsideRoot(written.to_owned()));
        }
        let bytes = self.read_bounded(&resolved, written)?;
        self.files.entry(path.clone()).or_insert_with(|| hex(&Sha256::digest(&bytes)));
        Ok(SourceBytes { path, bytes })
    }

    /// Returns a resolved path as it stands below the repository.
    pub(crate) fn relative<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.repository).unwrap_or(path)
    }

    /// Returns every file read with its SHA-256, by path.
    pub(crate) fn into_files(self) -> Vec<(PathBuf, String)> {
        self.files.into_iter().collect()
    }

    fn read_bounded(&mut self, resolved: &Path, written: &str) -> Result<Vec<u8>, SourceError> {
        self.count += 1;
        if self.count > MAX_FILES {
            return Err(SourceError::TooManyFiles);
        }
        let room = MAX_BYTES - self.bytes;
        let mut bytes = Vec::new();
        File::open(resolved)
            .and_then(|file| file.take(room + 1).read_to_end(&mut bytes))
            .map_err(|error| fault(written, &error))?;
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_BYTES {
            self.bytes = MAX_BYTES;
            return Err(SourceError::TooManyBytes);
        }
        Ok(bytes)
    }
}

/// Tells whether a path is a URL, which Kustomize would fetch and this renderer does not.
pub(crate) fn is_remote(path: &str) -> bool {
    let host = path.split('/').next().unwrap_or_default();
    path.contains("://")
        || path.starts_with("git@")
        || path.starts_with("git::")
        || path.contains("?ref=")
        || ["github.com", "gitlab.com", "bitbucket.org"].contains(&host)
}

fn resolve(path: &Path, written: &str) -> Result<PathBuf, SourceError> {
    fs::canonicalize(path).map_err(|error| fault(written, &error))
}

fn fault(written: &str, error: &std::io::Error) -> SourceError {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => SourceError::NotFound(written.to_owned()),
        kind => SourceError::Unreadable { path: written.to_owned(), kind },
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
