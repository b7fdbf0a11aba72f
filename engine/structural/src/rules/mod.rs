//! Rules in CEL: `x-kubernetes-validations`.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules>

mod cost;
mod functions;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, Value as CelValue};
use serde::Serialize;
use serde_json::{Value, json};

use crate::FieldError;
use crate::paths::{self, Brackets};
use crate::read;
use crate::validate::{child, counterpart};

/// The keyword.
const KEYWORD: &str = "x-kubernetes-validations";

/// The longest message that an expression may give, in bytes.
const MESSAGE_LIMIT: usize = 5 * 1024;

/// The reasons that a rule may give for a refusal.
const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(functions::environment()));

/// Which parts of an object rules without an old value judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Those that are new or have changed.
    Changed,
    /// Those that are as they were.
    Unchanged,
    /// All that is new or has changed, by the rules that can be evaluated here, and in reasonable time.
    Evaluable,
}

/// The compiled expressions of a schema, by their text.
#[derive(Debug, Default, Clone)]
pub struct Rules(Arc<BTreeMap<String, Program>>);

impl Rules {
    /// Compiles the rules of a schema that was accepted.
    pub fn of(schema: &Value) -> Self {
        let mut programs = BTreeMap::new();
        collect(schema, &mut programs);
        Self(Arc::new(programs))
    }

    /// Whether the schema has no rules.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every rule that the judged parts of an object break.
    pub fn check(
        &self,
        schema: &Value,
        object: &Value,
        old: Option<&Value>,
        judged: Judged,
    ) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if judged == Judged::Unchanged && (self.is_empty() || old.is_none()) {
            return errors;
        }
        let node = Node { schema, value: object, old, path: String::new(), is_same: false, judged };
        self.walk(&node, &mut errors);
        errors
    }
}

fn collect(schema: &Value, programs: &mut BTreeMap<String, Program>) {
    for rule in read::items(&schema[KEYWORD]) {
        for field in ["rule", "messageExpression"] {
            let text = rule[field].as_str().unwrap_or_default();
            if !text.trim().is_empty()
                && let Ok(program) = ENVIRONMENT.compile(text)
            {
                programs.insert(text.to_owned(), program);
            }
        }
    }
    let properties = schema["properties"].as_object().into_iter().flatten().map(|(_, child)| child);
    for child in properties.chain([&schema["items"], &schema["additionalProperties"]]) {
        if child.is_object() {
            collect(child, programs);
        }
    }
}

/// Checks the rules that a schema states at one level: their form first, and then, apart, their expressions.
pub fn check(
    schema: &Value,
    at: &str,
    uncorrelated: Option<&str>,
    (errors, rule_errors): (&mut Vec<FieldError>, &mut Vec<FieldError>),
) {
    for (index, rule) in read::items(&schema[KEYWORD]).iter().enumerate() {
        let at = format!("{at}.{KEYWORD}[{index}]");
        check_form(schema, rule, &at, errors);
        check_expressions(rule, &at, uncorrelated, rule_errors);
    }
}

fn check_form(schema: &Value, rule: &Value, at: &str, errors: &mut Vec<FieldError>) {
    let text = |field: &str| rule[field].as_str().unwrap_or_default();
    let has_breaks = |text: &str| text.contains(['\n', '\r']);
    let (message, expression) = (text("message"), text("rule").trim());
    let mut refuse = |field: &str, detail: &str| {
        errors.push(FieldError::invalid(format!("{at}.{field}"), &rule[field], detail));
    };
    if !message.is_empty() && message.trim().is_empty() && !expression.is_empty() {
        refuse("message", "must be non-empty if specified");
    } else if has_breaks(message.trim()) && !expression.is_empty() {
        refuse("message", "must not contain line breaks");
    }
    let path = text("fieldPath");
    if !path.is_empty() {
        if path.trim().is_empty() {
            refuse("fieldPath", "must be non-empty if specified");
        }
        if has_breaks(path) {
            refuse("fieldPath", "must not contain line breaks");
        }
        if paths::resolve(path, schema, Brackets::Allowed).is_err() {
            refuse("fieldPath", "must be a valid path");
        }
    }
    if expression.is_empty() {
        errors.push(FieldError::required(format!("{at}.rule"), "rule is not specified"));
    } else if has_breaks(expression) && message.trim().is_empty() {
        let detail = "message must be specified if rule contains line breaks";
        errors.push(FieldError::required(format!("{at}.message"), detail));
    }
    if !text("messageExpression").is_empty() && text("messageExpression").trim().is_empty() {
        let detail = "messageExpression must be non-empty if specified";
        errors.push(FieldError::required(format!("{at}.messageExpression"), detail));
    }
    if !rule["reason"].is_null() && !REASONS.contains(&text("reason")) {
        let known = REASONS.map(str::to_owned);
        errors.push(FieldError::unsupported(format!("{at}.reason"), &rule["reason"], &known));
    }
}

fn check_expressions(rule: &Value, at: &str, uncorrelated: Option<&str>, errors: &mut Vec<FieldError>) {
    for field in ["rule", "messageExpression"] {
        let text = rule[field].as_str().unwrap_or_default();
        let fault = if text.trim().is_empty() { None } else { functions::fault(&ENVIRONMENT, text) };
        if let Some(fault) = fault {
            errors.push(FieldError::invalid_as(format!("{at}.{field}"), &shown(rule), &fault));
        }
    }
    let sees_old = uses_old(rule["rule"].as_str().unwrap_or_default());
    if let Some(list) = uncorrelated.filter(|_| sees_old) {
        let detail =
            format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
        errors.push(FieldError::invalid(format!("{at}.rule"), &rule["rule"], &detail));
    }
    if !sees_old && !rule["optionalOldSelf"].is_null() {
        let detail = "may not be set if oldSelf is not used in rule";
        errors.push(FieldError::invalid(format!("{at}.optionalOldSelf"), &rule["optionalOldSelf"], detail));
    }
}

fn uses_old(text: &str) -> bool {
    ENVIRONMENT.compile(text).is_ok_and(|program| program.references().has_variable("oldSelf"))
}

// A rule as messages show it.
fn shown(rule: &Value) -> String {
    let text = |field: &str| rule[field].as_str().unwrap_or_default();
    let shown = Shown {
        rule: text("rule"),
        message: text("message"),
        message_expression: text("messageExpression"),
        reason: rule["reason"].as_str(),
        field_path: text("fieldPath"),
        optional_old_self: rule["optionalOldSelf"].as_bool(),
    };
    serde_json::to_string(&shown).unwrap_or_default()
}

/// A rule in messages.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    rule: &'a str,
    message: &'a str,
    message_expression: &'a str,
    reason: Option<&'a str>,
    field_path: &'a str,
    optional_old_self: Option<bool>,
}

/// A value with what is known of it.
struct Node<'a> {
    schema: &'a Value,
    value: &'a Value,
    /// The value that it had before, if that can be told.
    old: Option<&'a Value>,
    path: String,
    /// Whether it is part of something that did not change.
    is_same: bool,
    judged: Judged,
}

impl Node<'_> {
    fn is_same(&self) -> bool {
        self.old.map_or(self.is_same, |old| old == self.value)
    }

    fn inner<'b>(
        &self,
        schema: &'b Value,
        value: &'b Value,
        old: Option<&'b Value>,
        path: String,
    ) -> Node<'b> {
        Node { schema, value, old, path, is_same: self.is_same(), judged: self.judged }
    }
}

impl Rules {
    fn walk(&self, node: &Node<'_>, errors: &mut Vec<FieldError>) {
        if node.value.is_null() {
            return;
        }
        self.judge(node, errors);
        match node.value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let old = counterpart(node.schema, node.old, item);
                    let path = format!("{}[{index}]", node.path);
                    self.walk(&node.inner(&node.schema["items"], item, old, path), errors);
                }
            }
            Value::Object(fields) => {
                let (properties, additional) =
                    (&node.schema["properties"], &node.schema["additionalProperties"]);
                for (name, value) in fields {
                    let old = node.old.and_then(|old| old.get(name));
                    let (schema, path) = match properties.get(name) {
                        Some(schema) => (schema, child(&node.path, name)),
                        None if additional.is_object() => (additional, format!("{}[{name}]", node.path)),
                        None => continue,
                    };
                    self.walk(&node.inner(schema, value, old, path), errors);
                }
            }
            _ => {}
        }
    }

    // Evaluates the rules of one level.
    fn judge(&self, node: &Node<'_>, errors: &mut Vec<FieldError>) {
        let rules = read::items(&node.schema[KEYWORD]);
        if rules.is_empty() {
            return;
        }
        let convert = |value| values::convert(node.schema, value, node.path.is_empty());
        let (value, old) = (convert(node.value), node.old.map(convert));
        for rule in rules {
            let Some(program) = self.0.get(rule["rule"].as_str().unwrap_or_default()) else { continue };
            let (sees_old, is_optional) =
                (program.references().has_variable("oldSelf"), rule["optionalOldSelf"] == true);
            let is_judged = match node.judged {
                Judged::Changed | Judged::Evaluable if sees_old => old.is_some() || is_optional,
                Judged::Changed | Judged::Evaluable => !node.is_same(),
                Judged::Unchanged => !sees_old && node.is_same(),
            };
            if !is_judged || node.judged == Judged::Evaluable && !cost::is_bounded(program, node.value) {
                continue;
            }
            let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
            functions::declare(&mut context);
            context.add_variable_from_value("self", value.clone());
            let old = if is_optional { Some(values::optional(old.clone())) } else { old.clone() };
            if let Some(old) = old {
                context.add_variable_from_value("oldSelf", old);
            }
            match program.execute(&context) {
                Ok(CelValue::Bool(true)) => {}
                Ok(CelValue::Bool(false)) => errors.push(self.refusal(node, rule, &context)),
                _ if node.judged == Judged::Evaluable => {}
                Ok(_) => errors.push(self.refusal(node, rule, &context)),
                Err(error) => errors.push(failure(node, rule, &error)),
            }
        }
    }

    fn refusal(&self, node: &Node<'_>, rule: &Value, context: &Context<'_, '_>) -> FieldError {
        let text = |field: &str| rule[field].as_str().unwrap_or_default();
        let own = self.0.get(text("messageExpression")).and_then(|program| match program.execute(context) {
            Ok(CelValue::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        });
        let is_fit = |text: &String| !text.is_empty() && !text.contains('\n') && text.len() <= MESSAGE_LIMIT;
        let detail = own.filter(is_fit).unwrap_or_else(|| match text("message").trim() {
            "" => format!("failed rule: {}", text("rule").trim()),
            message => message.to_owned(),
        });
        let field = match paths::resolve(text("fieldPath"), node.schema, Brackets::Allowed) {
            Ok((below, _)) if !below.is_empty() => child(&node.path, &below),
            _ if node.path.is_empty() => "<nil>".to_owned(),
            _ => node.path.clone(),
        };
        let is_whole = matches!(node.schema["type"].as_str(), Some("object" | "array"));
        match text("reason") {
            "FieldValueForbidden" => FieldError::forbidden(field, &detail),
            "FieldValueRequired" => FieldError::required(field, &detail),
            "FieldValueDuplicate" if is_whole => FieldError::duplicate_unshown(field),
            "FieldValueDuplicate" => FieldError::duplicate(field, node.value),
            _ if is_whole => FieldError::invalid_unshown(field, &detail),
            _ => FieldError::invalid(field, node.value, &detail),
        }
    }
}

fn failure(node: &Node<'_>, rule: &Value, error: &ExecutionError) -> FieldError {
    let text = |field: &str| rule[field].as_str().unwrap_or_default().trim();
    let name = if text("message").is_empty() { text("rule") } else { text("message") };
    let what = match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(CelValue::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::NoSuchOverload(_) | ExecutionError::UnsupportedBinaryOperator(..) => {
            "no such overload".to_owned()
        }
        other => other.to_string(),
    };
    let detail = if what == "no such overload" {
        format!(
            "'{what}': call arguments did not match a supported operator, function or macro signature for rule: {name}"
        )
    } else {
        format!("{what} evaluating rule: {name}")
    };
    let field = if node.path.is_empty() { "<nil>" } else { &node.path };
    FieldError::invalid(field, &json!(node.schema["type"].as_str().unwrap_or_default()), &detail)
}
