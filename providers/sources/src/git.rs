//! `git` as a child process, to fetch: scrubbed environment, bounded time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::SourceError;

/// How long one `git` may take, prompts for a password included.
const DEADLINE: Duration = Duration::from_secs(300);

/// The most bytes kept of each output stream.
const OUTPUT_BYTES: u64 = 1 << 20;

/// The most characters shown of what `git` says on failure.
const MESSAGE_CHARS: usize = 1000;

/// Variables of Git that say how the user reaches a server. All others are dropped: they would redirect us or print
/// credentials.
const KEPT: [&str; 4] = ["GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO"];

/// Settings that win over everything passed on.
const FIXED: [(&str, &str); 6] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("transfer.fsckObjects", "true"),
];

type Variables = BTreeMap<OsString, OsString>;

/// A repository of our own that `git` fetches into: no configuration, hooks or objects of the user's have a part in it.
pub(crate) struct Git<'a> {
    directory: &'a Path,
    variables: Variables,
}

impl<'a> Git<'a> {
    /// Prepares calls in a bare repository.
    ///
    /// # Errors
    /// The user's configuration cannot be read.
    pub(crate) fn new(directory: &'a Path) -> Result<Self, SourceError> {
        let process: Variables = std::env::vars_os().collect();
        let reading = without(&process, |name| name.starts_with("GIT_") && !name.starts_with("GIT_CONFIG"));
        let listing = ["config", "--list", "--show-scope", "--includes", "-z"];
        let listed = Self { directory, variables: reading }.run(&listing)?;
        let passed = passed_on(&listed);
        let mut variables = without(&process, |name| name.starts_with("GIT_") && !KEPT.contains(&name));
        let prompt = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let fixed = FIXED.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings: Vec<_> = passed.into_iter().chain(fixed).collect();
        for (name, value) in [
            ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_TERMINAL_PROMPT", if prompt { "1" } else { "0" }),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_COUNT", &settings.len().to_string()),
        ] {
            variables.insert(name.into(), value.into());
        }
        for (idx, (key, value)) in settings.into_iter().enumerate() {
            variables.insert(format!("GIT_CONFIG_KEY_{idx}").into(), key.into());
            variables.insert(format!("GIT_CONFIG_VALUE_{idx}").into(), value.into());
        }
        Ok(Self { directory, variables })
    }

    /// Runs `git` until it exits or its time is over; returns what it printed.
    ///
    /// # Errors
    /// It fails, or there is none.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, SourceError> {
        let failed = |why: String| SourceError::Fetch { command: arguments[0].to_owned(), why };
        let mut child = Command::new("git")
            .args(arguments)
            .current_dir(self.directory)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let Some(success) = wait(&mut child) else {
            return Err(failed(format!("no answer within {} seconds", DEADLINE.as_secs())));
        };
        let (stdout, stderr) = (collect(stdout), if success { String::new() } else { collect(stderr) });
        if success { Ok(stdout) } else { Err(failed(shown(&stderr))) }
    }
}

fn without(variables: &Variables, drop: impl Fn(&str) -> bool) -> Variables {
    let kept = variables.iter().filter(|(name, _)| !name.to_str().is_some_and(&drop));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the settings that say how to reach and to authenticate at a server. All of them are the user's own: the
/// repository that this runs in is ours.
fn passed_on(listing: &str) -> Vec<(String, String)> {
    let mut parts = listing.split('\0');
    let entries = std::iter::from_fn(move || Some((parts.next()?, parts.next()?)));
    let trusted = entries.filter(|(scope, _)| matches!(*scope, "system" | "global" | "command"));
    let pairs = trusted.filter_map(|(_, entry)| entry.split_once('\n'));
    pairs.filter(|(key, _)| may_pass(key)).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn may_pass(key: &str) -> bool {
    let (section, name) = (key.split('.').next(), key.rsplit('.').next().unwrap_or_default());
    match section {
        Some("credential") => true,
        Some("http") => matches!(name, "extraheader" | "proxy" | "sslcainfo"),
        Some("url") => name == "insteadof",
        Some("core") => name == "sshcommand",
        _ => false,
    }
}

fn drain(source: Option<impl Read + Send + 'static>) -> Option<JoinHandle<Vec<u8>>> {
    let mut source = source?;
    Some(std::thread::spawn(move || {
        let mut kept = Vec::new();
        // What cannot be read is not shown; the exit code decides.
        source.by_ref().take(OUTPUT_BYTES).read_to_end(&mut kept).unwrap_or_default();
        std::io::copy(&mut source, &mut std::io::sink()).unwrap_or_default();
        kept
    }))
}

fn collect(stream: Option<JoinHandle<Vec<u8>>>) -> String {
    let bytes = stream.and_then(|stream| stream.join().ok()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns whether the child succeeded, `None` when it was killed at its deadline.
fn wait(child: &mut Child) -> Option<bool> {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => break,
        }
    }
    // Killed or gone: either way there is nothing more to do about it.
    child.kill().and_then(|()| child.wait()).map_or(None, |_| None)
}

/// Returns what `git` said on one line, without credentials.
fn shown(said: &str) -> String {
    let clean: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = clean.split_whitespace().map(without_user);
    words.collect::<Vec<_>>().join(" ").chars().take(MESSAGE_CHARS).collect()
}

/// Replaces `user:password@` in a word that is a URL.
fn without_user(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '\'', '"']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_access_is_passed_on() {
        let listing = "global\0credential.helper\nx\0local\0credential.helper\ny\0global\0core.fsmonitor\nz\0system\0url.ssh://a/.insteadof\nb\0";
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(passed_on(listing), [pair("credential.helper", "x"), pair("url.ssh://a/.insteadof", "b")]);
    }

    #[test]
    fn what_git_says_is_shown_without_credentials() {
        assert_eq!(
            shown("fatal: 'https://user:pw@git.example.com/x/':\n\u{1b}[2J no"),
            "fatal: 'https://***@git.example.com/x/': [2J no"
        );
        assert_eq!(shown("ssh://git@host/x"), "ssh://***@host/x");
    }
}
