//! Facts on the kinds that Kubernetes 1.36 serves by default.
//!
//! Only stable versions, and only kinds that can be stored: reviews, bindings and evictions are requests
//! in the shape of objects and are left out.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/>

#[cfg(test)]
mod tests;

use std::sync::OnceLock;

/// One kind a line; the columns are named in the file.
static TABLE: &str = include_str!("builtin.kinds");

/// A kind that every cluster has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinKind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Kind, such as `Deployment`.
    pub kind: &'static str,
    /// Resource name in URLs, such as `deployments`.
    pub plural: &'static str,
    /// Singular resource name, such as `deployment`.
    pub singular: String,
    /// Short names that kubectl accepts.
    pub short_names: Vec<&'static str>,
    /// Categories, such as `all`.
    pub categories: Vec<&'static str>,
    /// Whether objects live in a namespace.
    pub scope: Scope,
    /// Subresources that can be read and written as a part of the object.
    pub subresources: Vec<&'static str>,
    /// Whether this is the version that the group prefers.
    pub preferred: bool,
}

/// Where the objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One name space for the whole cluster.
    Cluster,
    /// In a namespace.
    Namespaced,
}

impl BuiltinKind {
    /// Returns `group/version`, or only the version for the core group.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Returns the name under which the types of the group are known: its first label.
    pub(crate) fn package(&self) -> &'static str {
        match self.group.split_once('.') {
            Some((first, _)) => first,
            None if self.group.is_empty() => "core",
            None => self.group,
        }
    }
}

/// Returns every built-in kind: groups as the server lists them, the preferred version of a group first.
pub fn all() -> &'static [BuiltinKind] {
    static ALL: OnceLock<Vec<BuiltinKind>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut kinds: Vec<BuiltinKind> = Vec::new();
        for mut kind in TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(parse) {
            let leader = kinds.iter().find(|earlier| earlier.group == kind.group);
            kind.preferred = leader.is_none_or(|leader| leader.version == kind.version);
            kinds.push(kind);
        }
        kinds
    })
}

/// Returns the kind of exactly this group and version.
pub fn find(group: &str, version: &str, kind: &str) -> Option<&'static BuiltinKind> {
    all().iter().find(|known| known.kind == kind && known.group == group && known.version == version)
}

/// Returns the kind that the path `/apis/GROUP/VERSION/PLURAL` serves.
pub fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static BuiltinKind> {
    all().iter().find(|known| known.plural == plural && known.group == group && known.version == version)
}

/// Returns the scope of a kind, whatever its version.
pub fn scope_of(group: &str, kind: &str) -> Option<Scope> {
    all().iter().find(|known| known.kind == kind && known.group == group).map(|known| known.scope)
}

fn parse(line: &'static str) -> Option<BuiltinKind> {
    let mut columns = line.split(' ');
    let (group, version) = match columns.next()? {
        group_version if group_version.contains('/') => group_version.split_once('/')?,
        version => ("", version),
    };
    let kind = columns.next()?;
    let plural = columns.next()?;
    let scope = match columns.next()? {
        "Cluster" => Scope::Cluster,
        "Namespaced" => Scope::Namespaced,
        _ => return None,
    };
    let rest: Vec<_> = columns.collect();
    let list = |key: &str| -> Vec<&'static str> {
        let values = rest.iter().find_map(|column| column.strip_prefix(key));
        values.map(|values| values.split(',').collect()).unwrap_or_default()
    };
    Some(BuiltinKind {
        group,
        version,
        kind,
        plural,
        singular: kind.to_lowercase(),
        short_names: list("short="),
        categories: list("in="),
        scope,
        subresources: list("sub="),
        preferred: false,
    })
}
