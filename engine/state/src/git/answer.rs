//! What a `git` that failed says: which kind of fault it is, and in whose words.
//!
//! Whether a push landed is never read from this text: the ref decides. The text tells whether another attempt can
//! help, and it is what people read.

use crate::line::single_line;

/// The most characters shown of what `git` or a server says.
const REASON_LIMIT: usize = 1000;

/// Why a `git` failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another process is moving the ref, or left its lock file behind.
    Busy,
    /// A rule of the server is against it: the next attempt would fare the same.
    Refused,
    /// The server does not know us, or we do not know the server.
    Unauthorized,
    /// `git` itself does not go there.
    Unusable,
    /// The connection broke while the server was at work: a push may have landed, or land yet.
    Broken,
    /// There was no connection.
    Unreachable,
    /// The disk of this machine is full or read-only.
    Local,
}

/// A fault and its description, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) fault: Fault,
    pub(super) reason: String,
}

/// The server's ref was moved, or is being moved, by somebody else. The first ones are said by `git` before it asks
/// the server, the others by the server.
const BUSY: [&str; 12] = [
    "stale info",
    "fetch first",
    "non-fast-forward",
    "remote ref updated since checkout",
    "failed to update ref",
    "cannot lock ref",
    "failed to lock",
    "reference already exists",
    "incorrect old value",
    "unable to update local ref",
    "shallow.lock",
    "shallow file has changed",
];

/// A ref that cannot be: `a` beside `a/b`. No attempt helps, although the words are those of a busy ref.
const IN_THE_WAY: [&str; 2] = ["exists; cannot create", "directory file conflict"];

const UNAUTHORIZED: [&str; 16] = [
    "authentication failed",
    "authentication required",
    "could not read username",
    "could not read password",
    "terminal prompts disabled",
    "permission denied",
    "host key verification failed",
    "remote host identification has changed",
    "access denied",
    "not allowed to push code to this project",
    "returned error: 401",
    "returned error: 403",
    "repository not found",
    "don't have permission",
    "denied to",
    "ssl certificate problem",
];

/// The server names another address.
const REDIRECTED: [&str; 5] = [
    "returned error: 301",
    "returned error: 302",
    "returned error: 303",
    "returned error: 307",
    "returned error: 308",
];

const UNUSABLE: [&str; 2] = ["not allowed", "unable to find remote helper"];

/// What servers refuse without an answer for the ref.
const REFUSED: [&str; 3] = ["http 413", "returned error: 413", "shallow update not allowed"];

const BROKEN: [&str; 7] = [
    "hung up unexpectedly",
    "unexpected disconnect",
    "rpc failed",
    "early eof",
    "failed to report status",
    "connection reset",
    "broken pipe",
];

const LOCAL: [&str; 4] = [
    "no space left on device",
    "disk quota exceeded",
    "read-only file system",
    "unable to create temporary file",
];

/// Reads what `git push --porcelain`, `git fetch` or `git ls-remote` left behind when it failed.
///
/// # Source
/// git-push(1), "Output": with `--porcelain` a line per ref, `<flag> TAB <from>:<to> TAB <summary> (<reason>)`.
pub(super) fn read(stdout: &str, stderr: &str) -> Answer {
    match stdout.lines().find_map(|line| line.strip_prefix("!\t")) {
        Some(line) => of_ref(line, stderr),
        None if says(stderr, &REDIRECTED) => {
            let said = all(stdout, stderr);
            let reason = format!("{said}; redirects are not followed: name the address that it leads to");
            Answer { fault: Fault::Unusable, reason }
        }
        None => Answer { fault: of_words(stderr), reason: all(stdout, stderr) },
    }
}

/// Reads the line of a ref that was not moved.
fn of_ref(line: &str, stderr: &str) -> Answer {
    let summary = line.split('\t').nth(1).unwrap_or(line).trim();
    let said = format!("{summary}\n{stderr}").to_lowercase();
    let fault = if says(summary, &["[remote failure]"]) {
        Fault::Broken
    } else if says(summary, &BUSY) && !says(&said, &IN_THE_WAY) {
        Fault::Busy
    } else {
        Fault::Refused
    };
    let words = of_server(stderr);
    let summary = summary.trim_start_matches("[remote rejected]").trim_start_matches("[rejected]").trim();
    let reason = if words.is_empty() { summary.to_owned() } else { format!("{words} {summary}") };
    Answer { fault, reason: single_line(&reason, REASON_LIMIT) }
}

/// Tells the fault where no ref has an answer of its own.
fn of_words(stderr: &str) -> Fault {
    let ours: String =
        stderr.lines().filter(|line| !line.starts_with("remote:")).collect::<Vec<_>>().join("\n");
    let table: [(&str, &[&str], Fault); 7] = [
        (stderr, &REFUSED, Fault::Refused),
        (&ours, &LOCAL, Fault::Local),
        (stderr, &BUSY, Fault::Busy),
        (stderr, &UNAUTHORIZED, Fault::Unauthorized),
        // A 413, 401 or 403 also ends with a connection that breaks.
        (stderr, &BROKEN, Fault::Broken),
        (&ours, &UNUSABLE, Fault::Unusable),
        ("", &[""], Fault::Unreachable),
    ];
    let found = table.into_iter().find(|(said, words, _)| says(said, words));
    found.map_or(Fault::Unreachable, |(_, _, fault)| fault)
}

fn says(said: &str, words: &[&str]) -> bool {
    let said = said.to_lowercase();
    words.iter().any(|word| said.contains(word))
}

/// Returns the server's own words: the lines that `git` passes on from it.
fn of_server(stderr: &str) -> String {
    let lines = stderr.lines().filter_map(|line| line.strip_prefix("remote:"));
    // Servers draw rules and frames.
    let words = lines.map(str::trim).filter(|line| line.chars().any(char::is_alphanumeric));
    words.collect::<Vec<_>>().join("; ")
}

fn all(stdout: &str, stderr: &str) -> String {
    single_line(if stderr.trim().is_empty() { stdout } else { stderr }, REASON_LIMIT)
}

#[cfg(test)]
mod tests;
