//! What a server serves.

use std::collections::BTreeMap;

use crate::object_ref::{ApiVersion, GroupKind};
use crate::value::Text;

pub use engine_kinds::builtin::Scope;

/// One kind in one version, as discovery describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindInfo {
    /// Group and kind.
    pub kind: GroupKind,
    /// Version.
    pub version: Text,
    /// REST name: `deployments`.
    pub plural: Text,
    /// Whether objects live in a namespace.
    pub scope: Scope,
    /// Whether the kind can be listed and watched.
    pub listable: bool,
}

impl KindInfo {
    /// Returns the `apiVersion`.
    pub fn api_version(&self) -> ApiVersion {
        ApiVersion::new(self.kind.group.clone(), self.version.clone())
    }
}

/// All kinds that a server serves, in all versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Discovery {
    /// Per group and kind, the versions by the server's preference, best first.
    kinds: BTreeMap<GroupKind, Vec<KindInfo>>,
    /// Groups whose server did not answer, with its words.
    pub unavailable: BTreeMap<Text, String>,
}

impl Discovery {
    /// Adds a kind; the first version added is the preferred one.
    pub fn insert(&mut self, info: KindInfo) {
        self.kinds.entry(info.kind.clone()).or_default().push(info);
    }

    /// Returns the preferred version of a kind.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&KindInfo> {
        self.kinds.get(kind)?.first()
    }

    /// Returns a kind in one version.
    pub fn find(&self, kind: &GroupKind, version: &str) -> Option<&KindInfo> {
        self.kinds.get(kind)?.iter().find(|info| info.version == version)
    }

    /// Returns all kinds in their preferred version.
    pub fn iter(&self) -> impl Iterator<Item = &KindInfo> {
        self.kinds.values().filter_map(|versions| versions.first())
    }
}

/// Returns the scope of a built-in kind, `None` for kinds that are not built in.
pub fn builtin_scope(kind: &GroupKind) -> Option<Scope> {
    engine_kinds::builtin::scope_of(&kind.group, &kind.kind)
}
