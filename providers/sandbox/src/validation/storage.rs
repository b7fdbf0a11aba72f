//! Rules of claims, volumes and storage classes.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/>

use engine_kinds::Quantity;
use serde_json::{Value, json};

use super::checks::{Checks, amount, entries, text};
use super::{scheduling, syntax, volumes};
use crate::meta;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// What a persistent volume may be made of.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn access_modes(checks: &mut Checks, modes: &Value, at: &str, missing: &str) {
    let modes = meta::items(modes);
    if modes.is_empty() {
        checks.required(at, missing);
    }
    for mode in modes {
        checks.known(at, mode, &ACCESS_MODES);
    }
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        checks.forbidden(at, "may not use ReadWriteOncePod with other access modes");
    }
}

/// The rules of a claim's spec.
pub(super) fn check_claim(checks: &mut Checks, spec: &Value, at: &str) {
    access_modes(
        checks,
        &spec["accessModes"],
        &format!("{at}.accessModes"),
        "at least 1 access mode is required",
    );
    checks.selector(&format!("{at}.selector"), &spec["selector"]);
    let size = &spec["resources"]["requests"]["storage"];
    let place = format!("{at}.resources[storage]");
    if size.is_null() {
        checks.required(place, "");
    } else if amount(size).is_some_and(|size| size <= Quantity::ZERO) {
        checks.invalid(place, size, "must be greater than zero");
    }
    if let Some(class) = spec["storageClassName"].as_str().filter(|class| !class.is_empty()) {
        checks.form(&format!("{at}.storageClassName"), class, syntax::subdomain);
    }
    checks.known(format!("{at}.volumeMode"), &spec["volumeMode"], &["Block", "Filesystem"]);
}

/// What a claim asked for stays, except that a bound one may ask for more room, and for what was left open.
pub(super) fn claim_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    let is_bound = live["status"]["phase"] == "Bound";
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        if is_bound {
            meta::take(&mut spec, "resources");
            meta::take(&mut spec, "volumeAttributesClassName");
        }
        for field in ["volumeName", "storageClassName"] {
            if live["spec"].get(field).is_none() {
                meta::take(&mut spec, field);
            }
        }
        spec
    };
    if fixed(live) != fixed(object) {
        let detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound \
            claims";
        return checks.forbidden("spec", detail);
    }
    let size = |object: &Value| amount(&object["spec"]["resources"]["requests"]["storage"]);
    if size(object) < size(live) {
        checks.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity");
    }
}

/// The rules of a volume.
pub(super) fn volume(checks: &mut Checks, object: &Value) {
    let spec = &object["spec"];
    access_modes(checks, &spec["accessModes"], "spec.accessModes", "");
    let capacity = &spec["capacity"];
    let count = entries(capacity).count();
    if count == 0 {
        checks.required("spec.capacity", "");
    }
    if capacity["storage"].is_null() || count > 1 {
        checks.unsupported("spec.capacity", capacity, &["storage"]);
    }
    for (name, value) in entries(capacity) {
        if name == "storage" && amount(value).is_some_and(|size| size <= Quantity::ZERO) {
            checks.invalid(format!("spec.capacity[{name}]"), value, "must be greater than zero");
        }
    }
    let policies = ["Delete", "Recycle", "Retain"];
    checks.known("spec.persistentVolumeReclaimPolicy", &spec["persistentVolumeReclaimPolicy"], &policies);
    scheduling::affinity(
        checks,
        &json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": spec["nodeAffinity"]["required"] } }),
        "spec",
    );
    let mut found = 0;
    for kind in SOURCES.into_iter().filter(|kind| spec[*kind].is_object()) {
        found += 1;
        if found > 1 {
            checks.forbidden(format!("spec.{kind}"), "may not specify more than 1 volume type");
            continue;
        }
        volumes::check_shared(checks, kind, &spec[kind], &format!("spec.{kind}"));
        if kind == "local" && !spec["nodeAffinity"].is_object() {
            checks.required("spec.nodeAffinity", "Local volume requires node affinity");
        }
    }
    if found == 0 {
        checks.required("spec", "must specify a volume type");
    }
    if let Some(class) = spec["storageClassName"].as_str().filter(|class| !class.is_empty()) {
        checks.form("spec.storageClassName", class, syntax::subdomain);
    }
    checks.known("spec.volumeMode", &spec["volumeMode"], &["Block", "Filesystem"]);
}

/// What a volume is made of stays.
pub(super) fn volume_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    if SOURCES.iter().any(|kind| live["spec"].get(*kind) != object["spec"].get(*kind)) {
        checks.forbidden(
            "spec.persistentvolumesource",
            "spec.persistentvolumesource is immutable after creation",
        );
    }
    if live["spec"]["volumeMode"] != object["spec"]["volumeMode"] {
        checks.invalid("volumeMode", &object["spec"]["volumeMode"], "field is immutable");
    }
}

/// The rules of a storage class.
pub(super) fn class(checks: &mut Checks, object: &Value) {
    let provisioner = text(&object["provisioner"]);
    if provisioner.is_empty() {
        checks.required("provisioner", "");
    } else {
        checks.form("provisioner", &provisioner.to_lowercase(), syntax::qualified);
    }
    if entries(&object["parameters"]).any(|(key, _)| key.is_empty()) {
        checks.invalid("parameters", &json!(""), "field can not be empty.");
    }
    checks.known("reclaimPolicy", &object["reclaimPolicy"], &["Delete", "Retain"]);
    let modes = ["Immediate", "WaitForFirstConsumer"];
    checks.known("volumeBindingMode", &object["volumeBindingMode"], &modes);
}

/// A storage class keeps how it makes volumes.
pub(super) fn class_unchanged(checks: &mut Checks, live: &Value, object: &Value) {
    for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
        if live.get(field) != object.get(field) {
            checks.invalid(field, &object[field], "field is immutable");
        }
    }
}
