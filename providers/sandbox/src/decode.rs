//! Reads an object as its kind: refuses what has another shape, drops unknown fields, and leaves what Kubernetes' own
//! types would keep.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>

use engine_kinds::Quantity;
use engine_kinds::schema::{MapType, Scalar, Type};
use serde_json::{Map, Value, json};

use crate::error::{ApiError, ApiResult};
use crate::request::FieldValidation;
use crate::resource::Resource;

/// Scalars that are written only if they are not zero: those without a pointer in Kubernetes' types. Where two kinds
/// disagree on a name, it is left out here and its zero is kept.
const DROPPED_ZEROS: &[&str] = &[
    "active",
    "clusterIP",
    "concurrencyPolicy",
    "currentRevision",
    "deprecated",
    "dnsPolicy",
    "externalName",
    "externalTrafficPolicy",
    "failed",
    "failureThreshold",
    "fullyLabeledReplicas",
    "generateName",
    "generation",
    "globalDefault",
    "healthCheckNodePort",
    "host",
    "hostIP",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPort",
    "hostname",
    "imagePullPolicy",
    "initialDelaySeconds",
    "listKind",
    "loadBalancerIP",
    "medium",
    "minReadySeconds",
    "nodeName",
    "nodePort",
    "nominatedNodeName",
    "number",
    "numberAvailable",
    "numberUnavailable",
    "paused",
    "persistentVolumeReclaimPolicy",
    "phase",
    "podIP",
    "podManagementPolicy",
    "prefix",
    "preserveUnknownFields",
    "priorityClassName",
    "providerID",
    "publishNotReadyAddresses",
    "readOnly",
    "readyReplicas",
    "schedulerName",
    "scheme",
    "selfLink",
    "serviceAccount",
    "serviceAccountName",
    "sessionAffinity",
    "singular",
    "stdin",
    "stdinOnce",
    "subPath",
    "subPathExpr",
    "subdomain",
    "succeeded",
    "successThreshold",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "unavailableReplicas",
    "unschedulable",
    "updateRevision",
    "updatedNumberScheduled",
    "updatedReplicas",
    "volumeName",
    "whenDeleted",
    "whenScaled",
    "workingDir",
];

/// Lists and maps that are written even if they are empty.
const KEPT_EMPTY: &[&str] = &[
    "admissionReviewVersions",
    "conditions",
    "containers",
    "currentMetrics",
    "endpoints",
    "limits",
    "nodeSelectorTerms",
    "paths",
    "request",
    "rules",
    "sources",
    "storedVersions",
    "verbs",
    "versions",
];

/// Checks that a body is an object of this resource's kind and version, in the words of kube-apiserver.
///
/// # Errors
/// If it is not.
pub(crate) fn check_kind(resource: &Resource, object: &mut Value) -> ApiResult<()> {
    let Some(map) = object.as_object_mut() else {
        let text: String = object.to_string().chars().take(30).collect();
        return Err(ApiError::BadRequest(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: \
             json: cannot unmarshal into Go value ({text})",
            resource.kind
        )));
    };
    let expected = &resource.api_version;
    let text = |map: &Map<String, Value>, key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(ApiError::BadRequest(format!(
            "couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go struct field .{key} of \
             type string",
            type_name(other)
        ))),
    };
    let (api_version, kind) = (text(map, "apiVersion")?, text(map, "kind")?);
    if kind.is_empty() && resource.custom.is_some() {
        let shown = Value::Object(map.clone());
        return Err(ApiError::BadRequest(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing in '{shown}'",
            resource.kind
        )));
    }
    if !api_version.is_empty() && api_version != *expected {
        return Err(ApiError::BadRequest(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({expected})"
        )));
    }
    if !kind.is_empty() && kind != resource.kind {
        return Err(ApiError::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {}: the kinds differ",
            resource.version, resource.kind
        )));
    }
    map.insert("apiVersion".into(), json!(expected));
    map.insert("kind".into(), json!(resource.kind));
    Ok(())
}

/// Reads an object as the kind of `resource`. Returns warnings on what was dropped.
///
/// # Errors
/// If a field has the wrong JSON type, or is unknown and `validation` is strict.
pub(crate) fn read(
    resource: &Resource,
    object: &mut Value,
    validation: FieldValidation,
) -> ApiResult<Vec<String>> {
    let mut findings = Findings { lenient: resource.custom.is_some(), ..Findings::default() };
    if let Some(metadata) = resource.schema.field("metadata") {
        // The metadata of custom resources is read as strictly as that of built-in kinds.
        let mut strict = Findings::default();
        if let Some(found) = object.get_mut("metadata") {
            strict.walk(metadata, found, "metadata");
        }
        findings.wrong.append(&mut strict.wrong);
    }
    findings.walk(&resource.schema, object, "");
    let handled = |what: String| {
        ApiError::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {kind}: {what}",
            resource.version,
            kind = resource.kind
        ))
    };
    if findings.is_bad_quantity {
        let pattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";
        return Err(handled(format!("quantities must match the regular expression '{pattern}'")));
    }
    if let Some((path, found, wanted)) = findings.wrong.first() {
        return Err(handled(format!(
            "json: cannot unmarshal {found} into Go struct field {}.{path} of type {wanted}",
            resource.kind
        )));
    }
    let unknown: Vec<_> = findings.unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict if !unknown.is_empty() => {
            Err(handled(format!("strict decoding error: {}", unknown.join(", "))))
        }
        FieldValidation::Strict | FieldValidation::Warn => Ok(unknown),
    }
}

#[derive(Default)]
struct Findings {
    lenient: bool,
    is_bad_quantity: bool,
    unknown: Vec<String>,
    wrong: Vec<(String, &'static str, &'static str)>,
}

impl Findings {
    fn walk(&mut self, ty: &Type, value: &mut Value, path: &str) {
        let shape = ty.shape();
        match value {
            Value::Object(map) => match &shape.map {
                Some(fields) => self.walk_map(fields, map, path),
                None => self.mismatch(path, "object", shape.scalar),
            },
            Value::Array(items) => match &shape.list {
                Some(list) => {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.walk(&list.element, item, &format!("{path}[{index}]"));
                    }
                }
                None => self.mismatch(path, "array", shape.scalar),
            },
            Value::Null => {}
            scalar => {
                let fits = match shape.scalar {
                    Some(Scalar::Untyped) => true,
                    Some(Scalar::String) => scalar.is_string(),
                    Some(Scalar::Numeric) => scalar.is_number(),
                    Some(Scalar::Boolean) => scalar.is_boolean(),
                    None => false,
                };
                if !fits {
                    self.mismatch(path, type_name(scalar), shape.scalar);
                }
            }
        }
    }

    fn walk_map(&mut self, fields: &MapType, map: &mut Map<String, Value>, path: &str) {
        let lenient = self.lenient;
        if !lenient && is_resource_map(fields) && map.values().any(|value| canonical(value).is_none()) {
            self.is_bad_quantity = true;
        }
        map.retain(|name, value| {
            let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let declared = fields.fields.get(name.as_str()).map(|field| &field.ty);
            let Some(ty) = declared.or(fields.element.as_ref()) else {
                self.unknown.push(at);
                return false;
            };
            if value.is_null() && !lenient {
                // A null entry of a map of texts is an empty text; a null field is an absent one.
                let is_entry = declared.is_none() && ty.shape().scalar == Some(Scalar::String);
                *value = if is_entry { json!("") } else { Value::Null };
                return is_entry || declared.is_none();
            }
            self.walk(ty, value, &at);
            true
        });
    }

    fn mismatch(&mut self, path: &str, found: &'static str, wanted: Option<Scalar>) {
        let wanted = match wanted {
            Some(Scalar::String) => "string",
            Some(Scalar::Numeric) => "int32",
            Some(Scalar::Boolean) => "bool",
            Some(Scalar::Untyped) => "intstr.IntOrString",
            None => "struct",
        };
        if !self.lenient {
            self.wrong.push((path.to_owned(), found, wanted));
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Gives a built-in object the form in which Kubernetes' types would write it: fields that every object of the kind
/// has are there, zero values and empty lists that would not be written are not.
pub(crate) fn settle_form(resource: &Resource, object: &mut Value) {
    if resource.custom.is_none() {
        settle(&resource.schema, object);
    }
}

/// Amounts outside maps of resources.
const QUANTITY_FIELDS: [&str; 3] = ["averageValue", "divisor", "sizeLimit"];

// A map of scalars that are no texts holds amounts of resources, and nothing else does.
fn is_resource_map(map: &MapType) -> bool {
    let is_amount = |ty: &Type| {
        let shape = ty.shape();
        shape.scalar == Some(Scalar::Untyped) && shape.map.is_none() && shape.list.is_none()
    };
    map.fields.is_empty() && map.element.as_ref().is_some_and(is_amount)
}

fn canonical(value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    text.parse::<Quantity>().ok().map(|quantity| json!(quantity.to_string()))
}

fn settle(ty: &Type, value: &mut Value) {
    match value {
        Value::Object(map) => {
            let Some(fields) = &ty.shape().map else { return };
            let is_amounts = is_resource_map(fields);
            for (_, value) in
                map.iter_mut().filter(|(name, _)| is_amounts || QUANTITY_FIELDS.contains(&name.as_str()))
            {
                if let Some(canonical) = canonical(value) {
                    *value = canonical;
                }
            }
            for (name, _) in fields.fields.iter().filter(|(_, field)| field.always) {
                map.entry(&**name).or_insert_with(|| json!({}));
            }
            map.retain(|name, value| {
                let declared = fields.fields.get(name.as_str()).map(|field| &field.ty);
                if let Some(ty) = declared.or(fields.element.as_ref()) {
                    settle(ty, value);
                }
                declared.is_none_or(|ty| !vanishes(name, ty, value))
            });
        }
        Value::Array(items) => {
            let Some(element) = ty.element() else { return };
            items.iter_mut().for_each(|item| settle(element, item));
        }
        _ => {}
    }
}

fn vanishes(name: &str, ty: &Type, value: &Value) -> bool {
    let is_container = |ty: &Type| {
        let shape = ty.shape();
        let is_typed = |ty: &Type| ty.shape().scalar.is_none() || ty.shape().map.is_none();
        let is_plain = |map: &MapType| map.fields.is_empty() && map.element.as_ref().is_some_and(is_typed);
        let plain_map = shape.map.as_ref().is_some_and(is_plain);
        shape.scalar.is_none() && (shape.list.is_some() || plain_map)
    };
    match value {
        Value::Array(items) => items.is_empty() && is_container(ty) && !KEPT_EMPTY.contains(&name),
        Value::Object(map) => map.is_empty() && is_container(ty) && !KEPT_EMPTY.contains(&name),
        Value::String(text) => text.is_empty() && is_dropped_zero(name),
        Value::Bool(false) => is_dropped_zero(name),
        Value::Number(number) => number.as_f64() == Some(0.0) && is_dropped_zero(name),
        _ => false,
    }
}

fn is_dropped_zero(name: &str) -> bool {
    DROPPED_ZEROS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::DROPPED_ZEROS;

    #[test]
    fn names_of_dropped_zeros_can_be_searched() {
        assert!(DROPPED_ZEROS.is_sorted());
    }
}
