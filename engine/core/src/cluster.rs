//! The clusters of an environment.

use std::collections::BTreeMap;

use crate::diagnostic::SourceSpan;
use crate::object_ref::{ClusterRef, Uid};
use crate::value::Text;

/// How to reach a cluster. Credentials are never part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// The embedded sandbox.
    Sandbox,
    /// A context of a kubeconfig.
    Context {
        /// The context's name.
        context: Text,
        /// The kubeconfig's path; `None` for kubectl's default (`KUBECONFIG`, then `~/.kube/config`).
        kubeconfig: Option<Text>,
    },
}

/// A declared cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub cluster: ClusterRef,
    /// How to reach it.
    pub connection: Connection,
    /// What it runs on: `sandbox`, `k3s`, `eks`, … Modules choose by it.
    pub platform: Text,
    /// Where it is declared.
    pub span: Option<SourceSpan>,
}

/// What the state keeps of a cluster, so that one that left the definition can still be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRecord {
    /// How to reach it.
    pub connection: Connection,
    /// The uid of its namespace `kube-system`: what it is, whatever the context's name.
    pub uid: Uid,
}

/// Clusters by name.
pub type Clusters = BTreeMap<ClusterRef, Cluster>;
