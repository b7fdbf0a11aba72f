//! The blocks `variable`, `locals` and `output`.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use engine_core::value::Text;
use hcl_edit::structure::Block;

use super::conditions::conditions;
use super::constant::Constants;
use super::decode::Level;
use super::fields::{Fields, Name, expect_labels, head_span, twice};
use super::{Local, Marks, Output, Variable};
use crate::codes::{DEPRECATED, EPHEMERAL, LABELS, VARIABLE_TYPE};
use crate::convert::convert;
use crate::types::{self, Type};

/// The arguments that every block may have: no variable can be called like them.
pub(super) const META_ARGUMENTS: [&str; 7] =
    ["cluster", "count", "depends_on", "for_each", "lifecycle", "timeouts", "wait"];

/// Decodes a `variable` block.
pub(super) fn variable(
    block: Block,
    file: &Arc<SourceFile>,
    constants: &Constants,
    faults: &mut Diagnostics,
) -> Option<(Name, Variable)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    if META_ARGUMENTS.contains(&name.text.as_str()) {
        let summary = format!("a variable cannot be called {}", name.text);
        faults.push(
            Diagnostic::error(LABELS, summary)
                .detail("Every block takes an argument of this name.")
                .hint("give the variable another name")
                .at(name.span.clone()),
        );
    }
    let what = format!("variable {:?}", name.text);
    let mut fields = Fields::new(what, span.clone(), block.body, faults);
    let ty = fields.expr("type");
    let is_typed = ty.is_some();
    let ty = match ty {
        None => Type::Any,
        Some(expr) => types::parse(&expr.node, &expr.file).unwrap_or_else(|fault| {
            fields.fault(fault);
            Type::Any
        }),
    };
    let marks = marks(&mut fields, constants);
    let deprecated = constants.text(&mut fields, "deprecated");
    let nullable = constants.bool(&mut fields, "nullable").unwrap_or(true);
    let before = fields.faults().len();
    let default = default(&mut fields, constants, &ty, nullable);
    let has_faulty_default = fields.faults().len() > before;
    constants.text(&mut fields, "description");
    let validations = conditions(&mut fields, "validation");
    fields.finish();
    let takes_text = match ty {
        Type::String | Type::Number | Type::Bool => true,
        Type::Any => !is_typed,
        _ => false,
    };
    let variable = Variable {
        span,
        ty,
        default,
        has_faulty_default,
        takes_text,
        marks,
        nullable,
        deprecated,
        validations,
    };
    Some((name, variable))
}

impl Variable {
    /// Returns the warning about a value that is given, if the variable is deprecated.
    pub(crate) fn deprecation(&self, given: &Name) -> Option<Diagnostic> {
        let why = self.deprecated.as_ref()?;
        let summary = format!("variable {} is deprecated: {why}", given.text);
        let warning = Diagnostic::warning(DEPRECATED, summary).at(given.span.clone());
        Some(warning.label(self.span.clone(), "the variable"))
    }
}

/// Takes `sensitive` and `ephemeral`.
fn marks(fields: &mut Fields<'_>, constants: &Constants) -> Marks {
    Marks {
        sensitive: constants.bool(fields, "sensitive").unwrap_or(false),
        ephemeral: constants.bool(fields, "ephemeral").unwrap_or(false),
    }
}

fn default(
    fields: &mut Fields<'_>,
    constants: &Constants,
    ty: &Type,
    nullable: bool,
) -> Option<crate::expr_value::ExprValue> {
    let argument = fields.argument("default")?;
    let span = argument.span();
    let value = match constants.argument(&argument) {
        Ok(value) => value,
        Err(faults) => {
            fields.faults().extend(faults);
            return None;
        }
    };
    if value.is_null() && !nullable {
        fields.fault(
            Diagnostic::error(VARIABLE_TYPE, "the default is null, but nullable is false")
                .at(span.clone())
                .hint("remove the default, or `nullable = false`"),
        );
    }
    convert(&value, ty)
        .map_err(|error| {
            let summary = format!("the default does not fit the type: {error}");
            fields.fault(
                Diagnostic::error(VARIABLE_TYPE, summary)
                    .detail(format!("The type is {ty}."))
                    .at(span)
                    .hint(format!("give a default of type {ty}, or change the type")),
            );
        })
        .ok()
}

/// Decodes a `locals` block into `found`.
pub(super) fn locals(
    block: Block,
    file: &Arc<SourceFile>,
    found: &mut BTreeMap<Text, Local>,
    faults: &mut Diagnostics,
) {
    let span = head_span(&block, file);
    if expect_labels(&block, file, &[], faults).is_none() {
        return;
    }
    let mut fields = Fields::new("locals".to_owned(), span, block.body, faults);
    let values = fields.rest();
    for (name, value) in values {
        let span = name.span;
        if let Some(first) = found.get(&name.text) {
            faults.push(twice(&format!("local {}", name.text), span, first.span.clone()));
            continue;
        }
        found.insert(name.text, Local { span, value });
    }
}

/// Decodes an `output` block.
pub(super) fn output(
    block: Block,
    file: &Arc<SourceFile>,
    (level, constants): (Level, &Constants),
    faults: &mut Diagnostics,
) -> Option<(Name, Output)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    let what = format!("output {:?}", name.text);
    let mut fields = Fields::new(what, span.clone(), block.body, faults);
    let value = fields.required("value");
    let description = constants.text(&mut fields, "description");
    let marks = marks(&mut fields, constants);
    let deprecated = constants.text(&mut fields, "deprecated");
    if level == Level::Root && marks.ephemeral {
        fields.fault(
            Diagnostic::error(EPHEMERAL, "an output of the environment cannot be ephemeral")
                .detail("Outputs of the environment are kept in the state.")
                .at(span.clone())
                .hint("remove `ephemeral`, and with it what is ephemeral in the value"),
        );
    }
    // Without effect: whoever uses an output of a module waits for the whole module.
    fields.expr("depends_on");
    let preconditions = conditions(&mut fields, "precondition");
    fields.finish();
    let output = Output { span, value: value?, description, marks, deprecated, preconditions };
    Some((name, output))
}
