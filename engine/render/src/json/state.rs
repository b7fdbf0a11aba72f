//! The state as JSON.

use engine_core::address::Address;
use engine_core::object_ref::ObjectRef;
use engine_core::state::{ResourceRecord, State};
use serde::Serialize;

use super::object::{ObjectJson, of_object};
use super::{FORMAT_VERSION, to_json};

#[derive(Serialize)]
struct StateJson<'a> {
    format_version: &'static str,
    environment: &'a str,
    lineage: &'a str,
    serial: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    locked_by: Option<&'a str>,
    resources: Vec<RecordJson<'a>>,
}

#[derive(Serialize)]
struct RecordJson<'a> {
    address: String,
    #[serde(flatten)]
    object: ObjectJson<'a>,
    api_version: String,
    uid: &'a str,
    prevent_destroy: bool,
    depends_on: Vec<String>,
}

/// Returns what the state records, as one JSON object.
pub fn state_json(state: &State) -> String {
    to_json(&of_state(state, |_| true))
}

/// Returns what the state records of the objects at or below an address; `None` when there are none.
pub fn state_show_json(state: &State, address: &Address) -> Option<String> {
    let found = of_state(state, |record| record.address.is_within(address));
    (!found.resources.is_empty()).then(|| to_json(&found))
}

fn of_state(state: &State, wanted: impl Fn(&ResourceRecord) -> bool) -> StateJson<'_> {
    let records = state.records.iter().filter(|(_, record)| wanted(record));
    let mut resources: Vec<RecordJson<'_>> =
        records.map(|(object, record)| of_record(object, record)).collect();
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    StateJson {
        format_version: FORMAT_VERSION,
        environment: state.environment.as_str(),
        lineage: state.lineage.as_str(),
        serial: state.serial,
        locked_by: state.holder.as_ref().map(|holder| holder.who.as_str()),
        resources,
    }
}

fn of_record<'a>(object_ref: &'a ObjectRef, record: &'a ResourceRecord) -> RecordJson<'a> {
    let blocks = record.dependencies.blocks.iter().map(ToString::to_string);
    RecordJson {
        address: record.address.to_string(),
        object: of_object(object_ref),
        api_version: record.api_version.to_string(),
        uid: record.uid.as_str(),
        prevent_destroy: record.prevent_destroy,
        depends_on: blocks.chain(record.dependencies.objects.iter().map(ObjectRef::key)).collect(),
    }
}
