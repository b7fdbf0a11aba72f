//! Fields of other managers, in words.

use engine_core::field_path::FieldPath;
use engine_core::plan::{FieldChange, FieldConflict, Shown};
use engine_core::resource::FieldPolicy;

use crate::body::{brief, path_text};
use crate::escape::escape;

/// Returns, escaped, what is made of fields of other managers. Both values stand with a field that is not among the
/// fields of the change.
pub(crate) fn conflict_notes(fields: &[FieldChange], conflicts: &[FieldConflict]) -> Vec<String> {
    let notes = conflicts.iter().map(|conflict| {
        let is_shown = fields.iter().any(|field| field.path == conflict.path);
        if is_shown { sentence(conflict) } else { sentence(conflict) + &values(conflict) }
    });
    notes.collect()
}

/// Tells whether conflicts say already that a field is left to somebody.
pub(crate) fn is_said(yielded: &FieldPath, conflicts: &[FieldConflict]) -> bool {
    conflicts.iter().any(|it| it.decision == FieldPolicy::Yield && it.path == *yielded)
}

fn sentence(conflict: &FieldConflict) -> String {
    let (path, holder) = (path_text(&conflict.path), conflict.holder());
    let holder = escape(&holder);
    match conflict.decision {
        FieldPolicy::Take => format!("takes {path} from {holder}"),
        FieldPolicy::Yield => format!("leaves {path} to {holder}"),
        FieldPolicy::Fail => format!("stops at {path} of {holder}"),
    }
}

fn values(conflict: &FieldConflict) -> String {
    match (&conflict.theirs, &conflict.ours) {
        (sensitive @ Shown::Sensitive { .. }, _) | (_, sensitive @ Shown::Sensitive { .. }) => {
            format!(": {}", brief(sensitive))
        }
        (theirs, ours) if theirs == ours => format!(": {} on both sides", brief(ours)),
        (theirs, ours) => format!(": {} there, {} here", brief(theirs), brief(ours)),
    }
}
