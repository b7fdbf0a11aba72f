//! The repository that the participants push to, with a log of all moves of its refs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::process::{self, Found};

/// How the server keeps its refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefFormat {
    /// A file per ref.
    Files,
    /// Tables, since Git 2.45.
    Reftable,
}

impl RefFormat {
    /// Returns why the installed `git` cannot do that.
    pub fn obstacle(self) -> Option<String> {
        let version = run(Command::new("git").arg("--version")).ok()?;
        let mut numbers = version.split_whitespace().nth(2)?.split('.').map_while(|part| part.parse().ok());
        let found: (u32, u32) = (numbers.next()?, numbers.next()?);
        (self == Self::Reftable && found < (2, 45))
            .then(|| format!("git {}.{} has no reftable, 2.45 has", found.0, found.1))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Reftable => "reftable",
        }
    }
}

/// Notes each phase of each move: what the ref was to be before, and what it becomes.
///
/// # Source
/// githooks(5), `reference-transaction`.
const HOOK: &str = "#!/bin/sh
while read -r old new name; do
  case \"$name\" in
    refs/terrane/*) echo \"$1 $old $new $name\" >> moves.log ;;
  esac
done
";

/// A bare repository.
pub struct Server {
    directory: PathBuf,
    refs: RefFormat,
}

/// Which file it is: a number may be given again, but not with the same time.
type Identity = (u64, i64, i64);

/// How long a lock file must have been there before it is suspected of having no owner.
const SUSPICIOUS: Duration = Duration::from_millis(500);

/// The lock file of a ref, when nobody is seen to hold it.
pub struct Suspect {
    identity: Identity,
    since: Instant,
    /// Who worked in the repository when the file was first seen: only they can own it.
    owners: Vec<Found>,
}

impl Server {
    /// Makes the repository.
    ///
    /// # Errors
    /// `git` fails.
    pub fn new(directory: &Path, refs: RefFormat) -> Result<Self, Fault> {
        let mut init = Command::new("git");
        init.args(["init", "--quiet", "--bare"]);
        if refs == RefFormat::Reftable {
            init.arg(format!("--ref-format={}", refs.as_str()));
        }
        run(init.arg(directory))?;
        let server = Self { directory: directory.to_path_buf(), refs };
        server.git(&["config", "http.receivepack", "true"])?;
        let hook = directory.join("hooks").join("reference-transaction");
        fs::create_dir_all(directory.join("hooks"))?;
        // By another process: what is open for writing cannot be run, and a process that another thread starts just now
        // holds what is open here.
        let source = directory.join("hooks").join("source");
        fs::write(&source, HOOK)?;
        run(Command::new("install").args(["-m", "755"]).args([&source, &hook]))?;
        Ok(server)
    }

    /// Returns where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs `git` in it.
    ///
    /// # Errors
    /// `git` fails.
    pub fn git(&self, args: &[&str]) -> Result<String, Fault> {
        run(Command::new("git").arg("--git-dir=.").args(args).current_dir(&self.directory))
    }

    /// Returns the moves that the hook noted, as `phase old new name`.
    ///
    /// # Errors
    /// There is no log.
    pub fn moves(&self) -> Result<String, Fault> {
        Ok(fs::read_to_string(self.directory.join("moves.log"))?)
    }

    /// Returns the file that locks an environment's ref.
    pub fn lock_file(&self, environment: &str) -> PathBuf {
        match self.refs {
            RefFormat::Files => self.directory.join(format!("refs/terrane/state/{environment}.lock")),
            RefFormat::Reftable => self.directory.join("reftable/tables.list.lock"),
        }
    }

    /// Returns the processes that serve a push.
    pub fn receivers(&self) -> Vec<Found> {
        let mut all = process::working_in(&self.directory);
        all.retain(|found| found.command.contains("receive-pack"));
        all
    }

    /// Removes a lock file whose owner was killed, as an administrator would: when all who worked in the repository at
    /// the time when it was first seen have ended, and it is still the same file. A stopped owner is waited for.
    pub fn tend(&self, environment: &str, suspect: &mut Option<Suspect>) {
        let lock = self.lock_file(environment);
        let Some(identity) = identity(&lock) else {
            *suspect = None;
            return;
        };
        let here = process::working_in(&self.directory);
        match suspect {
            Some(known) if known.identity == identity => {
                known.owners.retain(|owner| here.iter().any(|found| found.id == owner.id));
                if known.owners.is_empty() && known.since.elapsed() > SUSPICIOUS {
                    fs::remove_file(&lock).unwrap_or_default();
                    *suspect = None;
                }
            }
            _ => *suspect = Some(Suspect { identity, since: Instant::now(), owners: here }),
        }
    }
}

/// Waits until nobody works in a directory or below it, but for an `sshd`, which ends later.
///
/// # Errors
/// Somebody does not end.
pub fn settle(directory: &Path) -> Result<(), Fault> {
    let mut left = Vec::new();
    for _ in 0..100 {
        left = process::working_in(directory);
        left.retain(|found| !found.command.contains("sshd"));
        if left.is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("still running: {left:?}").into())
}

fn identity(path: &Path) -> Option<Identity> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.ctime(), found.ctime_nsec()))
}

/// Runs a command; returns what it prints.
///
/// # Errors
/// It cannot be started, or fails: with what it says.
pub fn run(command: &mut Command) -> Result<String, Fault> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}
