//! The store on disk: a snapshot and a log of the writes after it.
//!
//! Both files hold one JSON record a line. The snapshot is replaced atomically; a log line cut off by a crash is dropped
//! when the directory is opened again. Every file is readable by its owner only, since Secrets are in them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Key;
use crate::error::GroupResource;

const SNAPSHOT: &str = "objects.jsonl";
const LOG: &str = "writes.jsonl";
const LOCK: &str = "lock";

// The log is folded into the snapshot when it has this many lines more than twice the objects.
const LOG_SLACK: usize = 4096;

/// Why a directory could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Another process holds it.
    Locked,
    /// A file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line that is not the last cannot be read.
    Corrupt(PathBuf, serde_json::Error),
}

/// How long a lock may outlive its holder: a program that the holder was just starting has the lock's file open
/// until it has begun.
const LINGER: Duration = Duration::from_millis(250);

fn take(lock: &File, path: PathBuf) -> Result<(), OpenError> {
    let since = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(OpenError::Io(path, error)),
            Err(TryLockError::WouldBlock) if since.elapsed() > LINGER => return Err(OpenError::Locked),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// What a directory held.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// The last version.
    pub version: u64,
    /// The objects.
    pub objects: BTreeMap<Key, Value>,
}

#[derive(Serialize, Deserialize)]
struct Record<T> {
    version: u64,
    group: String,
    resource: String,
    namespace: String,
    name: String,
    object: Option<T>,
}

/// The open files of a store.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    log: File,
    lines: usize,
    // Held for the lifetime of the store; released by the operating system when it is closed.
    _lock: File,
}

impl Disk {
    /// Opens `directory`, made if absent, and reads what it holds.
    pub fn open(directory: &Path) -> Result<(Self, Saved), OpenError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Io(path, error)
        };
        fs::create_dir_all(directory).map_err(at(directory))?;
        let lock_path = directory.join(LOCK);
        let lock = private(&lock_path).map_err(at(&lock_path))?;
        take(&lock, lock_path)?;
        let mut saved = Saved::default();
        read_into(&directory.join(SNAPSHOT), &mut saved)?;
        let log_path = directory.join(LOG);
        let (lines, intact) = read_into(&log_path, &mut saved)?;
        let mut log = private(&log_path).map_err(at(&log_path))?;
        log.set_len(intact).and_then(|()| log.seek(io::SeekFrom::End(0))).map_err(at(&log_path))?;
        Ok((Self { directory: directory.to_owned(), log, lines, _lock: lock }, saved))
    }

    /// Adds one write to the log, in a single system call so that a crash can only cut the last line.
    pub fn append(&mut self, version: u64, key: &Key, object: Option<&Value>) -> io::Result<()> {
        self.log.write_all(&line(version, key, object)?)?;
        self.lines += 1;
        Ok(())
    }

    /// Whether the log has grown enough to be folded, given the number of objects.
    pub fn is_due(&self, objects: usize) -> bool {
        self.lines > objects * 2 + LOG_SLACK
    }

    /// Replaces the snapshot by these objects and empties the log. A crash between the two is harmless: the log's
    /// records are older than the snapshot and are skipped.
    pub fn snapshot<'a>(
        &mut self,
        version: u64,
        objects: impl Iterator<Item = (Key, &'a Value)>,
    ) -> io::Result<()> {
        let target = self.directory.join(SNAPSHOT);
        let temporary = self.directory.join(format!("{SNAPSHOT}.new"));
        let mut file = BufWriter::new(private(&temporary)?);
        file.get_ref().set_len(0)?;
        for (key, object) in objects {
            file.write_all(&line(version, &key, Some(object))?)?;
        }
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&temporary, &target)?;
        File::open(&self.directory)?.sync_all()?;
        self.log.set_len(0)?;
        self.log.rewind()?;
        self.lines = 0;
        Ok(())
    }
}

/// Opens a file for reading and writing, made with mode 0600.
pub(crate) fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn line(version: u64, key: &Key, object: Option<&Value>) -> io::Result<Vec<u8>> {
    let record = Record {
        version,
        group: key.resource.group.clone(),
        resource: key.resource.resource.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        object,
    };
    let mut bytes = serde_json::to_vec(&record)?;
    bytes.push(b'\n');
    Ok(bytes)
}

// Returns the number of records and the length of the file up to the last whole line.
fn read_into(path: &Path, saved: &mut Saved) -> Result<(usize, u64), OpenError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(OpenError::Io(path.to_owned(), error)),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let floor = saved.version;
    let mut lines = 0;
    for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record: Record<Value> =
            serde_json::from_slice(line).map_err(|error| OpenError::Corrupt(path.to_owned(), error))?;
        lines += 1;
        if record.version <= floor {
            continue;
        }
        saved.version = saved.version.max(record.version);
        let resource = GroupResource { group: record.group, resource: record.resource };
        let key = Key { resource, namespace: record.namespace, name: record.name };
        match record.object {
            Some(object) => saved.objects.insert(key, object),
            None => saved.objects.remove(&key),
        };
    }
    Ok((lines, whole as u64))
}
