//! Text that comes from elsewhere, made fit for one line of a message.

/// Returns the text with control characters and runs of white space as single spaces, at most `limit`
/// characters long.
///
/// Commit messages, author names and the output of `git` pass through here: none of them may move the cursor
/// of a terminal or pretend to be a second message.
pub(crate) fn single_line(text: &str, limit: usize) -> String {
    let clean: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let joined = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= limit {
        return joined;
    }
    let cut: String = joined.chars().take(limit.saturating_sub(1)).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::single_line;

    #[test]
    fn nothing_leaves_the_line() {
        for (text, want) in [
            ("plain", "plain"),
            ("a\n\nLineage: b", "a Lineage: b"),
            ("\u{1b}[2Jx\u{7}\ty\r", "[2Jx y"),
            ("0123456789abc", "0123456789a…"),
            ("ééééééééééééé", "ééééééééééé…"),
        ] {
            assert_eq!(single_line(text, 12), want, "{text:?}");
        }
    }
}
