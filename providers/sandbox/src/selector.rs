//! Label and field selectors of lists and watches.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/>

use serde_json::Value;

use crate::error::{ApiError, ApiResult};
use crate::meta;

/// Requirements that an object must meet, all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, String, Sign)>,
}

#[derive(Debug, Clone)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equal,
    Different,
}

impl Selector {
    /// Reads both selectors of a request; either may be empty.
    ///
    /// # Errors
    /// If one cannot be read, or names a field that the sandbox does not select by.
    pub fn parse(labels: &str, fields: &str) -> ApiResult<Self> {
        let labels = clauses(labels).into_iter().map(|clause| requirement(&clause));
        let fields = fields.split(',').filter(|clause| !clause.trim().is_empty()).map(field);
        Ok(Self { labels: labels.collect::<ApiResult<_>>()?, fields: fields.collect::<ApiResult<_>>()? })
    }

    /// Reads a `LabelSelector` object; an empty one selects everything.
    pub fn of_object(selector: &Value) -> Self {
        let mut labels = Vec::new();
        for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            labels.push(Requirement { key: key.clone(), test: Test::In(vec![value]) });
        }
        for expression in meta::items(&selector["matchExpressions"]) {
            let values = || meta::strings(&expression["values"]).into_iter().map(str::to_owned).collect();
            let test = match expression["operator"].as_str() {
                Some("NotIn") => Test::NotIn(values()),
                Some("Exists") => Test::Exists,
                Some("DoesNotExist") => Test::Absent,
                _ => Test::In(values()),
            };
            let key = expression["key"].as_str().unwrap_or_default().to_owned();
            labels.push(Requirement { key, test });
        }
        Self { labels, fields: Vec::new() }
    }

    /// The same, for the object of one name only.
    pub fn named(mut self, name: &str) -> Self {
        self.fields.push(("metadata.name".into(), name.to_owned(), Sign::Equal));
        self
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it selects this object.
    pub fn matches(&self, object: &Value) -> bool {
        self.matches_labels(&object["metadata"]["labels"])
            && self.fields.iter().all(|(path, wanted, sign)| {
                let found = path.split('.').fold(object, |value, part| &value[part]);
                (found.as_str().unwrap_or_default() == wanted) == (*sign == Sign::Equal)
            })
    }

    /// Whether its label requirements hold for these labels.
    pub fn matches_labels(&self, labels: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(labels[&requirement.key].as_str()))
    }
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|text| text.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::In(wanted) => value.is_some_and(|value| wanted.iter().any(|w| w == value)),
            Test::NotIn(unwanted) => value.is_none_or(|value| unwanted.iter().all(|w| w != value)),
            Test::Above(bound) => number().is_some_and(|value| value > *bound),
            Test::Below(bound) => number().is_some_and(|value| value < *bound),
        }
    }
}

// Splits at commas outside parentheses.
fn clauses(text: &str) -> Vec<String> {
    let mut clauses = vec![String::new()];
    let mut depth = 0_usize;
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                clauses.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = clauses.last_mut() {
            last.push(letter);
        }
    }
    clauses.retain(|clause| !clause.trim().is_empty());
    clauses
}

fn requirement(clause: &str) -> ApiResult<Requirement> {
    let clause = clause.trim();
    let bad = || ApiError::BadRequest(format!("unable to parse requirement: found '{clause}'"));
    let make = |key: &str, test| {
        let key = key.trim().to_owned();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
        if key.is_empty() || !key.chars().all(plain) { Err(bad()) } else { Ok(Requirement { key, test }) }
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(open) = clause.find('(') {
        let inner = clause[open + 1..].strip_suffix(')').ok_or_else(bad)?;
        let values = inner.split(',').map(|value| value.trim().to_owned()).collect();
        return match clause[..open].split_whitespace().collect::<Vec<_>>().as_slice() {
            [key, "in"] => make(key, Test::In(values)),
            [key, "notin"] => make(key, Test::NotIn(values)),
            _ => Err(bad()),
        };
    }
    if let Some((key, value)) = clause.split_once("!=") {
        return make(key, Test::NotIn(one(value)));
    }
    if let Some((key, value)) = clause.split_once("==").or_else(|| clause.split_once('=')) {
        return make(key, Test::In(one(value)));
    }
    if let Some((key, value)) = clause.split_once('>') {
        return make(key, Test::Above(value.trim().parse().map_err(|_| bad())?));
    }
    if let Some((key, value)) = clause.split_once('<') {
        return make(key, Test::Below(value.trim().parse().map_err(|_| bad())?));
    }
    match clause.strip_prefix('!') {
        Some(key) => make(key, Test::Absent),
        None => make(clause, Test::Exists),
    }
}

fn field(clause: &str) -> ApiResult<(String, String, Sign)> {
    let bad = || ApiError::BadRequest(format!("invalid selector: '{clause}'; can't understand '{clause}'"));
    let (path, value, sign) = match clause.split_once("!=") {
        Some((path, value)) => (path, value, Sign::Different),
        None => {
            let (path, value) = clause.split_once('=').ok_or_else(bad)?;
            (path, value.strip_prefix('=').unwrap_or(value), Sign::Equal)
        }
    };
    let path = path.trim();
    if !matches!(path, "metadata.name" | "metadata.namespace") {
        return Err(ApiError::BadRequest(format!(
            "field label not supported: {path} (the sandbox selects by metadata.name and metadata.namespace)"
        )));
    }
    Ok((path.to_owned(), value.trim().to_owned(), sign))
}
