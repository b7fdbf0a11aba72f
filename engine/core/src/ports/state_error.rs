//! Why the state could not be read or written: one variant for each that asks for another answer.

use super::Revision;
use crate::diagnostic::Code;

/// Another run holds the lock.
pub const STATE_LOCKED: Code = Code(1001);
/// The chain has moved on.
pub const STATE_MOVED: Code = Code(1002);
/// The chain is gone.
pub const STATE_MISSING: Code = Code(1003);
/// The chain is another one than was seen.
pub const STATE_REWRITTEN: Code = Code(1004);
/// A rule of the server is against it.
pub const STATE_REFUSED: Code = Code(1005);
/// A lock file is in the way.
pub const STATE_STUCK: Code = Code(1006);
/// No answer.
pub const STATE_UNREACHABLE: Code = Code(1007);
/// No access.
pub const STATE_UNAUTHORIZED: Code = Code(1008);
/// Not to be read.
pub const STATE_CORRUPT: Code = Code(1009);
/// Written by a newer version.
pub const STATE_NEWER: Code = Code(1010);
/// A fault of this machine.
pub const STATE_LOCAL: Code = Code(1011);
/// Recorded or not.
pub const STATE_UNKNOWN: Code = Code(1012);
/// No place for a state.
pub const STATE_UNUSABLE: Code = Code(1013);
/// No successor of the tip.
pub const STATE_INVALID: Code = Code(1014);

/// Why the state could not be read or written. Messages are one line, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another run may write; who, since when and what it does. Nothing was written.
    #[error("the environment is locked: {0}")]
    Locked(String),
    /// The chain has a newer revision than the one this run rests on. Nothing was written.
    #[error("the state was moved by somebody else: expected {expected}, found {found}")]
    Moved {
        /// What this run rests on.
        expected: String,
        /// What the store has now, and who put it there.
        found: String,
    },
    /// There was a chain, and it is gone. Nothing was written.
    #[error("the state is gone: {0}")]
    Missing(String),
    /// The chain does not contain what was seen before: rewound, rewritten, or begun anew. Nothing was written.
    #[error("the state was rewritten: {0}")]
    Rewritten(String),
    /// A rule of the server refuses the push; the rule's text. The next attempt would be refused as well.
    #[error("the remote refuses to keep the state: {0}")]
    Refused(String),
    /// The ref stays as it is, and nobody else moves it: a lock file was left behind.
    #[error("the state's ref cannot be moved: {0}")]
    Stuck(String),
    /// No answer in time: no connection, a broken one, a server that fails.
    #[error("the state's remote cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not know us, or we do not know the server.
    #[error("the state's remote gives no access: {0}")]
    Unauthorized(String),
    /// The store's content is no state.
    #[error("the state cannot be read: {0}")]
    Corrupt(String),
    /// The state's schema is newer than this version of Terrane.
    #[error("the state is too new: {0}")]
    Newer(String),
    /// A file, the disk or a program of this machine failed.
    #[error("this machine failed to keep the state: {0}")]
    Local(String),
    /// A push may have landed, and the remote cannot be asked: its newest revision tells.
    #[error("the state may or may not have been recorded as {}: {reason}", .revision.0)]
    Unknown {
        /// What the chain has if the push landed.
        revision: Revision,
        /// Why it is not known.
        reason: String,
    },
    /// What the definition names cannot keep a state.
    #[error("the state has no place to be kept: {0}")]
    Unusable(String),
    /// The state that was to be written does not follow the newest one.
    #[error("the state cannot be kept: {0}")]
    Invalid(String),
}

impl StateError {
    /// Returns the stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Locked(_) => STATE_LOCKED,
            Self::Moved { .. } => STATE_MOVED,
            Self::Missing(_) => STATE_MISSING,
            Self::Rewritten(_) => STATE_REWRITTEN,
            Self::Refused(_) => STATE_REFUSED,
            Self::Stuck(_) => STATE_STUCK,
            Self::Unreachable(_) => STATE_UNREACHABLE,
            Self::Unauthorized(_) => STATE_UNAUTHORIZED,
            Self::Corrupt(_) => STATE_CORRUPT,
            Self::Newer(_) => STATE_NEWER,
            Self::Local(_) => STATE_LOCAL,
            Self::Unknown { .. } => STATE_UNKNOWN,
            Self::Unusable(_) => STATE_UNUSABLE,
            Self::Invalid(_) => STATE_INVALID,
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked(_) => "wait until that run has ended",
            Self::Moved { .. } => "`terrane state history` shows what was done; plan again",
            Self::Missing(_) | Self::Rewritten(_) => {
                "nothing was written; find out who moved the ref, then run one of these commands"
            }
            Self::Refused(_) => {
                "nothing was written; let the server's rules allow pushes to the state's ref, then try again"
            }
            Self::Stuck(_) => "nothing was written; remove the lock file once nobody works on the repository",
            Self::Unreachable(_) => "nothing was written; try again when the remote answers",
            Self::Unauthorized(_) => {
                "nothing was written; `git ls-remote` with the same URL shows whether git itself gets in"
            }
            Self::Corrupt(_) => "nothing was written; `terrane state verify` says which revisions are broken",
            Self::Newer(_) => "use the version of terrane that wrote it, or a newer one",
            Self::Local(_) => "look at the disk and the file's rights, then try again",
            Self::Unknown { .. } => {
                "`terrane state history` shows whether it was, as soon as the remote answers"
            }
            Self::Unusable(_) => "correct the `state` block of the definition",
            Self::Invalid(_) => "the newest revision stays as it is; plan again",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_own_code() {
        let text = || "x".to_owned();
        let errors = [
            StateError::Locked(text()),
            StateError::Moved { expected: text(), found: text() },
            StateError::Missing(text()),
            StateError::Rewritten(text()),
            StateError::Refused(text()),
            StateError::Stuck(text()),
            StateError::Unreachable(text()),
            StateError::Unauthorized(text()),
            StateError::Corrupt(text()),
            StateError::Newer(text()),
            StateError::Local(text()),
            StateError::Unknown { revision: Revision(text()), reason: text() },
            StateError::Unusable(text()),
            StateError::Invalid(text()),
        ];
        let codes: Vec<String> = errors.iter().map(|error| error.code().to_string()).collect();
        let wanted: Vec<String> = (1001..=1014).map(|number| format!("TRN{number}")).collect();
        assert_eq!(codes, wanted);
    }
}
