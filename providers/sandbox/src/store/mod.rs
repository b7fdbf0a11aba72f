//! The objects of the cluster, their versions and the recent history that watches read.

mod disk;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) use disk::{Disk, OpenError, private};

use crate::error::GroupResource;
use crate::meta;

/// How many changes a watch may lag behind before it must list again.
const HISTORY_LIMIT: usize = 8192;

/// Where an object lives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Its resource.
    pub resource: GroupResource,
    /// Its namespace; empty if it has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// Builds a key from its parts.
    pub fn new(resource: &GroupResource, namespace: &str, name: &str) -> Self {
        Self { resource: resource.clone(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key under its resource; the separator gives lists the order that etcd gives them.
    fn path(&self) -> String {
        path(&self.namespace, &self.name)
    }
}

fn path(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Modified,
    Deleted,
}

/// One committed change.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The resourceVersion it made.
    pub version: u64,
    /// What it did.
    pub kind: ChangeKind,
    /// To which object.
    pub key: Key,
    /// The object after it; for a deletion, its last state.
    pub object: Arc<Value>,
    /// The object before it.
    pub before: Option<Arc<Value>>,
}

/// All objects, by resource. One counter gives every change its resourceVersion.
#[derive(Debug)]
pub(crate) struct Store {
    objects: BTreeMap<GroupResource, BTreeMap<String, Arc<Value>>>,
    dependents: BTreeMap<String, BTreeSet<Key>>,
    version: u64,
    history: VecDeque<Change>,
    // Changes up to this version are no longer in the history.
    forgotten: u64,
    disk: Option<Disk>,
    changed: watch::Sender<u64>,
}

impl Store {
    /// An empty store without a disk.
    pub fn in_memory() -> Self {
        Self {
            objects: BTreeMap::new(),
            dependents: BTreeMap::new(),
            version: 1,
            history: VecDeque::new(),
            forgotten: 1,
            disk: None,
            changed: watch::channel(1).0,
        }
    }

    /// The store kept in `directory`, made if it is absent.
    ///
    /// # Errors
    /// If another process has it open, or its files cannot be read.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let mut store = Self::in_memory();
        let (disk, saved) = Disk::open(directory)?;
        for (key, object) in saved.objects {
            store.insert(&key, Arc::new(object));
        }
        store.version = saved.version.max(1);
        store.forgotten = store.version;
        store.disk = Some(disk);
        Ok(store)
    }

    /// Deletes all but one object from the store kept in `directory`. Versions go on from where they were.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn retain(directory: &Path, key: &Key) -> Result<(), OpenError> {
        let (mut disk, saved) = Disk::open(directory)?;
        let kept = saved.objects.get(key).map(|object| (key.clone(), object));
        let written = disk.snapshot(saved.version + 1, kept.into_iter());
        written.map_err(|error| OpenError::Io(directory.to_owned(), error))
    }

    /// The version of the last change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(&key.resource)?.get(&key.path())
    }

    /// One object, by its parts.
    pub fn find(&self, group: &str, resource: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.get(&Key::new(&GroupResource::new(group, resource), namespace, name))
    }

    /// The objects of a resource in one namespace, or everywhere if `namespace` is empty, in key order.
    pub fn list<'a>(
        &'a self,
        resource: &GroupResource,
        namespace: &str,
    ) -> Box<dyn Iterator<Item = &'a Arc<Value>> + 'a> {
        let Some(objects) = self.objects.get(resource) else { return Box::new(std::iter::empty()) };
        if namespace.is_empty() {
            return Box::new(objects.values());
        }
        // '0' follows '/': the range holds every key that starts with "namespace/".
        let range = (Bound::Included(format!("{namespace}/")), Bound::Excluded(format!("{namespace}0")));
        Box::new(objects.range(range).map(|(_, object)| object))
    }

    /// The objects of a resource as they were at a version, by their keys as in [`Store::list`]; `None` if that version
    /// is forgotten.
    pub fn list_at(
        &self,
        resource: &GroupResource,
        namespace: &str,
        version: u64,
    ) -> Option<BTreeMap<String, Arc<Value>>> {
        let place = |object: &Arc<Value>| path(meta::namespace(object), meta::name(object));
        let mut objects: BTreeMap<_, _> =
            self.list(resource, namespace).map(|object| (place(object), Arc::clone(object))).collect();
        let is_listed = |change: &&Change| {
            change.key.resource == *resource && (namespace.is_empty() || change.key.namespace == namespace)
        };
        for change in self.changes_after(version)?.rev().filter(is_listed) {
            match &change.before {
                Some(before) => objects.insert(change.key.path(), Arc::clone(before)),
                None => objects.remove(&change.key.path()),
            };
        }
        Some(objects)
    }

    /// Every key of a namespace, in order of resource.
    pub fn keys_in(&self, namespace: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for resource in self.objects.keys() {
            let names = self.list(resource, namespace).map(|object| meta::name(object));
            keys.extend(names.map(|name| Key::new(resource, namespace, name)));
        }
        keys
    }

    /// The objects whose ownerReferences name this uid.
    pub fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Writes an object under the next version and returns it as stored.
    ///
    /// # Errors
    /// If the change cannot be written to disk; nothing changes then.
    pub fn put(&mut self, key: &Key, mut object: Value) -> io::Result<Arc<Value>> {
        let version = self.version + 1;
        meta::set(&mut object, "resourceVersion", json!(version.to_string()));
        let object = Arc::new(object);
        if let Some(disk) = &mut self.disk {
            disk.append(version, key, Some(&object))?;
        }
        let before = self.insert(key, Arc::clone(&object));
        let kind = if before.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.record(Change { version, kind, key: key.clone(), object: Arc::clone(&object), before });
        self.compact()?;
        Ok(object)
    }

    /// Removes an object and returns its last state under the version of the deletion; `None` if there is none.
    ///
    /// # Errors
    /// If the change cannot be written to disk; nothing changes then.
    pub fn remove(&mut self, key: &Key) -> io::Result<Option<Arc<Value>>> {
        let Some(before) = self.get(key).cloned() else { return Ok(None) };
        let version = self.version + 1;
        if let Some(disk) = &mut self.disk {
            disk.append(version, key, None)?;
        }
        if let Some(objects) = self.objects.get_mut(&key.resource) {
            objects.remove(&key.path());
        }
        self.unlink(key, &before);
        let mut last = Value::clone(&before);
        meta::set(&mut last, "resourceVersion", json!(version.to_string()));
        let object = Arc::new(last);
        let change = Change {
            version,
            kind: ChangeKind::Deleted,
            key: key.clone(),
            object: Arc::clone(&object),
            before: Some(before),
        };
        self.record(change);
        self.compact()?;
        Ok(Some(object))
    }

    /// The version up to which changes are no longer known.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Forgets all changes so far.
    pub fn forget(&mut self) {
        self.history.clear();
        self.forgotten = self.version;
    }

    /// The changes after `version`, oldest first; `None` if some of them are forgotten.
    pub fn changes_after(&self, version: u64) -> Option<impl DoubleEndedIterator<Item = &Change>> {
        if version < self.forgotten {
            return None;
        }
        let start = self.history.partition_point(|change| change.version <= version);
        Some(self.history.range(start..))
    }

    /// A receiver that wakes at every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn insert(&mut self, key: &Key, object: Arc<Value>) -> Option<Arc<Value>> {
        let owners = owner_uids(&object);
        let objects = self.objects.entry(key.resource.clone()).or_default();
        let before = objects.insert(key.path(), object);
        if let Some(before) = &before {
            self.unlink(key, before);
        }
        for uid in owners {
            self.dependents.entry(uid).or_default().insert(key.clone());
        }
        before
    }

    fn unlink(&mut self, key: &Key, before: &Value) {
        for uid in owner_uids(before) {
            if let Some(keys) = self.dependents.get_mut(&uid) {
                keys.remove(key);
                if keys.is_empty() {
                    self.dependents.remove(&uid);
                }
            }
        }
    }

    fn record(&mut self, change: Change) {
        self.version = change.version;
        self.history.push_back(change);
        if self.history.len() > HISTORY_LIMIT {
            self.forgotten = self.history.pop_front().map_or(self.forgotten, |old| old.version);
        }
        self.changed.send_replace(self.version);
    }

    fn compact(&mut self) -> io::Result<()> {
        let Some(disk) = &mut self.disk else { return Ok(()) };
        if !disk.is_due(self.objects.values().map(BTreeMap::len).sum()) {
            return Ok(());
        }
        let objects = self.objects.iter().flat_map(|(resource, objects)| {
            objects.values().map(|object| {
                (Key::new(resource, meta::namespace(object), meta::name(object)), object.as_ref())
            })
        });
        disk.snapshot(self.version, objects)
    }
}

fn owner_uids(object: &Value) -> Vec<String> {
    let owners = meta::items(&object["metadata"]["ownerReferences"]).iter();
    owners.filter_map(|owner| owner["uid"].as_str()).map(str::to_owned).collect()
}
