//! Processes: started in groups of their own, found in `/proc`, stopped and killed.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A process and those that it starts; all are killed with this value.
pub struct Group(Child);

impl Group {
    /// Starts a command as the leader of a new group.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.process_group(0).spawn().map(Self)
    }

    /// Sends a signal to all of the group, as when the whole machine stalls or dies.
    pub fn signal_all(&self, signal: Signal) {
        // The leader is not waited for yet, so its number is nobody else's. It may have ended by itself.
        kill_process_group(Pid::from_child(&self.0), signal).unwrap_or_default();
    }

    /// Sends a signal to the leader alone: what it started goes on.
    pub fn signal_leader(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap_or_default();
    }

    /// Returns how the leader ended, `None` while it runs.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.signal_all(Signal::KILL);
            self.0.wait().map(drop).unwrap_or_default();
        }
    }
}

/// A running process, as `/proc` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number and when it was started: both together are nobody else's.
    pub id: (i32, String),
    /// Its words, separated by spaces.
    pub command: String,
}

impl Found {
    /// Kills it.
    pub fn kill(&self) {
        if let Some(pid) = Pid::from_raw(self.id.0) {
            kill_process(pid, Signal::KILL).unwrap_or_default();
        }
    }
}

/// Returns the processes that work in a directory or below it.
///
/// # Source
/// proc(5): `cwd`, `cmdline`, and the 22nd field of `stat`.
pub fn working_in(directory: &Path) -> Vec<Found> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| look(&entry.path(), directory)).collect()
}

fn look(process: &Path, directory: &Path) -> Option<Found> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let works_in: PathBuf = std::fs::read_link(process.join("cwd")).ok()?;
    if !works_in.starts_with(directory) {
        return None;
    }
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The second field is a name in parentheses, which may hold spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.to_owned();
    let command = String::from_utf8_lossy(&std::fs::read(process.join("cmdline")).ok()?).replace('\0', " ");
    (state != "Z").then_some(Found { id: (pid, started), command })
}
