//! Paths and queries of API requests.

use std::fmt::Write;

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::ports::{ProviderError, Target};

/// Returns the path of a kind's collection, in one namespace or everywhere.
///
/// # Errors
/// A part cannot stand in a path.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris>
pub(crate) fn collection(kind: &KindInfo, namespace: Option<&str>) -> Result<String, ProviderError> {
    let mut path = if kind.kind.group.is_empty() {
        String::from("/api")
    } else {
        let mut path = String::from("/apis");
        push(&mut path, "group", &kind.kind.group)?;
        path
    };
    push(&mut path, "version", &kind.version)?;
    if let (Scope::Namespaced, Some(namespace)) = (kind.scope, namespace) {
        path.push_str("/namespaces");
        push(&mut path, "namespace", namespace)?;
    }
    push(&mut path, "resource", &kind.plural)?;
    Ok(path)
}

/// Returns the path of one object.
///
/// # Errors
/// A part cannot stand in a path, or a namespaced object has no namespace: its path would be a collection's,
/// and deleting that deletes everything in it.
pub(crate) fn object(target: &Target) -> Result<String, ProviderError> {
    if target.kind.scope == Scope::Namespaced && target.namespace.is_none() {
        return Err(ProviderError::Invalid(
            format!("{} {} needs a namespace", target.kind.kind, target.name).into(),
        ));
    }
    let mut path = collection(&target.kind, target.namespace.as_deref())?;
    push(&mut path, "name", &target.name)?;
    Ok(path)
}

/// Appends a segment.
///
/// Empty text, `.`, `..`, `/` and `%` would make the path that of something else.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names>
fn push(path: &mut String, what: &str, segment: &str) -> Result<(), ProviderError> {
    if matches!(segment, "" | "." | "..") || segment.contains(['/', '%']) {
        return Err(ProviderError::Invalid(format!("{segment:?} cannot be the {what} of an object").into()));
    }
    path.push('/');
    encode(path, segment, b"!$&'()*+,;=:@");
    Ok(())
}

/// Builds a query string.
#[derive(Default)]
pub(crate) struct Query(String);

impl Query {
    /// Adds a parameter.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(key);
        self.0.push('=');
        encode(&mut self.0, value, b"");
        self
    }

    /// Adds a parameter if there is a value.
    pub(crate) fn with_some(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Returns `path` with this query behind it.
    pub(crate) fn on(&self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3 and those in `keep`.
fn encode(out: &mut String, text: &str, keep: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(byte as char);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use engine_core::object_ref::GroupKind;

    use super::*;

    fn target(group: &str, scope: Scope, namespace: Option<&str>, name: &str) -> Target {
        Target {
            kind: KindInfo {
                kind: GroupKind::new(group, "Thing"),
                version: "v1".into(),
                plural: "things".into(),
                scope,
                listable: true,
            },
            namespace: namespace.map(Into::into),
            name: name.into(),
        }
    }

    #[test]
    fn objects_have_the_paths_of_the_api_conventions() {
        let cases = [
            (target("", Scope::Namespaced, Some("dev"), "a"), "/api/v1/namespaces/dev/things/a"),
            (target("", Scope::Cluster, None, "a"), "/api/v1/things/a"),
            (target("apps", Scope::Namespaced, Some("dev"), "a"), "/apis/apps/v1/namespaces/dev/things/a"),
            (target("apps", Scope::Cluster, Some("dev"), "system:x y"), "/apis/apps/v1/things/system:x%20y"),
        ];
        for (target, path) in cases {
            assert_eq!(object(&target).unwrap(), path);
        }
    }

    #[test]
    fn nothing_but_one_object_can_be_addressed() {
        for name in ["", ".", "..", "a/b", "a%2fb"] {
            let of = |namespace, name| object(&target("", Scope::Namespaced, namespace, name));
            assert!(matches!(of(Some("dev"), name), Err(ProviderError::Invalid(_))), "{name:?}");
            assert!(matches!(of(Some(name), "a"), Err(ProviderError::Invalid(_))), "{name:?}");
            assert!(matches!(of(None, "a"), Err(ProviderError::Invalid(_))));
        }
    }

    #[test]
    fn query_values_are_encoded() {
        let query = Query::default()
            .with("labelSelector", "a=b,c in (d)")
            .with_some("continue", None)
            .with("limit", "500");
        assert_eq!(query.on("/x"), "/x?labelSelector=a%3Db%2Cc%20in%20%28d%29&limit=500");
    }
}
