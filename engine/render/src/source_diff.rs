//! The differences between two texts of a file, as `diff -u` shows them.

use similar::{Algorithm, TextDiff};

use crate::escape::escape_line;

/// Lines shown around a difference.
const CONTEXT: usize = 3;

/// Returns a unified diff; empty for equal texts. Control characters of the file do not reach a terminal.
pub fn source_diff(path: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(before, after);
    let (old, new) = (format!("old/{path}"), format!("new/{path}"));
    let text = diff.unified_diff().context_radius(CONTEXT).header(&old, &new).to_string();
    text.lines().map(|line| format!("{}\n", escape_line(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::source_diff;

    #[test]
    fn differences_are_shown_with_their_lines() {
        insta::assert_snapshot!(source_diff("a.hcl", "a {\n  b=1\n}\n", "a {\n  b = 1\n}\n"), @r"
        --- old/a.hcl
        +++ new/a.hcl
        @@ -1,3 +1,3 @@
         a {
        -  b=1
        +  b = 1
         }
        ");
        assert_eq!(source_diff("a.hcl", "x\n", "x\n"), "");
        assert!(source_diff("a.hcl", "\u{1b}[2J\n", "x\n").contains("-\\x1b[2J"));
    }
}
