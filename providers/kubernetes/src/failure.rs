//! What a refused request means.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use engine_core::ports::{Invalid, ProviderError, Target};
use http::StatusCode;
use kube::client::AuthError;
use kube::core::Status;
use kube::core::response::StatusCause;

use crate::conflict;
use crate::connect::LoginError;
use crate::retry::Fault;

#[cfg(test)]
mod tests;

/// The most bytes of a server's message that are kept.
const LONGEST_MESSAGE: usize = 2000;
/// The most bytes of a value inside a message that are kept.
const LONGEST_VALUE: usize = 80;
/// How a message begins when the object does not fit the schema: an unknown field, a duplicate list key.
const NOT_TYPED: &str = "failed to create typed patch object";
/// How a message begins when a value fits the schema and is none of its kind: an amount, a time.
const NOT_CONVERTED: &str = "failed to convert new object";

/// An answer that is an error.
pub(crate) struct Refusal {
    code: u16,
    status: Status,
    /// The header of that name, or the same in the body.
    retry_after: Option<Duration>,
}

/// What a failed request was about.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject {
    /// A Secret: the server's messages may quote it.
    pub(crate) secret: bool,
    /// The request was bound to a uid.
    pub(crate) bound: bool,
}

impl Subject {
    /// Returns the subject of a request for this object that is bound to no uid.
    pub(crate) fn of(target: &Target) -> Self {
        Self { secret: target.kind.kind.is("", "Secret"), bound: false }
    }

    /// Returns the subject of a request bound to a uid.
    pub(crate) fn bound(self, bound: bool) -> Self {
        Self { bound, ..self }
    }
}

impl Refusal {
    /// Reads the body of an answer. One that is no `Status` (a proxy's page) is passed over: only the code
    /// counts.
    pub(crate) fn new(code: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status = serde_json::from_slice(body).unwrap_or_default();
        Self::of_status(code, retry_after, status)
    }

    /// Takes a `Status` that came without headers, as in a watch.
    pub(crate) fn from_status(status: Status) -> Self {
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::of_status(code, None, status)
    }

    fn of_status(code: StatusCode, retry_after: Option<Duration>, status: Status) -> Self {
        let named = status.details.as_ref().map_or(0, |it| it.retry_after_seconds);
        let named = (named > 0).then(|| Duration::from_secs(named.into()));
        Self { code: code.as_u16(), retry_after: retry_after.or(named), status }
    }

    /// Returns the HTTP status code.
    pub(crate) fn code(&self) -> u16 {
        self.code
    }

    /// Returns the fault if it may pass, `None` where asking again gives the same.
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self.code {
            429 => Some(Fault::Refused(self.retry_after)),
            // With the header: a server that starts or stops, in its own words. Without: anything.
            503 if self.retry_after.is_some() => Some(Fault::Refused(self.retry_after)),
            502..=504 => Some(Fault::Failed(self.retry_after)),
            409 if self.lost_race() => Some(Fault::Refused(None)),
            _ => None,
        }
    }

    /// Tells whether another writer was faster: at the object, at its creation, or at a quota that counts it.
    fn lost_race(&self) -> bool {
        let lost = matches!(self.status.reason.as_str(), "Conflict" | "AlreadyExists");
        lost && self.causes().is_empty() && !self.names_uid()
    }

    /// Tells whether the message is on a uid: the words of the precondition check and of server-side apply.
    fn names_uid(&self) -> bool {
        let message = self.status.message.to_ascii_lowercase();
        message.contains("uid mismatch") || message.contains("uid in")
    }

    fn causes(&self) -> &[StatusCause] {
        self.status.details.as_ref().map_or(&[], |details| &details.causes)
    }

    /// Returns the fields that are named, each once.
    fn fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = self.causes().iter().map(|cause| cause.field.clone()).collect();
        fields.retain(|field| !field.is_empty());
        fields.sort();
        fields.dedup();
        fields
    }

    /// Returns the error for the caller.
    pub(crate) fn error(&self, subject: Subject) -> ProviderError {
        let message = self.message(subject);
        let on_uid = || self.causes().iter().any(|cause| cause.field == "metadata.uid");
        match self.code {
            400 | 413 | 422 if subject.bound && on_uid() => ProviderError::Stale(message),
            400 | 413 | 415 | 422 => {
                let (fields, is_untyped) = (self.fields(), self.code == 400);
                ProviderError::Invalid(Invalid { message, fields, is_untyped })
            }
            401 => ProviderError::Unauthorized(message),
            403 => ProviderError::Forbidden(message),
            404 => ProviderError::NotFound(message),
            409 => self.conflict(subject, message),
            500 if [NOT_TYPED, NOT_CONVERTED].iter().any(|words| self.status.message.contains(words)) => {
                ProviderError::Invalid(Invalid { message, fields: Vec::new(), is_untyped: true })
            }
            _ => ProviderError::Server(message),
        }
    }

    fn conflict(&self, subject: Subject, message: String) -> ProviderError {
        let mut conflicts: Vec<_> = self
            .causes()
            .iter()
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| conflict::read(&cause.field, &cause.message))
            .collect();
        conflicts.sort();
        if !conflicts.is_empty() {
            ProviderError::Conflict(conflicts)
        } else if subject.bound && !self.lost_race() {
            ProviderError::Stale(message)
        } else {
            ProviderError::Server(message)
        }
    }

    /// Returns the server's words. Those on a Secret are cut down to the reason and the fields.
    fn message(&self, subject: Subject) -> String {
        let mut message = if subject.secret && matches!(self.code, 401 | 403 | 404) {
            without_denial(&self.status.message).to_owned()
        } else if subject.secret {
            self.reason_and_fields()
        } else if self.causes().iter().any(|cause| !cause.field.is_empty()) {
            let causes = self.causes().iter().map(|cause| match cause.field.as_str() {
                "" => without_values(&cause.message),
                field => format!("{field}: {}", without_values(&cause.message)),
            });
            causes.collect::<Vec<_>>().join("; ")
        } else {
            without_values(&self.status.message)
        };
        if message.trim().is_empty() {
            message = self.code_and_name();
        }
        if message.contains(NOT_TYPED) {
            message = in_order(&message);
        }
        cut(&mut message, LONGEST_MESSAGE);
        message
    }

    fn reason_and_fields(&self) -> String {
        let mut message = match self.status.reason.as_str() {
            _ if self.status.message.contains(NOT_TYPED) => String::from(NOT_TYPED),
            "" => self.code_and_name(),
            reason => String::from(reason),
        };
        let mut fields: Vec<_> = self.causes().iter().map(|cause| cause.field.as_str()).collect();
        if fields.is_empty() {
            // The message of a typed patch has no causes; its fields are the words like `.data.key:`.
            let words = self.status.message.split_whitespace();
            fields
                .extend(words.filter_map(|word| word.strip_suffix(':').filter(|word| word.starts_with('.'))));
        }
        fields.retain(|field| !field.is_empty());
        fields.dedup();
        if !fields.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(message, ": {}", fields.join(", "));
        }
        message
    }

    fn code_and_name(&self) -> String {
        let name = StatusCode::from_u16(self.code).ok().and_then(|code| code.canonical_reason());
        format!("HTTP {} {}", self.code, name.unwrap_or_default()).trim_end().to_owned()
    }
}

/// Returns a message with its errors in order: the server lists them in another each time.
fn in_order(message: &str) -> String {
    let mut lines: Vec<&str> = message.lines().collect();
    if let Some((_, errors)) = lines.split_first_mut() {
        errors.sort_unstable();
    }
    lines.join("\n")
}

/// Returns a message without what an admission webhook or policy says after it denied a request.
fn without_denial(message: &str) -> &str {
    ["denied the request", "denied request"]
        .iter()
        .find_map(|words| Some(&message[..message.find(words)? + words.len()]))
        .unwrap_or(message)
}

/// Returns a message without the long or structured values that the server quotes from the request:
/// `Invalid value: {"a":1}: field is immutable` becomes `Invalid value: …: field is immutable`.
fn without_values(message: &str) -> String {
    // Of validation, and of a patch that does not fit the schema: `expected string, got &…{Value:2}`.
    let after_mark = |text: &str| {
        let marks = ["value: ", ", got "].into_iter();
        marks.filter_map(|mark| Some(text.find(mark)? + mark.len())).min()
    };
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = after_mark(rest) {
        let (before, value) = rest.split_at(at);
        let (value, tail) = value.split_at(value_len(value));
        out.push_str(before);
        let quoted = value.len() <= LONGEST_VALUE && !value.contains(['{', '[']);
        out.push_str(if quoted { value } else { "…" });
        rest = tail;
    }
    out + rest
}

/// Returns how far a quoted value goes: to the next `: ` or `, `, or the next of several errors, outside of strings and
/// brackets.
fn value_len(text: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b':' | b',' if depth == 0 && text.as_bytes().get(at + 1) == Some(&b' ') => return at,
            b'\n' if depth == 0 && text[at..].starts_with("\n  .") => return at,
            _ => {}
        }
    }
    text.len()
}

/// Shortens a text to at most `limit` bytes.
fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
}

/// Turns a request that got no answer into an error for the caller.
pub(crate) fn unanswered(error: &kube::Error) -> ProviderError {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(auth) = cause.downcast_ref::<AuthError>() {
            return ProviderError::Unauthorized(without_plugin_output(auth));
        }
        if let Some(login) = cause.downcast_ref::<LoginError>() {
            return ProviderError::Unauthorized(login.to_string());
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return ProviderError::Unreachable(chain(error)),
        }
    }
}

/// Returns what an authentication error says, but never what a credential plugin printed: it may hold a
/// token.
pub(crate) fn without_plugin_output(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { cmd, out } => {
            format!("the credential plugin {:?} failed with {}", program(cmd), out.status)
        }
        AuthError::AuthExecParse(_) => String::from("the credential plugin printed no credentials"),
        other => other.to_string(),
    }
}

/// Returns the program of a command as the client prints it: what stands in quotes first, behind the variables that it
/// sets. The arguments may be secret.
fn program(command: &str) -> &str {
    let quoted = command.strip_prefix('"').or_else(|| command.split_once(" \"").map(|(_, rest)| rest));
    let (rest, end) = quoted.map_or((command, ' '), |rest| (rest, '"'));
    rest.split(end).next().unwrap_or_default()
}

/// Returns the messages of an error's causes, outermost first, each once. The client's own wrapper says
/// nothing of its own and is left out.
fn chain(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(source) = cause {
        let text = source.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        cause = source.source();
    }
    if parts.is_empty() {
        parts.push(error.to_string());
    }
    parts.join(": ")
}
