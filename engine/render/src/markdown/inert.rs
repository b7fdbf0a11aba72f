//! Untrusted text inside Markdown.
//!
//! Invariant: what these functions return holds no hidden character from the text, cannot end the span, fence
//! or tag it stands in, and reads as text to forges and their bots.
//!
//! # Source
//! The `CommonMark` specification 0.31, code spans and fenced code blocks; GitHub Flavored Markdown, tables.

use crate::escape::{cut, escape};

/// Columns of a name or message beyond which it is cut.
const MAX_COLUMNS: usize = 400;

/// The longest fence; longer runs of backticks in the content are taken apart.
const MAX_FENCE: usize = 16;

/// A character without width, which keeps what follows from being read as a name, a number or a tag.
const BREAK: char = '\u{200b}';

/// Returns text as a code span on one line.
pub(super) fn code(text: &str) -> String {
    let escaped = escape(text);
    let text = neutral(&cut(&escaped, Some(MAX_COLUMNS)));
    if text.trim().is_empty() {
        return "(empty)".into();
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// Returns text as a code span in a table, where a bar would end the cell even inside the span.
pub(super) fn cell(text: &str) -> String {
    // A backslash before the bar would take the escape's place.
    code(&text.replace('|', "¦"))
}

/// Returns text as HTML inside a tag, as code.
pub(super) fn html(text: &str) -> String {
    let escaped = escape(text);
    let text = neutral(&cut(&escaped, Some(MAX_COLUMNS)));
    let mut out = String::from("<code>");
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            char => out.push(char),
        }
    }
    out + "</code>"
}

/// Returns lines as a fenced block. The lines are escaped and each begins with a sign and a blank.
pub(super) fn fence(language: &str, lines: &[String]) -> String {
    let body = neutral(&lines.join("\n"));
    let body = if longest_run(&body) >= MAX_FENCE { body.replace('`', "\\x60") } else { body };
    let ticks = "`".repeat((longest_run(&body) + 1).max(3));
    format!("{ticks}{language}\n{body}\n{ticks}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

/// Takes the power from mentions, references and comments: forges leave code alone, bots may not.
fn neutral(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        out.push(char);
        let rest = &text[at + char.len_utf8()..];
        let next = rest.chars().next();
        let breaks = match char {
            '@' => next.is_some_and(|it| it.is_alphanumeric() || it == '_') && !is_digest(rest),
            '#' => next.is_some_and(|it| it.is_ascii_digit()),
            '<' => next == Some('!'),
            _ => false,
        };
        if breaks {
            out.push(BREAK);
        }
    }
    out
}

/// Tells whether what follows an `@` is the digest of an image, which people copy.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .and_then(|hex| hex.get(..64))
        .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_in_its_span() {
        for (text, want) in [
            ("app", "`app`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("", "(empty)"),
            ("a\n\nb", "`a\\n\\nb`"),
            ("@team see #12", "`@\u{200b}team see #\u{200b}12`"),
            ("<!-- terrane:preview:x -->", "`<\u{200b}!-- terrane:preview:x -->`"),
        ] {
            assert_eq!(code(text), want, "{text}");
        }
        assert_eq!(cell("a\\|b"), "`a\\¦b`");
        assert_eq!(html("<img src='x'>"), "<code>&lt;img src=&#39;x&#39;&gt;</code>");
    }

    #[test]
    fn digests_of_images_can_be_copied() {
        let image = format!("registry.example/app@sha256:{}", "0a".repeat(32));
        assert_eq!(code(&image), format!("`{image}`"));
        assert_eq!(code("x@sha256:team"), "`x@\u{200b}sha256:team`");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        let block = fence("diff", &["+ ````".into()]);
        assert_eq!(block, "`````diff\n+ ````\n`````\n");
        let block = fence("diff", &[format!("+ {}", "`".repeat(1_000))]);
        assert!(block.starts_with("```diff\n+ \\x60\\x60"));
    }
}
