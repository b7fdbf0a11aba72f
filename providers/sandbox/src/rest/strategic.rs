//! Strategic merge patch of built-in kinds: maps merge field by field, some lists by a key of their elements, and
//! directives (`$patch`, `$retainKeys`, `$setElementOrder`, `$deleteFromPrimitiveList`) say more.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/> and the package
//! `k8s.io/apimachinery/pkg/util/strategicpatch`.

use serde_json::{Map, Value, json};

use crate::error::{ApiError, ApiResult};
use crate::form::Form;
use crate::merge::without_nulls;

mod order;

/// Lists that merge, with the key that tells their elements apart: the tags `patchStrategy` and `patchMergeKey` of
/// Kubernetes' types. Besides, the `conditions` of every status merge by `type`.
const MERGED: [(&str, &str, &str); 35] = [
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", "matchConditions", "name"),
    ("admissionregistration.v1.MutatingWebhook", "matchConditions", "name"),
    ("admissionregistration.v1.MutatingWebhookConfiguration", "webhooks", "name"),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "matchConditions", "name"),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", "variables", "name"),
    ("admissionregistration.v1.ValidatingWebhook", "matchConditions", "name"),
    ("admissionregistration.v1.ValidatingWebhookConfiguration", "webhooks", "name"),
    ("core.v1.Container", "env", "name"),
    ("core.v1.Container", "ports", "containerPort"),
    ("core.v1.Container", "volumeDevices", "devicePath"),
    ("core.v1.Container", "volumeMounts", "mountPath"),
    ("core.v1.EphemeralContainer", "env", "name"),
    ("core.v1.EphemeralContainer", "ports", "containerPort"),
    ("core.v1.EphemeralContainer", "volumeDevices", "devicePath"),
    ("core.v1.EphemeralContainer", "volumeMounts", "mountPath"),
    ("core.v1.NodeSpec", "podCIDRs", ""),
    ("core.v1.NodeStatus", "addresses", "type"),
    ("core.v1.PodSpec", "containers", "name"),
    ("core.v1.PodSpec", "ephemeralContainers", "name"),
    ("core.v1.PodSpec", "hostAliases", "ip"),
    ("core.v1.PodSpec", "imagePullSecrets", "name"),
    ("core.v1.PodSpec", "initContainers", "name"),
    ("core.v1.PodSpec", "resourceClaims", "name"),
    ("core.v1.PodSpec", "schedulingGates", "name"),
    ("core.v1.PodSpec", "topologySpreadConstraints", "topologyKey"),
    ("core.v1.PodSpec", "volumes", "name"),
    ("core.v1.PodStatus", "hostIPs", "ip"),
    ("core.v1.PodStatus", "podIPs", "ip"),
    ("core.v1.PodStatus", "resourceClaimStatuses", "name"),
    ("core.v1.ServiceAccount", "secrets", "name"),
    ("core.v1.ServiceSpec", "ports", "port"),
    ("meta.v1.ObjectMeta", "finalizers", ""),
    ("meta.v1.ObjectMeta", "ownerReferences", "uid"),
    ("resource.v1.ResourceClaimStatus", "reservedFor", "uid"),
    ("storage.v1.CSINodeSpec", "drivers", "name"),
];

/// The only map that is replaced.
const REPLACED: (&str, &str) = ("policy.v1.PodDisruptionBudgetSpec", "selector");

const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies a strategic merge patch.
///
/// # Errors
/// 400 or 500, as kube-apiserver, if a directive or a list does not fit.
pub(super) fn apply(form: Option<&Form>, target: &mut Value, patch: &Value) -> ApiResult<()> {
    let Value::Object(patch) = patch else { return Ok(()) };
    *target = Value::Object(merged_map(form, as_map(target), patch.clone())?);
    Ok(())
}

fn as_map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The key by which a list's elements merge, empty for scalars; `None` if the list is replaced.
fn merge_key(holder: Option<&Form>, list: &str) -> Option<&'static str> {
    let Some(Form::Struct(name)) = holder else { return None };
    if list == "conditions" && name.ends_with("Status") {
        return Some("type");
    }
    MERGED.iter().find(|(of, field, _)| of == name && *field == list).map(|(.., key)| *key)
}

fn bare(message: String) -> ApiError {
    ApiError::Bare(message)
}

fn merged_map(
    form: Option<&Form>,
    mut target: Map<String, Value>,
    mut patch: Map<String, Value>,
) -> ApiResult<Map<String, Value>> {
    match patch.remove("$patch") {
        None => {}
        Some(directive) if directive == "replace" => return Ok(patch),
        Some(directive) if directive == "delete" => return Ok(Map::new()),
        Some(directive) => {
            patch.insert("$patch".into(), directive.clone());
            return Err(unknown_directive(&directive, &Value::Object(patch)));
        }
    }
    retain_keys(&mut target, &mut patch)?;
    order::merge_ordered_lists(form, &mut target, &mut patch)?;
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            delete_from(&mut target, list, &value);
        } else if value.is_null() {
            target.remove(&key);
        } else {
            let live = target.remove(&key);
            if let Some(next) = merged_value(form, &key, live, value)? {
                target.insert(key, next);
            }
        }
    }
    Ok(target)
}

fn merged_value(
    holder: Option<&Form>,
    key: &str,
    live: Option<Value>,
    patch: Value,
) -> ApiResult<Option<Value>> {
    match (live, patch) {
        (Some(Value::Object(live)), Value::Object(patch)) => {
            let is_replaced = matches!(holder, Some(Form::Struct(name)) if (*name, key) == REPLACED);
            let form = holder.and_then(|form| form.field(key));
            let merged = if is_replaced { patch } else { merged_map(form, live, patch)? };
            Ok(Some(Value::Object(merged)))
        }
        (Some(Value::Array(live)), Value::Array(patch)) => match merge_key(holder, key) {
            Some(merge_key) => merged_list(holder.and_then(|form| form.field(key)), merge_key, live, patch)
                .map(|list| Some(Value::Array(list))),
            None => Ok(Some(Value::Array(patch))),
        },
        (_, patch) => Ok(without_directives(without_nulls(&patch))),
    }
}

fn retain_keys(target: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> ApiResult<()> {
    let Some(kept) = patch.remove("$retainKeys") else { return Ok(()) };
    let wrong = || ApiError::BadRequest("invalid patch format of retainKeys".into());
    let kept = kept.as_array().ok_or_else(wrong)?;
    let is_kept = |name: &str| kept.iter().any(|known| known == name);
    let is_free = |(name, value): (&String, &Value)| {
        value.is_null() || name.starts_with(DELETE_FROM) || name.starts_with(ORDER)
    };
    if patch.iter().any(|field| !is_free(field) && !is_kept(field.0)) {
        return Err(wrong());
    }
    target.retain(|name, _| is_kept(name));
    Ok(())
}

fn delete_from(target: &mut Map<String, Value>, list: &str, gone: &Value) {
    let gone = gone.as_array().map_or(&[][..], Vec::as_slice);
    if let Some(items) = target.get_mut(list).and_then(Value::as_array_mut) {
        items.retain(|item| !gone.contains(item));
    }
}

/// Merges two lists: elements of the patch come in its order, the others where they stood between them.
fn merged_list(list: Option<&Form>, key: &str, live: Vec<Value>, patch: Vec<Value>) -> ApiResult<Vec<Value>> {
    let is_map = |item: &Value| item.is_object();
    let (all, any) = {
        let mut items = live.iter().chain(&patch);
        (items.clone().all(is_map), items.any(is_map))
    };
    if any && !all {
        let shown = |list: Vec<Value>| order::shown(&Value::Array(list));
        let both = format!("[{} {}]", shown(live), shown(patch));
        return Err(bare(format!("list element types are not identical: {both}")));
    }
    let (merged, order) = if any {
        let (live, patch) = special_elements(key, live, patch)?;
        (merged_elements(list.and_then(Form::element), key, live.clone(), &patch)?, (patch, live))
    } else {
        let mut merged: Vec<Value> = Vec::new();
        for item in live.iter().chain(&patch) {
            if !merged.contains(item) {
                merged.push(item.clone());
            }
        }
        (merged, (patch, live))
    };
    Ok(order::ordered(key, merged, &order.0, &order.1))
}

// Carries out `$patch` of elements. Returns the live elements that are left, and the elements to merge.
fn special_elements(
    key: &str,
    mut live: Vec<Value>,
    patch: Vec<Value>,
) -> ApiResult<(Vec<Value>, Vec<Value>)> {
    let mut plain = Vec::new();
    let mut replaces = false;
    for item in patch {
        match item.get("$patch").cloned() {
            None => plain.push(item),
            Some(directive) if directive == "delete" => {
                let wanted = key_of(&item, key)?;
                live.retain(|item| item.get(key) != Some(wanted));
            }
            Some(directive) if directive == "replace" => replaces = true,
            Some(directive) if directive == "merge" => {
                return Err(bare("merging lists cannot yet be specified in the patch".into()));
            }
            Some(directive) => return Err(unknown_directive(&directive, &item)),
        }
    }
    Ok(if replaces { (plain, Vec::new()) } else { (live, plain) })
}

fn merged_elements(
    form: Option<&Form>,
    key: &str,
    mut live: Vec<Value>,
    patch: &[Value],
) -> ApiResult<Vec<Value>> {
    for item in patch {
        let wanted = key_of(item, key)?;
        match live.iter_mut().find(|live| live.get(key) == Some(wanted)) {
            Some(found) => *found = Value::Object(merged_map(form, as_map(found), as_map(item))?),
            None => live.push(item.clone()),
        }
    }
    Ok(live)
}

fn key_of<'a>(item: &'a Value, key: &str) -> ApiResult<&'a Value> {
    item.get(key).ok_or_else(|| {
        bare(format!("map: {} does not contain declared merge key: {key}", order::shown(item)))
    })
}

fn unknown_directive(directive: &Value, map: &Value) -> ApiError {
    bare(format!("unknown patch type: {} in map: {}", order::shown(directive), order::shown(map)))
}

// A map or element with a directive in it is not kept where there is nothing to direct.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key("$patch") => None,
        Value::Object(map) => {
            let kept = map.into_iter().filter_map(|(name, value)| Some((name, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => {
            Some(json!(items.into_iter().filter_map(without_directives).collect::<Vec<_>>()))
        }
        scalar => Some(scalar),
    }
}
