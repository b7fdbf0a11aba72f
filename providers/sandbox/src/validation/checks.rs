//! Collects broken rules, and the rules that many kinds share.

use engine_kinds::Quantity;
use serde_json::{Map, Value, json};

use super::syntax;
use crate::error::FieldError;
use crate::meta;

/// The rules found broken, in the order of the checks.
#[derive(Debug, Default)]
pub(super) struct Checks(Vec<FieldError>);

impl Checks {
    /// Runs checks and returns what they find.
    pub fn run(check: impl FnOnce(&mut Self)) -> Vec<FieldError> {
        let mut checks = Self::default();
        check(&mut checks);
        checks.0
    }

    /// Notes a broken rule.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    pub fn extend(&mut self, errors: impl IntoIterator<Item = FieldError>) {
        self.0.extend(errors);
    }

    pub fn required(&mut self, at: impl Into<String>, detail: &str) {
        self.push(FieldError::required(at, detail));
    }

    pub fn invalid(&mut self, at: impl Into<String>, value: &Value, detail: &str) {
        self.push(FieldError::invalid(at, value, detail));
    }

    pub fn forbidden(&mut self, at: impl Into<String>, detail: &str) {
        self.push(FieldError::forbidden(at, detail));
    }

    pub fn unsupported(&mut self, at: impl Into<String>, value: &Value, known: &[&str]) {
        let known: Vec<_> = known.iter().map(|name| (*name).to_owned()).collect();
        self.push(FieldError::unsupported(at, value, &known));
    }

    /// A text that is one of those known; absent is fine.
    pub fn known(&mut self, at: impl Into<String>, value: &Value, known: &[&str]) {
        if value.as_str().is_some_and(|text| !known.contains(&text)) {
            self.unsupported(at, value, known);
        }
    }

    /// A text of a form, as one of `syntax`.
    pub fn form(&mut self, at: &str, text: &str, form: fn(&str) -> Vec<String>) {
        for fault in form(text) {
            self.invalid(at, &json!(text), &fault);
        }
    }

    /// A text that is there.
    pub fn present(&mut self, at: impl Into<String>, value: &Value) -> bool {
        let is_present = value.as_str().is_some_and(|text| !text.is_empty());
        if !is_present {
            self.required(at, "");
        }
        is_present
    }

    /// A text that is there and of a form.
    pub fn named(&mut self, at: &str, value: &Value, form: fn(&str) -> Vec<String>) {
        if self.present(at, value) {
            self.form(at, text(value), form);
        }
    }

    /// A number that is not negative; absent is fine.
    pub fn not_negative(&mut self, at: impl Into<String>, value: &Value) {
        if value.as_i64().is_some_and(|number| number < 0) {
            self.invalid(at, value, "must be greater than or equal to 0");
        }
    }

    /// A number within bounds; absent is fine.
    pub fn within(&mut self, at: impl Into<String>, value: &Value, bounds: std::ops::RangeInclusive<i64>) {
        if value.as_i64().is_some_and(|number| !bounds.contains(&number)) {
            let detail = format!("must be between {} and {}, inclusive", bounds.start(), bounds.end());
            self.invalid(at, value, &detail);
        }
    }

    /// The number of a port.
    pub fn port(&mut self, at: impl Into<String>, value: &Value) {
        if value.as_i64().is_none_or(|number| !(1..=65535).contains(&number)) {
            self.invalid(at, &json!(value.as_i64().unwrap_or(0)), "must be between 1 and 65535, inclusive");
        }
    }

    /// The number or the name of a port.
    pub fn port_or_name(&mut self, at: &str, value: &Value) {
        match value.as_str() {
            Some(name) => self.form(at, name, syntax::port_name),
            None => self.port(at, value),
        }
    }

    /// Labels.
    pub fn labels(&mut self, at: &str, labels: &Value) {
        for (key, value) in entries(labels) {
            self.form(at, key, syntax::qualified);
            for fault in syntax::label_value(text(value)) {
                self.invalid(at, value, &fault);
            }
        }
    }

    /// Annotations, but for their size.
    pub fn annotations(&mut self, at: &str, annotations: &Value) {
        for key in entries(annotations).map(|(key, _)| key) {
            for fault in syntax::qualified(&key.to_lowercase()) {
                self.invalid(at, &json!(key), &fault);
            }
        }
    }

    /// A selector of labels.
    pub fn selector(&mut self, at: &str, selector: &Value) {
        let path = format!("{at}.matchLabels");
        for (key, value) in entries(&selector["matchLabels"]) {
            self.form(&path, key, syntax::qualified);
            for fault in syntax::label_value(text(value)) {
                self.invalid(format!("{path}[{key}]"), value, &fault);
            }
        }
        for (index, wish) in meta::items(&selector["matchExpressions"]).iter().enumerate() {
            self.requirement(
                &format!("{at}.matchExpressions[{index}]"),
                wish,
                &["In", "NotIn", "Exists", "DoesNotExist"],
            );
        }
    }

    /// A requirement on a label, with one of these operators.
    pub fn requirement(&mut self, at: &str, wish: &Value, operators: &[&str]) {
        let has_values = !meta::items(&wish["values"]).is_empty();
        match wish["operator"].as_str() {
            Some("In" | "NotIn") if !has_values => {
                self.required(format!("{at}.values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            Some("Exists" | "DoesNotExist") if has_values => {
                let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                self.forbidden(format!("{at}.values"), detail);
            }
            Some("Gt" | "Lt") if operators.contains(&"Gt") && meta::items(&wish["values"]).len() != 1 => {
                let detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                self.required(format!("{at}.values"), detail);
            }
            Some(operator) if operators.contains(&operator) => {}
            _ => self.invalid(
                format!("{at}.operator"),
                &json!(text(&wish["operator"])),
                "not a valid selector operator",
            ),
        }
        self.form(&format!("{at}.key"), text(&wish["key"]), syntax::qualified);
        for (index, value) in meta::items(&wish["values"]).iter().enumerate() {
            self.form(&format!("{at}.values[{index}]"), text(value), syntax::label_value);
        }
    }

    /// A count from zero up, or a part in percent.
    pub fn count_or_percent(&mut self, at: &str, value: &Value) {
        const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or \
            '93%', regex used for validation is '[0-9]+%')";
        match value.as_str() {
            Some(text) if percent(value).is_none() => self.invalid(at, &json!(text), PERCENT),
            Some(_) => {}
            None => self.not_negative(at, value),
        }
    }

    /// A part in percent of at most the whole.
    pub fn not_beyond_whole(&mut self, at: &str, value: &Value) {
        if percent(value).is_some_and(|part| part > 100) {
            self.invalid(at, value, "must not be greater than 100%");
        }
    }
}

/// The number of a percentage.
pub(super) fn percent(value: &Value) -> Option<u64> {
    let digits = value.as_str()?.strip_suffix('%')?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A text, or an empty one.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The entries of a map, or nothing.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The amount that a text states.
pub(super) fn amount(value: &Value) -> Option<Quantity> {
    value.as_str()?.parse().ok()
}

/// Whether the amount is below zero.
pub(super) fn is_negative(value: &Value) -> bool {
    amount(value).is_some_and(|amount| amount < Quantity::ZERO)
}

/// Whether the amount has parts smaller than one.
pub(super) fn is_fractional(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.ends_with(['m', 'u', 'n']))
}
