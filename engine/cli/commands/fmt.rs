//! `terrane fmt`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::SourceFile;
use engine_render::source_diff;

use crate::error::{CommandError, Exit};
use crate::files::replace;
use crate::session::{Context, failure_text};
use crate::terminal::{line, print, say};

/// What to do with files that are not in the canonical style.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Write nothing, and say by the exit code whether a file differs.
    pub check: bool,
    /// Print the differences.
    pub diff: bool,
    /// Go into the directories of directories.
    pub recursive: bool,
}

/// Rewrites files in the canonical style and names those that changed. `-` alone formats standard input.
pub fn run(paths: &[PathBuf], wish: Wish, context: Context) -> Result<Exit, CommandError> {
    if let [path] = paths
        && path.as_os_str() == "-"
    {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .read_to_string(&mut text)
            .map_err(CommandError::while_("read standard input"))?;
        return standard_input(SourceFile { path: "<stdin>".into(), text }, wish, context);
    }
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, wish.recursive, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    let (mut changed, mut faulty) = (false, false);
    for path in &files {
        let text = std::fs::read_to_string(path)
            .map_err(CommandError::while_(format!("read {}", path.display())))?;
        let file = Arc::new(SourceFile { path: path.display().to_string(), text });
        match engine_config::format(&file) {
            Ok(canonical) if canonical == file.text => {}
            Ok(canonical) => {
                changed = true;
                rewrite(path, &file, &canonical, wish)?;
            }
            Err(faults) => {
                faulty = true;
                say(&failure_text(&faults.into(), context));
            }
        }
    }
    Ok(exit(wish, changed, faulty))
}

fn exit(wish: Wish, changed: bool, faulty: bool) -> Exit {
    match (faulty, changed && wish.check) {
        (true, _) => Exit::BadInput,
        (false, true) => Exit::Unformatted,
        (false, false) => Exit::Success,
    }
}

fn rewrite(path: &Path, file: &SourceFile, canonical: &str, wish: Wish) -> Result<(), CommandError> {
    line(path.display())?;
    if wish.diff {
        print(&source_diff(&file.path, &file.text, canonical))?;
    }
    if wish.check {
        return Ok(());
    }
    replace(path, canonical).map_err(CommandError::while_(format!("write {}", path.display())))
}

fn standard_input(file: SourceFile, wish: Wish, context: Context) -> Result<Exit, CommandError> {
    let file = Arc::new(file);
    match engine_config::format(&file) {
        Err(faults) => {
            say(&failure_text(&faults.into(), context));
            Ok(Exit::BadInput)
        }
        Ok(canonical) => {
            if wish.diff {
                print(&source_diff(&file.path, &file.text, &canonical))?;
            } else if !wish.check {
                print(&canonical)?;
            }
            Ok(exit(wish, canonical != file.text, false))
        }
    }
}

/// Finds the files of definitions and variables, leaving out hidden ones and the copies that editors make.
fn collect(directory: &Path, recursive: bool, files: &mut Vec<PathBuf>) -> Result<(), CommandError> {
    let failed = || format!("list {}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(CommandError::while_(failed()))? {
        let entry = entry.map_err(CommandError::while_(failed()))?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_copy = name.ends_with('~') || name.starts_with('#') && name.ends_with('#');
        if name.starts_with('.') || is_copy {
            continue;
        }
        let kind = entry.file_type().map_err(CommandError::while_(failed()))?;
        let is_ours = path.extension().is_some_and(|extension| extension == "hcl" || extension == "tfvars");
        if kind.is_dir() && recursive {
            collect(&path, recursive, files)?;
        } else if kind.is_file() && is_ours {
            files.push(path);
        }
    }
    Ok(())
}
