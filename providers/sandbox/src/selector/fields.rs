//! The language of field selectors, and the fields that each kind selects by.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/>; the words of refusals are those
//! of k8s.io/apimachinery/pkg/fields and of the kinds' conversions.

use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::resource::Resource;

/// One condition on one field.
#[derive(Debug, Clone)]
pub(super) struct Term {
    field: String,
    value: String,
    wanted: bool,
}

/// Kinds that select by more than name and namespace, and their fields.
const SELECTABLE: [(&str, &str, &[&str]); 9] = [
    ("", "events", &EVENT_FIELDS),
    ("", "namespaces", &["status.phase"]),
    ("", "nodes", &["spec.unschedulable"]),
    ("", "pods", &POD_FIELDS),
    ("", "replicationcontrollers", &["status.replicas"]),
    ("", "secrets", &["type"]),
    ("", "services", &["spec.clusterIP", "spec.type"]),
    ("batch", "jobs", &["status.successful"]),
    ("certificates.k8s.io", "certificatesigningrequests", &["spec.signerName"]),
];

const EVENT_FIELDS: [&str; 11] = [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

const POD_FIELDS: [&str; 10] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "spec.host",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

impl Term {
    /// Whether it holds for an object.
    pub fn holds(&self, object: &Value) -> bool {
        (shown(object, &self.field) == self.value) == self.wanted
    }
}

// A field as text, as the kind shows it to selectors.
fn shown(object: &Value, field: &str) -> String {
    let at = |path: &str| match path.split('.').fold(object, |value, part| &value[part]) {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    match field {
        "source" => or(at("source.component"), &at("reportingComponent")),
        "spec.host" => at("spec.nodeName"),
        "spec.hostNetwork" | "spec.unschedulable" => or(at(field), "false"),
        "status.replicas" => or(at(field), "0"),
        "status.successful" => or(at("status.succeeded"), "0"),
        _ => at(field),
    }
}

/// Reads the text of a selector on a resource.
///
/// # Errors
/// 400 if it cannot be read, or names a field that the kind does not select by.
pub(super) fn parse(resource: &Resource, text: &str) -> ApiResult<Vec<Term>> {
    let mut clauses = clauses(text);
    clauses.sort_unstable();
    let read = clauses.into_iter().filter(|clause| !clause.is_empty()).map(|clause| {
        term(clause).and_then(|term| {
            term.ok_or_else(|| format!("invalid selector: '{text}'; can't understand '{clause}'"))
        })
    });
    let terms: Vec<Term> = read.collect::<Result<_, _>>().map_err(ApiError::BadRequest)?;
    terms.iter().try_for_each(|term| check_field(resource, &term.field))?;
    Ok(terms)
}

/// The one name that a selector leaves, if it names one.
pub(crate) fn required_name(text: &str) -> Option<String> {
    let terms = clauses(text).into_iter().filter_map(|clause| term(clause).ok().flatten());
    terms.filter(|term| term.wanted && term.field == "metadata.name").map(|term| term.value).next()
}

// Splits at commas, except those behind a backslash.
fn clauses(text: &str) -> Vec<&str> {
    let (mut clauses, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == ',' && !escaped {
            clauses.push(&text[start..at]);
            start = at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    clauses.push(&text[start..]);
    clauses
}

fn term(clause: &str) -> Result<Option<Term>, String> {
    let sign = clause.char_indices().find_map(|(at, _)| {
        Some((at, ["!=", "==", "="].into_iter().find(|sign| clause[at..].starts_with(sign))?))
    });
    let Some((at, sign)) = sign else { return Ok(None) };
    let value = unescaped(&clause[at + sign.len()..])?;
    Ok(Some(Term { field: clause[..at].to_owned(), value, wanted: sign != "!=" }))
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(next @ ('\\' | ',' | '=')) => value.push(next),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(format!("invalid field selector: invalid escape sequence: {sequence}"));
                }
            },
            // Kubernetes says the number of the letter.
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(letter)
                ));
            }
            letter => value.push(letter),
        }
    }
    Ok(value)
}

fn check_field(resource: &Resource, field: &str) -> ApiResult<()> {
    let own =
        SELECTABLE.iter().find(|(group, plural, _)| resource.is(group, plural)).map(|(_, _, fields)| *fields);
    let own_words = own.is_some() || resource.custom.is_some();
    let is_known = match field {
        "metadata.name" => true,
        // Kinds that say so themselves know no namespace where there is none.
        "metadata.namespace" => resource.is_namespaced() || !own_words,
        _ => match &resource.custom {
            Some(custom) => custom.selectable.iter().any(|known| known == field),
            None => own.is_some_and(|fields| fields.contains(&field)),
        },
    };
    if is_known {
        return Ok(());
    }
    Err(ApiError::BadRequest(if resource.is("batch", "jobs") {
        format!("field label {field:?} not supported for Job")
    } else if own_words {
        format!("field label not supported: {field}")
    } else {
        format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    }))
}
