//! How a command ends.

use std::error::Error;
use std::process::ExitCode;

use engine_core::diagnostic::Diagnostics;
use engine_core::ports::StateError;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0.
    Success,
    /// 1: what was asked for was done only in part; the command has said so.
    Incomplete,
    /// 2: there are changes, and the caller asked to be told by the exit code.
    Changes,
    /// 2: files could not be formatted; the command has said why.
    BadInput,
    /// 3: files are not in the canonical style.
    Unformatted,
    /// 4: what was done could not be recorded; the command has said so.
    Unrecorded,
    /// 130: interrupted.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Incomplete => Self::from(1),
            Exit::Changes | Exit::BadInput => Self::from(2),
            Exit::Unformatted => Self::from(3),
            Exit::Unrecorded => Self::from(4),
            Exit::Interrupted => Self::from(130),
        }
    }
}

/// Why a command failed. Always exit code 1.
#[derive(Debug)]
pub enum CommandError {
    /// Faults in the user's files.
    Definition(Diagnostics),
    /// Anything else.
    Failed {
        /// What was attempted.
        what: String,
        /// Why it failed.
        source: Option<Box<dyn Error + Send + Sync>>,
        /// What to do next.
        hint: Option<String>,
    },
}

impl CommandError {
    /// Builds an error without a cause.
    pub fn new(what: impl Into<String>) -> Self {
        Self::Failed { what: what.into(), source: None, hint: None }
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Failed { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// Returns the fault of the state that lies at the bottom of this, if one does.
    pub fn state_error(&self) -> Option<&StateError> {
        let Self::Failed { source: Some(source), .. } = self else { return None };
        let mut next: Option<&(dyn Error + 'static)> = Some(source.as_ref());
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// Returns a function that says what was attempted when something failed.
    pub fn while_<E: Error + Send + Sync + 'static>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| Self::Failed { what: what.into(), source: Some(Box::new(error)), hint: None }
    }
}

impl From<Diagnostics> for CommandError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Definition(diagnostics)
    }
}

/// Returns an error's causes, outermost first, one per line.
pub fn causes(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut lines = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        lines.push(error.to_string());
        next = error.source();
    }
    lines.dedup();
    lines
}
