//! Server-side apply: merges an applied configuration into a live object and keeps track of who owns
//! which field.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

mod check;
mod combine;
mod compare;
mod element;
mod entries;
mod fields;
mod last_applied;
mod own;
mod prune;
mod scale;
#[cfg(test)]
mod tests;
mod view;

use std::sync::LazyLock;

use engine_kinds::schema::Type;
use serde_json::{Map, Value};
use thiserror::Error;

pub use scale::{ReplicasPath, SCALE_VERSION, entries_of_scale, entries_with_scale};

use compare::Comparison;
use element::Element;
use entries::{Entry, ManagedFields, ManagerId, Operation};
use fields::FieldSet;
use prune::Pruned;

/// Manager of the fields that an object had before anyone's ownership was recorded.
const FIRST_MANAGER: &str = "before-first-apply";

/// Who writes, and through which endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Name of the field manager.
    pub manager: &'a str,
    /// `group/version` of the object in the request.
    pub api_version: &'a str,
    /// Subresource of the request, or empty.
    pub subresource: &'a str,
    /// Time of the request, RFC 3339 in UTC with whole seconds.
    pub time: &'a str,
    /// Top-level fields that this endpoint leaves as they are, so that writing them means nothing:
    /// `status` for an object whose kind has a status subresource, `spec` at `/status` (and `metadata`
    /// too at `/status` of a custom resource), nothing at `/scale`.
    pub resets: &'a [&'a str],
}

/// Whether an apply takes fields that other managers own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Conflicts refuse the apply.
    No,
    /// Conflicting fields change hands.
    Yes,
}

/// Why an apply was refused.
#[derive(Debug, Error)]
pub enum MergeError {
    /// Fields with other values are owned by other managers.
    #[error("apply failed with {} conflicts", .0.len())]
    Conflict(Vec<FieldConflict>),
    /// The applied configuration does not fit the schema; the text is the detail that Kubernetes gives
    /// after `failed to create typed patch object (…): `.
    #[error("{0}")]
    Typed(String),
}

/// A field that another manager owns with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// The owner.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The version in which the owner wrote.
    pub api_version: String,
    /// The subresource through which the owner wrote, or empty.
    pub subresource: String,
    /// The field, as Kubernetes writes it: `.spec.containers[name="web"].image`.
    pub field: String,
}

/// Applies a configuration: merges it into the live object, if there is one, removes what this manager
/// applied before and no longer does, and records ownership in `metadata.managedFields` of the result.
///
/// Fields that no manager owns stay. A field that another manager applies or wrote with the same value is
/// shared. The time of the manager's entry moves only if the object changes. Nulls stay as they are
/// applied; whether a field is nullable is for the caller to know.
///
/// # Errors
/// [`MergeError::Typed`] if the configuration does not fit the type, [`MergeError::Conflict`] if it would
/// change fields that other managers own and `force` does not allow it.
pub fn apply(
    schema: &Type,
    live: Option<&Value>,
    applied: &Value,
    writer: &Writer<'_>,
    force: Force,
) -> Result<Value, MergeError> {
    let faults = check::faults(schema, applied);
    if !faults.is_empty() {
        return Err(MergeError::Typed(joined(&faults)));
    }
    let (live, mut managed) = starting_point(schema, live, writer);
    let id = ManagerId::of(writer, Operation::Apply);
    let last = managed.get(&id).cloned();
    let fields = own::fields_of(schema, applied).without_fields(writer.resets);
    let mut entry = Entry {
        id: id.clone(),
        api_version: writer.api_version.to_owned(),
        time: last.as_ref().and_then(|last| last.time.clone()),
        fields,
    };
    managed.set(entry.clone());
    let merged = combine::combine(schema, &live, applied);
    let last = last.map(|last| last.fields).unwrap_or_default();
    let Pruned { object, compared } = prune::prune(schema, merged, &last, &managed.union());

    let changes = Comparison::of(schema, &live, &compared).without_fields(writer.resets);
    let conflicting = changes.changed.clone().difference(&last_applied::free_fields(schema, &live, writer));
    let conflicts = managed.conflicts(&id, &conflicting);
    if force == Force::No && !conflicts.is_empty() {
        return Err(MergeError::Conflict(conflicts));
    }
    managed.remove(&id);
    managed.map_fields(|entry| changes.released_from(&entry.fields));
    entry.fields = entry.fields.difference(&NEVER_OWNED);
    if element::compare(&live, &compared).is_ne() {
        entry.time = Some(writer.time.to_owned());
    }
    if !entry.fields.is_empty() {
        managed.set(entry);
    }
    let object = with_managed_fields(reset(object, &live, writer.resets), managed);
    Ok(last_applied::refreshed(object, applied, writer))
}

/// Records the ownership of a write that is not an apply: `after` is the object as it is to be stored,
/// `before` the live one or `None` for a create. Returns `after` with `metadata.managedFields`.
///
/// The writer comes to own what it changes, alone. As in Kubernetes, a write to the object itself may
/// also rewrite `managedFields`, an empty list there clears it, and an object whose ownership has been
/// cleared is not tracked again before it is applied.
pub fn track_update(schema: &Type, before: Option<&Value>, after: Value, writer: &Writer<'_>) -> Value {
    let mut managed = claimed(schema, before, &after, writer);
    let after = without_managed_fields(after);
    let tracked = before.is_none_or(|before| before.pointer("/metadata/uid").is_none());
    if managed.is_empty() && !tracked {
        return after;
    }
    let before = before.map_or_else(|| EMPTY.clone(), |before| without_managed_fields(before.clone()));
    record_update(schema, &before, &after, writer, &mut managed);
    managed.cap();
    with_managed_fields(after, managed)
}

/// The object that everything is new against.
static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// Fields that identify an object or belong to the server.
static NEVER_OWNED: LazyLock<FieldSet> = LazyLock::new(|| {
    let mut set = FieldSet::default();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&[Element::field(name)]);
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.insert(&[Element::field("metadata"), Element::field(name)]);
    }
    set
});

/// Returns the live object without its entries, and the entries. What was there before ownership was
/// recorded belongs to a manager of its own.
fn starting_point(schema: &Type, live: Option<&Value>, writer: &Writer<'_>) -> (Value, ManagedFields) {
    let mut managed = live.map(|live| recorded(schema, live)).unwrap_or_default();
    let live = live.map_or_else(|| EMPTY.clone(), |live| without_managed_fields(live.clone()));
    if managed.is_empty() {
        let first = Writer { manager: FIRST_MANAGER, ..*writer };
        // Nulls are written where nothing was said.
        record_update(schema, &EMPTY, &without_nulls(&live), &first, &mut managed);
    }
    (live, managed)
}

/// Returns the entries that an update starts from: those it writes itself if it writes any, else the live
/// ones.
fn claimed(schema: &Type, before: Option<&Value>, after: &Value, writer: &Writer<'_>) -> ManagedFields {
    let written = after.pointer("/metadata/managedFields").filter(|_| writer.subresource.is_empty());
    if written.is_some_and(entries::is_reset) {
        return ManagedFields::default();
    }
    let written = written.and_then(|list| ManagedFields::decode(list).ok());
    match written.filter(|managed| !managed.is_empty()) {
        Some(managed) => managed.reconciled(schema),
        None => before.map(|before| recorded(schema, before)).unwrap_or_default(),
    }
}

fn record_update(
    schema: &Type,
    before: &Value,
    after: &Value,
    writer: &Writer<'_>,
    managed: &mut ManagedFields,
) {
    let id = ManagerId::of(writer, Operation::Update);
    let changes = Comparison::of(schema, before, after).without_fields(writer.resets);
    // The writer's own earlier entry is one of those that give up changed fields; it gets them back below.
    managed.map_fields(|entry| changes.released_from(&entry.fields));
    let taken = changes.changed.difference(&NEVER_OWNED);
    if taken.is_empty() {
        return;
    }
    let earlier = managed.get(&id).map(|entry| entry.fields.clone()).unwrap_or_default();
    managed.set(Entry {
        id,
        api_version: writer.api_version.to_owned(),
        time: Some(writer.time.to_owned()),
        fields: earlier.union(&taken),
    });
}

/// Reads the recorded ownership of an object; what cannot be read counts as none.
fn recorded(schema: &Type, object: &Value) -> ManagedFields {
    let list = object.pointer("/metadata/managedFields").unwrap_or(&Value::Null);
    ManagedFields::decode(list).unwrap_or_default().reconciled(schema)
}

/// Returns a value without the nulls in its maps.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let set = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(set.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        scalar => scalar.clone(),
    }
}

fn without_managed_fields(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    object
}

fn with_managed_fields(mut object: Value, managed: ManagedFields) -> Value {
    let list = managed.encode();
    if let Some(object) = object.as_object_mut().filter(|_| !list.is_empty()) {
        let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("managedFields".to_owned(), Value::Array(list));
        }
    }
    object
}

/// Returns the object with top-level fields as the live one has them.
fn reset(mut object: Value, live: &Value, names: &[&str]) -> Value {
    let Some(fields) = object.as_object_mut() else { return object };
    for name in names {
        match live.get(name) {
            Some(live) => fields.insert((*name).to_owned(), live.clone()),
            None => fields.remove(*name),
        };
    }
    object
}

fn joined(faults: &[String]) -> String {
    match faults {
        [only] => only.clone(),
        _ => faults.iter().fold("errors:".to_owned(), |text, fault| format!("{text}\n  {fault}")),
    }
}
