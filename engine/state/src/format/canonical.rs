//! Whether files are what [`encode`](super::encode) writes, to the byte.

use std::collections::HashMap;
use std::sync::Arc;

use engine_core::mark::EnvironmentName;
use engine_core::object_ref::ObjectRef;
use engine_core::state::{Intent, ResourceRecord};

use super::meta::Meta;
use super::record::{IntentLine, ObjectLine};
use super::{FormatError, INTENTS, META, at_line, to_line, whole};
use crate::step::Step;

/// How many lines are remembered: some tens of megabytes.
const REMEMBERED: usize = 200_000;

/// What `meta.json` says of the whole.
pub(crate) struct Head {
    pub(crate) environment: EnvironmentName,
    pub(crate) step: Step,
    pub(crate) objects: u64,
    pub(crate) intents: u64,
}

/// Reads `meta.json`, which must be canonical.
pub(crate) fn head(bytes: &[u8]) -> Result<Head, FormatError> {
    whole(META, bytes)?;
    let meta = Meta::read(bytes)?;
    if to_line(META, &meta)? != bytes {
        return Err(FormatError::new(META, NOT_CANONICAL));
    }
    let counts = meta.counts();
    let state = meta.into_state()?;
    Ok(Head {
        step: Step::of(&state),
        environment: state.environment,
        objects: counts.objects,
        intents: counts.intents,
    })
}

const NOT_CANONICAL: &str = "it is not in the canonical form, which this version would write";

/// Lines that were found canonical, so that none is looked at twice.
#[derive(Default)]
pub(crate) struct Lines {
    objects: HashMap<Vec<u8>, Arc<ObjectRef>>,
}

impl Lines {
    /// Checks a file of lines, and returns how many it has.
    pub(crate) fn check(&mut self, file: &str, bytes: &[u8]) -> Result<u64, FormatError> {
        whole(file, bytes)?;
        let mut before: Option<Arc<ObjectRef>> = None;
        let mut count = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let fault = |reason: String| at_line(file, count, reason);
            if file == INTENTS {
                intent(line).map_err(fault)?;
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
        let (object_ref, record): (ObjectRef, ResourceRecord) = parsed.try_into()?;
        canonical(line, &ObjectLine::from((&object_ref, &record)))?;
        if self.objects.len() >= REMEMBERED {
            self.objects.clear();
        }
        let object_ref = Arc::new(object_ref);
        self.objects.insert(line.to_vec(), object_ref.clone());
        Ok(object_ref)
    }
}

fn intent(line: &[u8]) -> Result<(), String> {
    let parsed: IntentLine<'_> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let intent: Intent = parsed.try_into()?;
    canonical(line, &IntentLine::from(&intent))
}

fn canonical(line: &[u8], parsed: &impl serde::Serialize) -> Result<(), String> {
    let written = to_line("", parsed).map_err(|error| error.to_string())?;
    if written == line { Ok(()) } else { Err(NOT_CANONICAL.into()) }
}
