//! Putting tokens back on lines: indentation, spaces, alignment and blank lines.

use crate::syntax::lexer::{Kind, Token, is_head};

type Line<'t> = Vec<Token<'t>>;

/// Prints lines in the canonical style.
pub(super) fn layout(lines: &[Line<'_>]) -> String {
    let mut rows = rows(lines);
    align(&mut rows);
    let mut text = String::new();
    for row in &rows {
        text.push_str(&row.print());
        text.push('\n');
    }
    text
}

/// What a line is to the lines around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Blank,
    /// A comment of its own.
    Comment,
    /// The first line of a block, or all of it.
    Head,
    /// The line that ends a block of many lines, or all of a block.
    BlockEnd,
    Other,
}

/// One line in the making.
struct Row {
    indent: usize,
    role: Role,
    /// A block that begins and ends on this line.
    one_line_block: bool,
    /// What stands before `=`, for an attribute of one line.
    key: Option<String>,
    /// Everything else but the trailing comment.
    rest: String,
    comment: Option<String>,
    /// Spaces behind the key and before the comment.
    padding: (usize, usize),
}

impl Row {
    fn blank() -> Self {
        Self {
            indent: 0,
            role: Role::Blank,
            one_line_block: false,
            key: None,
            rest: String::new(),
            comment: None,
            padding: (0, 0),
        }
    }

    fn print(&self) -> String {
        let mut text = "  ".repeat(self.indent);
        if let Some(key) = &self.key {
            text.push_str(key);
            text.push_str(&" ".repeat(self.padding.0 + 1));
        }
        text.push_str(&self.rest);
        if let Some(comment) = &self.comment {
            text.push_str(&" ".repeat(self.padding.1 + 1));
            text.push_str(comment);
        }
        if self.role == Role::Blank { String::new() } else { text }
    }

    fn starts_block(&self) -> bool {
        self.role == Role::Head || self.one_line_block
    }

    fn ends_block(&self) -> bool {
        self.role == Role::BlockEnd || self.one_line_block
    }
}

/// A level of indentation: how many brackets it stands for, and whether they are the body of a block.
struct Level {
    brackets: usize,
    body: bool,
}

fn rows(lines: &[Line<'_>]) -> Vec<Row> {
    let mut levels: Vec<Level> = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for line in lines {
        let row = row(line, &mut levels);
        push(&mut rows, row);
    }
    while rows.last().is_some_and(|row| row.role == Role::Blank) {
        rows.pop();
    }
    rows
}

/// Adds a line, with at most one blank line before it: exactly one between two blocks, none behind the head of
/// a block or before its end.
fn push(rows: &mut Vec<Row>, row: Row) {
    let last = rows.last();
    if row.role == Role::Blank {
        let needless = last.is_none_or(|last| last.role == Role::Blank || last.role == Role::Head);
        if !needless {
            rows.push(row);
        }
        return;
    }
    if row.role == Role::BlockEnd && last.is_some_and(|last| last.role == Role::Blank) {
        rows.pop();
    }
    if row.starts_block() {
        // Comments directly above a block belong to it.
        let comments = rows.iter().rev().take_while(|row| row.role == Role::Comment).count();
        let above = rows.len() - comments;
        if above > 0 && rows[above - 1].ends_block() && rows[above - 1].indent == row.indent {
            rows.insert(above, Row::blank());
        }
    }
    rows.push(row);
}

fn row(line: &Line<'_>, levels: &mut Vec<Level>) -> Row {
    let Some(first) = line.first() else {
        return Row::blank();
    };
    let leading = line.iter().take_while(|token| token.closes()).count();
    let in_body = levels.last().is_none_or(|level| level.body);
    let ends_body = leading > 0 && in_body && !levels.is_empty();
    // `}, {` between two of several brackets opened on one line: it stands where that line stands.
    let between = close(levels, leading);
    let indent = levels.len() - usize::from(between);
    let is_block = in_body && leading == 0 && is_head(line);
    let (mut open, mut closed) = (0, 0);
    for token in &line[leading..] {
        if token.opens() {
            open += 1;
        } else if token.closes() && open > 0 {
            open -= 1;
        } else if token.closes() {
            closed += 1;
        }
    }
    close(levels, closed);
    match levels.last_mut() {
        Some(level) if between => level.brackets += open,
        _ if open > 0 => levels.push(Level { brackets: open, body: is_block }),
        _ => {}
    }
    let role = match () {
        () if first.kind == Kind::Comment && line.len() == 1 => Role::Comment,
        () if is_block && open > 0 => Role::Head,
        () if ends_body => Role::BlockEnd,
        () => Role::Other,
    };
    let (tokens, comment) = match line.split_last() {
        Some((last, before)) if last.kind == Kind::Comment && !before.is_empty() => (before, Some(last)),
        _ => (&line[..], None),
    };
    let is_long = |token: &Token<'_>| token.kind != Kind::Heredoc && token.text.contains('\n');
    let multiline = open > 0 || closed > 0 || tokens.iter().any(is_long);
    let is_attribute = matches!(tokens, [key, equals, ..]
        if matches!(key.kind, Kind::Ident | Kind::Quoted) && equals.is("="));
    let (key, tokens) = match tokens.split_first() {
        Some((key, rest)) if is_attribute && !multiline => (Some(key.text.to_owned()), rest),
        _ => (None, tokens),
    };
    Row {
        indent,
        role,
        one_line_block: is_block && open == 0,
        key,
        rest: spaced(tokens),
        comment: comment.map(|comment| comment.text.trim_end().to_owned()),
        padding: (0, 0),
    }
}

/// Closes brackets; tells whether the last level they belong to stays open.
fn close(levels: &mut Vec<Level>, mut brackets: usize) -> bool {
    while brackets > 0 {
        let Some(level) = levels.last_mut() else { return false };
        if level.brackets > brackets {
            level.brackets -= brackets;
            return true;
        }
        brackets -= level.brackets;
        levels.pop();
    }
    false
}

/// Aligns `=` and comments of consecutive lines of one indentation.
fn align(rows: &mut [Row]) {
    align_runs(
        rows,
        |row| row.key.as_ref().map(|key| key.chars().count()),
        |row, padding| row.padding.0 = padding,
    );
    align_runs(
        rows,
        |row| {
            let key = row.key.as_ref().map_or(0, |key| key.chars().count() + row.padding.0 + 1);
            let one_line = !row.rest.contains('\n') && row.role != Role::Comment;
            (row.comment.is_some() && one_line).then(|| key + row.rest.chars().count())
        },
        |row, padding| row.padding.1 = padding,
    );
}

fn align_runs(rows: &mut [Row], width: impl Fn(&Row) -> Option<usize>, set: impl Fn(&mut Row, usize)) {
    let mut start = 0;
    while start < rows.len() {
        let indent = rows[start].indent;
        let run: Vec<usize> =
            rows[start..].iter().map_while(|row| width(row).filter(|_| row.indent == indent)).collect();
        let widest = run.iter().copied().max().unwrap_or(0);
        for (row, width) in rows[start..].iter_mut().zip(&run) {
            set(row, widest - width);
        }
        start += run.len().max(1);
    }
}

/// Joins tokens with the spaces that belong between them.
fn spaced(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for (idx, token) in tokens.iter().enumerate() {
        if let Some(before) = idx.checked_sub(1).map(|idx| &tokens[idx]) {
            let earlier = idx.checked_sub(2).map(|idx| &tokens[idx]);
            if space(earlier, before, token) {
                text.push(' ');
            }
        }
        let trimmed = if token.is_line_comment() { token.text.trim_end() } else { token.text };
        text.push_str(trimmed);
    }
    text
}

/// Tells whether a space belongs between two tokens; `earlier` stands before `left`.
fn space(earlier: Option<&Token<'_>>, left: &Token<'_>, right: &Token<'_>) -> bool {
    if left.kind == Kind::Comment || right.kind == Kind::Comment {
        return true;
    }
    if left.is("{") || right.is("}") {
        return !(left.is("{") && right.is("}"));
    }
    let tight_left = matches!(left.text, "(" | "[" | "." | "::") && left.kind == Kind::Punct;
    let tight_right = matches!(right.text, ")" | "]" | "," | "." | "..." | "::") && right.kind == Kind::Punct;
    if tight_left || tight_right {
        return false;
    }
    if right.is("(") || right.is("[") {
        // A call or an index, unless what stands before is an operator or a keyword.
        return !(left.ends_value() && (right.is("[") || left.kind == Kind::Ident));
    }
    if left.is("!") || left.is("-") {
        let unary = left.is("!") || !earlier.is_some_and(Token::ends_value);
        return !unary;
    }
    true
}
