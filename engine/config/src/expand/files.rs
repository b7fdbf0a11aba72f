//! The files of `manifests`.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::kind_info::{Scope, builtin_scope};
use engine_core::value::{Text, Value};
use rayon::prelude::*;

use super::Walk;
use super::namespaces::kind_of;
use super::overlay::outside;
use super::primitive::Objects;
use crate::codes::{INVALID_ARGUMENT, MANIFEST, NO_FILES};
use crate::source::inside;
use crate::yaml;

impl Walk<'_> {
    /// Reads the objects of all files that patterns match.
    pub(super) fn files(
        &self,
        patterns: &[Text],
        namespace: Option<&Text>,
        span: &SourceSpan,
    ) -> Result<Objects, Diagnostics> {
        let (mut files, mut objects) = (Vec::new(), Vec::new());
        let mut faults = Diagnostics::default();
        for pattern in patterns {
            match self.matching(pattern, span) {
                Ok(names) => files.extend(names),
                Err(found) => faults.extend(found),
            }
        }
        let files =
            files.iter().map(|name| self.ground.files.manifests(&self.ground.files.root().join(name)));
        // Reading YAML takes most of the time of a definition made of it.
        let read: Vec<_> =
            files.collect::<Vec<_>>().into_par_iter().map(|file| read(&file?, namespace)).collect();
        for found in read {
            match found {
                Ok(found) => objects.extend(found),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(objects) } else { Err(faults) }
    }

    /// Returns the files that a pattern matches; `*` and `?` match within the last name of the path.
    fn matching(&self, pattern: &str, span: &SourceSpan) -> Result<Vec<String>, Diagnostics> {
        let path = inside(pattern).ok_or_else(|| outside(pattern, span))?;
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", &path));
        if directory.contains(['*', '?']) {
            let summary = format!("pattern {pattern:?} has a wildcard in a directory's name");
            return Err(Diagnostic::error(INVALID_ARGUMENT, summary)
                .at(span.clone())
                .hint("name each directory; `*` and `?` stand in the last part of a path only")
                .into());
        }
        let files = self.ground.files;
        let names = files.names(&files.root().join(directory))?;
        let found: Vec<String> = names
            .iter()
            .filter(|candidate| matches(name.as_bytes(), candidate.as_bytes()))
            .map(|name| format!("{directory}/{name}"))
            .collect();
        if found.is_empty() {
            return Err(Diagnostic::error(NO_FILES, format!("no file matches {pattern:?}"))
                .at(span.clone())
                .hint("paths start at the repository's root; \"${path.root}/…\" starts at the environment")
                .into());
        }
        Ok(found)
    }
}

/// Reads the objects of a file.
fn read(file: &Arc<SourceFile>, namespace: Option<&Text>) -> Result<Objects, Diagnostics> {
    let mut objects = Vec::new();
    for (value, place) in yaml::documents(file)? {
        objects.extend(items(value, &place)?.into_iter().map(|mut object| {
            place_in(&mut object, namespace);
            (object, Some(place.clone()))
        }));
    }
    Ok(objects)
}

/// Returns the objects of a document: itself, or the items of a `List`, a `RoleList` or the like. Items of a typed
/// list may leave out their version and kind.
///
/// # Source
/// Kubernetes API Concepts, "Collections": `kind: List` is a client-side collection, `PodList` and the like are what the
/// API server answers to a LIST.
fn items(value: Value, place: &SourceSpan) -> Result<Vec<Value>, Diagnostics> {
    let Some((kind, items)) = list_of(&value) else { return Ok(vec![value]) };
    if items.iter().any(|item| list_of(item).is_some()) {
        return Err(Diagnostic::error(MANIFEST, "a List within a List")
            .at(place.clone())
            .hint("write the items of the inner List into the outer one")
            .into());
    }
    let typed = |item: &Value| {
        let mut item = item.clone();
        if let (Some(version), false) =
            (value.get("apiVersion"), kind.is_empty() || item.get("kind").is_some())
        {
            item.set_at(&["kind"], Value::string(kind));
            item.set_at(&["apiVersion"], version.clone());
        }
        item
    };
    Ok(items.iter().map(typed).collect())
}

/// Returns the kind of a list's items, empty for any kind, and the items; `None` for what is no list.
fn list_of(value: &Value) -> Option<(&str, &[Value])> {
    let kind = value.str_at(&["kind"])?.strip_suffix("List")?;
    // A custom resource may be called an AllowList, and have items.
    if value.str_at(&["metadata", "name"]).is_some() {
        return None;
    }
    Some((kind, value.get("items")?.as_list()?))
}

/// Sets the namespace of an object that should have one and has none. Kinds that are not built in are taken
/// to be namespaced.
fn place_in(object: &mut Value, namespace: Option<&Text>) {
    let (Some(namespace), Some(kind)) = (namespace, kind_of(object)) else { return };
    let is_missing = object.str_at(&["metadata", "namespace"]).is_none();
    if is_missing && builtin_scope(&kind) != Some(Scope::Cluster) {
        object.set_at(&["metadata", "namespace"], Value::String(namespace.clone()));
    }
}

/// Tells whether a name matches a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when the last `*` takes one more byte.
    let mut retry: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                at = star + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, want) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?c*", "abc", true),
            ("a?c", "abcd", false),
            ("*a*b", "xaxxb", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), want, "{pattern} {name}");
        }
    }
}
