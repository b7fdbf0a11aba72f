//! Diagnostics as text for people and as JSON for programs.

mod excerpt;
mod json;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use engine_core::diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, SourceSpan};
use rayon::prelude::*;

use crate::escape::{escape, escape_line};
use crate::style::{Colour, Style};
use excerpt::Window;

pub use json::diagnostics_json;
pub(crate) use json::{DiagnosticJson, diagnostic_list};

/// Columns that a report may take when the caller sets no limit.
const UNLIMITED_WIDTH: usize = 10_000;

/// Returns all findings as text, warnings before errors and each sorted by place: what, where with the source line, why, and what to do next;
/// then how many there are. Empty for no findings.
pub fn diagnostics_text(diagnostics: &Diagnostics, style: Style) -> String {
    if diagnostics.is_empty() {
        return String::new();
    }
    let renderer = match style.colour {
        Colour::On => Renderer::styled(),
        Colour::Off => Renderer::plain(),
    };
    let width = if style.width == 0 { UNLIMITED_WIDTH } else { style.width };
    let renderer = renderer.term_width(width);
    let sorted = diagnostics.clone().sorted();
    let of = |severity| sorted.iter().filter(move |it| it.severity == severity);
    let shown: Vec<&Diagnostic> = of(Severity::Warning).chain(of(Severity::Error)).collect();
    let mut out: String = shown.into_par_iter().map(|it| renderer.render(&[group(it)]) + "\n\n").collect();
    out.push_str(&tally(diagnostics));
    out.push('\n');
    out
}

/// Returns `2 errors, 1 warning`.
pub(crate) fn tally(diagnostics: &Diagnostics) -> String {
    let count = |severity, noun: &str| {
        let count = diagnostics.iter().filter(|it| it.severity == severity).count();
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {noun}{plural}"))
    };
    let parts = [count(Severity::Error, "error"), count(Severity::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn group(diagnostic: &Diagnostic) -> Group<'static> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(escape(&diagnostic.summary).into_owned()).id(diagnostic.code.to_string());
    let mut group = Group::with_title(title).elements(snippets(diagnostic));
    if !diagnostic.detail.is_empty() {
        group = group.element(Level::NOTE.message(paragraphs(&diagnostic.detail)));
    }
    if let Some(address) = &diagnostic.address {
        let text = format!("in {}", escape(&address.to_string()));
        group = group.element(Level::NOTE.message(text));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(paragraphs(hint)));
    }
    group
}

/// Keeps the lines of a text and escapes each.
fn paragraphs(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(escape_line).collect();
    lines.join("\n")
}

/// Returns one snippet a file: the diagnostic's own first, then those that only labels point to.
fn snippets(diagnostic: &Diagnostic) -> Vec<Snippet<'static, Annotation<'static>>> {
    let primary = diagnostic.span.iter().map(|span| (span, AnnotationKind::Primary, None));
    let labels = diagnostic
        .labels
        .iter()
        .map(|label| (&label.span, AnnotationKind::Context, Some(label.message.as_str())));
    let places: Vec<(&SourceSpan, AnnotationKind, Option<&str>)> = primary.chain(labels).collect();
    let mut files: Vec<&SourceFile> = Vec::new();
    for (span, ..) in &places {
        if !files.contains(&&*span.file) {
            files.push(&span.file);
        }
    }
    let snippet = |file: &&SourceFile| {
        let here: Vec<_> = places.iter().filter(|(span, ..)| *span.file == **file).collect();
        let spans: Vec<&SourceSpan> = here.iter().map(|(span, ..)| *span).collect();
        let window = Window::around(file, &spans);
        let annotations = here.iter().zip(window.ranges).map(|((_, kind, message), range)| {
            let message = message.map(|text| escape(text).into_owned());
            kind.span(range).label(message)
        });
        Snippet::source(window.text)
            .path(escape(&file.path).into_owned())
            .line_start(window.first_line)
            .annotations(annotations)
    };
    files.iter().map(snippet).collect()
}

#[cfg(test)]
mod tests;
