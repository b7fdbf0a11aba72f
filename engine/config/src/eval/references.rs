//! Which names an expression refers to, without evaluating it.

use std::ops::Range;

use engine_core::value::Text;
use hcl_edit::expr::{Expression, ForExpr, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};

use super::traversal::operator_range;
use super::{Step, StepKind, range_of};
use crate::expr_value::{ExprValue, nfc};

/// A name that an expression refers to, and the steps behind it as far as they can be told without evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The first name: `var`, `local`, `each`, a block type.
    pub root: Text,
    /// The steps behind it, up to the first computed index or splat.
    pub steps: Vec<Step>,
    /// The bytes of the file from the name to the last of the steps.
    pub range: Range<usize>,
}

/// Returns the names that an expression refers to, in the order they are written. Names that `for` binds are
/// no references.
pub fn references(expression: &Expression) -> Vec<Reference> {
    let mut finder = Finder::default();
    finder.expression(expression);
    finder.found
}

#[derive(Default)]
struct Finder<'e> {
    bound: Vec<&'e str>,
    found: Vec<Reference>,
}

impl<'e> Finder<'e> {
    fn expression(&mut self, expression: &'e Expression) {
        match expression {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => {}
            Expression::Array(array) => array.iter().for_each(|item| self.expression(item)),
            Expression::Object(object) => {
                for (key, value) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.expression(key);
                    }
                    self.expression(value.expr());
                }
            }
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.reference(name.as_str(), Vec::new(), range_of(expression)),
            Expression::Conditional(conditional) => {
                self.expression(&conditional.cond_expr);
                self.expression(&conditional.true_expr);
                self.expression(&conditional.false_expr);
            }
            Expression::FuncCall(call) => {
                // The second argument of `convert` is a type.
                let values = if call.name.name.as_str() == "convert" { 1 } else { call.args.len() };
                call.args.iter().take(values).for_each(|argument| self.expression(argument));
            }
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(operation) => self.expression(&operation.expr),
            Expression::BinaryOp(operation) => {
                self.expression(&operation.lhs_expr);
                self.expression(&operation.rhs_expr);
            }
            Expression::ForExpr(for_expr) => self.for_expr(for_expr),
        }
    }

    fn for_expr(&mut self, for_expr: &'e ForExpr) {
        self.expression(&for_expr.intro.collection_expr);
        let outer = self.bound.len();
        self.bound.extend(for_expr.intro.key_var.as_ref().map(|name| name.as_str()));
        self.bound.push(for_expr.intro.value_var.as_str());
        if let Some(key) = &for_expr.key_expr {
            self.expression(key);
        }
        self.expression(&for_expr.value_expr);
        if let Some(condition) = &for_expr.cond {
            self.expression(&condition.expr);
        }
        self.bound.truncate(outer);
    }

    fn template(&mut self, template: &'e Template) {
        for element in template {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.expression(&interpolation.expr),
                Element::Directive(directive) => self.directive(directive),
            }
        }
    }

    fn directive(&mut self, directive: &'e Directive) {
        match directive {
            Directive::If(directive) => {
                self.expression(&directive.if_expr.cond_expr);
                self.template(&directive.if_expr.template);
                if let Some(otherwise) = &directive.else_expr {
                    self.template(&otherwise.template);
                }
            }
            Directive::For(directive) => {
                let intro = &directive.for_expr;
                self.expression(&intro.collection_expr);
                let outer = self.bound.len();
                self.bound.extend(intro.key_var.as_ref().map(|name| name.as_str()));
                self.bound.push(intro.value_var.as_str());
                self.template(&intro.template);
                self.bound.truncate(outer);
            }
        }
    }

    fn traversal(&mut self, traversal: &'e Traversal) {
        match &traversal.expr {
            Expression::Variable(name) => {
                let steps: Vec<_> = traversal.operators.iter().map_while(constant).collect();
                let start = range_of(&traversal.expr);
                let end = steps.last().map_or(start.end, |step: &Step| step.range.end);
                self.reference(name.as_str(), steps, start.start..end);
            }
            other => self.expression(other),
        }
        for operator in &traversal.operators {
            if let TraversalOperator::Index(key) = operator.value() {
                self.expression(key);
            }
        }
    }

    fn reference(&mut self, root: &str, steps: Vec<Step>, range: Range<usize>) {
        if !self.bound.contains(&root) {
            let root = root.into();
            self.found.push(Reference { root, steps, range });
        }
    }
}

/// Tells whether a traversal is a name with steps that need no evaluation.
pub(crate) fn is_reference(traversal: &Traversal) -> bool {
    let is_name = matches!(traversal.expr, Expression::Variable(_));
    is_name && traversal.operators.iter().all(|operator| constant(operator).is_some())
}

/// Returns the step of an operator that needs no evaluation.
fn constant(operator: &hcl_edit::Decorated<TraversalOperator>) -> Option<Step> {
    let kind = match operator.value() {
        TraversalOperator::GetAttr(name) => StepKind::Attribute(nfc(name.as_str())),
        TraversalOperator::LegacyIndex(idx) => StepKind::Index(ExprValue::number(*idx.value())),
        TraversalOperator::Index(Expression::String(key)) => StepKind::Index(ExprValue::string(key.as_str())),
        TraversalOperator::Index(Expression::Number(idx)) => {
            StepKind::Index(ExprValue::number(idx.value().as_u64()?))
        }
        TraversalOperator::Index(_) | TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
            return None;
        }
    };
    let range = operator_range(operator);
    Some(Step { kind, range })
}
