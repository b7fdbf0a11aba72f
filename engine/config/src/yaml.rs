//! Reading the YAML documents of manifest files.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Value;
use serde_saphyr::{Spanned, UserMessageFormatter};

use crate::codes::YAML;

/// Reads all documents of a file, empty ones left out, each with its place.
///
/// Octal numbers are read as the tools of Kubernetes do; duplicate keys are an error, and so are tags of a language
/// or program, and a document that expands without bounds.
pub(crate) fn documents(file: &Arc<SourceFile>) -> Result<Vec<(Value, SourceSpan)>, Diagnostics> {
    if let Some(documents) = json(file) {
        return Ok(documents);
    }
    let options = serde_saphyr::options! {
        legacy_octal_numbers: true,
        reject_unsupported_tags: true,
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

/// Reads a file whose documents are all JSON, as kubectl does: it takes a document that begins with a brace for
/// JSON first, and tools write such files. `None` leaves the file, and its faults, to the reader of YAML, which
/// takes ten times as long.
///
/// # Source
/// `k8s.io/apimachinery/pkg/util/yaml`, `YAMLOrJSONDecoder`.
fn json(file: &Arc<SourceFile>) -> Option<Vec<(Value, SourceSpan)>> {
    let mut documents = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in file.text.split_inclusive('\n').chain(["---"]) {
        if line.trim_end() != "---" {
            end += line.len();
            continue;
        }
        let text = file.text.get(start..end)?;
        let at = start + text.len() - text.trim_start().len();
        let text = text.trim();
        if !text.is_empty() {
            let value = text.starts_with('{').then(|| serde_json::from_str(text).ok())??;
            documents.push((value, SourceSpan::new(Arc::clone(file), at..at + 1)));
        }
        end += line.len();
        start = end;
    }
    Some(documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_give_the_same_documents_at_the_same_places() {
        for text in [
            "{\"a\": [1, -2, 1.5, null, true, \"\\u00e9\"]}\n",
            "---\n{\"a\": {}}\n---\n\n{\"b\": []}\n---\n",
            "  {\n  \"a\": 1\n}\n--- \n{\"b\": \"---\"}",
            "",
        ] {
            let file = Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() });
            let places = |documents: Vec<(Value, SourceSpan)>| -> Vec<_> {
                documents.into_iter().map(|(value, place)| (value, place.start)).collect()
            };
            // A comment makes YAML of it.
            let yaml = Arc::new(SourceFile { path: "a.yaml".into(), text: format!("{text}\n# \n") });
            assert!(json(&yaml).is_none());
            assert_eq!(json(&file).map(places), documents(&yaml).ok().map(places), "{text:?}");
        }
    }

    #[test]
    fn tags_of_a_language_or_program_are_refused() {
        let is_read = |text: &str| {
            documents(&Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() })).is_ok()
        };
        assert!(is_read("a: !!str 1\nb: !!int \"2\"\nc: &x {d: 1}\ne: {<<: *x}\n"));
        for text in ["a: !!python/object:os.system {x: 1}\n", "a: !include ../x\n", "!app {}\n"] {
            assert!(!is_read(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_throughout_is_left_to_yaml() {
        for text in ["a: 1\n", "{\"a\": 1}\n---\nb: 2\n", "{a: 1}\n", "{\"a\": 1, \"a\": 2}\n", "[1]\n"] {
            let file = Arc::new(SourceFile { path: "a.yaml".into(), text: text.into() });
            assert!(json(&file).is_none(), "{text:?}");
        }
    }
}
