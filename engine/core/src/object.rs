//! An object as the server returned it.

use crate::digest::{Canonical, Fingerprint, SealKey};
use crate::field_path::FieldPath;
use crate::fields::FieldSet;
use crate::mark::{FieldManager, Lineage, OwnershipMark};
use crate::object_ref::{ApiVersion, Uid};
use crate::sensitive::SensitivePaths;
use crate::value::{Text, Value};

/// A live object. It may hold secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Object(Value);

/// What a manager did to the fields it owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Any other write.
    Update,
}

/// One entry of an object's managed fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerEntry {
    /// The manager's name.
    pub manager: Text,
    /// How it wrote.
    pub operation: Operation,
    /// The version it wrote in.
    pub api_version: Text,
    /// When, in RFC 3339.
    pub time: Option<Text>,
    /// The subresource it wrote through: `status`, `scale`.
    pub subresource: Option<Text>,
    /// The fields.
    pub fields: FieldSet,
}

impl Object {
    /// Wraps a body that a server returned.
    pub fn new(body: Value) -> Self {
        Self(body)
    }

    /// Returns the body.
    pub fn body(&self) -> &Value {
        &self.0
    }

    /// Returns the uid; empty only for an object that was never stored.
    pub fn uid(&self) -> Uid {
        Uid::new(self.0.str_at(&["metadata", "uid"]).unwrap_or_default())
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        self.0.str_at(&["metadata", "name"]).unwrap_or_default()
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.0.str_at(&["metadata", "namespace"])
    }

    /// Returns the resource version.
    pub fn resource_version(&self) -> &str {
        self.0.str_at(&["metadata", "resourceVersion"]).unwrap_or_default()
    }

    /// Returns the uids of its owners.
    pub fn owners(&self) -> Vec<Uid> {
        let owners = self.0.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
        owners.iter().filter_map(|owner| owner.str_at(&["uid"])).map(Uid::new).collect()
    }

    /// Tells whether deletion has begun.
    pub fn is_terminating(&self) -> bool {
        self.0.at(&["metadata", "deletionTimestamp"]).is_some()
    }

    /// Returns the ownership mark.
    pub fn mark(&self) -> Option<OwnershipMark> {
        OwnershipMark::read_from(&self.0)
    }

    /// Tells whether the mark of a lineage is proved: that lineage has also applied fields of the object.
    ///
    /// A copy that somebody makes of one of our objects carries its labels and annotations, but not who applied
    /// them; the mark alone proves nothing.
    pub fn is_marked_by(&self, lineage: &Lineage) -> bool {
        self.mark().is_some_and(|mark| mark.lineage == *lineage)
            && self.applied_by(&lineage.field_manager()).find_map(manager_entry).is_some()
    }

    /// Returns the managed-fields entries that can be read.
    pub fn managers(&self) -> Vec<ManagerEntry> {
        self.entries().iter().filter_map(manager_entry).collect()
    }

    fn entries(&self) -> &[Value] {
        self.0.at(&["metadata", "managedFields"]).and_then(Value::as_list).unwrap_or_default()
    }

    /// Returns the entries of what a manager applied itself, unread: reading their fields costs most.
    fn applied_by(&self, manager: &FieldManager) -> impl Iterator<Item = &Value> {
        self.entries().iter().filter(move |entry| {
            let is = |name: &str, text: &str| entry.get(name).and_then(Value::as_str) == Some(text);
            let subresource = entry.get("subresource").and_then(Value::as_str).unwrap_or_default();
            is("manager", manager.as_str()) && is("operation", "Apply") && subresource.is_empty()
        })
    }

    /// Returns the entry of our own last apply: our manager, operation Apply, no subresource, this version.
    pub fn own_entry(&self, manager: &FieldManager, api_version: &ApiVersion) -> Option<ManagerEntry> {
        let api_version = api_version.to_string();
        let is_of = |entry: &&Value| entry.get("apiVersion").and_then(Value::as_str) == Some(&api_version);
        self.applied_by(manager).filter(is_of).find_map(manager_entry)
    }

    /// Returns the digest that a record keeps as `settled`: our entry, and the live values at its paths in
    /// live order, and `left`, the fields that are left to others. `None` without such an entry, and of what is being
    /// deleted.
    ///
    /// Field sets alone prove nothing: they hold no list order, and `stringData` is owned but unreadable.
    pub fn settled(
        &self,
        manager: &FieldManager,
        api_version: &ApiVersion,
        left: &[FieldPath],
        sensitive: &SensitivePaths,
        key: Option<&SealKey>,
    ) -> Option<Fingerprint> {
        let entry = self.own_entry(manager, api_version).filter(|_| !self.is_terminating())?;
        let values = entry.fields.extract(&self.0).unwrap_or_default();
        let (values, seal) = Fingerprint::whole(&values, sensitive, key);
        // A list: the paths, the digest of their values, and what is left to others, if anything is.
        let mut all = Canonical::default();
        all.list(if left.is_empty() { 2 } else { 3 });
        all.list(entry.fields.len());
        entry.fields.each_path(&mut |path| all.text(path));
        all.text(&values.to_string());
        if !left.is_empty() {
            all.list(left.len());
            left.iter().for_each(|path| all.text(&path.to_string()));
        }
        Some(Fingerprint { open: all.digest().print(), seal })
    }
}

fn manager_entry(entry: &Value) -> Option<ManagerEntry> {
    let text = |name: &str| entry.get(name)?.as_str().map(Text::from);
    Some(ManagerEntry {
        manager: text("manager")?,
        operation: if text("operation")? == "Apply" { Operation::Apply } else { Operation::Update },
        api_version: text("apiVersion")?,
        time: text("time"),
        subresource: text("subresource").filter(|name| !name.is_empty()),
        fields: FieldSet::decode(entry.get("fieldsV1")?).ok()?,
    })
}

#[cfg(test)]
mod tests;
