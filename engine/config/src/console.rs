//! Evaluation of one expression on its own, or in an environment: what a console does.

mod show;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::expr::Expression;

use crate::codes::{SYNTAX, UNKNOWN_REFERENCE};
use crate::definition::Definition;
use crate::eval::{self, Scope, Step, did_you_mean};
use crate::expand::{Repeated, Uses, evaluate_in};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;
use crate::hints;
use crate::module::Expr;
use crate::nesting::with_room;
use crate::syntax;

/// The names that a lone expression may refer to, and what its functions work with.
#[derive(Debug, Default)]
pub struct Names {
    values: BTreeMap<Text, ExprValue>,
    functions: FunctionContext,
}

impl Names {
    /// Builds names for expressions whose functions read files below `repository`. None is defined yet.
    pub fn new(repository: &Path) -> Self {
        Self { values: BTreeMap::new(), functions: FunctionContext::new(repository) }
    }

    /// Sets the fixed clock of the run; without one the time is known only after apply.
    #[must_use]
    pub fn with_clock(mut self, clock: jiff::Timestamp) -> Self {
        self.functions = self.functions.with_clock(clock);
        self
    }

    /// Defines what a name stands for: `var` is an object of all variables, say.
    pub fn define(&mut self, name: &str, value: ExprValue) {
        self.values.insert(name.into(), value);
    }
}

/// Evaluates the text of one expression.
///
/// Sensitive values keep their mark, and so does what is known only after apply: whoever shows the result asks
/// [`ExprValue::is_sensitive`] and [`ExprValue::is_unknown`] of each part.
///
/// # Errors
/// [`Diagnostics`] when the text is no expression, or the first fault of its evaluation. Their spans are those of
/// the text.
pub fn evaluate_expression(text: &str, names: &Names) -> Result<ExprValue, Diagnostics> {
    let (expression, file) = parse(text)?;
    eval::evaluate(&expression, &Lone { names, file: &file })
}

/// Returns what a console prints for an expression: its value, or for `type(…)` the type.
///
/// # Errors
/// As of [`evaluate_expression`].
pub fn answer(text: &str, names: &Names) -> Result<String, Diagnostics> {
    answer_with(text, |expression, file| eval::evaluate(expression, &Lone { names, file }))
}

/// Hands over a way to [`answer`] in the root module of an environment: its names mean what they mean there.
///
/// # Errors
/// The definition has faults.
pub fn inspect<R>(
    mut definition: Definition,
    session: impl FnOnce(&dyn Fn(&str) -> Result<String, Diagnostics>) -> R,
) -> Result<R, Diagnostics> {
    let module = Arc::get_mut(&mut definition.filler).and_then(|filler| Arc::get_mut(&mut filler.module));
    // Any block may be asked for, so the values of all are kept.
    let blocks = module.into_iter().flat_map(|module| &mut module.blocks);
    blocks.for_each(|block| block.referenced = true);
    let known = names_of(&definition);
    definition.filler.walk(&BTreeMap::new(), |facts, _, frame| {
        Ok(session(&|text| {
            answer_with(text, |expression, file| {
                let expr = Expr::new(expression.clone(), Arc::clone(file));
                let value = evaluate_in(facts, frame, &expr, &Repeated::Once, &mut Uses::default());
                value.map_err(|faults| faults.into_iter().map(|fault| suggest(fault, &known)).collect())
            })
        }))
    })
}

/// Returns the names that an expression in the root module of an environment may start with.
pub fn names_of(definition: &Definition) -> Vec<String> {
    let module = &definition.filler.module;
    let variables = module.variables.keys().map(|name| format!("var.{name}"));
    let locals = module.locals.keys().map(|name| format!("local.{name}"));
    let clusters = module.root.clusters.keys().map(|name| format!("cluster.{name}"));
    let blocks = module.blocks.iter().map(|block| match &*block.block_type {
        "read" => format!("read.{}", block.name),
        block_type => format!("{block_type}.{}", block.name),
    });
    let fixed = ["path.module", "path.root", "repository.revision", "repository.url", "terrane.environment"];
    variables.chain(locals).chain(clusters).chain(blocks).chain(fixed.map(str::to_owned)).collect()
}

/// Adds the name that was probably meant to a fault about one that stands for nothing.
fn suggest(mut fault: Diagnostic, known: &[String]) -> Diagnostic {
    let written = fault.span.as_ref().filter(|_| fault.code == UNKNOWN_REFERENCE && fault.hint.is_none());
    if let Some(written) = written.and_then(|span| span.file.text.get(span.start..span.end)) {
        // Of `local.names[0].first` only the first two names say what is meant.
        let written = written.split('[').next().unwrap_or(written);
        let end = written.match_indices('.').nth(1).map_or(written.len(), |(end, _)| end);
        fault.hint = did_you_mean(&written[..end], known.iter().map(String::as_str));
    }
    fault
}

fn answer_with(
    text: &str,
    evaluate: impl Fn(&Expression, &Arc<SourceFile>) -> Result<ExprValue, Diagnostics>,
) -> Result<String, Diagnostics> {
    let (expression, file) = parse(text)?;
    let faults = hints::complete;
    match asked_for_type(&expression) {
        Some(inner) => Ok(show::ty(&evaluate(inner, &file).map_err(faults)?.ty())),
        None => Ok(show::value(&evaluate(&expression, &file).map_err(faults)?)),
    }
}

/// Returns the argument of an expression that is a call of `type`.
fn asked_for_type(expression: &Expression) -> Option<&Expression> {
    let Expression::FuncCall(call) = expression else { return None };
    let mut arguments = call.args.iter();
    match (
        call.name.namespace.is_empty() && call.name.name.as_str() == "type",
        arguments.next(),
        arguments.next(),
    ) {
        (true, Some(argument), None) if !call.args.expand_final() => Some(argument),
        _ => None,
    }
}

fn parse(text: &str) -> Result<(Expression, Arc<SourceFile>), Diagnostics> {
    let file = Arc::new(SourceFile { path: "<expression>".to_owned(), text: text.to_owned() });
    let expression = with_room(|| syntax::expression(text)).map_err(|error| {
        let start = text.floor_char_boundary(error.location().offset());
        let end = text.ceil_char_boundary(start + 1);
        Diagnostic::error(SYNTAX, format!("syntax error: {}", error.message()))
            .at(SourceSpan::new(Arc::clone(&file), start..end))
    })?;
    syntax::check_expression(&file, &expression)?;
    Ok((expression, file))
}

/// The scope of a lone expression.
struct Lone<'a> {
    names: &'a Names,
    file: &'a Arc<SourceFile>,
}

impl Scope for Lone<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if let Some(value) = self.names.values.get(root) {
            return Ok((value.clone(), 0));
        }
        let mut fault = Diagnostic::error(UNKNOWN_REFERENCE, format!("nothing is called {root:?}")).at(span);
        fault.hint = did_you_mean(root, self.names.values.keys().map(Text::as_str));
        Err(fault.into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.names.functions
    }
}

#[cfg(test)]
mod tests;
