//! Private files that are old or new after a crash, never half.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::random;

/// Writes a file that only its owner can read: beside it first, synced, then renamed over it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let draft = draft(path)?;
    let written = write(&draft, content).and_then(|()| fs::rename(&draft, path));
    if written.is_err() && draft.exists() {
        fs::remove_file(&draft)?;
    }
    written?;
    sync_directory(directory)
}

/// Returns the file's content, `None` when there is no file.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets only its owner read a file that is created with these options.
pub(crate) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes a work directory and has Git ignore what is in it.
pub(crate) fn prepare(work_directory: &Path) -> io::Result<()> {
    fs::create_dir_all(work_directory)?;
    let ignore = work_directory.join(".gitignore");
    if ignore.exists() { Ok(()) } else { replace(&ignore, b"*\n") }
}

/// Returns a new name beside a path.
pub(crate) fn draft(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.tmp", hex::encode(random::bytes::<8>()?)));
    Ok(path.with_file_name(name))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a rename durable. Only Unix lets a directory be synced.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
