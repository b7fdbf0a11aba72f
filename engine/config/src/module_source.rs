//! Where a module of another repository is: what `source` of a `module` block says.
//!
//! # Source
//! `OpenTofu` documentation, "Module Sources": generic Git repositories, sub-directories, `ref`.

use std::fmt;

use engine_core::value::Text;

use crate::source::inside;

/// A module in a Git repository: `git::URL//DIRECTORY?ref=REF`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleSource {
    /// The repository, without credentials.
    pub url: Text,
    /// The tag, branch or commit.
    pub reference: Text,
    /// The module's directory in the repository, `.` for its root.
    pub directory: Text,
}

/// Why a text names no module: what is wrong, what to write, and whether the text may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SourceFault {
    pub(crate) summary: String,
    pub(crate) hint: &'static str,
    pub(crate) holds_credentials: bool,
}

const FORM: &str = "write `source = \"git::https://HOST/PATH.git//DIRECTORY?ref=TAG\"`";
const LOCAL: &str =
    "put the module into modules/NAME at the root of the repository and write `NAME \"…\" { … }`";
const CREDENTIALS: &str = "let Git's credential helper know them: nothing secret belongs into a definition";
const REFERENCE: &str = "add `?ref=` with a tag, a branch or the 40 digits of a commit";

/// Schemes by which a repository is fetched.
const SCHEMES: [&str; 3] = ["https", "ssh", "file"];

impl ModuleSource {
    /// Reads a source.
    ///
    /// # Errors
    /// It is in another form, has no `ref`, or holds credentials.
    pub(crate) fn parse(text: &str) -> Result<Self, SourceFault> {
        let (is_git, rest) = match text.strip_prefix("git::") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.starts_with(['.', '/']) {
            return Err(fault("a module of this repository needs no source", LOCAL));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (url, directory) = split(place);
        check_url(url, is_git)?;
        let reference = reference(query)?;
        let directory =
            inside(directory).ok_or_else(|| fault("the directory leads out of the repository", FORM))?;
        Ok(Self { url: url.into(), reference, directory: directory.into() })
    }
}

/// Prints the source as a definition may write it.
impl fmt::Display for ModuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "git::{}", self.url)?;
        if self.directory != "." {
            write!(f, "//{}", self.directory)?;
        }
        write!(f, "?ref={}", self.reference)
    }
}

fn fault(summary: impl Into<String>, hint: &'static str) -> SourceFault {
    SourceFault { summary: summary.into(), hint, holds_credentials: false }
}

/// Splits `URL//DIRECTORY`; the `//` behind a scheme is none of these.
fn split(place: &str) -> (&str, &str) {
    let start = place.find("://").map_or(0, |at| at + 3);
    // `file:///path` has a third slash that begins the path.
    let start = if place.get(start..).is_some_and(|rest| rest.starts_with('/')) { start + 1 } else { start };
    match place.get(start..).and_then(|rest| rest.find("//")) {
        Some(at) => (&place[..start + at], place[start + at + 2..].trim_matches('/')),
        None => (place, "."),
    }
}

fn check_url(url: &str, is_git: bool) -> Result<(), SourceFault> {
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) || url.starts_with('-') {
        return Err(fault("the source is no URL", FORM));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        // `user@host:path`, which is how ssh writes it.
        let is_scp = url.split_once(':').is_some_and(|(host, path)| host.contains('@') && !path.is_empty());
        return if is_scp { Ok(()) } else { Err(fault("the source is no Git repository", FORM)) };
    };
    if !SCHEMES.contains(&scheme) {
        let summary = format!("a module cannot be fetched by {scheme:?}");
        return Err(fault(summary, "use https, ssh or file"));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let is_secret = user.is_some_and(|user| scheme != "ssh" || user.contains(':'));
    if is_secret {
        let summary = "the source holds credentials".to_owned();
        return Err(SourceFault { summary, hint: CREDENTIALS, holds_credentials: true });
    }
    if (authority.is_empty() && scheme != "file") || rest.len() <= authority.len() + 1 {
        return Err(fault("the source is no URL", FORM));
    }
    if !is_git && scheme == "https" && !url.trim_end_matches('/').ends_with(".git") {
        return Err(fault("the source does not say that it is a Git repository", FORM));
    }
    Ok(())
}

/// Reads `ref=REF`.
///
/// # Source
/// git-check-ref-format(1).
fn reference(query: &str) -> Result<Text, SourceFault> {
    let mut reference = None;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("ref", value)) => reference = Some(value),
            Some(("sshkey", _)) => {
                let summary = "the source holds credentials".to_owned();
                return Err(SourceFault { summary, hint: CREDENTIALS, holds_credentials: true });
            }
            _ => return Err(fault("a source takes no argument but ref", FORM)),
        }
    }
    let reference = reference.ok_or_else(|| fault("the source is not pinned", REFERENCE))?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '+' | '@');
    let is_ref = !reference.is_empty()
        && reference.chars().all(good)
        && !reference.starts_with(['-', '/', '.', '@'])
        && !reference.ends_with(['/', '.'])
        && !["..", "//", "@{", "/."].iter().any(|part| reference.contains(part));
    if is_ref { Ok(reference.into()) } else { Err(fault("ref is no tag, branch or commit", REFERENCE)) }
}

#[cfg(test)]
mod tests;
