//! Modules of other repositories: fetched by `terrane init`, read without network by everything else.

use std::io;
use std::path::Path;

use engine_config::codes::LOCK_MISMATCH;
use engine_config::{
    LOCK_FILE, Lock, LockedModule, ModuleSource, module_directory, remote_modules, tree_digest,
};
use engine_core::diagnostic::Diagnostic;
use providers_sources::{Pinned, fetch_module};

use super::Workspace;
use crate::error::CommandError;

/// Which commits to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refs {
    /// Those of the lock file; a ref that is new to it is looked up.
    AsLocked,
    /// Those that the refs stand for now.
    LookedUp,
}

impl Workspace {
    /// Fetches every module of another repository that the definition uses, and writes the lock file. Returns what was
    /// done, a line for each.
    ///
    /// # Errors
    /// A module cannot be fetched, or is not what the lock file says.
    pub fn fetch_modules(&self, refs: Refs) -> Result<Vec<String>, CommandError> {
        let options = self.options()?;
        let before = Lock::read(&self.directory)?;
        let mut lock = before.clone();
        let (mut done, mut lines) = (Vec::<ModuleSource>::new(), Vec::new());
        // A module that has been fetched may use others.
        loop {
            let sources = remote_modules(&options, &lock)?;
            let same = |a: &ModuleSource, b: &ModuleSource| a.url == b.url && a.reference == b.reference;
            let Some(source) = sources.iter().find(|source| !done.iter().any(|it| same(it, source))) else {
                lock.retain(&sources);
                break;
            };
            lines.push(self.fetch(source, &mut lock, refs)?);
            done.push(source.clone());
        }
        if lock != before {
            let path = self.directory.join(LOCK_FILE);
            let failed = CommandError::while_(format!("write {}", path.display()));
            let written = match lock.is_empty() {
                true => std::fs::remove_file(&path),
                false => std::fs::write(&path, lock.to_text()),
            };
            written.map_err(failed)?;
        }
        Ok(lines)
    }

    fn fetch(&self, source: &ModuleSource, lock: &mut Lock, refs: Refs) -> Result<String, CommandError> {
        let locked = lock.get(source).filter(|_| refs == Refs::AsLocked).cloned();
        if let Some(locked) = &locked {
            let tree = module_directory(&self.directory, &locked.sha256);
            if tree.is_dir() && tree_digest(&tree)? == locked.sha256 {
                return Ok(format!("module {source}: {}, as locked", locked.commit));
            }
        }
        let cache = self.work_directory().join(super::MODULES);
        let failed = |what: &str| CommandError::while_(format!("{what} {}", cache.display()));
        std::fs::create_dir_all(&cache).map_err(failed("make"))?;
        let work = tempfile::tempdir_in(&cache).map_err(failed("make a directory in"))?;
        let staging = tempfile::tempdir_in(&cache).map_err(failed("make a directory in"))?;
        let commit = locked.as_ref().map(|locked| locked.commit.as_str());
        let pinned = Pinned { url: &source.url, reference: &source.reference, commit };
        let commit = fetch_module(pinned, work.path(), staging.path())
            .map_err(CommandError::while_(format!("fetch module {source}")))?;
        let sha256 = tree_digest(staging.path())?;
        if locked.is_some_and(|locked| locked.sha256 != sha256) {
            return Err(CommandError::Definition(
                Diagnostic::error(LOCK_MISMATCH, format!("{source} is not what {LOCK_FILE} says"))
                    .detail(format!("The tree of commit {commit} has the digest {sha256}."))
                    .hint("restore the lock file from Git, or run `terrane init --upgrade` if the change is meant")
                    .into(),
            ));
        }
        let tree = module_directory(&self.directory, &sha256);
        if tree.exists() {
            std::fs::remove_dir_all(&tree).map_err(failed("clear a directory of"))?;
        }
        std::fs::rename(staging.keep(), &tree).map_err(failed("put a module into"))?;
        lock.insert(source, LockedModule { commit: commit.to_string().into(), sha256 });
        Ok(format!("module {source}: {commit}"))
    }
}

/// Copies what has been fetched to another place that is to be planned from.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    let mut open = vec![(from.to_path_buf(), to.to_path_buf())];
    while let Some((from, to)) = open.pop() {
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            let (path, target, kind) = (entry.path(), to.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                open.push((path, target));
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(std::fs::read_link(path)?, target)?;
            } else {
                std::fs::copy(path, target)?;
            }
        }
    }
    Ok(())
}
