//! A state as one document, for other programs.

use engine_core::state::State;
use engine_core::value::Value;

use super::{FormatError, Schema, encode};

/// Returns a state as one value: `schema`, and `meta`, `objects` and `intents` as the files have them.
///
/// # Errors
/// As [`encode`].
pub fn document(state: &State) -> Result<Value, FormatError> {
    let files = encode(state)?;
    let lines = |file: &str, bytes: &[u8]| {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let read =
            |line| serde_json::from_slice(line).map_err(|error| FormatError::new(file, error.to_string()));
        lines.map(read).collect::<Result<Vec<Value>, _>>()
    };
    let meta = lines(super::META, &files.meta)?.into_iter().next().unwrap_or_default();
    Ok(Value::map([
        ("schema", Value::from(Schema::NEWEST.number())),
        ("meta", meta),
        ("objects", Value::list(lines(super::OBJECTS, &files.objects)?)),
        ("intents", Value::list(lines(super::INTENTS, &files.intents)?)),
    ]))
}
