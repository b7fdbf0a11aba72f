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

use crate::line::single_line;

/// How long one `git` may take, prompts for a password included.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long output may trail behind the exit. A connection that `ssh` shares with later calls keeps the error
/// stream open for ever.
const GRACE: Duration = Duration::from_millis(200);

/// The most bytes kept of each output stream.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// The most characters shown of what `git` says on failure.
const MESSAGE_LIMIT: usize = 1000;

/// Variables of Git that say how the user reaches a server. All others (`GIT_DIR`, `GIT_TRACE`, …) are
/// dropped: they would redirect us or print credentials.
const KEPT: [&str; 4] = ["GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO"];

/// Settings that win over everything passed on.
const FIXED: [(&str, &str); 8] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.fsync", "all"),
    ("gc.auto", "0"),
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
        self.without(|name| name.starts_with("GIT_") && !name.starts_with("GIT_CONFIG"))
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
            .without(|name| name.starts_with("GIT_") && !KEPT.contains(&name))
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

    fn with<K: Into<OsString>, V: Into<OsString> + AsRef<OsStr>>(
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
}

impl Output {
    /// Returns what `git` said of its failure, on one line, without credentials.
    pub(super) fn reason(&self, secrets: &[String]) -> String {
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let said = secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(said.clone(), |said, secret| said.replace(secret.as_str(), "***"));
        single_line(&without_user_info(&said), MESSAGE_LIMIT)
    }
}

/// Runs `git` in a directory until it exits or its time is over.
pub(super) fn run(directory: &Path, environment: &Environment, args: &[&str]) -> Result<Output, StateError> {
    let command = args.iter().find(|arg| !arg.starts_with('-')).unwrap_or(&"");
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
    let Some(success) = wait(&mut child) else {
        let seconds = DEADLINE.as_secs();
        return Err(StateError::Unreachable(format!(
            "`git {command}` gave no answer within {seconds} seconds"
        )));
    };
    Ok(Output { success, stdout: stdout.collect(), stderr: stderr.collect() })
}

/// Returns whether the child succeeded, `None` when it was killed at its deadline.
///
/// The exit is polled for: the end of its output would be no sign of it, since grandchildren share the pipes.
fn wait(child: &mut Child) -> Option<bool> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(500);
    while start.elapsed() < DEADLINE {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(pause),
            Err(_) => break,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    let killed = child.kill().and_then(|()| child.wait());
    if let Err(error) = killed {
        tracing::warn!(%error, "a git process could not be ended");
    }
    None
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

    fn collect(self) -> String {
        // Either error means that there is no more to wait for: the stream ended, or the grace did.
        self.end.recv_timeout(GRACE).unwrap_or_default();
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
