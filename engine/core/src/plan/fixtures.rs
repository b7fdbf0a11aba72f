//! Stories for tests: objects are declared, applied and touched by others; the plan tells what it makes of it.

mod declared;
mod server;
mod summary;
mod world;

use std::fmt::Debug;

use crate::field_path::{FieldPath, PathElement};
use crate::object_ref::{ClusterRef, GroupKind, ObjectRef};
use crate::value::Value;

pub(crate) use declared::{Declared, graph, graph_with};
pub(crate) use server::Foreign;
pub(crate) use summary::{faults, lines, shown};
pub(crate) use world::{World, other_lineage};

/// Reads a value from JSON.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Reads something that has a text form.
pub(crate) fn parse<T: std::str::FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{error:?}: {text}"))
}

/// Reads a path of map fields: `spec.replicas`.
pub(crate) fn path(text: &str) -> FieldPath {
    text.split('.').map(|name| PathElement::Field(name.into())).collect()
}

/// Builds the body of `v1 ConfigMap dev/settings`, the rest of it from JSON.
pub(crate) fn body(head: &str, rest: &str) -> Value {
    let [api_version, kind, name] = head.split(' ').collect::<Vec<_>>()[..] else {
        panic!("no head of an object: {head}");
    };
    let mut body = json(rest);
    body.set_at(&["apiVersion"], api_version.into());
    body.set_at(&["kind"], kind.into());
    if let Some((namespace, _)) = name.split_once('/') {
        body.set_at(&["metadata", "namespace"], namespace.into());
    }
    let (_, name) = name.split_once('/').unwrap_or(("", name));
    body.set_at(&["metadata", "name"], name.into());
    body
}

/// Reads `Deployment.apps/dev/web`, on cluster `main`.
pub(crate) fn object_ref(key: &str) -> ObjectRef {
    let parts: Vec<&str> = key.split('/').collect();
    let (kind, group) = parts[0].split_once('.').unwrap_or((parts[0], ""));
    ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new(group, kind),
        namespace: (parts.len() == 3).then(|| parts[1].into()),
        name: parts[parts.len() - 1].into(),
    }
}
