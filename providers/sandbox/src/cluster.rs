//! The whole state of one simulated cluster, and the two ways it changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::controllers;
use crate::crd;
use crate::error::{ApiError, ApiResult};
use crate::meta;
use crate::resource::{Catalog, Resource};
use crate::store::{Key, Store};

/// A cluster that requests and watches share.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<Cluster>>);

impl Shared {
    /// Shares a cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self(Arc::new(Mutex::new(cluster)))
    }

    /// Waits for the requests before this one. A request that panicked has stored whole objects only, so its lock is
    /// taken over.
    pub fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One cluster: what is stored, what is served, what the controllers have still to look at.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub store: Store,
    pub catalog: Catalog,
    /// Objects that changed since the controllers last ran.
    pub queue: controllers::Queue,
}

impl Cluster {
    /// A cluster on this store; its custom resources are served at once.
    pub fn new(store: Store) -> Self {
        let mut cluster = Self { store, catalog: Catalog::default(), queue: controllers::Queue::default() };
        let definitions: Vec<_> = cluster.store.list(&crd::resource(), "").cloned().collect();
        for definition in definitions {
            cluster.serve(&definition);
        }
        cluster
    }

    /// Where an object of this resource lives.
    pub fn key(resource: &Resource, namespace: &str, name: &str) -> Key {
        Key::new(&resource.group_resource(), namespace, name)
    }

    /// The live object, in the version of `resource`.
    ///
    /// # Errors
    /// If there is none.
    pub fn live(&self, resource: &Resource, namespace: &str, name: &str) -> ApiResult<Arc<Value>> {
        let key = Self::key(resource, namespace, name);
        let found = self.store.get(&key).map(|object| crate::convert::to_version(resource, object));
        found.ok_or_else(|| ApiError::not_found(&key.resource, name))
    }

    /// Stores an object and tells the controllers.
    ///
    /// # Errors
    /// If it cannot be written to disk.
    pub fn commit(&mut self, key: &Key, object: Value) -> ApiResult<Arc<Value>> {
        let before = self.store.get(key).cloned();
        let object = self.store.put(key, object).map_err(|error| disk_failure(&error))?;
        if key.resource == crd::resource() {
            self.serve(&object);
        }
        self.queue.changed(key, before.as_deref(), Some(&object));
        Ok(object)
    }

    /// Removes an object for good and tells the controllers.
    ///
    /// # Errors
    /// If the removal cannot be written to disk.
    pub fn erase(&mut self, key: &Key) -> ApiResult<()> {
        let Some(last) = self.store.remove(key).map_err(|error| disk_failure(&error))? else { return Ok(()) };
        if key.resource == crd::resource() {
            self.catalog.set_custom(meta::name(&last), Vec::new());
        }
        self.queue.changed(key, Some(&last), None);
        if let Some(custom) =
            self.catalog.preferred(&key.resource).and_then(|resource| resource.custom.as_ref())
        {
            // A definition that is going away waits for its last object.
            self.queue.look_at(Key::new(&crd::resource(), "", &custom.definition));
        }
        Ok(())
    }

    fn serve(&mut self, definition: &Value) {
        self.catalog.set_custom(meta::name(definition), crd::served(definition));
    }
}

fn disk_failure(error: &std::io::Error) -> ApiError {
    ApiError::Internal(format!("the sandbox cannot write its state: {error}"))
}
