//! `terrane fmt`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::SourceFile;

use crate::error::{CommandError, Exit};
use crate::files::replace;
use crate::terminal::line;

/// Rewrites files in the canonical style and names those that changed.
pub fn run(paths: &[PathBuf], check: bool) -> Result<Exit, CommandError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    let mut changed = 0;
    for path in &files {
        let text = std::fs::read_to_string(path)
            .map_err(CommandError::while_(format!("read {}", path.display())))?;
        let file = Arc::new(SourceFile { path: path.display().to_string(), text });
        let canonical = engine_config::format(&file)?;
        if canonical == file.text {
            continue;
        }
        changed += 1;
        line(path.display())?;
        if !check {
            replace(path, &canonical).map_err(CommandError::while_(format!("write {}", path.display())))?;
        }
    }
    Ok(if check && changed > 0 { Exit::Unformatted } else { Exit::Success })
}

/// Finds `*.hcl` files, leaving out hidden directories.
fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let failed = || format!("list {}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(CommandError::while_(failed()))? {
        let entry = entry.map_err(CommandError::while_(failed()))?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(CommandError::while_(failed()))?;
        if kind.is_dir() && !name.to_string_lossy().starts_with('.') {
            collect(&path, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "hcl") {
            files.push(path);
        }
    }
    Ok(())
}
