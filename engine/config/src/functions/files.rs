//! Functions on files. No file outside the repository is read, whatever links point to.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::{Call, FunctionContext, FunctionError, Row, plain};
use crate::expr_value::ExprValue;
use crate::types::Type;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// How many files and directories `fileset` looks at.
const MAX_ENTRIES: usize = 100_000;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("basename(path: string) -> string", "Returns the last part of a path.",
        r#"basename("a/b.yaml") == "b.yaml""#, |call| Ok(ExprValue::string(last_part(call.text(0)?)))),
    plain("dirname(path: string) -> string", "Returns a path without its last part.",
        r#"dirname("a/b.yaml") == "a""#, |call| {
            let path = call.text(0)?;
            Ok(ExprValue::string(clean(&path[..path.rfind('/').map_or(0, |slash| slash + 1)])))
        }),
    plain("file(path: string) -> string", "Returns the text of a file of the repository.",
        r#"trimspace(file("hello.txt")) == "hello""#, |call| Ok(ExprValue::text(read_text(call)?.into()))),
    plain("filebase64(path: string) -> string", "Returns the contents of a file in Base64.",
        r#"filebase64("hello.txt") == base64encode(file("hello.txt"))"#,
        |call| Ok(ExprValue::string(BASE64_STANDARD.encode(read(call)?)))),
    plain("fileexists(path: string) -> bool", "Tells whether there is such a file in the repository.",
        r#"fileexists("hello.txt") && !fileexists("none.txt")"#, |call| {
            let path = call.context.repository().join(call.text(0)?.as_str());
            if !path.exists() {
                return Ok(false.into());
            }
            if !jailed(call, 0)?.is_file() {
                return Err(FunctionError::path(0, format!("{:?} is no regular file", call.text(0)?.as_str())));
            }
            Ok(true.into())
        }),
    plain("fileset(directory: string, pattern: string) -> set(string)",
        "Returns the files below a directory whose path matches the pattern: *, **, ?, [a-z], {a,b}.",
        r#"fileset(".", "*.txt") == toset(["hello.txt"])"#, file_set),
];

/// Returns what stands behind the last slash that is not at the end.
fn last_part(path: &str) -> &str {
    let without_end = path.trim_end_matches('/');
    match (path, without_end) {
        ("", _) => ".",
        (_, "") => "/",
        (_, path) => path.rsplit('/').next().unwrap_or(path),
    }
}

/// Returns the shortest path that means the same: no empty parts, no `.`, no `..` that can be left out.
fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(&last)) if last != ".." => drop(parts.pop()),
            ("..", None) if absolute => {}
            (part, _) => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Returns the real path of an argument, which must lie in the repository.
fn jailed(call: &Call<'_>, idx: usize) -> Result<PathBuf, FunctionError> {
    let written = call.text(idx)?;
    let repository = canonical(call.context.repository(), idx, written)?;
    let path = canonical(&call.context.repository().join(written.as_str()), idx, written)?;
    if path.starts_with(&repository) {
        Ok(path)
    } else {
        let message = format!("{written:?} lies outside the repository");
        Err(FunctionError::path(idx, message))
    }
}

fn canonical(path: &Path, idx: usize, written: &str) -> Result<PathBuf, FunctionError> {
    path.canonicalize().map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        FunctionError::path(idx, format!("cannot read {written:?}: {reason}"))
    })
}

pub(super) fn read(call: &Call<'_>) -> Result<Vec<u8>, FunctionError> {
    let written = call.text(0)?;
    let refuse = |reason: &str| FunctionError::path(0, format!("cannot read {written:?}: {reason}"));
    let path = jailed(call, 0)?;
    // Looked at before it is opened: opening a pipe would wait for its other end.
    if !path.is_file() {
        return Err(refuse("it is no regular file"));
    }
    let file = File::open(&path).map_err(|error| refuse(&error.to_string()))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err(refuse("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| refuse(&error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse("it is larger than 4 MiB"));
    }
    let digest = hex::encode(Sha256::digest(&bytes));
    call.context.record(in_repository(call.context, &path), digest);
    call.budget.bytes(bytes.len() as u64)?;
    Ok(bytes)
}

/// Returns the path relative to the repository, under which a file is recorded.
fn in_repository(context: &FunctionContext, path: &Path) -> PathBuf {
    let repository = context.repository().canonicalize();
    let relative = repository.ok().and_then(|root| path.strip_prefix(root).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned())
}

pub(super) fn read_text(call: &Call<'_>) -> Result<String, FunctionError> {
    String::from_utf8(read(call)?)
        .map_err(|_| FunctionError::argument(0, "the file is no text in UTF-8; filebase64 reads any file"))
}

fn file_set(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let root = jailed(call, 0)?;
    let pattern = call.text(1)?;
    let glob = glob(pattern).ok_or_else(|| FunctionError::argument(1, "invalid pattern"))?;
    let mut found = Vec::new();
    let mut seen = 0;
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory)
            .map_err(|error| FunctionError::argument(0, format!("cannot list the directory: {error}")))?;
        for entry in entries.filter_map(Result::ok) {
            seen += 1;
            if seen > MAX_ENTRIES {
                let message = format!("there are more than {MAX_ENTRIES} files below the directory");
                return Err(FunctionError::argument(0, message));
            }
            // Links are not followed: the type is that of the entry itself.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file()
                && let Some(path) = relative(&entry.path(), &root)
                && glob.is_match(&path)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    let listing = in_repository(call.context, &root).join(pattern.as_str());
    call.context.record(listing, hex::encode(Sha256::digest(found.join("\n"))));
    Ok(ExprValue::set(Type::String, found.iter().map(ExprValue::string)))
}

/// Returns the path below `root` with slashes.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let parts = path.strip_prefix(root).ok()?.components();
    let parts: Option<Vec<_>> = parts
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    parts.map(|parts| parts.join("/"))
}

/// Compiles a pattern of paths.
fn glob(pattern: &str) -> Option<Regex> {
    let mut regex = String::from("^");
    let mut rest = pattern;
    let mut braces = 0;
    while let Some(char) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("**/") {
            regex.push_str("(?:[^/]+/)*");
            rest = tail;
            continue;
        }
        if let Some(tail) = rest.strip_prefix("**") {
            regex.push_str(".*");
            rest = tail;
            continue;
        }
        match char {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '[' => {
                let (class, tail) = class(rest)?;
                regex.push_str(&class);
                rest = tail;
                continue;
            }
            '\\' => {
                rest = &rest[1..];
                let escaped = rest.chars().next()?;
                regex.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
                rest = &rest[escaped.len_utf8()..];
                continue;
            }
            char => regex.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[char.len_utf8()..];
    }
    regex.push('$');
    Regex::new(&regex).ok()
}

/// Returns the class of characters that a pattern starts with, and what follows it.
fn class(pattern: &str) -> Option<(String, &str)> {
    let inner = pattern.strip_prefix('[')?;
    let (negated, inner) = match inner.strip_prefix(['^', '!']) {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let (members, tail) = inner.split_once(']').filter(|(members, _)| !members.is_empty())?;
    let mut class = String::from(if negated { "[^/" } else { "[" });
    for char in members.chars() {
        match char {
            '-' => class.push('-'),
            char => class.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
    }
    class.push(']');
    Some((class, tail))
}
