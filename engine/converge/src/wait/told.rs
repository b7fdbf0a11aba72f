//! What the user was told of a wait.

use std::sync::Mutex;

use super::lock;

/// The longest text of a cluster that is passed on, in characters.
const LONGEST: usize = 400;
/// The longest text of a program that is passed on, in characters.
pub(super) const LONGEST_QUOTE: usize = 200;

/// What a wait is known to lack, and why.
pub(super) struct Told<'a> {
    report: &'a (dyn Fn(&str) + Send + Sync),
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    missing: Option<String>,
    cause: Option<String>,
    /// Whether anybody looked for a cause.
    searched: bool,
}

impl<'a> Told<'a> {
    pub(super) fn new(report: &'a (dyn Fn(&str) + Send + Sync)) -> Self {
        Self { report, known: Mutex::default() }
    }

    /// Tells what is missing, if that is news.
    pub(super) fn missing(&self, missing: Option<String>) {
        if missing.is_some() {
            self.tell(|known| known.missing = missing);
        }
    }

    /// Tells why, if that is known and news.
    pub(super) fn cause(&self, cause: Option<String>) {
        self.tell(|known| {
            known.cause = cause;
            known.searched = true;
        });
    }

    /// Tells why, if what was told does not begin with the same words.
    pub(super) fn cause_at_least(&self, words: &str) {
        if self.known_cause().is_none_or(|known| !known.starts_with(words)) {
            self.cause(Some(words.to_owned()));
        }
    }

    /// Tells whether anybody has looked for a cause.
    pub(super) fn is_searched(&self) -> bool {
        lock(&self.known).searched
    }

    /// Returns why, as far as it is known.
    pub(super) fn known_cause(&self) -> Option<String> {
        lock(&self.known).cause.clone()
    }

    /// Returns what is missing.
    pub(super) fn last(&self) -> String {
        lock(&self.known).missing.clone().unwrap_or_else(|| "nothing was heard of it".into())
    }

    /// Returns what is missing, and why as far as it is known.
    pub(super) fn whole(&self) -> String {
        self.known_cause().map_or_else(|| self.last(), |cause| join(&self.last(), &cause))
    }

    fn tell(&self, change: impl FnOnce(&mut Known)) {
        let mut known = lock(&self.known);
        let before = known.words();
        change(&mut known);
        let now = known.words();
        drop(known);
        if let Some(now) = now.filter(|now| before.as_ref() != Some(now)) {
            (self.report)(&now);
        }
    }
}

impl Known {
    fn words(&self) -> Option<String> {
        match (&self.missing, &self.cause) {
            (Some(missing), Some(cause)) => Some(join(missing, cause)),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        }
    }
}

/// Puts a cause behind what it is the cause of, which may be a sentence.
pub(super) fn join(what: &str, cause: &str) -> String {
    format!("{}: {cause}", what.trim_end_matches('.'))
}

/// Returns text of a cluster as one line that is not too long.
pub(super) fn line(text: &str) -> String {
    cut(text, LONGEST)
}

/// Returns text of a program as one line that is not too long.
pub(super) fn quote(text: &str) -> String {
    cut(text, LONGEST_QUOTE)
}

fn cut(text: &str, longest: usize) -> String {
    let mut out = String::new();
    let mut chars = text.trim().chars();
    for char in chars.by_ref().take(longest) {
        match char {
            '\n' | '\r' | '\t' => out.push(' '),
            char if char.is_control() => out.extend(char.escape_default()),
            char => out.push(char),
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
    out
}
