//! Names, labels, annotations and finalizers.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>

use serde_json::{Value, json};

use crate::controllers::garbage::{FOREGROUND, ORPHAN};
use crate::error::FieldError;
use crate::meta;
use crate::resource::Resource;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// All annotations of an object together, in bytes.
const ANNOTATION_LIMIT: usize = 256 * 1024;

#[derive(Clone, Copy)]
enum Syntax {
    Subdomain,
    Label,
    DnsLabel,
    PathSegment,
}

fn syntax_of(resource: &Resource) -> Syntax {
    if resource.custom.is_some() {
        return Syntax::Subdomain;
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces" | "services") | ("apps", "statefulsets") => Syntax::Label,
        ("rbac.authorization.k8s.io", _) => Syntax::PathSegment,
        _ => Syntax::Subdomain,
    }
}

fn is_label(text: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

// What is wrong with a name, in Kubernetes' words.
fn name_faults(syntax: Syntax, name: &str) -> Vec<String> {
    let too_long = |limit: usize| (name.len() > limit).then(|| format!("must be no more than {limit} bytes"));
    let (limit, fault) = match syntax {
        Syntax::Subdomain => (253, (!is_subdomain(name)).then_some(SUBDOMAIN)),
        Syntax::Label if !is_label(name) && is_subdomain(name) => (63, Some("must not contain dots")),
        Syntax::Label => (63, (!is_label(name)).then_some(LABEL)),
        Syntax::DnsLabel => {
            let is_fine = is_label(name) && name.starts_with(|letter: char| letter.is_ascii_lowercase());
            (63, (!is_fine).then_some(DNS_LABEL))
        }
        Syntax::PathSegment => return path_faults(name),
    };
    too_long(limit).into_iter().chain(fault.map(str::to_owned)).collect()
}

/// What is wrong with a label of DNS that begins with a letter, if anything.
pub(crate) fn dns_label_fault(text: &str) -> Option<String> {
    let faults = name_faults(Syntax::DnsLabel, text);
    (!faults.is_empty()).then(|| faults.join(","))
}

/// What is wrong with a name of DNS, if anything.
pub(crate) fn subdomain_fault(text: &str) -> Option<String> {
    let faults = name_faults(Syntax::Subdomain, text);
    (!faults.is_empty()).then(|| faults.join(","))
}

fn path_faults(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    let has = |part: &&str| name.contains(part);
    ["/", "%"].iter().filter(|part| has(part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// The rules on the metadata of a new object.
pub(super) fn check(resource: &Resource, object: &Value) -> Vec<FieldError> {
    let name = meta::name(object);
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        let faults = name_faults(syntax_of(resource), name);
        errors.extend(faults.iter().map(|fault| FieldError::invalid("metadata.name", &json!(name), fault)));
    }
    errors.extend(check_metadata(object));
    errors
}

/// The rules on labels, annotations and owners.
pub(crate) fn check_metadata(object: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let metadata = &object["metadata"];
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        errors.extend(
            key_faults(key).iter().map(|fault| FieldError::invalid("metadata.labels", &json!(key), fault)),
        );
        let faults = value_faults(value.as_str().unwrap_or_default());
        errors.extend(faults.iter().map(|fault| FieldError::invalid("metadata.labels", value, fault)));
    }
    let mut size = 0;
    for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
        let faults = key_faults(&key.to_lowercase());
        errors.extend(
            faults.iter().map(|fault| FieldError::invalid("metadata.annotations", &json!(key), fault)),
        );
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATION_LIMIT {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATION_LIMIT as u64));
    }
    errors.extend(finalizer_errors(&meta::finalizers(object)));
    errors.extend(owner_errors(meta::items(&metadata["ownerReferences"])));
    errors
}

fn owner_errors(owners: &[Value]) -> Vec<FieldError> {
    let text = |owner: &Value, field: &str| owner[field].as_str().unwrap_or_default().to_owned();
    let at = "metadata.ownerReferences";
    let mut errors = Vec::new();
    let mut first: Option<String> = None;
    for owner in owners {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if text(owner, field).is_empty() {
                let what =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                errors.push(FieldError::invalid(format!("{at}.{field}"), &json!(""), what));
            }
        }
        if text(owner, "apiVersion") == "v1" && text(owner, "kind") == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid_as(at, &owner_text(owner), why));
        }
        if owner["controller"] == true {
            let name = format!("{}/{}", text(owner, "kind"), text(owner, "name"));
            if let Some(first) = &first {
                let all: Vec<_> = owners.iter().map(owner_text).collect();
                let why = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and \
                     {name}"
                );
                errors.push(FieldError::invalid_as(at, &format!("[{}]", all.join(",")), &why));
            } else {
                first = Some(name);
            }
        }
    }
    errors
}

// In the order of Kubernetes' own type.
fn owner_text(owner: &Value) -> String {
    let fields = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let stated = fields.iter().filter_map(|field| Some(format!("\"{field}\":{}", owner.get(field)?)));
    format!("{{{}}}", stated.collect::<Vec<_>>().join(","))
}

/// Finalizers of Kubernetes itself, whose names have no domain.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", ORPHAN, FOREGROUND];

fn finalizer_errors(finalizers: &[&str]) -> Vec<FieldError> {
    let at = "metadata.finalizers";
    let names = finalizers.iter().flat_map(|name| {
        key_faults(name).into_iter().map(move |fault| FieldError::invalid(at, &json!(name), &fault))
    });
    let mut errors: Vec<_> = names.collect();
    if [ORPHAN, FOREGROUND].iter().all(|name| finalizers.contains(name)) {
        let why = format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        errors.push(FieldError::invalid(at, &json!(finalizers), &why));
    }
    errors
}

/// Built-in kinds want a domain in the names of finalizers.
pub(super) fn check_finalizer_domains(object: &Value) -> Vec<FieldError> {
    let is_bare = |name: &&str| !name.contains('/') && !STANDARD_FINALIZERS.contains(name);
    let finalizers = meta::finalizers(object).into_iter().enumerate().filter(|(_, name)| is_bare(name));
    let why = "name is neither a standard finalizer name nor is it fully qualified";
    finalizers
        .map(|(idx, name)| FieldError::invalid(format!("metadata.finalizers[{idx}]"), &json!(name), why))
        .collect()
}

/// The rule of a name that is a label of DNS, as a container's.
pub(super) fn label_error(at: &str, name: &str) -> Option<FieldError> {
    let fault = name_faults(Syntax::Label, name).into_iter().next()?;
    Some(FieldError::invalid(at, &json!(name), &fault))
}

/// What is wrong with the key of a label or annotation.
pub(crate) fn key_faults(key: &str) -> Vec<String> {
    if key.matches('/').count() > 1 {
        return vec![format!(
            "a valid label key {QUALIFIED} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )];
    }
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let mut faults = Vec::new();
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            faults.push("prefix part must be non-empty".to_owned());
        } else if !is_subdomain(prefix) {
            faults.push(format!("prefix part {SUBDOMAIN}"));
        }
    }
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(name) {
        faults.push(format!("name part {QUALIFIED}"));
    }
    faults
}

/// What is wrong with the value of a label.
pub(crate) fn value_faults(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > 63 {
        faults.push("must be no more than 63 bytes".to_owned());
    }
    if !value.is_empty() && !is_word(value) {
        faults.push(LABEL_VALUE.to_owned());
    }
    faults
}

fn is_word(text: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.chars().all(inner) && edge(text.chars().next()) && edge(text.chars().next_back())
}

/// The rules on a change of metadata.
///
/// # Source
/// `ValidateObjectMetaAccessorUpdate` of the package `k8s.io/apimachinery/pkg/api/validation`
pub(super) fn check_change(live: &Value, object: &Value) -> Vec<FieldError> {
    let changed = |field: &&str| live["metadata"][*field] != object["metadata"][*field];
    let fixed =
        ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];
    let mut errors: Vec<FieldError> = check_finalizers(live, object).into_iter().collect();
    errors.extend(fixed.into_iter().filter(changed).map(|field| {
        FieldError::invalid(format!("metadata.{field}"), &object["metadata"][field], "field is immutable")
    }));
    errors.extend(check_metadata(object));
    errors
}

// An object that is being deleted takes no new finalizers.
fn check_finalizers(live: &Value, object: &Value) -> Option<FieldError> {
    if !meta::is_terminating(live) {
        return None;
    }
    let old = meta::finalizers(live);
    let new: Vec<_> = meta::finalizers(object).into_iter().filter(|name| !old.contains(name)).collect();
    let list: Vec<_> = new.iter().map(|name| format!("{name:?}")).collect();
    (!new.is_empty()).then(|| {
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
            list.join(", ")
        );
        FieldError::forbidden("metadata.finalizers", &detail)
    })
}
