//! How much work a rule may be.

use serde_json::Value;

/// The macros that go through all items of a list or a map.
const MACROS: [&str; 8] =
    ["all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap"];

/// The steps beyond which a rule is not evaluated: a server, too, refuses rules that may cost too much.
const LIMIT: u64 = 10_000_000;

/// Tells whether a rule on a value stays within bounds, whatever it does: each level of macros may go through all of the
/// value.
pub(super) fn is_bounded(rule: &str, value: &Value) -> bool {
    size(value).checked_pow(depth(rule)).is_some_and(|steps| steps <= LIMIT)
}

/// Returns how deep macros stand in each other.
fn depth(rule: &str) -> u32 {
    let (mut open, mut depth, mut deepest) = (Vec::new(), 0, 0);
    for (at, letter) in rule.char_indices() {
        if letter == '(' {
            let before = rule[..at].trim_end();
            let name = before.rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_').next();
            let is_macro = name.is_some_and(|name| MACROS.contains(&name));
            open.push(is_macro);
            depth += u32::from(is_macro);
            deepest = deepest.max(depth);
        } else if letter == ')' && open.pop() == Some(true) {
            depth -= 1;
        }
    }
    deepest
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
    fn work_grows_with_the_value_and_with_macros_in_macros() {
        let list = |count: usize| Value::from(vec![1; count]);
        for (rule, count, want) in [
            ("self.size() < 10", 1_000_000, true),
            ("self.all(a, a > 1) && self.all(b, b > (1 + 2))", 1_000_000, true),
            ("self.all(a, self.exists(b, a == b))", 1_000, true),
            ("self.all(a, self.exists(b, a == b))", 100_000, false),
            ("self.all(a, self.all(b, self.all(c, self.all (d, true))))", 100, false),
            ("small(self.all(a, true))", 1_000_000, true),
        ] {
            assert_eq!(is_bounded(rule, &list(count)), want, "{rule} on {count}");
        }
    }
}
