//! How much work a rule may be.

use cel::common::ast::{EntryExpr, Expr};
use cel::{IdedExpr, Program};
use serde_json::Value;

/// The steps beyond which a rule is not evaluated: a server, too, refuses rules that may cost too much.
const MOST_STEPS: u64 = 10_000_000;

/// How deep expressions may stand in each other.
const DEEPEST: u32 = 200;

/// Tells whether a rule on a value stays within bounds, whatever it does: each loop may go through all of the value.
pub(super) fn is_bounded(rule: &Program, value: &Value) -> bool {
    let steps = loops(rule.expression(), DEEPEST).and_then(|loops| size(value).checked_pow(loops));
    steps.is_some_and(|steps| steps <= MOST_STEPS)
}

/// Returns how many loops stand in each other, `None` for an expression that is deeper than what is left.
fn loops(expr: &IdedExpr, left: u32) -> Option<u32> {
    let left = left.checked_sub(1)?;
    let most = |inner: &mut dyn Iterator<Item = &IdedExpr>| {
        let mut most = 0;
        for expr in inner {
            most = loops(expr, left)?.max(most);
        }
        Some(most)
    };
    let entries = |entries: &mut dyn Iterator<Item = &EntryExpr>| {
        let mut deepest = 0;
        for entry in entries {
            deepest = deepest.max(match entry {
                EntryExpr::StructField(field) => loops(&field.value, left)?,
                EntryExpr::MapEntry(entry) => most(&mut [&entry.key, &entry.value].into_iter())?,
            });
        }
        Some(deepest)
    };
    match &expr.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Some(0),
        Expr::Select(select) => loops(&select.operand, left),
        Expr::List(list) => most(&mut list.elements.iter()),
        Expr::Call(call) => most(&mut call.target.iter().map(|it| &**it).chain(&call.args)),
        Expr::Map(map) => entries(&mut map.entries.iter().map(|it| &it.expr)),
        Expr::Struct(it) => entries(&mut it.entries.iter().map(|it| &it.expr)),
        Expr::Comprehension(it) => {
            let inside: [&IdedExpr; 4] = [&it.accu_init, &it.loop_cond, &it.loop_step, &it.result];
            let inside = most(&mut inside.into_iter())? + 1;
            Some(inside.max(loops(&it.iter_range, left)?))
        }
    }
}

/// Returns of how many values a value consists; a text counts with its length.
fn size(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<u64>(),
        Value::Object(fields) => 1 + fields.values().map(size).sum::<u64>(),
        Value::String(text) => 1 + text.len() as u64 / 16,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_grows_with_the_value_and_with_loops_in_loops() {
        let list = |count: usize| Value::from(vec![1; count]);
        let deep = format!("self.size() > {}1{}", "(1 + ".repeat(60), ")".repeat(60));
        for (rule, count, want) in [
            ("self.size() < 10", 1_000_000, true),
            ("self.all(a, a > 1) && self.all(b, b > (1 + 2))", 1_000_000, true),
            ("self.all(a, self.exists(b, a == b))", 1_000, true),
            ("self.all(a, self.exists(b, a == b))", 100_000, false),
            ("self.all(a, self.all(b, self.all(c, self.all (d, true))))", 100, false),
            ("self.map(a, [a, {'b': self.filter(c, c == a)}]).size() > 1", 100_000, false),
            (&format!("self.size() > {}1", "1 + ".repeat(300)), 1, false),
            (&deep, 1, true),
        ] {
            let program = Program::compile(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
            assert_eq!(is_bounded(&program, &list(count)), want, "{rule} on {count}");
        }
    }
}
