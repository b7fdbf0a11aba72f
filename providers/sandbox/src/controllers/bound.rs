//! Objects that wait for an outside party: claims for volumes, Services and Ingresses for addresses, `APIServices` for
//! their backend.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding>,
//! <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::act;
use crate::admission::pods::{CLAIM_PROTECTION, CLASS_PROTECTION, NOT_READY, VOLUME_PROTECTION};
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::store::Key;

/// Addresses for documentation, 192.0.2.0/24 (RFC 5737): nobody is reached by accident.
const ADDRESSES: u32 = 0xC000_0200;

fn claims() -> GroupResource {
    GroupResource::new("", "persistentvolumeclaims")
}

fn volumes() -> GroupResource {
    GroupResource::new("", "persistentvolumes")
}

/// Gives a claim a volume of its class. A claim of an unknown class waits.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn claim(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(claim) = cluster.store.get(key).cloned() else { return Ok(()) };
    let class = claim["spec"]["storageClassName"].as_str().unwrap_or_default();
    let Some(class) = cluster.store.find("storage.k8s.io", "storageclasses", "", class).cloned() else {
        return Ok(());
    };
    let request = claim["spec"]["resources"]["requests"]["storage"].clone();
    if claim["status"]["phase"] == "Bound" {
        // More room is granted at once.
        return act::update_status(cluster, key, |claim| claim["status"]["capacity"]["storage"] = request);
    }
    let name = format!("pvc-{}", meta::uid(&claim));
    let mut reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": key.name, "namespace": key.namespace,
        "uid": meta::uid(&claim),
    });
    reference["resourceVersion"] = claim["metadata"]["resourceVersion"].clone();
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "name": name, "annotations": { "pv.kubernetes.io/provisioned-by": class["provisioner"] } },
        "spec": {
            "accessModes": claim["spec"]["accessModes"], "capacity": { "storage": request }, "claimRef": reference,
            "hostPath": { "path": format!("/var/lib/sandbox/{name}") },
            "persistentVolumeReclaimPolicy": class["reclaimPolicy"], "storageClassName": meta::name(&class),
            "volumeMode": claim["spec"]["volumeMode"],
        },
    });
    let at = Key::new(&volumes(), "", &name);
    if cluster.store.get(&at).is_none() {
        act::create(cluster, "", volume)?;
        act::update_status(cluster, &at, |volume| volume["status"]["phase"] = json!("Bound"))?;
    }
    act::edit(cluster, key, |claim| {
        claim["spec"]["volumeName"] = json!(name);
        let mut annotations = claim["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
        for mark in ["pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"] {
            annotations.insert(mark.into(), json!("yes"));
        }
        meta::set(claim, "annotations", Value::Object(annotations));
    })?;
    act::update_status(cluster, key, |claim| {
        let modes = claim["spec"]["accessModes"].clone();
        claim["status"] =
            json!({ "phase": "Bound", "accessModes": modes, "capacity": { "storage": request } });
    })
}

/// Lets the claims of a namespace go that are being deleted and that no pod uses.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn release_claims(cluster: &mut Cluster, namespace: &str) -> ApiResult<()> {
    let leaving: Vec<String> = cluster
        .store
        .list(&claims(), namespace)
        .filter(|claim| meta::is_terminating(claim) && meta::finalizers(claim).contains(&CLAIM_PROTECTION))
        .map(|claim| meta::name(claim).to_owned())
        .collect();
    for name in leaving {
        let is_used = cluster.store.list(&GroupResource::new("", "pods"), namespace).any(|pod| {
            let volumes = meta::items(&pod["spec"]["volumes"]);
            volumes.iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == name.as_str())
        });
        if !is_used {
            drop_finalizer(cluster, &Key::new(&claims(), namespace, &name), CLAIM_PROTECTION)?;
        }
    }
    Ok(())
}

fn drop_finalizer(cluster: &mut Cluster, key: &Key, finalizer: &str) -> ApiResult<()> {
    act::edit(cluster, key, |object| {
        let rest: Vec<_> = meta::finalizers(object).into_iter().filter(|known| *known != finalizer).collect();
        let rest = if rest.is_empty() { Value::Null } else { json!(rest) };
        meta::set(object, "finalizers", rest);
    })
}

/// Lets a volume go that is being deleted and that no claim has.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn release_volume(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let is_bound = cluster.store.get(key).is_none_or(|volume| volume["status"]["phase"] == "Bound");
    if is_bound { Ok(()) } else { drop_finalizer(cluster, key, VOLUME_PROTECTION) }
}

/// Lets a class of volume attributes go that is being deleted and that no claim names.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn release_class(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let names_it =
        |claim: &std::sync::Arc<Value>| claim["spec"]["volumeAttributesClassName"] == key.name.as_str();
    let is_used = cluster.store.list(&claims(), "").any(names_it);
    if is_used { Ok(()) } else { drop_finalizer(cluster, key, CLASS_PROTECTION) }
}

/// Removes the volume of a claim that is gone, as its reclaim policy says.
///
/// # Errors
/// If a change cannot be written.
pub(super) fn reclaim(cluster: &mut Cluster, claim_uid: &str) -> ApiResult<()> {
    let key = Key::new(&volumes(), "", &format!("pvc-{claim_uid}"));
    let Some(volume) = cluster.store.get(&key).cloned() else { return Ok(()) };
    act::update_status(cluster, &key, |volume| volume["status"]["phase"] = json!("Released"))?;
    if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete" {
        return act::delete(cluster, &key);
    }
    Ok(())
}

/// Gives a Service of type `LoadBalancer` an address, and takes it away from others.
///
/// # Errors
/// If the status cannot be written.
pub(super) fn service(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(service) = cluster.store.get(key).cloned() else { return Ok(()) };
    let is_balanced = service["spec"]["type"] == "LoadBalancer";
    let has_address = !meta::items(&service["status"]["loadBalancer"]["ingress"]).is_empty();
    if is_balanced == has_address {
        return Ok(());
    }
    let address = address_of(&service);
    act::update_status(cluster, key, |service| {
        service["status"]["loadBalancer"] =
            if is_balanced { json!({ "ingress": [{ "ip": address, "ipMode": "VIP" }] }) } else { json!({}) };
    })
}

/// Gives an Ingress an address.
///
/// # Errors
/// If the status cannot be written.
pub(super) fn ingress(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(ingress) = cluster.store.get(key).cloned() else { return Ok(()) };
    if !meta::items(&ingress["status"]["loadBalancer"]["ingress"]).is_empty() {
        return Ok(());
    }
    let address = address_of(&ingress);
    act::update_status(cluster, key, |ingress| {
        ingress["status"]["loadBalancer"] = json!({ "ingress": [{ "ip": address }] });
    })
}

// An address that follows from the object alone stays the same.
fn address_of(object: &Value) -> String {
    let hash = meta::hash(&json!([meta::namespace(object), meta::name(object)]));
    let last = u32::try_from(hash % 250).unwrap_or(0) + 2;
    Ipv4Addr::from(ADDRESSES + last).to_string()
}

/// Gives a Node the status of a machine with room to spare.
///
/// # Errors
/// If the status cannot be written.
///
/// # Source
/// <https://kubernetes.io/docs/reference/node/node-status/>
pub(super) fn node(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let is_known = cluster.store.get(key).is_none_or(|node| node["status"]["conditions"].is_array());
    if is_known {
        return Ok(());
    }
    let room = json!({ "cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "5000" });
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
    });
    act::update_status_as(cluster, key, "kubelet", |node| {
        let status = json!({ "addresses": [{ "type": "Hostname", "address": key.name }], "allocatable": room,
            "capacity": room });
        meta::put(node, "status", Some(status));
        act::set_conditions(node, &[ready]);
    })?;
    act::edit(cluster, key, |node| {
        let taints = meta::items(&node["spec"]["taints"]).iter();
        let rest: Vec<_> = taints.filter(|taint| taint["key"] != NOT_READY).cloned().collect();
        node["spec"]["taints"] = json!(rest);
    })
}

/// Says that the backend of an `APIService` answers.
///
/// # Errors
/// If the status cannot be written.
pub(super) fn api_service(cluster: &mut Cluster, key: &Key) -> ApiResult<()> {
    let Some(service) = cluster.store.get(key).cloned() else { return Ok(()) };
    let is_local = service["spec"].get("service").is_none_or(Value::is_null);
    let (reason, message) = if is_local {
        ("Local", "Local APIServices are always available")
    } else {
        ("Passed", "all checks passed")
    };
    let condition = json!({ "type": "Available", "status": "True", "reason": reason, "message": message });
    act::update_status(cluster, key, |service| act::set_conditions(service, &[condition]))
}
