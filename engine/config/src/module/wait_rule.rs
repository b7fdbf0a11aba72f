//! `wait` of the `terrane` block: when objects of a kind are current.

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr as Cel};
use cel::{IdedExpr, Program};
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use engine_core::object_ref::GroupKind;
use engine_core::value::Text;
use engine_core::wait_rule::{CelExpression, WaitRule};
use hcl_edit::structure::Block;

use super::Expr;
use super::constant::{Constants, typed};
use super::fields::{Fields, Name, head_span, labels, twice};
use crate::codes::{LABELS, WAIT_RULE};
use crate::types::Type;

/// The longest expression, in bytes.
const LONGEST: usize = 2048;
/// How deep an expression may nest.
const DEEPEST: u32 = 100;
/// How many loops may stand in one another: with more, no size of an object is harmless.
const MOST_LOOPS: u32 = 2;
/// What an expression may name besides `self` and the variables of its own loops: types, and the first part of
/// functions' names.
const NAMES: [&str; 15] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "optional",
    "self",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// Decodes the `wait` blocks. They are constants: how long a run waits should be seen where it is written.
pub(super) fn wait_rules(fields: &mut Fields<'_>, file: &Arc<SourceFile>) -> Vec<WaitRule> {
    let mut rules: Vec<(Name, WaitRule)> = Vec::new();
    for block in fields.blocks("wait") {
        let Some((name, rule)) = wait_rule(block, file, fields.faults()) else { continue };
        match rules.iter().find(|(_, known)| known.kind == rule.kind) {
            Some((first, _)) => {
                fields.fault(twice(&format!("wait {:?}", name.text), name.span, first.span.clone()));
            }
            None => rules.push((name, rule)),
        }
    }
    rules.into_iter().map(|(_, rule)| rule).collect()
}

fn wait_rule(block: Block, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Option<(Name, WaitRule)> {
    let span = head_span(&block, file);
    let hint = "write `wait \"Widget.example.com\" { … }`: the kind, and behind a dot its group";
    let mut names = labels(&block, file);
    let (Some(name), true) = (names.pop(), names.is_empty()) else {
        let fault = Diagnostic::error(LABELS, "block wait has one label, the kind");
        faults.push(fault.at(span).hint(hint));
        return None;
    };
    let Some(kind) = kind(&name.text) else {
        let fault = Diagnostic::error(LABELS, format!("{:?} is no kind", name.text));
        faults.push(fault.at(name.span).hint(hint));
        return None;
    };
    let mut fields = Fields::new(format!("wait {:?}", name.text), span, block.body, faults);
    let in_progress = expression(&mut fields, "in_progress");
    let failed = expression(&mut fields, "failed");
    let has_current = fields.has("current");
    let current = expression(&mut fields, "current");
    if !has_current {
        fields.missing("current");
    }
    fields.finish();
    Some((name, WaitRule { kind, in_progress, failed, current: current? }))
}

fn kind(label: &str) -> Option<GroupKind> {
    let (kind, group) = label.split_once('.').unwrap_or((label, ""));
    let is_kind =
        kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.chars().all(|c| c.is_ascii_alphanumeric());
    let is_group = group.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
    (is_kind && is_group && !label.ends_with('.')).then(|| GroupKind::new(group, kind))
}

fn expression(fields: &mut Fields<'_>, name: &'static str) -> Option<CelExpression> {
    let expr = fields.expr(name)?;
    let text = Constants::new().value(&expr).and_then(|value| typed(&value, &Type::String, name, &expr));
    let text = text.map_err(|found| fields.faults().extend(found)).ok()?.as_text().cloned()?;
    check(&text).map_err(|why| fields.fault(fault(name, &expr, &why))).ok()
}

fn fault(name: &str, expr: &Expr, why: &str) -> Diagnostic {
    let hint = "write an expression in CEL that gives a boolean, such as \"self.status.phase == 'Ready'\"";
    Diagnostic::error(WAIT_RULE, format!("{name} cannot be evaluated: {why}")).at(expr.span()).hint(hint)
}

/// Checks that a text is an expression whose cost is bounded, and that it names nothing but the object.
fn check(text: &Text) -> Result<CelExpression, String> {
    if text.len() > LONGEST {
        return Err(format!("it has {} bytes; {LONGEST} are allowed", text.len()));
    }
    let program = Program::compile(text).map_err(|errors| match errors.errors.first() {
        Some(first) => format!("at {}:{}: {}", first.pos.0, first.pos.1, first.msg),
        None => "it cannot be parsed".to_owned(),
    })?;
    let mut walk = Walk { bound: Vec::new(), deepest: 0, loops: 0 };
    walk.visit(program.expression(), (1, 0))?;
    if walk.deepest > DEEPEST {
        return Err(format!("it nests more than {DEEPEST} deep"));
    }
    if walk.loops > MOST_LOOPS {
        return Err(format!("it has {} loops in one another; {MOST_LOOPS} are allowed", walk.loops));
    }
    Ok(CelExpression { text: text.clone(), loops: walk.loops })
}

/// Walks an expression: how deep it is, and what it names.
struct Walk {
    /// The variables of the loops around.
    bound: Vec<String>,
    deepest: u32,
    loops: u32,
}

impl Walk {
    /// Visits an expression that is so deep, and so many loops deep.
    fn visit(&mut self, expr: &IdedExpr, (depth, loops): (u32, u32)) -> Result<(), String> {
        self.deepest = self.deepest.max(depth);
        self.loops = self.loops.max(loops);
        let below = (depth + 1, loops);
        match &expr.expr {
            Cel::Unspecified | Cel::Literal(_) => Ok(()),
            Cel::Ident(name) => self.known(name),
            Cel::Select(select) => self.visit(&select.operand, below),
            Cel::List(list) => list.elements.iter().try_for_each(|item| self.visit(item, below)),
            Cel::Call(call) => {
                call.target.iter().try_for_each(|target| self.visit(target, below))?;
                call.args.iter().try_for_each(|argument| self.visit(argument, below))
            }
            Cel::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr, below)),
            Cel::Struct(it) => it.entries.iter().try_for_each(|entry| self.entry(&entry.expr, below)),
            Cel::Comprehension(it) => {
                self.visit(&it.iter_range, below)?;
                let bound = self.bound.len();
                self.bound.extend([it.iter_var.clone(), it.accu_var.clone()]);
                self.bound.extend(it.iter_var2.clone());
                for part in [&it.accu_init, &it.loop_cond, &it.loop_step, &it.result] {
                    self.visit(part, (depth + 1, loops + 1))?;
                }
                self.bound.truncate(bound);
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: &EntryExpr, below: (u32, u32)) -> Result<(), String> {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value, below),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, below)?;
                self.visit(&entry.value, below)
            }
        }
    }

    fn known(&self, name: &str) -> Result<(), String> {
        if NAMES.contains(&name) || self.bound.iter().any(|bound| bound == name) {
            return Ok(());
        }
        Err(format!("it refers to {name:?}; the object is called self"))
    }
}
