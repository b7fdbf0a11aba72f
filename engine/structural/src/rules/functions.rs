//! The functions that rules may call: those of CEL, its extensions, and the simpler ones of Kubernetes.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/cel/>

use std::net::IpAddr;
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Env, ExecutionError, Program, Value as CelValue, extensions};
use engine_kinds::Quantity;
use regex::Regex;

use crate::formats;

/// Functions of Kubernetes that are not evaluated here. A definition that calls one is refused.
const NOT_EVALUATED: [&str; 9] = [
    "authorizer",
    "cidr",
    "format.named",
    "ip",
    "isSemver",
    "jsonpatch.escapeKey",
    "quantity",
    "semver",
    "url",
];

/// The environment in which rules are compiled.
pub(super) fn environment() -> Env {
    let mut env = Env::stdlib();
    for extension in [extensions::strings, extensions::lists, extensions::math] {
        // Each extension declares names of its own, so that none can fail.
        drop(env.add_extension(extension));
    }
    env
}

/// Why a text cannot be used as an expression.
pub(super) fn fault(env: &Env, text: &str) -> Option<String> {
    let program = match env.compile(text) {
        Ok(program) => program,
        Err(error) => return Some(format!("compilation failed: {error}")),
    };
    let references = program.references();
    if let Some(name) = NOT_EVALUATED.iter().find(|name| references.has_function(name)) {
        return Some(format!("the sandbox does not evaluate the function {name} of the rule {text:?}"));
    }
    let is_known = |name: &&&str| ["self", "oldSelf"].contains(*name) || name.starts_with('@');
    let variables = references.variables();
    variables.iter().find(|name| !is_known(name) && !is_bound(text, name) && !is_type(name)).map(|name| {
        let at = text.find(name).unwrap_or_default();
        let marks = ".".repeat(at);
        format!(
            "compilation failed: ERROR: <input>:1:{}: undeclared reference to '{name}' (in container '')\n | {text}\n | {marks}^",
            at + 1
        )
    })
}

// Names of macros' own variables, as in `self.all(item, item > 1)`.
fn is_bound(text: &str, name: &str) -> bool {
    Regex::new(&format!(r"\(\s*(\w+\s*,\s*)?{}\s*,", regex::escape(name)))
        .is_ok_and(|pattern| pattern.is_match(text))
}

// Types, and the first parts of functions' names.
fn is_type(name: &str) -> bool {
    [
        "bool",
        "bytes",
        "cel",
        "double",
        "duration",
        "dyn",
        "int",
        "list",
        "lists",
        "map",
        "math",
        "null_type",
        "optional",
        "sets",
        "string",
        "strings",
        "timestamp",
        "type",
        "uint",
    ]
    .contains(&name)
}

/// Declares Kubernetes' functions.
pub(super) fn declare(context: &mut Context<'_, '_>) {
    // No name is taken: a test compiles a rule with each.
    let declared = [
        context.add_function("isIP", |text: Arc<String>| text.parse::<IpAddr>().is_ok()),
        context.add_function("isCIDR", |text: Arc<String>| formats::is_cidr(&text)),
        context.add_function("isURL", |text: Arc<String>| formats::fits("uri", &text)),
        context.add_function("isQuantity", |text: Arc<String>| text.parse::<Quantity>().is_ok()),
        context.add_function("find", find),
        context.add_function("findAll", find_all),
        context.add_function("isSorted", is_sorted),
        context.add_function("sum", sum),
    ];
    debug_assert!(declared.iter().all(Result::is_ok));
}

fn pattern(text: &str) -> Result<Regex, ExecutionError> {
    Regex::new(text).map_err(|error| ExecutionError::function_error("find", error))
}

#[expect(clippy::needless_pass_by_value, reason = "expressions hand over owned values")]
fn find(This(text): This<Arc<String>>, wanted: Arc<String>) -> Result<CelValue, ExecutionError> {
    let found = pattern(&wanted)?.find(&text).map_or_else(String::new, |found| found.as_str().to_owned());
    Ok(CelValue::String(Arc::new(found)))
}

#[expect(clippy::needless_pass_by_value, reason = "expressions hand over owned values")]
fn find_all(This(text): This<Arc<String>>, wanted: Arc<String>) -> Result<CelValue, ExecutionError> {
    let pattern = pattern(&wanted)?;
    let found = pattern.find_iter(&text).map(|found| CelValue::String(Arc::new(found.as_str().to_owned())));
    Ok(CelValue::List(Arc::new(found.collect())))
}

fn is_sorted(This(list): This<Arc<Vec<CelValue>>>) -> bool {
    list.is_sorted()
}

fn sum(This(list): This<Arc<Vec<CelValue>>>) -> Result<CelValue, ExecutionError> {
    let mut total = CelValue::Int(0);
    for (index, item) in list.iter().enumerate() {
        total = match (index, &total, item) {
            (0, _, first) => first.clone(),
            (_, CelValue::Int(a), CelValue::Int(b)) => a
                .checked_add(*b)
                .map(CelValue::Int)
                .ok_or_else(|| ExecutionError::function_error("sum", "integer overflow"))?,
            (_, CelValue::Float(a), CelValue::Float(b)) => CelValue::Float(a + b),
            _ => return Err(ExecutionError::function_error("sum", "no such overload")),
        };
    }
    Ok(total)
}

/// The value that a conversion of CEL gives for a text.
pub(super) fn evaluated(function: &str, text: &str) -> Option<CelValue> {
    let program = Program::compile(&format!("{function}(text)")).ok()?;
    let mut context = Context::default();
    context.add_variable_from_value("text", text.to_owned());
    program.execute(&context).ok()
}
