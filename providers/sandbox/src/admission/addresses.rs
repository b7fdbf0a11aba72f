//! Addresses and node ports that a Service states by hand must be in range and free.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport-custom-port> and
//! `#choosing-your-own-ip-address` of the same page

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::defaults::{CLUSTER_ADDRESSES, NODE_PORTS};
use crate::error::{ApiError, ApiResult, FieldError};
use crate::meta;
use crate::resource::Resource;

/// Refuses a Service that takes what is not there to be taken.
///
/// # Errors
/// 422 then.
pub(super) fn check(cluster: &Cluster, resource: &Resource, service: &Value) -> ApiResult<()> {
    if !resource.is("", "services") {
        return Ok(());
    }
    let others = cluster
        .store
        .list(&resource.group_resource(), "")
        .filter(|other| meta::uid(other) != meta::uid(service));
    let others: Vec<&Value> = others.map(AsRef::as_ref).collect();
    let mut errors: Vec<_> = address_error(&others, service).into_iter().collect();
    for (index, port) in meta::items(&service["spec"]["ports"]).iter().enumerate() {
        let Some(number) = port["nodePort"].as_u64().filter(|number| *number != 0) else { continue };
        let at = format!("spec.ports[{index}].nodePort");
        let takes = |other: &&Value| {
            meta::items(&other["spec"]["ports"]).iter().any(|port| port["nodePort"] == number)
        };
        if !NODE_PORTS.contains(&number) {
            let (first, last) = (NODE_PORTS.start(), NODE_PORTS.end());
            let detail = format!(
                "provided port is not in the valid range. The range of valid ports is {first}-{last}"
            );
            errors.push(FieldError::invalid(at, &json!(number), &detail));
        } else if others.iter().any(takes) {
            errors.push(FieldError::invalid(at, &json!(number), "provided port is already allocated"));
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(ApiError::Invalid { kind: resource.group_kind(), name: meta::name(service).to_owned(), errors })
}

fn address_error(others: &[&Value], service: &Value) -> Option<FieldError> {
    let text = service["spec"]["clusterIP"].as_str().filter(|text| !matches!(*text, "" | "None"))?;
    let (network, size) = CLUSTER_ADDRESSES;
    let offset =
        text.parse::<Ipv4Addr>().ok().map(u32::from).and_then(|address| address.checked_sub(network));
    let why = if offset.is_none_or(|offset| offset >= size) {
        "the provided network does not match the current range".to_owned()
    } else if others.iter().any(|other| other["spec"]["clusterIP"] == text) {
        "provided IP is already allocated".to_owned()
    } else {
        return None;
    };
    let detail = format!("failed to allocate IP {text}: {why}");
    Some(FieldError::invalid("spec.clusterIPs", &json!([text]), &detail))
}
