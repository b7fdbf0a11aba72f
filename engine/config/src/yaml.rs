//! Reading the YAML documents of manifest files.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Value;
use serde_saphyr::{Spanned, UserMessageFormatter};

use crate::codes::YAML;

/// Reads all documents of a file, empty ones left out, each with its place.
///
/// Octal numbers are read as the tools of Kubernetes do; duplicate keys are an error, and so is a document that
/// expands without bounds.
pub(crate) fn documents(file: &Arc<SourceFile>) -> Result<Vec<(Value, SourceSpan)>, Diagnostics> {
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let place = |location: Option<serde_saphyr::Location>| {
        let start = location.and_then(|location| location.span().byte_offset());
        let start = start.and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
        let start = file.text.floor_char_boundary(start);
        SourceSpan::new(Arc::clone(file), start..file.text.ceil_char_boundary(start + 1))
    };
    let documents: Vec<Spanned<Value>> = serde_saphyr::from_multiple_with_options(&file.text, options)
        .map_err(|error| {
            let at = place(error.location());
            let reason = error.without_snippet().render_with_formatter(&UserMessageFormatter);
            Diagnostic::error(YAML, format!("invalid YAML: {reason}")).at(at)
        })?;
    let documents = documents.into_iter().filter(|document| document.value != Value::Null);
    Ok(documents.map(|document| (document.value, place(Some(document.referenced)))).collect())
}
