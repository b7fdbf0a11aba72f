//! The objects that every cluster has: namespaces, one node, a storage class, the default roles.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces> and
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings>

use serde_json::Value;

use crate::cluster::Cluster;
use crate::controllers;
use crate::merge::Force;
use crate::meta;
use crate::rbac::User;
use crate::request::{DryRun, FieldValidation, WriteOptions};
use crate::rest::{self, Writing};

/// The objects, as data.
static OBJECTS: &str = include_str!("bootstrap.yaml");

/// The node that runs every pod.
pub(crate) const NODE: &str = "sandbox";

/// Makes the initial objects that are not there yet.
///
/// # Panics
/// If the embedded objects are malformed or refused, which a test rules out.
pub(crate) fn populate(cluster: &mut Cluster) {
    let objects: Vec<Value> = serde_saphyr::from_str(OBJECTS).expect("the embedded objects are YAML");
    let options = WriteOptions {
        dry_run: DryRun::No,
        validation: FieldValidation::Ignore,
        force: Force::Yes,
        manager: "kube-apiserver".into(),
        user: User::admin(),
        duplicates: Vec::new(),
    };
    let writing = Writing { options: &options, subresource: "" };
    for object in objects {
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let found = cluster.catalog.of_kind(text("apiVersion"), text("kind")).cloned();
        let resource = found.expect("the embedded objects are of built-in kinds");
        let (namespace, name) = (meta::namespace(&object).to_owned(), meta::name(&object).to_owned());
        if cluster.store.get(&Cluster::key(&resource, &namespace, &name)).is_some() {
            continue;
        }
        if let Err(error) = rest::create(cluster, &resource, &namespace, object, &writing) {
            // A full disk, or a quota that someone set on an earlier run: the cluster works without.
            tracing::warn!(%name, %error, "an initial object was refused");
        }
        controllers::settle(cluster);
    }
}
