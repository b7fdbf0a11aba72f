//! What a run knows of the objects of its environment, and what of that nobody else is to see.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use engine_core::address::Address;
use engine_core::graph::ResourceGraph;
use engine_core::manifest::Manifest;
use engine_core::object_ref::{GroupKind, ObjectRef};
use engine_core::plan::redact;
use engine_core::resource::{Body, Resource};
use engine_core::sensitive::SensitivePaths;
use engine_core::value::{Text, Value};

use crate::execute::Executor;

impl Executor {
    /// Keeps a manifest whose secrets were not known before.
    pub(crate) fn remember(&self, manifest: &Manifest) {
        if !manifest.sensitive().is_empty() {
            self.filled.lock().unwrap_or_else(PoisonError::into_inner).push(manifest.clone());
        }
    }

    /// Returns a text that programs of the cluster wrote without what this run knows to be sensitive.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner).clone();
        without_secrets(text, (&self.graph, &filled, &self.reads()))
    }

    /// Tells whether this environment makes a `ConfigMap` or `Secret` in the namespace of an object without a key. One
    /// that it makes empty is there for others to fill.
    pub(crate) fn lacks_key(&self, beside: &ObjectRef, named: (&str, &str), key: &str) -> bool {
        lacks_key(&self.graph, beside, named, key)
    }
}

/// Returns a text without what is sensitive in any manifest, declared or filled, or in what was read.
fn without_secrets(
    text: &str,
    (graph, filled, reads): (&ResourceGraph, &[Manifest], &BTreeMap<Address, Value>),
) -> String {
    let declared = graph.resources().iter().filter_map(Resource::manifest);
    let declared = declared.filter(|manifest| !manifest.sensitive().is_empty());
    let read: Vec<Manifest> = reads.iter().filter_map(|read| read_secret(graph, read)).collect();
    let all = declared.chain(filled).chain(&read);
    all.fold(text.to_owned(), |text, manifest| redact(&text, manifest))
}

/// Returns a Secret that was read, as a manifest.
fn read_secret(graph: &ResourceGraph, (address, value): (&Address, &Value)) -> Option<Manifest> {
    let Body::Read(read) = &graph.at(address)?.body else {
        return None;
    };
    if SensitivePaths::of_kind(&read.object_ref.kind).is_empty() {
        return None;
    }
    let cluster = read.object_ref.cluster.clone();
    Manifest::new(cluster, value.clone(), SensitivePaths::default(), Vec::new()).ok()
}

fn lacks_key(graph: &ResourceGraph, beside: &ObjectRef, (kind, name): (&str, &str), key: &str) -> bool {
    let object_ref = ObjectRef {
        cluster: beside.cluster.clone(),
        kind: GroupKind::new("", kind),
        namespace: beside.namespace.clone(),
        name: Text::from(name),
    };
    let declared = graph.find(&object_ref).and_then(Resource::manifest);
    declared.is_some_and(|manifest| {
        let fields = ["data", "binaryData"];
        let is_filled =
            fields.iter().any(|field| manifest.body().at(&[field]).is_some_and(|it| !is_empty(it)));
        let has_key = fields.iter().any(|field| manifest.body().at(&[field, key]).is_some());
        manifest.holes().is_empty() && is_filled && !has_key
    })
}

fn is_empty(value: &Value) -> bool {
    value.as_map().is_none_or(|map| map.iter().next().is_none())
}

#[cfg(test)]
mod tests;
