//! The rules of a `CustomResourceDefinition`.
//!
//! Kubernetes keeps what all versions of a definition agree on once, and its messages name it there:
//! `spec.validation`, `spec.subresources`, `spec.additionalPrinterColumns`, `spec.selectableFields`.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/>

use serde::Serialize;
use serde_json::{Value, json};

use super::structure;
use crate::error::FieldError;
use crate::meta;
use engine_structural::paths;

use crate::validation::{dns_label_fault, subdomain_fault};

/// The annotation by which a group of Kubernetes' own community is approved.
const APPROVAL: &str = "api-approved.kubernetes.io";

/// Types of printer columns.
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// Formats of printer columns.
const COLUMN_FORMATS: [&str; 9] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password", ""];

/// How many fields can be selectable.
const SELECTABLE_LIMIT: u64 = 8;

/// Every rule that a definition breaks; `before` is the live one, if it is being changed.
pub(crate) fn validate_definition(object: &Value, before: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &object["spec"];
    if before.is_none()
        && meta::name(object) != format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]))
    {
        let detail = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid("metadata.name", &json!(meta::name(object)), detail));
    }
    check_group(spec, &mut errors);
    check_one_of("spec.scope", &spec["scope"], &["Cluster", "Namespaced"], &mut errors);
    check_versions(spec, &mut errors);
    check_names(&spec["names"], &mut errors);
    for (place, key) in SHARED {
        let versions = meta::items(&spec["versions"]);
        if let Some(shared) = shared(versions, key) {
            check_part(key, &format!("spec.{place}"), shared, versions, &mut errors);
        }
    }
    check_conversion(&spec["conversion"], &mut errors);
    if let Some(before) = before {
        check_unchanged(object, before, &mut errors);
    }
    check_stored_versions(object, &mut errors);
    check_approval(object, before, &mut errors);
    if spec["preserveUnknownFields"] == true {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                      spec.versions[*].schema instead";
        errors.push(FieldError::invalid("spec.preserveUnknownFields", &json!(true), detail));
    }
    errors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn check_group(spec: &Value, errors: &mut Vec<FieldError>) {
    let group = text(&spec["group"]);
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if let Some(fault) = subdomain_fault(group) {
        errors.push(FieldError::invalid("spec.group", &json!(group), &fault));
    } else if !group.contains('.') {
        let detail = "should be a domain with at least one dot";
        errors.push(FieldError::invalid("spec.group", &json!(group), detail));
    }
}

fn check_one_of(field: &str, value: &Value, known: &[&str], errors: &mut Vec<FieldError>) {
    match text(value) {
        "" => errors.push(FieldError::required(field, "")),
        found if known.contains(&found) => {}
        _ => {
            let known: Vec<_> = known.iter().map(|&name| name.to_owned()).collect();
            errors.push(FieldError::unsupported(field, value, &known));
        }
    }
}

/// What a version has that all versions may agree on: the name in messages, and the field of a version.
const SHARED: [(&str, &str); 4] = [
    ("validation", "schema"),
    ("subresources", "subresources"),
    ("additionalPrinterColumns", "additionalPrinterColumns"),
    ("selectableFields", "selectableFields"),
];

// The value of a field that all versions agree on; null if none has it.
fn shared<'a>(versions: &'a [Value], key: &str) -> Option<&'a Value> {
    let (first, rest) = versions.split_first()?;
    rest.iter().all(|other| other[key] == first[key]).then(|| &first[key])
}

fn check_versions(spec: &Value, errors: &mut Vec<FieldError>) {
    let versions = meta::items(&spec["versions"]);
    if shared(versions, "schema").is_none_or(Value::is_null) {
        let without = |version: &Value| !version["schema"]["openAPIV3Schema"].is_object();
        for (index, _) in versions.iter().enumerate().filter(|(_, version)| without(version)) {
            errors.push(FieldError::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let at = format!("spec.versions[{index}]");
        if let Some(fault) = dns_label_fault(text(&version["name"])) {
            errors.push(FieldError::invalid(format!("{at}.name"), &version["name"], &fault));
        }
        check_deprecation(version, &at, errors);
        for (_, key) in SHARED.into_iter().filter(|(_, key)| shared(versions, key).is_none()) {
            check_part(key, &format!("{at}.{key}"), &version[key], std::slice::from_ref(version), errors);
        }
    }
    let mut refuse =
        |detail: &str| errors.push(FieldError::invalid_as("spec.versions", &shown(versions), detail));
    let is_repeated = |(index, version): (usize, &Value)| {
        versions[..index].iter().any(|other| other["name"] == version["name"])
    };
    if versions.iter().enumerate().any(is_repeated) {
        refuse("must contain unique version names");
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        refuse("must have exactly one version marked as storage version");
    }
    let first = versions.first().map_or("", |version| text(&version["name"]));
    if let Some(fault) = dns_label_fault(first).filter(|_| !first.is_empty()) {
        errors.push(FieldError::invalid("spec.version", &json!(first), &fault));
    }
}

// Messages show versions as Kubernetes holds them, without what they agree on.
fn shown(versions: &[Value]) -> String {
    if versions.is_empty() {
        return Value::Null.to_string();
    }
    let own = |version: &Value, key: &str| {
        if shared(versions, key).is_some() { Value::Null } else { version[key].clone() }
    };
    let entry = |version: &Value| {
        let shown = Shown {
            name: text(&version["name"]),
            served: version["served"] == true,
            storage: version["storage"] == true,
            deprecated: version["deprecated"] == true,
            deprecation_warning: version["deprecationWarning"].as_str(),
            schema: own(version, "schema"),
            subresources: own(version, "subresources"),
            additional_printer_columns: own(version, "additionalPrinterColumns"),
            selectable_fields: own(version, "selectableFields"),
        };
        serde_json::to_string(&shown).unwrap_or_default()
    };
    format!("[{}]", versions.iter().map(entry).collect::<Vec<_>>().join(","))
}

/// A version in messages.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    name: &'a str,
    served: bool,
    storage: bool,
    deprecated: bool,
    deprecation_warning: Option<&'a str>,
    schema: Value,
    subresources: Value,
    additional_printer_columns: Value,
    selectable_fields: Value,
}

fn check_deprecation(version: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let Some(warning) = version["deprecationWarning"].as_str() else { return };
    let mut refuse = |detail: &str| {
        errors.push(FieldError::invalid(format!("{at}.deprecationWarning"), &json!(warning), detail));
    };
    if version["deprecated"] != true {
        return refuse("can only be set for deprecated versions");
    }
    if warning.len() > 256 {
        refuse("must be <= 256 characters long");
    }
    if warning.is_empty() {
        refuse("must not be an empty string");
    }
    if let Some((index, _)) = warning.char_indices().find(|(_, letter)| letter.is_control()) {
        refuse(&format!(
            "must only contain printable UTF-8 characters; non-printable character found at index {index}"
        ));
    }
}

fn check_names(names: &Value, errors: &mut Vec<FieldError>) {
    for name in ["plural", "singular", "kind", "listKind"] {
        if text(&names[name]).is_empty() {
            errors.push(FieldError::required(format!("spec.names.{name}"), ""));
        }
    }
    for name in ["plural", "singular"] {
        check_label(&format!("spec.names.{name}"), &names[name], errors);
    }
    for name in ["kind", "listKind"] {
        let kind = text(&names[name]);
        if let Some(fault) = dns_label_fault(&kind.to_lowercase()).filter(|_| !kind.is_empty()) {
            let detail = format!("may have mixed case, but should otherwise match: {fault}");
            errors.push(FieldError::invalid(format!("spec.names.{name}"), &names[name], &detail));
        }
    }
    for (index, name) in meta::items(&names["shortNames"]).iter().enumerate() {
        check_label(&format!("spec.names.shortNames[{index}]"), name, errors);
    }
    if !text(&names["kind"]).is_empty() && names["kind"] == names["listKind"] {
        let detail = "kind and listKind may not be the same";
        errors.push(FieldError::invalid("spec.names.listKind", &names["listKind"], detail));
    }
    for (index, name) in meta::items(&names["categories"]).iter().enumerate() {
        check_label(&format!("spec.names.categories[{index}]"), name, errors);
    }
}

fn check_label(field: &str, value: &Value, errors: &mut Vec<FieldError>) {
    if let Some(fault) = dns_label_fault(text(value)).filter(|_| !text(value).is_empty()) {
        errors.push(FieldError::invalid(field, value, &fault));
    }
}

fn check_part(key: &str, at: &str, part: &Value, versions: &[Value], errors: &mut Vec<FieldError>) {
    match key {
        "schema" => {
            let has_status = versions.iter().any(|version| version["subresources"]["status"].is_object());
            structure::check(&part["openAPIV3Schema"], &format!("{at}.openAPIV3Schema"), has_status, errors);
        }
        "subresources" => check_scale(&part["scale"], at, errors),
        "additionalPrinterColumns" => {
            for (index, column) in meta::items(part).iter().enumerate() {
                check_column(column, &format!("{at}[{index}]"), errors);
            }
        }
        _ => {
            let schema =
                versions.first().map_or(&Value::Null, |version| &version["schema"]["openAPIV3Schema"]);
            check_selectable(meta::items(part), schema, at, errors);
        }
    }
}

fn check_scale(scale: &Value, at: &str, errors: &mut Vec<FieldError>) {
    if !scale.is_object() {
        return;
    }
    for (name, place) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        let (field, path) = (format!("{at}.scale.{name}"), text(&scale[name]));
        if path.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else if !path.starts_with('.') {
            errors.push(FieldError::invalid(
                field,
                &scale[name],
                "must be a simple json path starting with .",
            ));
        } else if !path.starts_with(&format!("{place}.")) {
            let detail = format!("should be a json path under {place}");
            errors.push(FieldError::invalid(field, &scale[name], &detail));
        }
    }
    let path = text(&scale["labelSelectorPath"]);
    if !path.is_empty() && ![".spec.", ".status."].iter().any(|place| path.starts_with(place)) {
        let detail = if path.starts_with('.') {
            "should be a json path under either .spec or .status"
        } else {
            "must be a simple json path starting with ."
        };
        errors.push(FieldError::invalid(format!("{at}.scale.labelSelectorPath"), &json!(path), detail));
    }
}

fn check_column(column: &Value, at: &str, errors: &mut Vec<FieldError>) {
    if text(&column["name"]).is_empty() {
        errors.push(FieldError::required(format!("{at}.name"), ""));
    }
    let types = format!("must be one of {}", COLUMN_TYPES.join(","));
    match text(&column["type"]) {
        "" => errors.push(FieldError::required(format!("{at}.type"), &types)),
        found if COLUMN_TYPES.contains(&found) => {}
        _ => errors.push(FieldError::invalid(format!("{at}.type"), &column["type"], &types)),
    }
    if !COLUMN_FORMATS.contains(&text(&column["format"])) {
        let known = format!("must be one of {}", COLUMN_FORMATS[..8].join(","));
        errors.push(FieldError::invalid(format!("{at}.format"), &column["format"], &known));
    }
    match text(&column["jsonPath"]) {
        "" => errors.push(FieldError::required(format!("{at}.JSONPath"), "")),
        path if path.starts_with('.') => {}
        _ => {
            let detail = "must be a simple json path starting with .";
            errors.push(FieldError::invalid(format!("{at}.JSONPath"), &column["jsonPath"], detail));
        }
    }
}

fn check_selectable(fields: &[Value], schema: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let mut known: Vec<&str> = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        let (at, path) = (format!("{at}[{index}].jsonPath"), text(&field["jsonPath"]));
        if path.is_empty() {
            errors.push(FieldError::required(at, ""));
            continue;
        }
        let mut refuse = |detail: &str| errors.push(FieldError::invalid(at.clone(), &json!(path), detail));
        let found = match paths::resolve(path, schema, paths::Brackets::Refused) {
            Ok((_, found)) => found,
            Err(why) => {
                refuse(&format!("is an invalid path: {why}"));
                continue;
            }
        };
        if path.starts_with(".metadata.") {
            refuse("must not point to fields in metadata");
        }
        if !["string", "boolean", "integer"].contains(&text(&found["type"])) {
            refuse(
                "must point to a field of type string, boolean or integer. Enum string fields and strings with \
                 formats are allowed.",
            );
        }
        if known.contains(&path) {
            errors.push(FieldError::duplicate(at, &json!(path)));
        } else {
            known.push(path);
        }
    }
    if known.len() as u64 > SELECTABLE_LIMIT {
        errors.push(FieldError::too_many(at, known.len(), SELECTABLE_LIMIT));
    }
}

fn check_conversion(conversion: &Value, errors: &mut Vec<FieldError>) {
    check_one_of("spec.conversion.strategy", &conversion["strategy"], &["None", "Webhook"], errors);
    let (webhook, place) = (&conversion["webhook"], "spec.conversion.webhookClientConfig");
    let (client, versions) = (&webhook["clientConfig"], &webhook["conversionReviewVersions"]);
    let reviews = "spec.conversion.conversionReviewVersions";
    if conversion["strategy"] != "Webhook" {
        if client.is_object() {
            errors
                .push(FieldError::forbidden(place, "should not be set when strategy is not set to Webhook"));
        }
        if !meta::items(versions).is_empty() {
            errors.push(FieldError::forbidden(
                reviews,
                "should not be set when strategy is not set to Webhook",
            ));
        }
        return;
    }
    if !client.is_object() {
        errors.push(FieldError::required(place, "required when strategy is set to Webhook"));
    } else if client["url"].is_string() == client["service"].is_object() {
        errors.push(FieldError::required(place, "exactly one of url or service is required"));
    }
    if meta::items(versions).is_empty() {
        errors.push(FieldError::required(reviews, ""));
    } else if !meta::items(versions).iter().any(|version| version == "v1" || version == "v1beta1") {
        errors.push(FieldError::invalid(reviews, versions, "must include at least one of v1, v1beta1"));
    }
}

fn check_unchanged(object: &Value, before: &Value, errors: &mut Vec<FieldError>) {
    let is_established = super::is_established(before);
    for path in ["/spec/scope", "/spec/names/kind", "/spec/group", "/spec/names/plural"] {
        let names_resource = path == "/spec/group" || path == "/spec/names/plural";
        let (was, is) = (before.pointer(path), object.pointer(path));
        if was != is && (is_established || names_resource) {
            let field = path.trim_start_matches('/').replace('/', ".");
            errors.push(FieldError::invalid(field, is.unwrap_or(&Value::Null), "field is immutable"));
        }
    }
}

fn check_stored_versions(object: &Value, errors: &mut Vec<FieldError>) {
    let stored = &object["status"]["storedVersions"];
    let versions = meta::items(&object["spec"]["versions"]);
    if meta::items(stored).is_empty() {
        let detail = "must have at least one stored version";
        errors.push(FieldError::invalid("status.storedVersions", &Value::Null, detail));
        return;
    }
    let mut left = meta::items(stored).to_vec();
    for version in versions {
        let name = &version["name"];
        if version["storage"] == true && !left.contains(name) {
            let detail = format!("must have the storage version {}", text(name));
            errors.push(FieldError::invalid("status.storedVersions", stored, &detail));
        }
        left.retain(|stored| stored != name);
    }
    for (index, name) in
        meta::strings(stored).into_iter().enumerate().filter(|(_, name)| left.contains(&json!(name)))
    {
        let detail = format!(
            "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions \
             until a storage migration ensures no data remains persisted in {name} and removes {name} from \
             status.storedVersions"
        );
        errors.push(FieldError::invalid(format!("status.storedVersions[{index}]"), &json!(name), &detail));
    }
}

fn check_approval(object: &Value, before: Option<&Value>, errors: &mut Vec<FieldError>) {
    let group = text(&object["spec"]["group"]);
    let is_of =
        |domain: &str| group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let given = meta::annotation(object, APPROVAL).unwrap_or_default();
    let is_unchanged =
        before.is_some_and(|before| meta::annotation(before, APPROVAL).unwrap_or_default() == given);
    if !is_of("k8s.io") && !is_of("kubernetes.io") || is_unchanged {
        return;
    }
    let field = format!("metadata.annotations[{APPROVAL}]");
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let is_url = given.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if given.is_empty() {
        let detail = format!("protected groups must have approval annotation {APPROVAL:?}, {see}");
        errors.push(FieldError::required(field, &detail));
    } else if !given.starts_with("unapproved") && !is_url {
        let detail = format!(
            "protected groups must have approval annotation {APPROVAL:?} with either a URL or a reason starting with \
             \"unapproved\", {see}"
        );
        errors.push(FieldError::invalid(field, &json!(given), &detail));
    }
}
