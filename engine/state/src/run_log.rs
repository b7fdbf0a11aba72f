//! What a run did since its last revision, in a private file of the work directory; and the lock by which the next run
//! on this machine knows whether that run still lives.
//!
//! The file begins with the run that writes it, and has a line for each object that was written or deleted. A run that
//! ends well removes it. The lock is the operating system's and ends with the process, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use engine_core::mark::{EnvironmentName, Lineage};
use engine_core::ports;
use engine_core::state::{Deed, LeftBehind};
use engine_core::value::Text;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::format::{DeedLine, Schema};

/// The files of one environment in a work directory.
#[derive(Debug, Clone)]
pub struct RunFiles {
    log: PathBuf,
    lock: PathBuf,
}

/// That this process is the one on this machine that changes an environment. Ends when it is dropped.
#[derive(Debug)]
pub struct LocalLock {
    _file: File,
}

#[derive(Serialize, Deserialize)]
struct Head {
    lineage: Text,
    run: Text,
    /// The dead runs whose lock this one means to take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    displaced: Vec<Text>,
    /// That of the state; a log without one is as old as the first.
    #[serde(default = "first_schema")]
    schema: i64,
}

fn first_schema() -> i64 {
    Schema::One.number()
}

impl RunFiles {
    /// Names the files of an environment; `work_directory` is the `.terrane` directory beside the definition.
    pub fn new(work_directory: &Path, environment: &EnvironmentName) -> Self {
        Self {
            log: work_directory.join(format!("run-{environment}.jsonl")),
            lock: work_directory.join(format!("run-{environment}.lock")),
        }
    }

    /// Takes the lock of this work directory, `None` while another process has it.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn try_lock(&self) -> io::Result<Option<LocalLock>> {
        file::prepare(self.lock.parent().unwrap_or(Path::new(".")))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        file::private(&mut options);
        let file = options.open(&self.lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(LocalLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns what the last run here left behind, `None` if it ended well. What a crash cut off at the end counts as
    /// not written. Only the holder of the lock may trust that the run is dead.
    ///
    /// # Errors
    /// The file cannot be read, or is no log.
    pub fn left_behind(&self) -> io::Result<Option<LeftBehind>> {
        let Some(content) = file::read(&self.log)? else { return Ok(None) };
        decode(&content).map(Some).map_err(|reason| {
            let path = self.log.display();
            let message =
                format!("{path} is no log of a run: {reason}; remove it, the clusters tell the same");
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// Removes what the last run left behind.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.log) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins the log of a run. It keeps what a dead run left behind, until all of it is in the chain.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&self, lineage: &Lineage, run: &Text, left: Option<&LeftBehind>) -> io::Result<RunLog> {
        let displaced = left.map(LeftBehind::runs).unwrap_or_default();
        let schema = Schema::NEWEST.number();
        let head = Head { lineage: lineage.as_str().into(), run: run.clone(), displaced, schema };
        let mut content = serde_json::to_vec(&head)?;
        content.push(b'\n');
        for deed in left.iter().flat_map(|left| &left.deeds) {
            content.extend(line(deed)?);
        }
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.log.display()));
        file::replace(&self.log, &content).map_err(named)?;
        let file = OpenOptions::new().append(true).open(&self.log).map_err(named)?;
        let (sender, deeds) = mpsc::channel();
        let path = self.log.clone();
        let writer = thread::spawn(move || write_all(file, &path, &deeds));
        Ok(RunLog { path: self.log.clone(), writer: Mutex::new(Some((sender, writer))) })
    }
}

/// The log of a run that goes on.
pub struct RunLog {
    path: PathBuf,
    writer: Mutex<Option<(Sender<Deed>, JoinHandle<()>)>>,
}

impl RunLog {
    /// Ends the writer when all that was noted is on disk.
    fn finish(&self) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((sender, writer)) = writer {
            drop(sender);
            if writer.join().is_err() {
                tracing::warn!(path = %self.path.display(), "the log of the run was not written to its end");
            }
        }
    }
}

impl ports::RunLog for RunLog {
    fn note(&self, deed: &Deed) {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((sender, _)) = &*writer {
            // A writer that is gone has said why.
            drop(sender.send(deed.clone()));
        }
    }

    fn close(&self) {
        self.finish();
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the log of the run cannot be removed");
        }
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Writes what comes, and syncs it before it looks for more: what came meanwhile goes to disk together.
fn write_all(mut file: File, path: &Path, deeds: &Receiver<Deed>) {
    while let Ok(first) = deeds.recv() {
        let batch = std::iter::once(first).chain(deeds.try_iter());
        let lines: io::Result<Vec<Vec<u8>>> = batch.map(|deed| line(&deed)).collect();
        let written = lines.and_then(|lines| file.write_all(&lines.concat()).and_then(|()| file.sync_data()));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "the log of the run cannot be written");
            return;
        }
    }
}

fn line(deed: &Deed) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&DeedLine::from(deed))?;
    line.push(b'\n');
    Ok(line)
}

fn decode(content: &[u8]) -> Result<LeftBehind, String> {
    let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |idx| idx + 1);
    let mut lines = content[..end].split_inclusive(|byte| *byte == b'\n');
    let head: Head = match lines.next() {
        Some(line) => serde_json::from_slice(line).map_err(|error| error.to_string())?,
        None => return Err("it is empty".into()),
    };
    let schema = Schema::of(head.schema).ok_or_else(|| {
        format!(
            "it has schema {}, this version of terrane reads up to {}",
            head.schema,
            Schema::NEWEST.number()
        )
    })?;
    let deeds = lines.map(|line| {
        let line: DeedLine<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        line.read(schema)
    });
    Ok(LeftBehind {
        lineage: head.lineage.parse().map_err(|error| format!("lineage: {error}"))?,
        run: head.run,
        displaced: head.displaced,
        deeds: deeds.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
