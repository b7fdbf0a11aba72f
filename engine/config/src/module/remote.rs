//! Modules of other repositories: what the lock file pins and `terrane init` has fetched.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use hcl_edit::structure::Block;

use super::Expr;
use super::constant::{Constants, typed};
use crate::codes::{LOCK_MISMATCH, MISSING_ARGUMENT, MODULE_SOURCE, NOT_FETCHED, NOT_LOCKED};
use crate::lock::{LOCK_FILE, Lock, module_directory, tree_digest};
use crate::module_source::ModuleSource;
use crate::source::masked;
use crate::types::Type;

/// What to do when something is not at hand.
const INIT: &str = "run `terrane init`";

/// The modules of other repositories that an environment uses.
pub(crate) struct Remotes {
    /// The environment's directory.
    directory: PathBuf,
    lock: OnceCell<Result<Lock, Diagnostics>>,
    /// Trees whose digests have been checked.
    checked: RefCell<BTreeSet<Digest>>,
    /// All sources met.
    used: RefCell<BTreeSet<ModuleSource>>,
}

impl Remotes {
    /// Rests on the lock file of an environment.
    pub(crate) fn of(directory: &Path) -> Self {
        Self::new(directory, OnceCell::new())
    }

    /// Rests on a lock that is being made.
    pub(crate) fn locked_by(directory: &Path, lock: Lock) -> Self {
        Self::new(directory, OnceCell::from(Ok(lock)))
    }

    fn new(directory: &Path, lock: OnceCell<Result<Lock, Diagnostics>>) -> Self {
        let (checked, used) = (RefCell::default(), RefCell::default());
        Self { directory: directory.to_owned(), lock, checked, used }
    }

    /// Returns all sources met so far.
    pub(crate) fn used(&self) -> Vec<ModuleSource> {
        self.used.borrow().iter().cloned().collect()
    }

    /// Returns where the tree of a source lies, checked against the lock file.
    pub(super) fn tree(&self, source: &ModuleSource, span: &SourceSpan) -> Result<PathBuf, Diagnostics> {
        self.used.borrow_mut().insert(source.clone());
        let lock = self.lock.get_or_init(|| Lock::read(&self.directory)).as_ref().map_err(Clone::clone)?;
        let fault = |code, summary: String| Diagnostic::error(code, summary).at(span.clone());
        let Some(locked) = lock.get(source) else {
            return Err(fault(NOT_LOCKED, format!("{source} is not in {LOCK_FILE}")).hint(INIT).into());
        };
        let tree = module_directory(&self.directory, &locked.sha256);
        if !tree.is_dir() {
            return Err(fault(NOT_FETCHED, format!("{source} has not been fetched")).hint(INIT).into());
        }
        if !self.checked.borrow().contains(&locked.sha256) {
            if tree_digest(&tree)? != locked.sha256 {
                return Err(fault(LOCK_MISMATCH, format!("{source} is not what {LOCK_FILE} says"))
                    .detail(format!("The files in {} have been changed.", tree.display()))
                    .hint(format!("remove {} and run `terrane init`", tree.display()))
                    .into());
            }
            self.checked.borrow_mut().insert(locked.sha256);
        }
        Ok(tree)
    }
}

/// Reads the `source` of a `module` block, whose head is at `head`.
pub(super) fn source_of(
    block: &Block,
    (file, head): (&Arc<SourceFile>, &SourceSpan),
    constants: &Constants,
    faults: &mut Diagnostics,
) -> Option<ModuleSource> {
    let Some(attribute) = block.body.get_attribute("source") else {
        let fault = Diagnostic::error(MISSING_ARGUMENT, "block module needs the argument source");
        faults.push(fault.at(head.clone()).hint("add `source = \"git::https://…?ref=…\"`"));
        return None;
    };
    let expr = Expr::new(attribute.value.clone(), Arc::clone(file));
    let value = constants.value(&expr).and_then(|value| typed(&value, &Type::String, "source", &expr));
    let value = value.map_err(|found| faults.extend(found)).ok()?;
    ModuleSource::parse(value.as_str().unwrap_or_default())
        .map_err(|found| {
            let span = expr.span();
            let shown = if found.holds_credentials {
                Arc::new(masked(file, span.start..span.end))
            } else {
                span.file
            };
            let span = SourceSpan::new(shown, span.start..span.end);
            faults.push(Diagnostic::error(MODULE_SOURCE, found.summary).at(span).hint(found.hint));
        })
        .ok()
}
