//! The key of an environment's sensitive digests, kept in a private file of the work directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine_core::digest::SealKey;
use engine_core::mark::Lineage;

use crate::{file, random};

/// Returns the key of a lineage, `None` when this work directory has none.
///
/// `work_directory` is the `.terrane` directory beside the definition.
///
/// # Errors
/// The file cannot be read, is not 32 bytes long, or (Unix) can be read by others than its owner.
pub fn seal_key(work_directory: &Path, lineage: &Lineage) -> io::Result<Option<SealKey>> {
    let path = path(work_directory, lineage);
    let Some(content) = file::read(&path)? else {
        return Ok(None);
    };
    check_private(&path)?;
    let bytes = <[u8; 32]>::try_from(content).map_err(|_| {
        let message = format!("the seal key {} is not 32 bytes long", path.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    Ok(Some(SealKey::new(bytes)))
}

/// Returns the key of a lineage, drawing and keeping a new one when this work directory has none.
///
/// Another work directory has another key, or none: there the sensitive part of a digest proves nothing and
/// the server is asked.
///
/// # Errors
/// As [`seal_key`], or the file cannot be written.
pub fn create_seal_key(work_directory: &Path, lineage: &Lineage) -> io::Result<SealKey> {
    if let Some(key) = seal_key(work_directory, lineage)? {
        return Ok(key);
    }
    file::prepare(work_directory)?;
    let bytes = random::bytes::<32>()?;
    file::replace(&path(work_directory, lineage), &bytes)?;
    Ok(SealKey::new(bytes))
}

fn path(work_directory: &Path, lineage: &Lineage) -> PathBuf {
    work_directory.join("keys").join(format!("{lineage}.key"))
}

#[cfg(unix)]
fn check_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let message = format!("the seal key {0} can be read by others: run `chmod 600 {0}`", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let directory = tempfile::tempdir().unwrap();
        let lineage = Lineage::new([7; 16]);
        assert!(seal_key(directory.path(), &lineage).unwrap().is_none());
        let made = create_seal_key(directory.path(), &lineage).unwrap();
        let again = create_seal_key(directory.path(), &lineage).unwrap();
        let read = seal_key(directory.path(), &lineage).unwrap().unwrap();
        assert_eq!(made.expose(), again.expose());
        assert_eq!(made.expose(), read.expose());
        let other = Lineage::new([8; 16]);
        assert!(seal_key(directory.path(), &other).unwrap().is_none());
        let ignored = fs::read_to_string(directory.path().join(".gitignore")).unwrap();
        assert_eq!(ignored, "*\n");
    }

    #[test]
    fn a_key_that_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let lineage = Lineage::new([7; 16]);
        file::replace(&path(directory.path(), &lineage), b"short").unwrap();
        let error = seal_key(directory.path(), &lineage).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let lineage = Lineage::new([7; 16]);
        create_seal_key(directory.path(), &lineage).unwrap();
        let path = path(directory.path(), &lineage);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = seal_key(directory.path(), &lineage).err().unwrap();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
