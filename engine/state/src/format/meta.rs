//! `meta.json`.

use std::collections::BTreeMap;

use engine_core::cluster::{ClusterRecord, Connection};
use engine_core::lock::Renewal;
use engine_core::object_ref::{ClusterRef, Uid};
use engine_core::state::{Holder, Output, State};
use engine_core::value::{Text, Value};
use serde::{Deserialize, Serialize};

use super::{FormatError, META, Schema, output};

/// The whole file. Fields stand in the order of their names: canonical JSON sorts its keys.
#[derive(Serialize, Deserialize)]
pub(super) struct Meta {
    clusters: BTreeMap<Text, ClusterEntry>,
    environment: Text,
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<HolderEntry>,
    /// Lines of `intents.jsonl`.
    intents: u64,
    lineage: Text,
    /// Lines of `objects.jsonl`.
    objects: u64,
    outputs: BTreeMap<Text, OutputEntry>,
    /// For people who read the file; the reader derives nothing from it.
    #[serde(default)]
    phase: Text,
    schema: i64,
    serial: u64,
}

#[derive(Serialize, Deserialize)]
struct ClusterEntry {
    /// `None` is the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kubeconfig: Option<Text>,
    uid: Text,
}

#[derive(Serialize, Deserialize)]
struct HolderEntry {
    operation: Text,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renewal: Option<u32>,
    run: Text,
    since: Text,
    who: Text,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OutputEntry {
    Sensitive,
    Value(Value),
}

/// How many lines the other files have.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) objects: u64,
    pub(super) intents: u64,
}

impl Meta {
    pub(super) fn of(state: &State) -> Result<Self, FormatError> {
        let outputs = state
            .outputs
            .iter()
            .map(|(name, output)| Ok((name.clone(), OutputEntry::of(output)?)))
            .collect::<Result<_, String>>()
            .map_err(|reason| FormatError::new(META, reason))?;
        Ok(Self {
            clusters: state
                .clusters
                .iter()
                .map(|(cluster, record)| (cluster.as_str().into(), record.into()))
                .collect(),
            environment: state.environment.as_str().into(),
            epoch: state.epoch,
            holder: state.holder.as_ref().map(HolderEntry::from),
            intents: state.intents.len() as u64,
            lineage: state.lineage.as_str().into(),
            objects: state.records.len() as u64,
            outputs,
            phase: phase(state).into(),
            schema: Schema::NEWEST.number(),
            serial: state.serial,
        })
    }

    /// Reads the file, first as a plain value: that refuses a key that stands twice, and finds the schema of
    /// a file whose other fields this version may not understand.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let fault = |error: serde_json::Error| FormatError::new(META, error.to_string());
        let value: Value = serde_json::from_slice(bytes).map_err(fault)?;
        let schema = value.get("schema").and_then(Value::as_i64);
        known(schema.ok_or_else(|| FormatError::new(META, "there is no schema number"))?)?;
        serde_json::from_slice(bytes).map_err(fault)
    }

    pub(super) fn schema(&self) -> Result<Schema, FormatError> {
        known(self.schema)
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { objects: self.objects, intents: self.intents }
    }

    /// Returns the state without its objects and intents.
    pub(super) fn into_state(self) -> Result<State, FormatError> {
        let fault = |reason: String| FormatError::new(META, reason);
        let outputs = self
            .outputs
            .into_iter()
            .map(|(name, entry)| Ok((name, entry.into_output()?)))
            .collect::<Result<_, String>>()
            .map_err(fault)?;
        Ok(State {
            environment: self.environment.parse().map_err(|error| fault(format!("environment: {error}")))?,
            lineage: self.lineage.parse().map_err(|error| fault(format!("lineage: {error}")))?,
            serial: self.serial,
            epoch: self.epoch,
            holder: self.holder.map(Holder::from),
            clusters: self
                .clusters
                .into_iter()
                .map(|(name, entry)| (ClusterRef::new(name), entry.into()))
                .collect(),
            records: BTreeMap::new(),
            intents: Vec::new(),
            outputs,
        })
    }
}

fn known(schema: i64) -> Result<Schema, FormatError> {
    Schema::of(schema).ok_or_else(|| {
        let newest = Schema::NEWEST.number();
        let reason =
            format!("the state has schema {schema}, this version of terrane reads schemas up to {newest}");
        FormatError { is_newer: schema > newest, ..FormatError::new(META, reason) }
    })
}

fn phase(state: &State) -> &'static str {
    match (&state.holder, state.intents.is_empty()) {
        (Some(_), _) => "held",
        (None, false) => "unfinished",
        (None, true) => "idle",
    }
}

impl From<&ClusterRecord> for ClusterEntry {
    fn from(record: &ClusterRecord) -> Self {
        let (context, kubeconfig) = match &record.connection {
            Connection::Sandbox => (None, None),
            Connection::Context { context, kubeconfig } => (Some(context.clone()), kubeconfig.clone()),
        };
        Self { context, kubeconfig, uid: record.uid.as_str().into() }
    }
}

impl From<ClusterEntry> for ClusterRecord {
    fn from(entry: ClusterEntry) -> Self {
        let connection = match entry.context {
            None => Connection::Sandbox,
            Some(context) => Connection::Context { context, kubeconfig: entry.kubeconfig },
        };
        Self { connection, uid: Uid::new(entry.uid) }
    }
}

impl From<&Holder> for HolderEntry {
    fn from(holder: &Holder) -> Self {
        Self {
            operation: holder.operation.clone(),
            renewal: Some(holder.renewal.seconds()),
            run: holder.run.clone(),
            since: holder.since.clone(),
            who: holder.who.clone(),
        }
    }
}

impl From<HolderEntry> for Holder {
    fn from(entry: HolderEntry) -> Self {
        let renewal = entry.renewal.and_then(Renewal::every).unwrap_or_default();
        Self { run: entry.run, who: entry.who, operation: entry.operation, since: entry.since, renewal }
    }
}

impl OutputEntry {
    fn of(output: &Output) -> Result<Self, String> {
        match output {
            Output::Sensitive => Ok(Self::Sensitive),
            Output::Value(value) => output::to_json(value).map(Self::Value),
        }
    }

    fn into_output(self) -> Result<Output, String> {
        match self {
            Self::Sensitive => Ok(Output::Sensitive),
            Self::Value(json) => output::from_json(&json).map(Output::Value),
        }
    }
}
