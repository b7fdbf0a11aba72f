//! `terrane.lock.hcl`: which commit the `ref` of each module stood for, and what was in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use engine_core::value::{Text, Value};

use crate::codes::{LOCK, UNREADABLE};
use crate::module::{Constants, Fields, head_span, labels};
use crate::module_source::ModuleSource;
use crate::source::Files;
use crate::syntax::parse;

/// The name of the lock file, beside the definition.
pub const LOCK_FILE: &str = "terrane.lock.hcl";

/// What the file begins with.
const HEAD: &str =
    "# Written by `terrane init`: commit it. `terrane init --upgrade` looks up every ref again.\n";

/// Where fetched modules lie, from the environment's directory.
const CACHE: &str = ".terrane/modules";

/// What a repository's `ref` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedModule {
    /// The commit, 40 hexadecimal digits.
    pub commit: Text,
    /// The digest of its tree, see [`tree_digest`].
    pub sha256: Digest,
}

/// The contents of the lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lock(BTreeMap<(Text, Text), LockedModule>);

impl Lock {
    /// Reads the lock file of an environment; empty without one.
    ///
    /// # Errors
    /// The file is not what `terrane init` writes.
    pub fn read(directory: &Path) -> Result<Self, Diagnostics> {
        let path = directory.join(LOCK_FILE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let file = Files::open(directory)?.text(&path)?;
        let mut faults = Diagnostics::default();
        let lock = Self::decode(&file, &mut faults)?;
        if faults.is_empty() { Ok(lock) } else { Err(faults) }
    }

    fn decode(file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Result<Self, Diagnostics> {
        let constants = Constants::new();
        let mut lock = Self::default();
        for structure in parse(file)? {
            let Ok(block) = structure.into_block() else {
                faults.push(broken(SourceSpan::new(Arc::clone(file), 0..0)));
                continue;
            };
            let span = head_span(&block, file);
            if !block.has_ident("module") {
                faults.push(broken(span));
                continue;
            }
            let [url] = &labels(&block, file)[..] else {
                faults.push(broken(span));
                continue;
            };
            let url = url.text.clone();
            let mut fields =
                Fields::new("module of the lock file".to_owned(), span.clone(), block.body, faults);
            let [reference, commit, sha256] =
                ["ref", "commit", "sha256"].map(|name| constants.text(&mut fields, name));
            fields.finish();
            let sha256 = sha256.and_then(|text| text.parse().ok());
            let is_commit =
                |text: &Text| text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            match (reference, commit.filter(is_commit), sha256) {
                (Some(reference), Some(commit), Some(sha256)) => {
                    lock.0.insert((url, reference), LockedModule { commit, sha256 });
                }
                _ => faults.push(broken(span)),
            }
        }
        Ok(lock)
    }

    /// Returns what a source is locked to.
    pub fn get(&self, source: &ModuleSource) -> Option<&LockedModule> {
        self.0.get(&(source.url.clone(), source.reference.clone()))
    }

    /// Locks a source.
    pub fn insert(&mut self, source: &ModuleSource, locked: LockedModule) {
        self.0.insert((source.url.clone(), source.reference.clone()), locked);
    }

    /// Drops what none of the sources needs.
    pub fn retain(&mut self, sources: &[ModuleSource]) {
        self.0.retain(|(url, reference), _| {
            sources.iter().any(|source| source.url == *url && source.reference == *reference)
        });
    }

    /// Tells whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text of the lock file.
    pub fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for ((url, reference), LockedModule { commit, sha256 }) in &self.0 {
            text.push_str(&format!(
                "\nmodule \"{url}\" {{\n  ref    = \"{reference}\"\n  commit = \"{commit}\"\n  sha256 = \"{sha256}\"\n}}\n"
            ));
        }
        text
    }
}

fn broken(span: SourceSpan) -> Diagnostic {
    Diagnostic::error(LOCK, "this is not what `terrane init` writes")
        .at(span)
        .hint("restore the file from Git, or remove it and run `terrane init`")
}

/// Returns where the tree with a digest lies, once it has been fetched.
pub fn module_directory(environment: &Path, sha256: &Digest) -> PathBuf {
    environment.join(CACHE).join(sha256.to_string())
}

/// Returns the digest of a tree: of the contents of its files, by path, and of where its links lead.
///
/// # Errors
/// The tree cannot be read, or holds names that are not UTF-8.
pub fn tree_digest(tree: &Path) -> Result<Digest, Diagnostics> {
    let mut found: BTreeMap<Text, Value> = BTreeMap::new();
    let mut open = vec![(tree.to_path_buf(), String::new())];
    while let Some((directory, prefix)) = open.pop() {
        let failed = |error: &dyn std::fmt::Display| {
            Diagnostics::from(Diagnostic::error(
                UNREADABLE,
                format!("cannot read {}: {error}", directory.display()),
            ))
        };
        for entry in std::fs::read_dir(&directory).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let name = entry.file_name().into_string().map_err(|_| failed(&"a name is not UTF-8"))?;
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|error| failed(&error))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{path}/")));
            } else if kind.is_symlink() {
                let target = std::fs::read_link(entry.path()).map_err(|error| failed(&error))?;
                found
                    .insert(path.into(), Value::list([Value::string(target.to_string_lossy().into_owned())]));
            } else {
                let content = std::fs::read(entry.path()).map_err(|error| failed(&error))?;
                found.insert(path.into(), Value::string(Digest::of_bytes(&content).to_string()));
            }
        }
    }
    Ok(Digest::of_value(&Value::map(found)))
}

#[cfg(test)]
mod tests;
