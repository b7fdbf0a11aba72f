//! How objects are named.

use std::borrow::Cow;
use std::collections::BTreeMap;

use engine_core::object_ref::{ClusterRef, GroupKind, ObjectRef};

use crate::escape::escape;

/// Whether a name tells the cluster: it does where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `Namespace/web`.
    Plain,
    /// `Namespace/web on canary`.
    WithCluster,
}

impl Naming {
    /// Returns how to name objects that lie on these clusters.
    pub fn of<'a>(clusters: impl IntoIterator<Item = &'a ClusterRef>) -> Self {
        let mut clusters = clusters.into_iter();
        let first = clusters.next();
        if clusters.any(|cluster| Some(cluster) != first) { Self::WithCluster } else { Self::Plain }
    }

    /// Returns the name of an object, escaped.
    pub fn name(self, object_ref: &ObjectRef) -> String {
        let key = object_ref.key();
        let key = escape(&key);
        match self {
            Self::Plain => Cow::into_owned(key),
            Self::WithCluster => format!("{key} on {}", escape(object_ref.cluster.as_str())),
        }
    }
}

/// Returns kinds with their number, escaped: `2 ConfigMaps, 1 Ingress`.
pub(crate) fn counted(kinds: &BTreeMap<GroupKind, usize>) -> String {
    let named = kinds.iter().map(|(kind, count)| {
        let name = kind.kind.as_str();
        let (stem, end) = match name.as_bytes() {
            _ if *count == 1 => (name, ""),
            [.., vowel, b'y'] if !b"aeiou".contains(vowel) => (&name[..name.len() - 1], "ies"),
            [.., b's' | b'x'] => (name, "es"),
            _ => (name, "s"),
        };
        format!("{count} {}{end}", escape(stem))
    });
    named.collect::<Vec<_>>().join(", ")
}
