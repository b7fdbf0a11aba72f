//! Evaluation of expressions.
//!
//! Unknown and sensitive values flow through every operation: what depends on a value that is known after
//! apply is known after apply, what is computed from a secret is a secret. Evaluation is bounded (see
//! [`Budget`]) and never recurses deeper than the parser allows expressions to nest.

mod access;
mod budget;
mod call;
mod call_result;
mod codes;
mod compound;
mod conditional;
mod equality;
mod for_expr;
mod operators;
mod ranges;
mod references;
mod template;
mod traversal;

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::Span;
use hcl_edit::expr::Expression;

pub use self::budget::{Budget, Exhausted};
pub use self::codes::*;
pub(crate) use self::equality::equal;
pub(crate) use self::operators::bounded;
pub(crate) use self::references::is_reference;
pub use self::references::{Reference, references};
pub(crate) use self::template::Lines;
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;
use crate::nesting::with_room;
use crate::templates::Templates;

/// What names stand for where an expression is evaluated.
pub trait Scope {
    /// Returns the value that a traversal starts with, and how many of its steps lead to it.
    ///
    /// `root` is the first name, `steps` what follows it up to the first splat, with indexes evaluated. The
    /// scope looks at as many steps as it takes to find a value (`module.k7.id` takes two behind `module`),
    /// so it never has to build the value of a whole root; the remaining steps are taken here.
    ///
    /// # Errors
    /// A [`Diagnostic`] for a name that stands for nothing, or the faults of what it stands for.
    fn resolve(
        &self,
        root: &str,
        steps: &[Step],
        span: SourceSpan,
    ) -> Result<(ExprValue, usize), Diagnostics>;

    /// Returns the file that the expression is written in.
    fn file(&self) -> &Arc<SourceFile>;

    /// Returns what functions work with.
    fn functions(&self) -> &FunctionContext;

    /// Returns the templates of the module that the expression stands in, if it may use them.
    fn templates(&self) -> Option<&Templates> {
        None
    }
}

/// One step of a traversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is stepped to.
    pub kind: StepKind,
    /// The bytes of the file that say so.
    pub range: Range<usize>,
}

/// What a step goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// `.name`.
    Attribute(Text),
    /// `[key]`.
    Index(ExprValue),
}

/// Evaluates an expression.
///
/// # Errors
/// The first fault found, with the span of the smallest expression that is at fault.
pub fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<ExprValue, Diagnostics> {
    with_room(|| Evaluator::new(scope, &Budget::default()).value(expression))
}

/// The result of evaluating a part of an expression.
type Outcome<T = ExprValue> = Result<T, Diagnostics>;

/// One evaluation: the scope, what is left of the budget, and the names that `for` has bound so far.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    scope: &'a dyn Scope,
    budget: &'a Budget,
    locals: Option<&'a Local<'a>>,
}

/// A name bound by `for`.
struct Local<'a> {
    name: &'a str,
    value: ExprValue,
    outer: Option<&'a Local<'a>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(scope: &'a dyn Scope, budget: &'a Budget) -> Self {
        Self { scope, budget, locals: None }
    }

    /// Evaluates one expression.
    pub(crate) fn value(&self, expression: &Expression) -> Outcome {
        let range = range_of(expression);
        self.within_budget(&range, self.budget.step())?;
        let before = self.budget.ephemeral();
        let value = match expression {
            Expression::Null(_) => ExprValue::NULL,
            Expression::Bool(bool) => ExprValue::bool(*bool.value()),
            Expression::Number(number) => self.number_literal(number, &range)?,
            Expression::String(text) => ExprValue::string(text.as_str()),
            Expression::Array(array) => self.array(array)?,
            Expression::Object(object) => self.object(object, &range)?,
            Expression::StringTemplate(template) => self.template(template, Lines::Joined, &range)?,
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc, &range)?,
            Expression::Parenthesis(inner) => return self.value(inner.inner()),
            Expression::Variable(name) => self.root(name.as_str(), &[], &range)?.0,
            Expression::Conditional(conditional) => self.conditional(conditional, &range)?,
            Expression::FuncCall(call) => self.call(call, &range)?,
            Expression::Traversal(traversal) => self.traversal(traversal)?,
            Expression::UnaryOp(operation) => self.unary(operation)?,
            Expression::BinaryOp(operation) => self.binary(operation)?,
            Expression::ForExpr(for_expr) => self.for_expr(for_expr, &range)?,
        };
        self.within_budget(&range, Budget::admit(&value))?;
        // What is computed from something ephemeral is ephemeral. Constructors, traversals and conditionals keep the
        // marks of what they take; for anything else it is enough that something was evaluated on the way.
        let keeps = matches!(
            expression,
            Expression::Array(_)
                | Expression::Object(_)
                | Expression::Traversal(_)
                | Expression::Variable(_)
                | Expression::Conditional(_)
        );
        let value = value.with_ephemerality_of(!keeps && self.budget.ephemeral() > before);
        if value.contains_ephemeral() {
            self.budget.note_ephemeral();
        }
        Ok(value)
    }

    /// Looks a name up: first what `for` has bound, then the scope.
    fn root(&self, name: &str, steps: &[Step], range: &Range<usize>) -> Outcome<(ExprValue, usize)> {
        let mut local = self.locals;
        while let Some(bound) = local {
            if bound.name == name {
                return Ok((bound.value.clone(), 0));
            }
            local = bound.outer;
        }
        let (value, taken) = self.scope.resolve(name, steps, self.span(range))?;
        Ok((value, taken.min(steps.len())))
    }

    fn within_budget(&self, range: &Range<usize>, spent: Result<(), Exhausted>) -> Outcome<()> {
        spent.map_err(|exhausted| self.exhausted(range, exhausted))
    }

    fn exhausted(&self, range: &Range<usize>, exhausted: Exhausted) -> Diagnostics {
        let code = match exhausted {
            Exhausted::Steps => STEP_BUDGET,
            Exhausted::Bytes | Exhausted::Depth => SIZE_BUDGET,
        };
        self.fault(code, range, exhausted.to_string()).into()
    }

    fn span(&self, range: &Range<usize>) -> SourceSpan {
        SourceSpan::new(Arc::clone(self.scope.file()), range.clone())
    }

    fn fault(&self, code: Code, range: &Range<usize>, summary: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, summary).at(self.span(range))
    }
}

/// Returns the bytes of the file that an expression is written in.
fn range_of(expression: &Expression) -> Range<usize> {
    expression.span().unwrap_or_default()
}

/// Says which value was given.
fn given(value: &ExprValue) -> String {
    format!("The given value is {value}.")
}

/// Returns a hint with the name that was probably meant.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Of very short names any other is only a letter away.
    let limit = (name.chars().count() / 3).min(3);
    let (distance, best) =
        known.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min()?;
    (distance <= limit).then(|| format!("did you mean {best:?}?"))
}

#[cfg(test)]
mod tests;
