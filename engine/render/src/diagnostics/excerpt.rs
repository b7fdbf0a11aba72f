//! The part of a source file that a diagnostic shows.

use std::ops::Range;

use engine_core::diagnostic::{SourceFile, SourceSpan};

use crate::escape::escape;

/// Some whole lines of a file, escaped, with the places that are pointed at.
pub(super) struct Window {
    /// The escaped lines.
    pub text: String,
    /// Number of the first line, from 1.
    pub first_line: usize,
    /// Where each span lies in `text`.
    pub ranges: Vec<Range<usize>>,
}

impl Window {
    /// Returns the lines around `spans`, which all lie in `file`. A span of several lines is shown by its first.
    pub fn around(file: &SourceFile, spans: &[&SourceSpan]) -> Self {
        let source = file.text.as_str();
        let clipped: Vec<Range<usize>> = spans.iter().map(|span| first_line_of(source, span)).collect();
        let start = clipped.iter().map(|range| range.start).min().unwrap_or(0);
        let end = clipped.iter().map(|range| range.end).max().unwrap_or(0);
        let start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let end = line_end(source, end);
        // Escaped piece by piece between the places, because escaping moves what lies behind it.
        let mut places: Vec<usize> = clipped.iter().flat_map(|it| [it.start, it.end]).collect();
        places.sort_unstable();
        places.dedup();
        let mut text = String::with_capacity(end - start + 16);
        let mut moved = Vec::with_capacity(places.len());
        let mut at = start;
        for place in &places {
            push_source(&mut text, &source[at..*place]);
            moved.push(text.len());
            at = *place;
        }
        push_source(&mut text, &source[at..end]);
        let new = |place: usize| places.binary_search(&place).map_or(0, |idx| moved[idx]);
        Self {
            first_line: file.line(start),
            ranges: clipped.iter().map(|it| new(it.start)..new(it.end)).collect(),
            text,
        }
    }
}

/// Returns a span on character boundaries, ending with the line it begins on.
pub(super) fn first_line_of(source: &str, span: &SourceSpan) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    let end = source.ceil_char_boundary(span.end).max(start);
    start..end.min(line_end(source, start))
}

/// Returns the end of the line that holds byte `at`, before its line break.
pub(super) fn line_end(source: &str, at: usize) -> usize {
    let end = source[at..].find('\n').map_or(source.len(), |len| at + len);
    if source[at..end].ends_with('\r') { end - 1 } else { end }
}

/// Tabs stay: the renderer expands them and counts them as one column.
fn push_source(out: &mut String, source: &str) {
    for line in source.split_inclusive('\n') {
        let (line, newline) = match line.strip_suffix('\n') {
            Some(line) => (line.strip_suffix('\r').unwrap_or(line), "\n"),
            None => (line, ""),
        };
        for (idx, piece) in line.split('\t').enumerate() {
            if idx > 0 {
                out.push('\t');
            }
            out.push_str(&escape(piece));
        }
        out.push_str(newline);
    }
}
