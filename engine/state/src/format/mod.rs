//! The format: a [`State`] as three canonical files.
//!
//! The same state always gives the same bytes, so equal states are equal blobs. The reader tolerates fields
//! that it does not know, reads every schema there has been, refuses a newer one, and never trusts what it reads.

mod canonical;
mod document;
mod meta;
mod output;
mod record;

use std::collections::btree_map::Entry;

use engine_core::ports::StateError;
use engine_core::state::State;
use serde::{Deserialize, Serialize};

use crate::line::single_line;
pub(crate) use canonical::{Lines, head};
pub use document::document;
use meta::Meta;
pub(crate) use record::DeedLine;
use record::{IntentLine, ObjectLine};

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Schema {
    /// With whole hashes in hexadecimal digits, a kind with its group, and the Namespace among what an object depends on.
    One = 1,
    /// As this version writes it.
    Two = 2,
}

impl Schema {
    /// The one that this version writes.
    pub(crate) const NEWEST: Self = Self::Two;

    /// Returns the schema of a number, `None` if this version cannot read it.
    pub(crate) fn of(number: i64) -> Option<Self> {
        [Self::One, Self::Two].into_iter().find(|schema| schema.number() == number)
    }

    pub(crate) fn number(self) -> i64 {
        self as i64
    }
}

/// The most bytes that the three files may have together.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;

const META: &str = "meta.json";
const OBJECTS: &str = "objects.jsonl";
const INTENTS: &str = "intents.jsonl";

/// The files of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `meta.json`: identity, serial, holder, clusters, outputs. One line.
    pub meta: Vec<u8>,
    /// `objects.jsonl`: one record a line, in the order of object references.
    pub objects: Vec<u8>,
    /// `intents.jsonl`: one planned write a line, in the order of the plan.
    pub intents: Vec<u8>,
}

impl Files {
    /// The names, in the order of [`Files::contents`].
    pub(crate) const NAMES: [&str; 3] = [META, OBJECTS, INTENTS];

    /// Returns the contents in the order of [`Files::NAMES`].
    pub(crate) fn contents(&self) -> [&[u8]; 3] {
        [&self.meta, &self.objects, &self.intents]
    }
}

/// The files are no state that this version can read, or the state is none that it could read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct FormatError {
    place: String,
    reason: String,
    is_newer: bool,
}

impl FormatError {
    fn new(place: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self { place: place.into(), reason: single_line(reason.as_ref(), 300), is_newer: false }
    }

    /// Tells whether the state is none that this version can read because a newer one wrote it.
    pub fn is_newer(&self) -> bool {
        self.is_newer
    }
}

impl From<FormatError> for StateError {
    fn from(error: FormatError) -> Self {
        match error.is_newer {
            true => Self::Newer(error.to_string()),
            false => Self::Corrupt(error.to_string()),
        }
    }
}

/// Writes a state.
///
/// # Errors
/// The state would not read back as itself, or is larger than [`MAX_BYTES`].
pub fn encode(state: &State) -> Result<Files, FormatError> {
    let files = Files {
        meta: to_line(META, &Meta::of(state)?)?,
        objects: to_lines(OBJECTS, state.records.iter().map(ObjectLine::from))?,
        intents: to_lines(INTENTS, state.intents.iter().map(IntentLine::from))?,
    };
    // What cannot be read back must never become the tip of a chain.
    if decode(&files)? == *state {
        Ok(files)
    } else {
        Err(FormatError::new(META, "a name, a uid or an output does not read back as it is"))
    }
}

/// Reads a state.
///
/// # Errors
/// The files have a newer schema, are truncated, ambiguous or larger than [`MAX_BYTES`], or hold an object
/// twice. The error names file and line.
pub fn decode(files: &Files) -> Result<State, FormatError> {
    let bytes: usize = files.contents().iter().map(|content| content.len()).sum();
    if bytes > MAX_BYTES {
        let reason = format!("the state has {bytes} bytes, more than {MAX_BYTES}");
        return Err(FormatError::new(META, reason));
    }
    whole(META, &files.meta)?;
    let meta = Meta::read(&files.meta)?;
    let (counts, schema) = (meta.counts(), meta.schema()?);
    let mut state = meta.into_state()?;
    each_line(OBJECTS, &files.objects, counts.objects, |line: ObjectLine<'_>| {
        let (object_ref, record) = line.read(schema)?;
        match state.records.entry(object_ref) {
            Entry::Occupied(twice) => return Err(format!("{:?} is recorded twice", twice.key())),
            Entry::Vacant(place) => drop(place.insert(record)),
        }
        Ok(())
    })?;
    each_line(INTENTS, &files.intents, counts.intents, |line: IntentLine<'_>| {
        state.intents.push(line.read(schema)?);
        Ok(())
    })?;
    Ok(state)
}

fn at_line(file: &str, idx: usize, reason: impl AsRef<str>) -> FormatError {
    FormatError::new(format!("{file}, line {}", idx + 1), reason)
}

fn to_line<T: Serialize>(file: &str, line: &T) -> Result<Vec<u8>, FormatError> {
    let mut bytes = serde_json::to_vec(line).map_err(|error| FormatError::new(file, error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn to_lines<T: Serialize>(file: &str, lines: impl Iterator<Item = T>) -> Result<Vec<u8>, FormatError> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(to_line(file, &line)?);
    }
    Ok(bytes)
}

/// Reads lines whose number is known: a file cut at the end of a line must not read as a smaller state.
/// A number that is cut short is still a number: only the end of the line tells that a file is whole.
fn whole(file: &str, bytes: &[u8]) -> Result<(), FormatError> {
    if bytes.is_empty() || bytes.ends_with(b"\n") {
        Ok(())
    } else {
        Err(FormatError::new(file, "the last line is cut off"))
    }
}

fn each_line<'a, T: Deserialize<'a>>(
    file: &str,
    bytes: &'a [u8],
    expected: u64,
    mut take: impl FnMut(T) -> Result<(), String>,
) -> Result<(), FormatError> {
    whole(file, bytes)?;
    let mut found = 0;
    for (idx, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let read = serde_json::from_slice(line).map_err(|error| error.to_string());
        read.and_then(&mut take).map_err(|reason| at_line(file, idx, reason))?;
        found += 1;
    }
    if found == expected {
        return Ok(());
    }
    Err(FormatError::new(file, format!("{META} counts {expected} lines, the file has {found}")))
}

#[cfg(test)]
pub(crate) mod tests;
