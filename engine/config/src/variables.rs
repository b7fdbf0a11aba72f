//! The values of an environment's variables, from wherever they come.
//!
//! # Source
//! `OpenTofu` documentation, "Input Variables": where values come from, and which one counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use engine_core::value::{Text, Value};
use hcl_edit::Span;
use hcl_edit::parser::parse_expr;
use hcl_edit::structure::Structure;

use crate::codes::{MISSING_VARIABLE, UNDECLARED_VARIABLE, VARIABLE_TEXT};
use crate::eval::did_you_mean;
use crate::expand::Input;
use crate::expr_value::ExprValue;
use crate::module::{Constants, Expr, Module};
use crate::source::Files;
use crate::syntax::parse;
use crate::types::Type;

/// Where the value of a variable comes from. Of several values the last one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableInput {
    /// An environment variable `TERRANE_VAR_NAME`. One that is not declared is ignored.
    Environment {
        /// The variable's name.
        name: String,
        /// The text: as it is for text, numbers and booleans, an HCL expression for other types.
        text: String,
    },
    /// A file of `NAME = VALUE` lines in HCL. A value that is not declared is a warning.
    File(PathBuf),
    /// An argument of the command line, `--var NAME=TEXT`. One that is not declared is an error.
    Argument {
        /// The variable's name.
        name: String,
        /// The text, read as that of an environment variable.
        text: String,
    },
}

/// Returns the variable files that are read without being named: `terrane.tfvars`, then `*.auto.tfvars` in the
/// order of their names.
pub fn variable_files(directory: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(directory).into_iter().flatten();
    let mut found: Vec<PathBuf> = names
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".auto.tfvars"))
        .collect();
    found.sort();
    let first = directory.join("terrane.tfvars");
    if first.is_file() {
        found.insert(0, first);
    }
    found
}

/// A value and its place.
type Given = BTreeMap<Text, (ExprValue, SourceSpan)>;

/// Evaluates the variables of a root module. One with a fault is unknown, so that others are found as well.
pub(crate) fn evaluate(
    module: &Module,
    inputs: &[VariableInput],
    files: &Files,
    (warnings, faults): (&mut Diagnostics, &mut Diagnostics),
) -> BTreeMap<Text, Input> {
    let mut given = Given::new();
    let before = faults.len();
    for input in inputs {
        let found = match input {
            VariableInput::Environment { name, .. } if !module.variables.contains_key(name.as_str()) => {
                continue;
            }
            VariableInput::Environment { name, text } => {
                from_text(module, name, text, &format!("environment variable TERRANE_VAR_{name}"))
            }
            VariableInput::Argument { name, text } => {
                from_text(module, name, text, &format!("argument --var {name}"))
            }
            VariableInput::File(path) => from_file(module, path, files, warnings),
        };
        match found {
            Ok(found) => given.extend(found),
            Err(found) => faults.extend(found),
        }
    }
    // A value that could not be read may be the one that is missing.
    let is_complete = faults.len() == before;
    let mut values = BTreeMap::new();
    for (name, variable) in &module.variables {
        let value = match (given.get(name), &variable.default) {
            (Some((value, span)), _) => variable.accept(name, value, span),
            (None, Some(default)) => variable.accept(name, default, &variable.span),
            (None, None) if variable.has_faulty_default || !is_complete => Err(Diagnostics::default()),
            (None, None) => Err(missing(name, &variable.ty, &variable.span)),
        };
        let value = value.unwrap_or_else(|found| {
            faults.extend(found);
            ExprValue::unknown(variable.ty.clone()).with_sensitivity_of(variable.sensitive)
        });
        values.insert(name.clone(), Input { value, planned: false });
    }
    values
}

/// Returns the digest of all values that are not sensitive: a part of what a plan rests on.
pub(crate) fn digest(values: &BTreeMap<Text, Input>) -> Digest {
    let plain = values
        .iter()
        .filter(|(_, input)| !input.value.contains_sensitive())
        .filter_map(|(name, input)| Some((name.clone(), input.value.to_value().ok()?)));
    Digest::of_value(&Value::map(plain))
}

fn missing(name: &Text, ty: &Type, span: &SourceSpan) -> Diagnostics {
    Diagnostic::error(MISSING_VARIABLE, format!("variable {name} has no value"))
        .detail(format!("It is of type {ty} and has no default."))
        .at(span.clone())
        .hint(format!("set it with --var {name}=…, in terrane.tfvars or with TERRANE_VAR_{name}"))
        .into()
}

fn from_text(module: &Module, name: &str, text: &str, origin: &str) -> Result<Given, Diagnostics> {
    let file = Arc::new(SourceFile { path: format!("<{origin}>"), text: text.to_owned() });
    let span = SourceSpan::new(Arc::clone(&file), 0..text.len());
    let Some(variable) = module.variables.get(name) else {
        return Err(undeclared(module, name, span).into());
    };
    let value = match variable.ty {
        Type::Any | Type::String | Type::Number | Type::Bool => ExprValue::string(text),
        _ => {
            let node = parse_expr(text).map_err(|error| {
                let summary = format!("{origin} is no expression: {}", error.message());
                Diagnostic::error(VARIABLE_TEXT, summary)
                    .detail(format!("The variable is of type {}.", variable.ty))
                    .at(span.clone())
                    .hint("write it as in a definition, for example '[\"a\", \"b\"]'")
            })?;
            Constants::new().value(&Expr { node, file })?
        }
    };
    Ok(Given::from([(name.into(), (value, span))]))
}

fn from_file(
    module: &Module,
    path: &Path,
    files: &Files,
    warnings: &mut Diagnostics,
) -> Result<Given, Diagnostics> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let outside = Files::open(parent.unwrap_or(Path::new(".")))?;
    let file = outside.text(path)?;
    files.note(file.path.clone(), Digest::of_bytes(file.text.as_bytes()));
    let mut given = Given::new();
    let mut faults = Diagnostics::default();
    for structure in parse(&file)? {
        let at = SourceSpan::new(Arc::clone(&file), structure.span().unwrap_or_default());
        let Structure::Attribute(attribute) = structure else {
            faults.push(Diagnostic::error(VARIABLE_TEXT, "a variable file has no blocks").at(at));
            continue;
        };
        let name = Text::from(attribute.key.as_str());
        let expr = Expr { node: attribute.value, file: Arc::clone(&file) };
        if !module.variables.contains_key(&name) {
            let mut warning = undeclared(module, &name, at);
            warning.severity = engine_core::diagnostic::Severity::Warning;
            warnings.push(warning);
            continue;
        }
        match Constants::new().value(&expr) {
            Ok(value) => {
                given.insert(name, (value, expr.span()));
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(given) } else { Err(faults) }
}

fn undeclared(module: &Module, name: &str, span: SourceSpan) -> Diagnostic {
    let mut fault = Diagnostic::error(UNDECLARED_VARIABLE, format!("there is no variable {name:?}")).at(span);
    fault.hint = did_you_mean(name, module.variables.keys().map(Text::as_str));
    fault
}
