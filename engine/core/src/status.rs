//! Whether an object has converged.

/// An object's readiness, in the words of kstatus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Converged.
    Current,
    /// On the way; says what is missing.
    InProgress(String),
    /// Cannot converge by itself; says why.
    Failed(String),
    /// Being deleted; says what holds it.
    Terminating(String),
}

impl Status {
    /// Returns what to tell the user: the reason, or the state's name.
    pub fn message(&self) -> &str {
        match self {
            Self::Current => "current",
            Self::InProgress(reason) | Self::Failed(reason) | Self::Terminating(reason) => reason,
        }
    }
}
