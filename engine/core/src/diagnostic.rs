//! Faults in the user's files: what, why, where, and what to do next.

use std::fmt;
use std::sync::Arc;

use crate::address::Address;

/// A diagnostic's stable code, printed as `TRN0123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TRN{:04}", self.0)
    }
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run cannot go on.
    Error,
    /// The run goes on; the user should know.
    Warning,
}

/// One source file, kept so that a diagnostic can show its line.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceFile {
    /// Path as the user would write it, relative to where the command runs.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// Returns the number of the line, from 1, in which the byte `at` lies.
    pub fn line(&self, at: usize) -> usize {
        // Every finding of a file asks, so this must be fast where a file is large.
        memchr::memchr_iter(b'\n', self.text.as_bytes().get(..at).unwrap_or_default()).count() + 1
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.path)
    }
}

/// A range of bytes in a source file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceSpan {
    /// The file.
    pub file: Arc<SourceFile>,
    /// First byte of the range.
    pub start: usize,
    /// First byte behind the range.
    pub end: usize,
}

impl SourceSpan {
    /// Builds a span, cut to the file's length.
    pub fn new(file: Arc<SourceFile>, range: std::ops::Range<usize>) -> Self {
        let end = range.end.min(file.text.len());
        Self { start: range.start.min(end), end, file }
    }

    /// Returns the line and the column of the first byte, both counted from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.file.text.get(..self.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |idx| idx + 1);
        (self.file.line(self.start), before[line_start..].chars().count() + 1)
    }
}

/// Prints `path:line:column`.
impl fmt::Display for SourceSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.file.path)
    }
}

impl fmt::Debug for SourceSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A second place that explains the first: "first declared here".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub span: SourceSpan,
    /// What is there.
    pub message: String,
}

/// One finding. Text in it never holds a sensitive value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line without a full stop.
    pub summary: String,
    /// Why, in whole sentences; may be empty.
    pub detail: String,
    /// Where.
    pub span: Option<SourceSpan>,
    /// Further places.
    pub labels: Vec<Label>,
    /// The resource concerned.
    pub address: Option<Address>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Builds an error.
    pub fn error(code: Code, summary: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            span: None,
            labels: Vec::new(),
            address: None,
            hint: None,
        }
    }

    /// Builds a warning.
    pub fn warning(code: Code, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, summary) }
    }

    /// Says why.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<SourceSpan>>) -> Self {
        self.span = span.into();
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: SourceSpan, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Names the resource.
    #[must_use]
    pub fn about(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything found in one run, in no particular order until [`Diagnostics::sorted`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a finding.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Tells whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Tells whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of findings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the findings in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Places findings that have no place of their own: what a file outside of the definition lacks is the
    /// concern of the line that asks for it.
    #[must_use]
    pub fn at_least_at(mut self, span: Option<&SourceSpan>) -> Self {
        for diagnostic in self.0.iter_mut().filter(|diagnostic| diagnostic.span.is_none()) {
            diagnostic.span = span.cloned();
        }
        self
    }

    /// Returns the findings by file, line and code, equal ones once.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let place = |diagnostic: &Diagnostic| {
            diagnostic.span.as_ref().map(|span| (span.file.path.clone(), span.start, span.end))
        };
        self.0.sort_by_cached_key(|diagnostic| {
            (place(diagnostic), diagnostic.code, diagnostic.summary.clone())
        });
        self.0.dedup();
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self(diagnostics.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
