//! Which objects a patch applies to.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/>; label selectors:
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>

use engine_core::diagnostic::SourceSpan;
use engine_core::value::{Text, Value};
use regex::Regex;

use crate::codes;
use crate::decode::Decoder;
use crate::kustomization::refuse;
use crate::resource::{Resource, text_of};
use crate::yaml::Node;

/// A `target`: what is given must match. Names and namespaces match as they are or as they were written.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
    pub span: SourceSpan,
}

impl Target {
    pub(crate) fn decode(decoder: &mut Decoder<'_>, node: &Node) -> Self {
        let mut target = Self {
            group: None,
            version: None,
            kind: None,
            name: None,
            namespace: None,
            labels: Vec::new(),
            annotations: Vec::new(),
            span: decoder.span(&node.range),
        };
        for entry in decoder.fields(node) {
            let value = &entry.value;
            match entry.key.to_ascii_lowercase().as_str() {
                "group" => target.group = decode_pattern(decoder, value),
                "version" => target.version = decode_pattern(decoder, value),
                "kind" => target.kind = decode_pattern(decoder, value),
                "name" => target.name = decode_pattern(decoder, value),
                "namespace" => target.namespace = decode_pattern(decoder, value),
                "labelselector" => target.labels = decode_requirements(decoder, value),
                "annotationselector" => target.annotations = decode_requirements(decoder, value),
                _ => refuse(decoder, entry, "a target"),
            }
        }
        target
    }

    pub(crate) fn has_name(&self) -> bool {
        self.name.is_some()
    }

    pub(crate) fn matches(&self, resource: &Resource) -> bool {
        let fits =
            |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|regex| regex.is_match(text));
        let id = resource.id();
        let (_, original_name, original_namespace) = resource.original();
        (fits(&self.namespace, original_namespace) || fits(&self.namespace, &id.namespace))
            && (fits(&self.name, original_name) || fits(&self.name, &id.name))
            && fits(&self.group, &id.gvk.group)
            && fits(&self.version, &id.gvk.version)
            && fits(&self.kind, &id.gvk.kind)
            && all_match(&self.labels, resource.metadata("labels"))
            && all_match(&self.annotations, resource.metadata("annotations"))
    }
}

fn decode_pattern(decoder: &mut Decoder<'_>, node: &Node) -> Option<Regex> {
    let pattern = decoder.text(node);
    if pattern.is_empty() {
        return None;
    }
    match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Some(regex),
        Err(_) => {
            let summary = format!("`{pattern}` is not a regular expression");
            decoder.fault(codes::BAD_SELECTOR, &node.range, summary);
            None
        }
    }
}

fn decode_requirements(decoder: &mut Decoder<'_>, node: &Node) -> Vec<Requirement> {
    let selector = decoder.text(node);
    parse_selector(&selector).unwrap_or_else(|| {
        let summary = format!("`{selector}` is not a selector");
        decoder.fault(codes::BAD_SELECTOR, &node.range, summary);
        Vec::new()
    })
}

/// One requirement of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: Text,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    DoesNotExist,
    In(Vec<Text>),
    NotIn(Vec<Text>),
    GreaterThan(i64),
    LessThan(i64),
}

impl Requirement {
    fn matches(&self, labels: Option<&Value>) -> bool {
        let value = labels.and_then(|labels| labels.get(&self.key)).map(|value| text_of(Some(value)));
        let number = || value.as_ref().and_then(|text| text.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::In(values) => value.is_some_and(|value| values.contains(&value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(&value)),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn all_match(requirements: &[Requirement], labels: Option<&Value>) -> bool {
    requirements.iter().all(|requirement| requirement.matches(labels))
}

/// Parses a selector such as `app=web,tier in (a, b),!legacy`.
fn parse_selector(selector: &str) -> Option<Vec<Requirement>> {
    if selector.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut requirements = Vec::new();
    let mut rest = selector;
    loop {
        // A comma inside parentheses belongs to a set.
        let open = rest.find('(');
        let comma = rest.find(',');
        let end = match (open, comma) {
            (Some(open), Some(comma)) if open < comma => {
                let close = open + rest[open..].find(')')?;
                rest[close..].find(',').map(|comma| close + comma)
            }
            (_, comma) => comma,
        };
        let (part, more) = end.map_or((rest, None), |end| (&rest[..end], Some(&rest[end + 1..])));
        requirements.push(parse_requirement(part.trim())?);
        match more {
            Some(more) => rest = more,
            None => return Some(requirements),
        }
    }
}

fn parse_requirement(text: &str) -> Option<Requirement> {
    let single = |value: &str| vec![Text::from(value.trim())];
    let (key, operator) = if let Some(key) = text.strip_prefix('!') {
        (key, Operator::DoesNotExist)
    } else if let Some((key, value)) = text.split_once("!=") {
        (key, Operator::NotIn(single(value)))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key, Operator::In(single(value)))
    } else if let Some((key, bound)) = text.split_once('>') {
        (key, Operator::GreaterThan(bound.trim().parse().ok()?))
    } else if let Some((key, bound)) = text.split_once('<') {
        (key, Operator::LessThan(bound.trim().parse().ok()?))
    } else if let Some((head, set)) = text.split_once('(') {
        let values = set.trim_end().strip_suffix(')')?.split(',').flat_map(single).collect();
        match head.trim_end().rsplit_once(char::is_whitespace)? {
            (key, "in") => (key, Operator::In(values)),
            (key, "notin") => (key, Operator::NotIn(values)),
            _ => return None,
        }
    } else {
        (text, Operator::Exists)
    };
    let key = key.trim();
    let is_key =
        !key.is_empty() && key.chars().all(|char| char.is_ascii_alphanumeric() || "-_./".contains(char));
    is_key.then(|| Requirement { key: key.into(), operator })
}

#[cfg(test)]
mod tests;
