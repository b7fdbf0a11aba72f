//! What one revision of a state has that another one has not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::address::Address;
use crate::cluster::{ClusterRecord, Connection};
use crate::digest::Fingerprint;
use crate::object_ref::{ClusterRef, ObjectRef};
use crate::plan::{OutputChange, Shown};
use crate::state::{Holder, Output, ResourceRecord, State};

/// What differs between two states, each part in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Objects that only the later one records.
    pub added: Vec<Recorded>,
    /// Objects that only the earlier one records.
    pub removed: Vec<Recorded>,
    /// Objects that both record, and not alike.
    pub changed: Vec<RecordChange>,
    /// Outputs. Of a sensitive one nothing is known but that it is there.
    pub outputs: Vec<OutputChange>,
    /// Clusters: `uid` and `connection`.
    pub clusters: Vec<(ClusterRef, Vec<RecordedField>)>,
    /// Who holds the lock, if that is somebody else.
    pub holder: Option<(Option<Holder>, Option<Holder>)>,
    /// How many writes are intended, if that is another number.
    pub intents: Option<(usize, usize)>,
}

/// A recorded object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The object.
    pub object_ref: ObjectRef,
    /// The resource that declared it.
    pub address: Address,
}

/// A record that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    /// The object, at its later address.
    pub record: Recorded,
    /// The fields that differ.
    pub fields: Vec<RecordedField>,
}

/// A field of a record, as a word of the state's format, and its two values; empty for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedField {
    /// The name in the state's files.
    pub name: &'static str,
    /// In the earlier state.
    pub before: String,
    /// In the later one.
    pub after: String,
}

impl Difference {
    /// Compares two states of one environment.
    pub fn between(before: &State, after: &State) -> Self {
        let holder = (before.holder.clone(), after.holder.clone());
        let intents = (before.intents.len(), after.intents.len());
        Self {
            added: only_in(after, before),
            removed: only_in(before, after),
            changed: changed(before, after),
            outputs: outputs(before, after),
            clusters: clusters(before, after),
            holder: (holder.0 != holder.1).then_some(holder),
            intents: (intents.0 != intents.1).then_some(intents),
        }
    }

    /// Tells whether nothing differs but the serial.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn only_in(one: &State, other: &State) -> Vec<Recorded> {
    let only = one.records.iter().filter(|(object_ref, _)| !other.records.contains_key(*object_ref));
    only.map(|(object_ref, record)| recorded(object_ref, record)).collect()
}

fn recorded(object_ref: &ObjectRef, record: &ResourceRecord) -> Recorded {
    Recorded { object_ref: object_ref.clone(), address: record.address.clone() }
}

fn changed(before: &State, after: &State) -> Vec<RecordChange> {
    let both = after.records.iter().filter_map(|(object_ref, record)| {
        let fields = record_fields(before.records.get(object_ref)?, record);
        (!fields.is_empty()).then(|| RecordChange { record: recorded(object_ref, record), fields })
    });
    both.collect()
}

fn record_fields(before: &ResourceRecord, after: &ResourceRecord) -> Vec<RecordedField> {
    let texts = |record: &ResourceRecord| {
        let dependencies = &record.dependencies;
        [
            ("address", record.address.to_string()),
            ("apiVersion", record.api_version.to_string()),
            ("uid", record.uid.as_str().to_owned()),
            ("blocks", list(&dependencies.blocks)),
            ("objects", list(dependencies.objects.iter().map(ObjectRef::key))),
            ("preventDestroy", record.prevent_destroy.to_string()),
            ("desired", print(Some(&record.desired))),
            ("settled", print(record.settled.as_ref())),
            ("fields", record.fields.len().to_string()),
        ]
    };
    let mut fields = pairs(texts(before), texts(after));
    // Digests are shown short, and of the hashes of fields only the number: they may differ in what is not shown.
    let hidden = [
        ("desired", before.desired != after.desired),
        ("settled", before.settled != after.settled),
        ("fields", before.fields != after.fields),
    ];
    for (name, differs) in hidden {
        if differs && !fields.iter().any(|field| field.name == name) {
            let texts = texts(after);
            let text =
                texts.into_iter().find(|(it, _)| *it == name).map(|(_, text)| text).unwrap_or_default();
            fields.push(RecordedField { name, before: text.clone(), after: text });
        }
    }
    fields
}

fn pairs<const N: usize>(
    before: [(&'static str, String); N],
    after: [(&'static str, String); N],
) -> Vec<RecordedField> {
    let both = before.into_iter().zip(after);
    let differing = both.filter(|((_, before), (_, after))| before != after);
    differing.map(|((name, before), (_, after))| RecordedField { name, before, after }).collect()
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn print(print: Option<&Fingerprint>) -> String {
    print.map(|print| print.open.short()).unwrap_or_default()
}

fn outputs(before: &State, after: &State) -> Vec<OutputChange> {
    let names: BTreeSet<_> = before.outputs.keys().chain(after.outputs.keys()).collect();
    let differing = names.into_iter().filter(|name| before.outputs.get(*name) != after.outputs.get(*name));
    let change = differing.map(|name| OutputChange {
        name: name.clone(),
        before: shown(before.outputs.get(name)),
        after: shown(after.outputs.get(name)),
    });
    change.collect()
}

fn shown(output: Option<&Output>) -> Shown {
    match output {
        None => Shown::Absent,
        Some(Output::Sensitive) => Shown::Sensitive { changed: true },
        Some(Output::Value(value)) => Shown::Value(value.clone()),
    }
}

fn clusters(before: &State, after: &State) -> Vec<(ClusterRef, Vec<RecordedField>)> {
    let names: BTreeSet<_> = before.clusters.keys().chain(after.clusters.keys()).collect();
    let of = |clusters: &BTreeMap<ClusterRef, ClusterRecord>, name: &ClusterRef| {
        let record = clusters.get(name);
        let uid = record.map(|record| record.uid.as_str().to_owned()).unwrap_or_default();
        [("uid", uid), ("connection", record.map(connection).unwrap_or_default())]
    };
    let fields = names
        .into_iter()
        .map(|name| (name.clone(), pairs(of(&before.clusters, name), of(&after.clusters, name))));
    fields.filter(|(_, fields)| !fields.is_empty()).collect()
}

fn connection(record: &ClusterRecord) -> String {
    match &record.connection {
        Connection::Sandbox => "sandbox".into(),
        Connection::Context { context, kubeconfig: None } => format!("context {context}"),
        Connection::Context { context, kubeconfig: Some(path) } => format!("context {context} of {path}"),
    }
}

#[cfg(test)]
pub(super) mod tests;
