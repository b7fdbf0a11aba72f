//! Diagnostics as JSON, in the shape of `terraform validate -json`.

use engine_core::diagnostic::{Diagnostic, Diagnostics, Severity, SourceSpan};
use serde::Serialize;

use super::excerpt::{first_line_of, line_end};
use crate::json::{FORMAT_VERSION, to_json};

/// Bytes of source that a snippet repeats at most.
const MAX_SNIPPET: usize = 1_000;

/// Returns all findings as one JSON object, sorted by place.
///
/// Lines and columns count from 1, columns in characters; `byte` counts from 0.
///
/// # Source
/// Terraform documentation, `terraform validate -json`: names and nesting.
pub fn diagnostics_json(diagnostics: &Diagnostics) -> String {
    let count = |severity| diagnostics.iter().filter(|it| it.severity == severity).count();
    to_json(&Report {
        format_version: FORMAT_VERSION,
        valid: !diagnostics.has_errors(),
        error_count: count(Severity::Error),
        warning_count: count(Severity::Warning),
        diagnostics: diagnostic_list(diagnostics),
    })
}

/// Returns the findings, sorted by place.
pub(crate) fn diagnostic_list(diagnostics: &Diagnostics) -> Vec<DiagnosticJson> {
    diagnostics.clone().sorted().iter().map(diagnostic_json).collect()
}

#[derive(Serialize)]
struct Report {
    format_version: &'static str,
    valid: bool,
    error_count: usize,
    warning_count: usize,
    diagnostics: Vec<DiagnosticJson>,
}

#[derive(Serialize)]
pub(crate) struct DiagnosticJson {
    severity: &'static str,
    code: String,
    summary: String,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelJson>,
}

#[derive(Serialize)]
struct LabelJson {
    message: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    filename: String,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
    byte: usize,
}

#[derive(Serialize)]
struct Snippet {
    code: String,
    start_line: usize,
    highlight_start_offset: usize,
    highlight_end_offset: usize,
}

fn diagnostic_json(diagnostic: &Diagnostic) -> DiagnosticJson {
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| LabelJson { message: label.message.clone(), range: range(&label.span) });
    DiagnosticJson {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        code: diagnostic.code.to_string(),
        summary: diagnostic.summary.clone(),
        detail: diagnostic.detail.clone(),
        hint: diagnostic.hint.clone(),
        address: diagnostic.address.as_ref().map(ToString::to_string),
        range: diagnostic.span.as_ref().map(range),
        snippet: diagnostic.span.as_ref().map(snippet),
        labels: labels.collect(),
    }
}

fn range(span: &SourceSpan) -> Range {
    let end = SourceSpan::new(span.file.clone(), span.end..span.end);
    let position = |span: &SourceSpan| {
        let (line, column) = span.line_column();
        Position { line, column, byte: span.start }
    };
    Range { filename: span.file.path.clone(), start: position(span), end: position(&end) }
}

/// Returns the line on which a span begins; of a very long one, the part around the span.
fn snippet(span: &SourceSpan) -> Snippet {
    let source = span.file.text.as_str();
    let shown = first_line_of(source, span);
    let line_start = source[..shown.start].rfind('\n').map_or(0, |at| at + 1);
    let start = line_start.max(source.floor_char_boundary(shown.start.saturating_sub(MAX_SNIPPET / 2)));
    let end = line_end(source, shown.start).min(source.floor_char_boundary(start + MAX_SNIPPET));
    Snippet {
        code: source[start..end].into(),
        start_line: span.line_column().0,
        highlight_start_offset: shown.start - start,
        highlight_end_offset: shown.end.min(end) - start,
    }
}
