//! The values of an environment's variables, from wherever they come.
//!
//! # Source
//! `OpenTofu` documentation, "Input Variables": where values come from, and which one counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, SourceSpan};
use engine_core::digest::Digest;
use engine_core::value::{Text, Value};
use hcl_edit::Span;
use hcl_edit::structure::Structure;

use crate::codes::{MISSING_VARIABLE, UNDECLARED_VARIABLE, VARIABLE_TEXT};
use crate::eval::did_you_mean;
use crate::expand::Input;
use crate::expr_value::ExprValue;
use crate::module::{Constants, Expr, Module, Name};
use crate::source::{Files, masked};
use crate::syntax;
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

/// How the names of variable files end. No such file is part of a definition.
const ENDINGS: [&str; 2] = [".vars.hcl", ".vars.hcl.json"];

/// Tells whether a file holds values for variables, by its name.
pub(crate) fn is_variable_file(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Returns the variable files that are read without being named: `terrane.vars.hcl`, then `*.auto.vars.hcl` in
/// the order of their names. The JSON form of a name comes after it.
pub fn variable_files(directory: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(directory).into_iter().flatten();
    let is_read = |path: &PathBuf| {
        let name = path.to_string_lossy();
        ENDINGS.iter().any(|ending| name.ends_with(&format!(".auto{ending}")))
    };
    let mut automatic: Vec<PathBuf> =
        names.filter_map(|entry| Some(entry.ok()?.path())).filter(is_read).collect();
    automatic.sort();
    let first = ENDINGS.map(|ending| directory.join(format!("terrane{ending}")));
    first.into_iter().filter(|path| path.is_file()).chain(automatic).collect()
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
    for (name, (_, span)) in &given {
        let name = Name { text: name.clone(), span: span.clone() };
        let variable = module.variables.get(&name.text);
        warnings.extend(variable.and_then(|variable| variable.deprecation(&name)));
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
            variable.marks.put_on(ExprValue::unknown(variable.ty.clone()))
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
        .hint(format!("set it with --var {name}=…, in terrane.vars.hcl or with TERRANE_VAR_{name}"))
        .into()
}

fn from_text(module: &Module, name: &str, text: &str, origin: &str) -> Result<Given, Diagnostics> {
    let file = SourceFile { path: format!("<{origin}>"), text: text.to_owned() };
    let variable = module.variables.get(name);
    // What is meant for another name may be a secret.
    let file = Arc::new(match variable {
        Some(variable) if !variable.marks.any() => file,
        _ => masked(&file, 0..text.len()),
    });
    let span = SourceSpan::new(Arc::clone(&file), 0..file.text.len());
    let Some(variable) = variable else {
        return Err(undeclared(module, name, span).into());
    };
    let value = match variable.takes_text {
        true => ExprValue::string(text),
        false => {
            let node = syntax::expression(text).map_err(|error| {
                let why = if variable.marks.any() { String::new() } else { format!(": {}", error.message()) };
                let summary = format!("{origin} is no expression{why}");
                Diagnostic::error(VARIABLE_TEXT, summary)
                    .detail(format!("The variable is of type {}.", variable.ty))
                    .at(span.clone())
                    .hint("write it as in a definition, for example '[\"a\", \"b\"]'")
            })?;
            syntax::check_expression(&file, &node)?;
            Constants::new().value(&Expr::new(node, file))?
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
        let Some(variable) = module.variables.get(&name) else {
            warnings.push(Diagnostic { severity: Severity::Warning, ..undeclared(module, &name, at) });
            continue;
        };
        let range = attribute.value.span().unwrap_or_default();
        let file = if variable.marks.any() { Arc::new(masked(&file, range)) } else { Arc::clone(&file) };
        let expr = Expr::new(attribute.value, file);
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
