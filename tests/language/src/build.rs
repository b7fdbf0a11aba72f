//! The reference program.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use go_program::GoProgram;

/// Returns the path of the program, and builds it if need be.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let module = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/oracle"));
        GoProgram { name: "language", module, embedded: None, linker_flags: "", notice: None }.path()
    })
}
