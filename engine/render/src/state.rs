//! The state, its history and the outputs.

use std::collections::BTreeMap;
use std::fmt::Write;

use engine_core::address::Address;
use engine_core::digest::{Fingerprint, Seal};
use engine_core::object_ref::ObjectRef;
use engine_core::state::{Output, ResourceRecord, State};
use engine_core::value::{Text, Value};
use serde::Serialize;

use crate::body::scalar;
use crate::escape::escape;
use crate::json::to_json;

/// Returns the addresses of all recorded objects, one a line, sorted.
pub fn state_list(state: &State) -> String {
    let mut addresses: Vec<String> = state.records.values().map(|it| it.address.to_string()).collect();
    addresses.sort();
    addresses.iter().map(|it| format!("{}\n", escape(it))).collect()
}

/// Returns what the state keeps of the objects at or below an address; `None` when there are none.
pub fn state_show(state: &State, address: &Address) -> Option<String> {
    let mut records: Vec<_> =
        state.records.iter().filter(|(_, record)| record.address.is_within(address)).collect();
    records.sort_by_key(|(_, record)| &record.address);
    let blocks: Vec<String> = records.into_iter().map(|(key, record)| block(key, record)).collect();
    (!blocks.is_empty()).then(|| blocks.join("\n"))
}

fn block(object_ref: &ObjectRef, record: &ResourceRecord) -> String {
    let mut out = format!("{}\n", escape(&record.address.to_string()));
    let mut row = |label: &str, text: &str| {
        let _ = writeln!(out, "  {label:<12} {}", escape(text));
    };
    row("object", &object_ref.key());
    row("cluster", object_ref.cluster.as_str());
    row("apiVersion", &record.api_version.to_string());
    row("uid", record.uid.as_str());
    if record.prevent_destroy {
        row("protected", "by prevent_destroy");
    }
    let blocks = record.dependencies.blocks.iter().map(ToString::to_string);
    let objects = record.dependencies.objects.iter().map(ObjectRef::key);
    for (idx, name) in blocks.chain(objects).enumerate() {
        row(if idx == 0 { "depends on" } else { "" }, &name);
    }
    for (label, print) in [("desired", Some(&record.desired)), ("settled", record.settled.as_ref())] {
        match print.filter(|print| **print != Fingerprint::NOTHING) {
            Some(print) => row(label, &fingerprint(print)),
            None => row(label, "unknown, the next plan asks the server"),
        }
    }
    out
}

fn fingerprint(fingerprint: &Fingerprint) -> String {
    let seal = match fingerprint.seal {
        Seal::Empty => "",
        Seal::Keyed(_) => ", with sensitive values",
        Seal::Unknown => ", sensitive values unknown",
    };
    format!("{}{seal}", fingerprint.open.short())
}

/// Returns the outputs as `name = value`, one a line; lists and maps as JSON.
pub fn outputs_text(outputs: &BTreeMap<Text, Output>) -> String {
    let line = |(name, output): (&Text, &Output)| {
        let value = match output {
            Output::Value(value) => scalar(value),
            Output::Sensitive => "(sensitive value)".into(),
        };
        format!("{} = {value}\n", escape(name))
    };
    outputs.iter().map(line).collect()
}

#[derive(Serialize)]
struct OutputJson<'a> {
    sensitive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a Value>,
}

/// Returns the outputs as one JSON object by name. A sensitive output has no value: none is kept.
///
/// # Source
/// Terraform documentation, `terraform output -json`: names and nesting.
pub fn outputs_json(outputs: &BTreeMap<Text, Output>) -> String {
    let json: BTreeMap<&str, OutputJson<'_>> = outputs
        .iter()
        .map(|(name, output)| {
            let value = match output {
                Output::Value(value) => Some(value),
                Output::Sensitive => None,
            };
            let sensitive = value.is_none();
            (name.as_str(), OutputJson { sensitive, value })
        })
        .collect();
    to_json(&json)
}

#[cfg(test)]
mod tests;
