//! Reading the files of a definition: only regular files under one root, of bounded size, as UTF-8.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::digest::Digest;

use crate::codes::{NOT_UTF8, OUTSIDE, TOO_LARGE, UNREADABLE};
use crate::lock::LOCK_FILE;
use crate::variables::is_variable_file;

/// The largest file of a definition that is read, in bytes: 4 MiB.
const MAX_BYTES: u64 = 4 << 20;

/// The largest file of manifests that is read, in bytes: 32 MiB. Operators are released as one file, whose
/// `CustomResourceDefinition`s alone can pass 4 MiB.
const MAX_MANIFEST_BYTES: u64 = 32 << 20;

/// Reads files under one root and remembers the digest of each.
pub(crate) struct Files {
    root: PathBuf,
    real_root: PathBuf,
    read: RefCell<BTreeMap<String, Digest>>,
}

impl Files {
    /// Opens the root that all files must lie in.
    pub(crate) fn open(root: &Path) -> Result<Self, Diagnostics> {
        let real_root = root.canonicalize().map_err(|error| {
            let summary = format!("cannot open directory {}: {error}", root.display());
            Diagnostic::error(UNREADABLE, summary)
        })?;
        Ok(Self { root: root.to_owned(), real_root, read: RefCell::default() })
    }

    /// Returns the root as it was given.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the digests of all files read, by path relative to the root.
    pub(crate) fn digests(&self) -> BTreeMap<String, Digest> {
        self.read.borrow().clone()
    }

    /// Notes the digest of a file that was read elsewhere.
    pub(crate) fn note(&self, path: String, digest: Digest) {
        self.read.borrow_mut().insert(path, digest);
    }

    /// Returns a directory's path relative to the root, with `/`; `.` for the root itself.
    pub(crate) fn relative(&self, directory: &Path) -> Result<String, Diagnostics> {
        let real = self.real(directory)?;
        let relative = real.strip_prefix(&self.real_root).unwrap_or(&real);
        Ok(slashes(relative))
    }

    /// Returns the names of the files of a directory, sorted; none when it does not exist.
    pub(crate) fn names(&self, directory: &Path) -> Result<Vec<String>, Diagnostics> {
        if !directory.exists() {
            return Ok(Vec::new());
        }
        let real = self.real(directory)?;
        let entries = std::fs::read_dir(real).map_err(|error| unreadable(directory, &error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(directory, &error))?;
            names.extend(entry.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// Returns the names of the files of a directory that are definitions, sorted.
    pub(crate) fn definitions(&self, directory: &Path) -> Result<Vec<String>, Diagnostics> {
        // Variable files and the lock file are HCL as well.
        let is_definition = |name: &String| {
            let ends = name.ends_with(".hcl") || name.ends_with(".hcl.json");
            ends && !is_variable_file(name) && !name.starts_with('.') && name != LOCK_FILE
        };
        Ok(self.names(directory)?.into_iter().filter(is_definition).collect())
    }

    /// Reads a file of a definition. Diagnostics show its path as `path` does.
    pub(crate) fn text(&self, path: &Path) -> Result<Arc<SourceFile>, Diagnostics> {
        self.read_up_to(path, MAX_BYTES)
    }

    /// Reads a file of manifests, which may be larger.
    pub(crate) fn manifests(&self, path: &Path) -> Result<Arc<SourceFile>, Diagnostics> {
        self.read_up_to(path, MAX_MANIFEST_BYTES)
    }

    fn read_up_to(&self, path: &Path, most: u64) -> Result<Arc<SourceFile>, Diagnostics> {
        let shown = shown(path);
        let real = self.real(path)?;
        let failed = |error: &std::io::Error| unreadable(path, error);
        // Asked before opening: a named pipe would block the open.
        let metadata = real.metadata().map_err(|error| failed(&error))?;
        if !metadata.is_file() {
            let summary = format!("{shown} is not a regular file");
            return Err(at_start(Diagnostic::error(UNREADABLE, summary), shown).into());
        }
        let mut bytes = Vec::new();
        let file = File::open(&real).map_err(|error| failed(&error))?;
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        if bytes.len() as u64 > most {
            let summary = format!("{shown} is larger than {} MiB", most >> 20);
            return Err(at_start(Diagnostic::error(TOO_LARGE, summary), shown).into());
        }
        let relative = real.strip_prefix(&self.real_root).unwrap_or(&real);
        self.note(slashes(relative), Digest::of_bytes(&bytes));
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&shown, &error))?;
        Ok(Arc::new(SourceFile { path: shown, text }))
    }

    /// Resolves all links and refuses what lies outside the root.
    fn real(&self, path: &Path) -> Result<PathBuf, Diagnostics> {
        let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
        if real.starts_with(&self.real_root) {
            return Ok(real);
        }
        let summary = format!("{} lies outside {}", shown(path), shown(&self.root));
        Err(at_start(Diagnostic::error(OUTSIDE, summary), shown(path))
            .hint("a definition reads only files of its own repository, symbolic links followed")
            .into())
    }
}

/// Joins a path of a definition, relative to the root and with `/`, without leaving the root.
///
/// Returns `None` for an absolute path or one whose `..` lead out.
pub(crate) fn inside(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    if parts.is_empty() { Some(".".to_owned()) } else { Some(parts.join("/")) }
}

/// Returns a file that shows nothing of a range but where its lines end: an excerpt must not hold a secret.
pub(crate) fn masked(file: &SourceFile, range: Range<usize>) -> SourceFile {
    let mask = |byte: u8| if byte == b'\n' { '\n' } else { '*' };
    let (Some(before), Some(hidden), Some(after)) =
        (file.text.get(..range.start), file.text.get(range.clone()), file.text.get(range.end..))
    else {
        return SourceFile { path: file.path.clone(), text: String::new() };
    };
    let hidden: String = hidden.bytes().map(mask).collect();
    SourceFile { path: file.path.clone(), text: format!("{before}{hidden}{after}") }
}

/// Returns a path as a user would write it: without a leading `./`.
fn shown(path: &Path) -> String {
    let shown: PathBuf =
        path.components().filter(|component| !matches!(component, Component::CurDir)).collect();
    if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.display().to_string() }
}

fn slashes(path: &Path) -> String {
    let names: Vec<_> = path.components().map(|component| component.as_os_str().to_string_lossy()).collect();
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let shown = shown(path);
    at_start(Diagnostic::error(UNREADABLE, format!("cannot read {shown}: {error}")), shown)
}

/// Points at the first character of a file whose text is not at hand.
fn at_start(diagnostic: Diagnostic, path: String) -> Diagnostic {
    let file = SourceFile { path, text: String::new() };
    diagnostic.at(SourceSpan::new(Arc::new(file), 0..0))
}

fn not_utf8(shown: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let valid = error.utf8_error().valid_up_to();
    let file =
        SourceFile { path: shown.to_owned(), text: String::from_utf8_lossy(error.as_bytes()).into_owned() };
    Diagnostic::error(NOT_UTF8, format!("{shown} is not valid UTF-8"))
        .at(SourceSpan::new(Arc::new(file), valid..valid + char::REPLACEMENT_CHARACTER.len_utf8()))
        .hint("save the file in UTF-8")
}
