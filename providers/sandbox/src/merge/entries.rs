//! `metadata.managedFields`: who owns which fields, since when, and through which endpoint.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/> (`managedFields`)

use engine_kinds::schema::Type;
use serde_json::{Map, Value, json};

use super::fields::{FieldSet, NotFieldsV1};
use super::{FieldConflict, Writer};

/// How many entries of updates an object keeps; the oldest beyond that are merged into one.
const MAX_UPDATE_ENTRIES: usize = 10;

/// Name of the manager that takes over entries beyond [`MAX_UPDATE_ENTRIES`].
const ANCIENT_MANAGER: &str = "ancient-changes";

/// All entries of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct ManagedFields(Vec<Entry>);

/// What one manager owns by one kind of operation.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: ManagerId,
    /// Version of the object in which the fields are named.
    pub(super) api_version: String,
    /// RFC 3339; absent when the manager has changed nothing so far.
    pub(super) time: Option<String>,
    pub(super) fields: FieldSet,
}

/// Tells entries apart. A manager has one entry for all its applies, and one per version for its updates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ManagerId {
    manager: String,
    operation: Operation,
    /// Empty for applies.
    api_version: String,
    subresource: String,
}

/// How fields came to be owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl ManagerId {
    pub(super) fn of(writer: &Writer<'_>, operation: Operation) -> Self {
        Self::new(writer.manager, operation, writer.api_version, writer.subresource)
    }

    fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply { "" } else { api_version };
        Self {
            manager: manager.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: subresource.to_owned(),
        }
    }
}

impl ManagedFields {
    /// Reads the entries of an object.
    pub(super) fn decode(list: &Value) -> Result<Self, NotFieldsV1> {
        let mut managed = Self::default();
        for entry in list.as_array().map_or(&[][..], Vec::as_slice) {
            managed.set(Entry::decode(entry)?);
        }
        Ok(managed)
    }

    /// Writes the entries in Kubernetes' order: applies first, then by time, manager, version, subresource.
    pub(super) fn encode(mut self) -> Vec<Value> {
        self.0.sort_by(|a, b| {
            let key = |entry: &Entry| {
                let id = &entry.id;
                let versions = (entry.api_version.clone(), id.subresource.clone());
                (id.operation, entry.time.clone(), id.manager.clone(), versions)
            };
            key(a).cmp(&key(b))
        });
        self.0.iter().map(Entry::encode).collect()
    }

    /// Returns the entries, in no order.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.0
    }

    /// Adds an entry, even if the same manager has one.
    pub(super) fn set_beside(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: &ManagerId) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.id == *id)
    }

    /// Puts an entry in the place of the one of the same manager.
    pub(super) fn set(&mut self, entry: Entry) {
        self.remove(&entry.id);
        self.0.push(entry);
    }

    pub(super) fn remove(&mut self, id: &ManagerId) {
        self.0.retain(|entry| entry.id != *id);
    }

    /// Replaces what each manager owns; who then owns nothing is dropped.
    pub(super) fn map_fields(&mut self, change: impl Fn(&Entry) -> FieldSet) {
        for entry in &mut self.0 {
            entry.fields = change(entry);
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }

    /// Returns the entries as the schema of today would have them.
    pub(super) fn reconciled(mut self, schema: &Type) -> Self {
        self.map_fields(|entry| entry.fields.clone().reconciled(schema));
        self
    }

    /// Returns everything that anyone owns.
    pub(super) fn union(&self) -> FieldSet {
        self.0.iter().fold(FieldSet::default(), |union, entry| union.union(&entry.fields))
    }

    /// Returns which of the changed fields others than the writer own, by manager.
    pub(super) fn conflicts(&self, writer: &ManagerId, changed: &FieldSet) -> Vec<FieldConflict> {
        let mut others: Vec<_> = self.0.iter().filter(|entry| entry.id != *writer).collect();
        others.sort_by(|a, b| a.id.cmp(&b.id));
        let conflicts = others.into_iter().flat_map(|entry| {
            let paths = entry.fields.intersection(changed).paths();
            paths.into_iter().map(|field| entry.conflict(field))
        });
        conflicts.collect()
    }

    /// Merges the oldest entries of updates, by version, until no more than [`MAX_UPDATE_ENTRIES`] remain.
    pub(super) fn cap(&mut self) {
        let mut updates: Vec<Entry> =
            self.0.iter().filter(|entry| entry.id.operation == Operation::Update).cloned().collect();
        let mut excess = updates.len().saturating_sub(MAX_UPDATE_ENTRIES);
        updates.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
        let mut oldest: Vec<Entry> = Vec::new();
        for update in updates {
            if excess == 0 {
                return;
            }
            let Some(bucket) = oldest.iter_mut().find(|entry| entry.api_version == update.api_version) else {
                oldest.push(update);
                continue;
            };
            self.remove(&bucket.id);
            self.remove(&update.id);
            bucket.id = ManagerId::new(ANCIENT_MANAGER, Operation::Update, &update.api_version, "");
            bucket.fields = std::mem::take(&mut bucket.fields).union(&update.fields);
            bucket.time = update.time;
            self.set(bucket.clone());
            excess -= 1;
        }
    }
}

impl Entry {
    /// Returns the entry of the same manager on another view of the object.
    pub(super) fn seen_as(self, api_version: &str, fields: FieldSet) -> Self {
        Self { api_version: api_version.to_owned(), fields, ..self }
    }

    fn decode(entry: &Value) -> Result<Self, NotFieldsV1> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(NotFieldsV1),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() || text("fieldsType") != "FieldsV1" {
            return Err(NotFieldsV1);
        }
        Ok(Self {
            id: ManagerId::new(text("manager"), operation, api_version, text("subresource")),
            api_version: api_version.to_owned(),
            time: entry.get("time").and_then(Value::as_str).map(str::to_owned),
            fields: entry.get("fieldsV1").map(FieldSet::decode).transpose()?.unwrap_or_default(),
        })
    }

    fn encode(&self) -> Value {
        let mut entry = Map::new();
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                entry.insert(name.to_owned(), value.into());
            }
        };
        put("manager", &self.id.manager);
        put("operation", self.id.operation.as_str());
        put("apiVersion", &self.api_version);
        put("time", self.time.as_deref().unwrap_or_default());
        put("fieldsType", "FieldsV1");
        put("subresource", &self.id.subresource);
        entry.insert("fieldsV1".to_owned(), self.fields.encode());
        Value::Object(entry)
    }

    fn conflict(&self, field: String) -> FieldConflict {
        FieldConflict {
            manager: self.id.manager.clone(),
            operation: self.id.operation.as_str().to_owned(),
            api_version: self.api_version.clone(),
            subresource: self.id.subresource.clone(),
            field,
        }
    }
}

/// Returns whether a list of entries asks for ownership to be forgotten: it is empty, or holds one empty
/// entry.
pub(super) fn is_reset(list: &Value) -> bool {
    match list.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([only]) => *only == json!({}),
        _ => false,
    }
}
