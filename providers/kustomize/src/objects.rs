//! Turns the documents of a file into objects.

use std::collections::VecDeque;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::{Map, Text, Value};

use crate::codes;
use crate::resource::{Resource, text_of};
use crate::yaml::{self, Content, Dialect, Document, Node};

/// Reads the objects of a file. Empty documents are passed over, and a list kind stands for its items, which come
/// behind the other objects of the file.
///
/// # Errors
/// All faults of the YAML, and every document that is no object: no kind, or no name.
pub(crate) fn read(file: &Arc<SourceFile>) -> Result<Vec<Resource>, Diagnostics> {
    from_documents(yaml::parse_as(file, Dialect::Kustomize)?)
}

/// Reads the objects of parsed documents.
///
/// # Errors
/// Every document that is no object.
pub(crate) fn from_documents(documents: Vec<Document>) -> Result<Vec<Resource>, Diagnostics> {
    let mut queue: VecDeque<(Value, SourceSpan)> =
        documents.into_iter().map(|document| (object_value(document.root), document.span)).collect();
    let mut resources = Vec::new();
    let mut faults = Diagnostics::default();
    while let Some((value, span)) = queue.pop_front() {
        let map = match value {
            Value::Null => continue,
            Value::Map(map) if map.is_empty() => continue,
            Value::List(items) if items.is_empty() => continue,
            Value::Map(map) => map,
            other => {
                let summary = format!("expected a Kubernetes object, found a JSON {}", other.kind_name());
                faults.push(Diagnostic::error(codes::BAD_OBJECT, summary).at(span));
                continue;
            }
        };
        match expand(map, &span) {
            Ok(Expanded::Object(map)) => resources.push(Resource::new(map, span)),
            Ok(Expanded::Items(items)) => queue.extend(items.into_iter().map(|item| (item, span.clone()))),
            Err(fault) => faults.push(*fault),
        }
    }
    if faults.is_empty() { Ok(resources) } else { Err(faults) }
}

enum Expanded {
    Object(Map),
    Items(Vec<Value>),
}

/// Checks an object, and opens a list kind. One without `items` is an object like any other.
fn expand(map: Map, span: &SourceSpan) -> Result<Expanded, Box<Diagnostic>> {
    let fault = |summary: String| Box::new(Diagnostic::error(codes::BAD_OBJECT, summary).at(span.clone()));
    let kind = text_of(map.get("kind"));
    if kind.is_empty() {
        return Err(fault("the object has no `kind`".to_owned()));
    }
    if kind.ends_with("List") {
        return match map.get("items") {
            None => Ok(Expanded::Object(map)),
            Some(Value::Null) => Ok(Expanded::Items(Vec::new())),
            Some(Value::List(items)) => Ok(Expanded::Items(items.to_vec())),
            Some(_) => Err(fault(format!("`items` of the {kind} is no list"))),
        };
    }
    let name = map.get("metadata").and_then(|metadata| metadata.get("name"));
    if text_of(name).is_empty() {
        return Err(fault(format!("the {kind} has no `metadata.name`")));
    }
    Ok(Expanded::Object(map))
}

/// Returns the value of an object. Annotations are text whatever they look like: `1.10` stays `"1.10"`.
fn object_value(root: Node) -> Value {
    let annotations = field(&root, "metadata").and_then(|metadata| field(metadata, "annotations"));
    let mut texts: Vec<(Text, Text)> = Vec::new();
    if let Some(Content::Map(entries)) = annotations.map(|node| &node.content) {
        for entry in entries {
            if let Content::Scalar(Value::Bool(_) | Value::Number(_), text) = &entry.value.content {
                texts.push((entry.key.clone(), text.clone()));
            }
        }
    }
    let mut value = root.into_value();
    for (key, text) in texts {
        value.set_at(&["metadata", "annotations", &key], Value::String(text));
    }
    value
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.content {
        Content::Map(entries) => entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value),
        _ => None,
    }
}
