//! Replaces an object, and the common end of everything that changes one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Writing, Written, create, strategy};
use crate::admission;
use crate::cluster::Cluster;
use crate::convert;
use crate::decode;
use crate::defaults;
use crate::error::{ApiError, ApiResult, FieldError, GroupKind};
use crate::merge;
use crate::meta;
use crate::rbac;
use crate::request::DryRun;
use crate::resource::Resource;
use crate::store::Key;
use crate::validation;

/// Kinds whose updates must name the version they are based on.
const NEEDS_VERSION: [(&str, &str); 7] = [
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("policy", "poddisruptionbudgets"),
    ("coordination.k8s.io", "leases"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiregistration.k8s.io", "apiservices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
];

/// Built-in resources that a replacement creates if they are absent.
const CREATED_BY_REPLACEMENT: [(&str, &str); 10] = [
    ("", "endpoints"),
    ("", "events"),
    ("", "limitranges"),
    ("", "services"),
    ("coordination.k8s.io", "leases"),
    ("node.k8s.io", "runtimeclasses"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
];

/// Whether a write to this resource creates what is absent. Only some kinds are made by replacements.
pub(crate) fn is_created_by_replacement(resource: &Resource) -> bool {
    let name = (resource.group.as_str(), resource.plural.as_str());
    resource.custom.is_none() && CREATED_BY_REPLACEMENT.contains(&name)
}

/// Replaces an object by a request's body.
///
/// # Errors
/// As kube-apiserver: 404 if it is absent, 409 if it has moved on, 422 by validation.
pub(crate) fn replace(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    mut object: Value,
    writing: &Writing<'_>,
) -> ApiResult<Written> {
    let warnings = decode::read_body(resource, &mut object, writing.options)?;
    create::place(resource, &at.namespace, &mut object)?;
    check_name(at, &object)?;
    let is_absent = cluster.store.get(at).is_none();
    if is_absent && writing.subresource.is_empty() && is_created_by_replacement(resource) {
        let written = create(cluster, resource, &at.namespace, object, writing)?;
        return Ok(Written { warnings, ..written });
    }
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    check_preconditions(resource, at, &live, &object)?;
    let object = tracked(resource, &live, object, writing);
    finish(cluster, resource, at, object, writing, warnings)
}

/// Refuses a body that is about another object than the path.
///
/// # Errors
/// 400 then.
pub(super) fn check_name(at: &Key, object: &Value) -> ApiResult<()> {
    let (name, wanted) = (meta::name(object), &at.name);
    if name.is_empty() {
        let text = format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        );
        return Err(ApiError::BadRequest(text));
    }
    if name != wanted {
        let text = format!("the name of the object ({name}) does not match the name on the URL ({wanted})");
        return Err(ApiError::BadRequest(text));
    }
    Ok(())
}

fn check_preconditions(resource: &Resource, at: &Key, live: &Value, object: &Value) -> ApiResult<()> {
    let conflict = |why| ApiError::Conflict { resource: at.resource.clone(), name: at.name.clone(), why };
    let uid = meta::uid(object);
    if !uid.is_empty() && uid != meta::uid(live) {
        let place = if resource.group.is_empty() || resource.custom.is_none() {
            at.resource.resource.clone()
        } else {
            format!("{}/{}", at.resource.group, at.resource.resource)
        };
        let path = [place.as_str(), &at.namespace, &at.name].into_iter().filter(|part| !part.is_empty());
        return Err(conflict(format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            path.collect::<Vec<_>>().join("/"),
            meta::uid(live)
        )));
    }
    let needs_version = resource.custom.is_some()
        || NEEDS_VERSION.contains(&(resource.group.as_str(), resource.plural.as_str()));
    if meta::text(object, "resourceVersion").is_empty() && needs_version {
        let detail = "must be specified for an update";
        let error = FieldError::invalid("metadata.resourceVersion", &json!(0), detail);
        let name = at.name.clone();
        // Kubernetes names the resource where it names the kind elsewhere.
        let kind = GroupKind { group: resource.group.clone(), kind: resource.plural.clone() };
        return Err(ApiError::Invalid { kind, name, errors: vec![error] });
    }
    check_version(at, live, object)
}

/// Refuses a body that is based on another version than the live one.
///
/// # Errors
/// 409 then; 500, as kube-apiserver, if the version is no number.
pub(super) fn check_version(at: &Key, live: &Value, object: &Value) -> ApiResult<()> {
    let stated = meta::text(object, "resourceVersion");
    if !stated.is_empty() && stated.parse::<u64>().is_err() {
        return Err(ApiError::Bare(format!("strconv.ParseUint: parsing {stated:?}: invalid syntax")));
    }
    if stated.is_empty() || stated == "0" || stated == meta::text(live, "resourceVersion") {
        return Ok(());
    }
    Err(ApiError::Conflict {
        resource: at.resource.clone(),
        name: at.name.clone(),
        why: "the object has been modified; please apply your changes to the latest version and try again"
            .into(),
    })
}

/// Defaults an object that was read from a request and records what the writer changed in it.
pub(super) fn tracked(resource: &Resource, live: &Value, mut object: Value, writing: &Writing<'_>) -> Value {
    defaults::apply(resource, &mut object);
    // Not to be lost: an empty list of managed fields says something.
    let claimed = object["metadata"]["managedFields"].clone();
    decode::settle_form(resource, &mut object);
    meta::set(&mut object, "managedFields", claimed);
    strategy::keep_system_fields(live, &mut object);
    let time = meta::now();
    let writer = strategy::writer(resource, writing, &time);
    merge::track_update(&resource.schema, Some(live), object, &writer)
}

/// Validates and stores the next state of an object.
///
/// # Errors
/// 403 by admission, 422 by validation.
pub(super) fn finish(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    at: &Key,
    mut object: Value,
    writing: &Writing<'_>,
    mut warnings: Vec<String>,
) -> ApiResult<Written> {
    let live = cluster.live(resource, &at.namespace, &at.name)?;
    check_version(at, &live, &object)?;
    strategy::prepare_update(cluster, resource, &live, &mut object, writing.subresource);
    decode::settle_stored_form(resource, &mut object);
    let errors = validation::of_update(resource, &live, &object, writing.subresource);
    if !errors.is_empty() {
        return Err(ApiError::Invalid { kind: resource.group_kind(), name: at.name.clone(), errors });
    }
    warnings.extend(validation::warnings(resource, &object, Some(&live)));
    rbac::check_escalation(cluster, &writing.options.user, resource, Some(&live), &object)?;
    admission::check_update(cluster, resource, &live, &object, writing.subresource)?;
    meta::set(&mut object, "resourceVersion", live["metadata"]["resourceVersion"].clone());
    if is_same(&live, &object) {
        return Ok(Written { object: live, created: false, warnings });
    }
    if writing.options.dry_run == DryRun::Yes {
        return Ok(Written { object: Arc::new(object), created: false, warnings });
    }
    let object = store(cluster, resource, at, object)?;
    Ok(Written { object, created: false, warnings })
}

// An object whose deletion was asked goes when its last finalizer does.
fn store(cluster: &mut Cluster, resource: &Resource, at: &Key, object: Value) -> ApiResult<Arc<Value>> {
    let holds = resource.is("", "namespaces") && !meta::items(&object["spec"]["finalizers"]).is_empty();
    let may_take_time = object["metadata"]["deletionGracePeriodSeconds"].as_i64() > Some(0);
    let is_done = meta::is_terminating(&object) && meta::finalizers(&object).is_empty();
    if is_done && !holds && !may_take_time {
        cluster.erase(at)?;
        return Ok(Arc::new(object));
    }
    let stored = cluster.commit(at, object)?;
    Ok(convert::to_version(resource, &stored))
}

// Whether nothing but the times of managed fields would change.
fn is_same(live: &Value, object: &Value) -> bool {
    let without_times = |value: &Value| {
        let mut entries = value["metadata"]["managedFields"].clone();
        for entry in entries.as_array_mut().into_iter().flatten() {
            meta::take(entry, "time");
        }
        entries
    };
    if without_times(live) != without_times(object) {
        return false;
    }
    let mut object = object.clone();
    meta::set(&mut object, "managedFields", live["metadata"]["managedFields"].clone());
    *live == object
}
