//! `git` as a child process: scrubbed environment, bounded time and output.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine_core::ports::StateError;

use super::answer::{self, Answer, Fault};

/// How long one `git` may take, prompts for a password included.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long errors may trail behind the exit. A connection that `ssh` shares with later calls keeps the error
/// stream open for ever. Nobody else has the output, which is awaited to its end: on a busy machine the thread that
/// reads it may be late, and an answer that is missing would read as a remote without a state.
const GRACE: Duration = Duration::from_millis(200);

/// The most bytes kept of each output stream.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// The most bytes that the directory of packs may have while `git` fetches: a whole chain has less.
const PACK_LIMIT: u64 = 512 * 1024 * 1024;

/// Variables of Git that say how the user reaches a server. All others (`GIT_DIR`, `GIT_TRACE`, …) are
/// dropped: they would redirect us or print credentials.
const KEPT: [&str; 4] = ["GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO"];

/// What sets variables of definitions, which may be secret: no child has a use for them.
const VARIABLE: &str = "TERRANE_VAR_";

/// Settings that win over everything passed on.
///
/// Redirects are not followed: what is passed on to one server, a header with a token above all, `git` would send to
/// whichever server that one names.
const FIXED: [(&str, &str); 9] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.fsync", "all"),
    ("gc.auto", "0"),
    ("http.followRedirects", "false"),
    ("maintenance.auto", "false"),
    ("push.gpgSign", "false"),
    ("submodule.recurse", "false"),
    ("transfer.fsckObjects", "true"),
];

/// The environment variables of a process.
#[derive(Debug, Clone)]
pub(super) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Returns the variables of this process.
    pub(super) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Returns the variables under which `git config` shows the user's configuration: all but those that
    /// point at another repository or write a trace.
    pub(super) fn for_reading(&self) -> Self {
        self.without(|name| {
            name.starts_with("GIT_") && !name.starts_with("GIT_CONFIG") || name.starts_with(VARIABLE)
        })
        .with([("LC_ALL", "C")])
    }

    /// Returns the variables under which `git` talks to a remote: no configuration but what is passed here,
    /// no hooks, only the protocols that the state may travel by.
    ///
    /// # Source
    /// git(1), "Environment variables"; git-config(1), `GIT_CONFIG_COUNT`.
    pub(super) fn for_transport(&self, passed: &[(String, String)]) -> Self {
        let prompt = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let fixed = FIXED.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings: Vec<_> = passed.iter().chain(&fixed).collect();
        let mut environment = self
            .without(|name| name.starts_with("GIT_") && !KEPT.contains(&name) || name.starts_with(VARIABLE))
            .with([
                ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("GIT_CONFIG_NOSYSTEM", "1"),
                ("GIT_NO_REPLACE_OBJECTS", "1"),
                ("GIT_TERMINAL_PROMPT", if prompt { "1" } else { "0" }),
                ("LC_ALL", "C"),
            ])
            .with([("GIT_CONFIG_COUNT", settings.len().to_string())]);
        for (idx, (key, value)) in settings.into_iter().enumerate() {
            environment = environment
                .with([(format!("GIT_CONFIG_KEY_{idx}"), key), (format!("GIT_CONFIG_VALUE_{idx}"), value)]);
        }
        environment
    }

    fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !name.to_str().is_some_and(&drop));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub(super) fn with<K: Into<OsString>, V: Into<OsString> + AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.0.extend(variables.map(|(name, value)| (name.into(), value.into())));
        self
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// What a child left behind.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) stdout: String,
    stderr: String,
    /// How long it took.
    pub(super) took: Duration,
    /// Why it was ended before it was done.
    cut: Option<&'static str>,
}

impl Output {
    /// Returns what `git` said of its failure, without credentials.
    pub(super) fn answer(&self, secrets: &[String]) -> Answer {
        let clean = |said: &str| {
            let secrets = secrets.iter().filter(|secret| !secret.is_empty());
            without_user_info(
                &secrets.fold(said.to_owned(), |said, secret| said.replace(secret.as_str(), "***")),
            )
        };
        match self.cut {
            Some(reason) => Answer { fault: Fault::Broken, reason: reason.into() },
            None => answer::read(&clean(&self.stdout), &clean(&self.stderr)),
        }
    }
}

/// What one `git` may use up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    time: Duration,
    /// The Git directory whose packs grow, and how far.
    packs: Option<(&'a Path, u64)>,
}

impl<'a> Limits<'a> {
    /// Bounds the time only.
    pub(super) const TIME: Self = Self { time: DEADLINE, packs: None };

    /// Bounds also what is put into this Git directory.
    pub(super) fn of(git_directory: &'a Path) -> Self {
        Self { packs: Some((git_directory, PACK_LIMIT)), ..Self::TIME }
    }

    #[cfg(test)]
    pub(super) fn tight(time: Duration, packs: (&'a Path, u64)) -> Self {
        Self { time, packs: Some(packs) }
    }

    /// Returns which limit is passed.
    fn passed(&self, start: Instant) -> Option<&'static str> {
        if start.elapsed() >= self.time {
            return Some("git gave no answer in time and was ended");
        }
        let (directory, limit) = self.packs?;
        let files = std::fs::read_dir(directory.join("objects").join("pack")).into_iter().flatten().flatten();
        let bytes: u64 = files.filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum();
        (bytes > limit).then_some("the remote sends more than a state can be; git was ended")
    }
}

/// Runs `git` in a directory until it exits or passes its limits.
///
/// # Errors
/// There is no `git` that could be started.
pub(super) fn run(
    directory: &Path,
    environment: &Environment,
    args: &[&str],
    limits: Limits<'_>,
) -> Result<Output, StateError> {
    let command = args.iter().find(|arg| !arg.starts_with('-')).unwrap_or(&"");
    let start = Instant::now();
    let mut child = Command::new("git")
        .args(args)
        .current_dir(directory)
        .env_clear()
        .envs(&environment.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| StateError::Local(format!("`git {command}` cannot be run: {error}")))?;
    let stdout = Stream::drain(child.stdout.take());
    let stderr = Stream::drain(child.stderr.take());
    let ended = wait(&mut child, limits);
    Ok(Output {
        success: ended == Ok(true),
        // What a killed child began may hold its output open.
        stdout: stdout.collect(if ended.is_ok() { DEADLINE } else { GRACE }),
        stderr: stderr.collect(GRACE),
        took: start.elapsed(),
        cut: ended.err(),
    })
}

/// Returns whether the child succeeded, or why it was killed.
///
/// The exit is polled for: the end of its output would be no sign of it, since grandchildren share the pipes.
fn wait(child: &mut Child, limits: Limits<'_>) -> Result<bool, &'static str> {
    let start = Instant::now();
    let mut reason = "git cannot be waited for";
    while let Ok(ended) = child.try_wait() {
        if let Some(status) = ended {
            return Ok(status.success());
        }
        if let Some(passed) = limits.passed(start) {
            reason = passed;
            break;
        }
        // The exit is noticed at most a sixteenth late.
        std::thread::sleep(
            (start.elapsed() / 16).clamp(Duration::from_micros(500), Duration::from_millis(20)),
        );
    }
    let killed = child.kill().and_then(|()| child.wait());
    if let Err(error) = killed {
        tracing::warn!(%error, "a git process could not be ended");
    }
    Err(reason)
}

/// An output stream, read by a thread so that the child never blocks on it.
struct Stream {
    kept: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Stream {
    fn drain(source: Option<impl Read + Send + 'static>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (sender, end) = mpsc::channel();
        let sink = Arc::clone(&kept);
        std::thread::spawn(move || {
            // Dropped at the end of the stream, which ends the wait in `collect`.
            let _sender = sender;
            let mut buffer = [0; 8192];
            let mut source = source;
            while let Some(read) = source.as_mut().and_then(|source| source.read(&mut buffer).ok()) {
                if read == 0 {
                    break;
                }
                let mut kept = sink.lock().unwrap_or_else(PoisonError::into_inner);
                let room = OUTPUT_LIMIT.saturating_sub(kept.len()).min(read);
                kept.extend_from_slice(&buffer[..room]);
            }
        });
        Self { kept, end }
    }

    /// Returns what was read when the stream ends, or after this time.
    fn collect(self, patience: Duration) -> String {
        // Either error means that there is no more to wait for: the stream ended, or the patience did.
        self.end.recv_timeout(patience).unwrap_or_default();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// Replaces `user:password@` in URLs.
pub(super) fn without_user_info(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|char: char| char == '/' || char == '\'' || char == '"' || char.is_whitespace())
            .unwrap_or(part.len());
        let host = part[..end].rfind('@').map_or(0, |at| at + 1);
        clean.push_str("://");
        if host > 0 {
            clean.push_str("***@");
        }
        clean.push_str(&part[host..]);
    }
    clean
}
