//! How objects are named.

use std::borrow::Cow;

use engine_core::object_ref::{ClusterRef, ObjectRef};

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
