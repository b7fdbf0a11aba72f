//! Whether an object has converged, and what keeps it from it.

use crate::value::Text;

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

/// What keeps a pod from doing its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, in the words of the scheduler or the kubelet.
    pub words: String,
    /// What a program said of it: it may hold secrets and control characters.
    pub said: Option<String>,
    /// What can end it.
    pub remedy: Remedy,
    /// Where more is to be heard of it.
    pub evidence: Option<Evidence>,
}

/// What can end a trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// It may pass: a retry, another node, an object that somebody makes.
    Time,
    /// Only another manifest helps.
    Change,
    /// A `ConfigMap` or `Secret` of the same namespace lacks a key.
    Key {
        /// The kind.
        kind: Text,
        /// The name.
        name: Text,
        /// The key.
        key: Text,
    },
}

/// Where more is to be heard of a trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The last line that a container wrote.
    Log {
        /// The container.
        container: Text,
        /// Whether it has been started again since.
        previous: bool,
    },
    /// The newest warning among the events about the object.
    Events,
}
