//! Whether files are what [`encode`](super::encode) writes, to the byte, but for fields that a later version has added.

use std::collections::HashMap;
use std::sync::Arc;

use engine_core::mark::EnvironmentName;
use engine_core::object_ref::ObjectRef;
use serde_json::Value;

use super::meta::Meta;
use super::record::{IntentLine, ObjectLine};
use super::{FormatError, INTENTS, META, Schema, at_line, to_line, whole};
use crate::step::Step;

/// How many lines are remembered: some tens of megabytes.
const REMEMBERED: usize = 200_000;

/// What `meta.json` says of the whole.
pub(crate) struct Head {
    pub(crate) schema: Schema,
    pub(crate) environment: EnvironmentName,
    pub(crate) step: Step,
    pub(crate) objects: u64,
    pub(crate) intents: u64,
}

/// Reads `meta.json`, which must be canonical.
pub(crate) fn head(bytes: &[u8]) -> Result<Head, FormatError> {
    whole(META, bytes)?;
    let meta = Meta::read(bytes)?;
    if !is_canonical(bytes, &to_line(META, &meta)?) {
        return Err(FormatError::new(META, NOT_CANONICAL));
    }
    let (counts, schema) = (meta.counts(), meta.schema()?);
    let state = meta.into_state()?;
    Ok(Head {
        schema,
        step: Step::of(&state),
        environment: state.environment,
        objects: counts.objects,
        intents: counts.intents,
    })
}

const NOT_CANONICAL: &str = "it is not in the canonical form, which this version would write";

/// Lines of a schema that were found good, so that none is looked at twice.
pub(crate) struct Lines {
    schema: Schema,
    objects: HashMap<Vec<u8>, Arc<ObjectRef>>,
}

impl Lines {
    pub(crate) fn of(schema: Schema) -> Self {
        Self { schema, objects: HashMap::new() }
    }

    /// Checks a file of lines, and returns how many it has. That they are canonical can be told of the newest schema only:
    /// this version writes no other.
    pub(crate) fn check(&mut self, file: &str, bytes: &[u8]) -> Result<u64, FormatError> {
        whole(file, bytes)?;
        let mut before: Option<Arc<ObjectRef>> = None;
        let mut count = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let fault = |reason: String| at_line(file, count, reason);
            if file == INTENTS {
                self.intent(line).map_err(fault)?;
            } else {
                let object_ref = self.object(line).map_err(fault)?;
                if before.as_ref().is_some_and(|before| *before >= object_ref) {
                    return Err(at_line(
                        file,
                        count,
                        format!("{object_ref:?} is not in order, or is there twice"),
                    ));
                }
                before = Some(object_ref);
            }
            count += 1;
        }
        Ok(count as u64)
    }

    fn object(&mut self, line: &[u8]) -> Result<Arc<ObjectRef>, String> {
        if let Some(object_ref) = self.objects.get(line) {
            return Ok(object_ref.clone());
        }
        let parsed: ObjectLine<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        let (object_ref, record) = parsed.read(self.schema)?;
        self.canonical(line, &ObjectLine::from((&object_ref, &record)))?;
        if self.objects.len() >= REMEMBERED {
            self.objects.clear();
        }
        let object_ref = Arc::new(object_ref);
        self.objects.insert(line.to_vec(), object_ref.clone());
        Ok(object_ref)
    }

    fn intent(&self, line: &[u8]) -> Result<(), String> {
        let parsed: IntentLine<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        self.canonical(line, &IntentLine::from(&parsed.read(self.schema)?))
    }

    fn canonical(&self, line: &[u8], parsed: &impl serde::Serialize) -> Result<(), String> {
        let written = to_line("", parsed).map_err(|error| error.to_string())?;
        let is_good = self.schema < Schema::NEWEST || is_canonical(line, &written);
        if is_good { Ok(()) } else { Err(NOT_CANONICAL.into()) }
    }
}

/// Tells whether a line is what this version would write, or that and more: fields that a later version has added, which
/// are passed over wherever a state is read.
fn is_canonical(line: &[u8], written: &[u8]) -> bool {
    if line == written {
        return true;
    }
    let read = |line: &[u8]| serde_json::from_slice::<Value>(line).ok();
    let (Some(mut found), Some(known)) = (read(line), read(written)) else { return false };
    let is_compact = to_line("", &found).is_ok_and(|again| again == line);
    leave_known(&mut found, &known);
    is_compact && to_line("", &found).is_ok_and(|rest| rest == written)
}

/// Takes out what this version passes over.
fn leave_known(found: &mut Value, known: &Value) {
    match (found, known) {
        (Value::Object(found), Value::Object(known)) => {
            found.retain(|name, _| known.contains_key(name));
            found.iter_mut().for_each(|(name, value)| leave_known(value, &known[name]));
        }
        (Value::Array(found), Value::Array(known)) => {
            found.iter_mut().zip(known).for_each(|(found, known)| leave_known(found, known));
        }
        _ => {}
    }
}
