//! Tokens of HCL, as far as layout and the search for syntax errors need them. Any text has tokens: what is not
//! ended as it should be is [`Kind::Broken`].

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Ident,
    Number,
    /// A quoted string with everything in it.
    Quoted,
    /// A heredoc from `<<` to its closing mark.
    Heredoc,
    /// `# …`, `// …` or `/* … */`.
    Comment,
    /// An operator or a bracket.
    Punct,
    /// A string, heredoc or comment without its end.
    Broken,
}

/// A token and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
}

impl Token<'_> {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind == Kind::Punct && self.text == text
    }

    pub(crate) fn opens(&self) -> bool {
        self.kind == Kind::Punct && matches!(self.text, "{" | "[" | "(")
    }

    pub(crate) fn closes(&self) -> bool {
        self.kind == Kind::Punct && matches!(self.text, "}" | "]" | ")")
    }

    /// Returns the place of the token.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Tells whether a value can end with this token.
    pub(crate) fn ends_value(&self) -> bool {
        let keyword = self.kind == Kind::Ident && matches!(self.text, "in" | "if" | "for");
        self.closes() || matches!(self.kind, Kind::Ident | Kind::Number | Kind::Quoted) && !keyword
    }

    /// Tells whether nothing may follow on the same line.
    pub(crate) fn is_line_comment(&self) -> bool {
        self.kind == Kind::Comment && !self.text.starts_with("/*")
    }
}

/// Operators of more than one character, longest first.
const OPERATORS: [&str; 9] = ["...", "==", "!=", "<=", ">=", "&&", "||", "=>", "::"];

/// Returns the tokens of each line. A token of many lines belongs to the one it starts on.
pub(crate) fn lines(text: &str) -> Vec<Vec<Token<'_>>> {
    let mut lines = vec![Vec::new()];
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        if char == '\n' {
            lines.push(Vec::new());
            at += 1;
            continue;
        }
        if char.is_whitespace() {
            at += char.len_utf8();
            continue;
        }
        let (kind, len) = token(&text[at..], char);
        let text = text[at..at + len].trim_end_matches('\r');
        if let Some(line) = lines.last_mut() {
            line.push(Token { kind, text, start: at });
        }
        at += len;
    }
    lines
}

/// Tells whether a line of a body begins a block: a type, labels, a brace.
pub(crate) fn is_head(line: &[Token<'_>]) -> bool {
    let head = line.iter().take_while(|token| matches!(token.kind, Kind::Ident | Kind::Quoted)).count();
    head > 0 && line[0].kind == Kind::Ident && line.get(head).is_some_and(|token| token.is("{"))
}

/// Returns the kind and length in bytes of the token that `rest` starts with.
fn token(rest: &str, first: char) -> (Kind, usize) {
    let until_newline = || rest.find('\n').unwrap_or(rest.len());
    if first == '#' || rest.starts_with("//") {
        return (Kind::Comment, until_newline());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or((Kind::Broken, rest.len()), |end| (Kind::Comment, end + 2));
    }
    if first == '"' {
        return quoted(rest).map_or_else(|| (Kind::Broken, until_newline()), |len| (Kind::Quoted, len));
    }
    if rest.starts_with("<<") {
        return heredoc(rest).map_or((Kind::Broken, rest.len()), |len| (Kind::Heredoc, len));
    }
    if first.is_ascii_digit() {
        return (Kind::Number, number(rest));
    }
    // Outside of strings and comments, what is not ASCII can only be part of a name.
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii();
    if in_name(first) && first != '-' {
        let end = rest.find(|c| !in_name(c));
        return (Kind::Ident, end.unwrap_or(rest.len()));
    }
    let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
    (Kind::Punct, operator.map_or(first.len_utf8(), |operator| operator.len()))
}

fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        let tail = &rest[from..];
        from + tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len())
    };
    let mut end = digits(0);
    let starts_digit = |at: usize| rest[at..].starts_with(|c: char| c.is_ascii_digit());
    if rest[end..].starts_with('.') && starts_digit(end + 1) {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        if starts_digit(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// Returns the length of a quoted string: `${…}` and `%{…}` in it may hold strings again, and line breaks.
fn quoted(rest: &str) -> Option<usize> {
    // One entry for each open string or interpolation: how many braces are open in it, `None` for a string.
    let mut open: Vec<Option<usize>> = vec![None];
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() && !open.is_empty() {
        match (open.last_mut(), bytes[at]) {
            (Some(None), b'\n') => return None,
            (Some(None), b'\\') => at += 1,
            (Some(None), b'"') | (Some(Some(0)), b'}') => {
                open.pop();
            }
            (Some(None), b'$' | b'%')
                if bytes.get(at + 1) == Some(&bytes[at]) && bytes.get(at + 2) == Some(&b'{') =>
            {
                at += 2;
            }
            (Some(None), b'$' | b'%') if bytes.get(at + 1) == Some(&b'{') => {
                at += 1;
                open.push(Some(0));
            }
            (Some(Some(braces)), b'{') => *braces += 1,
            (Some(Some(braces)), b'}') => *braces -= 1,
            (Some(Some(_)), b'"') => open.push(None),
            _ => {}
        }
        at += 1;
    }
    open.is_empty().then(|| at.min(rest.len()))
}

/// Returns the length of a heredoc, the line end behind its closing mark left out.
fn heredoc(rest: &str) -> Option<usize> {
    let head = rest.find('\n')?;
    let mark = rest[..head].trim_start_matches('<').trim_start_matches('-').trim();
    let mut at = (head + 1).min(rest.len());
    for line in rest[at..].split_inclusive('\n') {
        let content = line.trim();
        if content == mark {
            return Some(at + line.trim_end().len());
        }
        at += line.len();
    }
    None
}
