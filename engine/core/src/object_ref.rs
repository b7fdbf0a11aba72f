//! Which object on which cluster.

use std::fmt;
use std::str::FromStr;

use crate::value::Text;

/// The name of a cluster inside its environment: `main`, or `prod["eu"]` with `for_each`.
///
/// The state pins each cluster to the uid of its namespace `kube-system`, so that a context that now points
/// elsewhere is refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterRef(Text);

impl ClusterRef {
    /// Builds a reference from the text form.
    pub fn new(name: impl Into<Text>) -> Self {
        Self(name.into())
    }

    /// Returns the text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClusterRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClusterRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group and a kind: `Deployment.apps`, `ConfigMap`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group; empty for the core group.
    pub group: Text,
    /// Kind in CamelCase.
    pub kind: Text,
}

impl GroupKind {
    /// Builds a group and kind.
    pub fn new(group: impl Into<Text>, kind: impl Into<Text>) -> Self {
        Self { group: group.into(), kind: kind.into() }
    }

    /// Tells whether this is `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

impl fmt::Debug for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The value of `apiVersion`: `apps/v1`, `v1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// API group; empty for the core group.
    pub group: Text,
    /// Version: `v1`, `v1beta1`.
    pub version: Text,
}

impl ApiVersion {
    /// Builds an API version.
    pub fn new(group: impl Into<Text>, version: impl Into<Text>) -> Self {
        Self { group: group.into(), version: version.into() }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.version)
        } else {
            write!(f, "{}/{}", self.group, self.version)
        }
    }
}

impl fmt::Debug for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no `apiVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an apiVersion: expected `version` or `group/version`")]
pub struct ApiVersionError;

impl FromStr for ApiVersion {
    type Err = ApiVersionError;

    fn from_str(text: &str) -> Result<Self, ApiVersionError> {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        let label = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let core_group = !text.contains('/');
        let valid = label(version) && (core_group || group.split('.').all(label));
        if valid { Ok(Self::new(group, version)) } else { Err(ApiVersionError) }
    }
}

/// The identity of an object. The version is not part of it: moving from `autoscaling/v1` to `v2` is an
/// update.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The cluster.
    pub cluster: ClusterRef,
    /// Group and kind.
    pub kind: GroupKind,
    /// Namespace, `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Name.
    pub name: Text,
}

impl ObjectRef {
    /// Returns `Kind.group/namespace/name`, or `Kind.group/name` for cluster-scoped kinds.
    pub fn key(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{}/{namespace}/{}", self.kind, self.name),
            None => format!("{}/{}", self.kind, self.name),
        }
    }

    /// Returns the Namespace that the object lies in, `None` of a cluster-scoped one.
    pub fn enclosing_namespace(&self) -> Option<Self> {
        let name = self.namespace.clone()?;
        let kind = GroupKind::new("", "Namespace");
        Some(Self { cluster: self.cluster.clone(), kind, namespace: None, name })
    }
}

/// Prints the key without the cluster.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

/// Prints the key behind its cluster.
impl fmt::Debug for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.cluster, self.key())
    }
}

/// The uid that the API server gave an object; another object of the same name has another one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(Text);

impl Uid {
    /// Builds a uid from the server's text.
    pub fn new(text: impl Into<Text>) -> Self {
        Self(text.into())
    }

    /// Returns the server's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_versions_read_as_they_print() {
        for text in ["v1", "apps/v1", "rbac.authorization.k8s.io/v1beta1"] {
            assert_eq!(text.parse::<ApiVersion>().unwrap().to_string(), text);
        }
        for text in ["", "/v1", "apps/", "a/b/c", "Apps/v1", "../v1"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_leave_out_what_is_not_there() {
        let cluster = ClusterRef::new("main");
        let kind = GroupKind::new("apps", "Deployment");
        let object_ref =
            ObjectRef { cluster: cluster.clone(), kind, namespace: Some("dev".into()), name: "web".into() };
        assert_eq!(object_ref.key(), "Deployment.apps/dev/web");
        let namespace =
            ObjectRef { cluster, kind: GroupKind::new("", "Namespace"), namespace: None, name: "dev".into() };
        assert_eq!(namespace.key(), "Namespace/dev");
    }
}
