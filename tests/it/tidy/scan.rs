//! Reads Rust sources as far as the rules need: what is code, what is only for tests, where functions begin and end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::{files, read, relative};

/// A source file.
pub(super) struct Source {
    path: PathBuf,
    /// The text without comments, contents of strings and modules of tests; it has the same lines.
    pub(super) code: String,
    /// The text as it is.
    pub(super) text: String,
    /// Whether only tests are compiled from it.
    pub(super) is_test: bool,
}

impl Source {
    pub(super) fn name(&self) -> String {
        relative(&self.path)
    }
}

/// Returns the Rust sources below a directory.
pub(super) fn sources(directory: &Path) -> Vec<Source> {
    let source = |path: PathBuf| {
        let text = read(&path);
        Source { code: without_tests(&blank(&text)), text, is_test: false, path }
    };
    let mut found: Vec<Source> = files(directory, &[".rs"]).into_iter().map(source).collect();
    let tests: BTreeSet<PathBuf> = found.iter().flat_map(test_modules).collect();
    for source in &mut found {
        let below = source.path.ancestors().any(|path| tests.contains(path) || path.ends_with("tests"));
        source.is_test = below || source.path.ends_with("tests.rs");
    }
    found
}

/// Returns the files and directories of the modules that a file declares for tests only.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let declaration =
        Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))? )?mod (\w+);").expect("a pattern");
    let parent = source.path.parent().expect("a file lies in a directory");
    let stem = source.path.file_stem().unwrap_or_default();
    let is_root = ["lib", "main", "mod"].iter().any(|root| stem == *root);
    let directory = if is_root { parent.to_path_buf() } else { parent.join(stem) };
    let names = declaration.captures_iter(&source.code).map(|found| found[1].to_owned());
    names.flat_map(|name| [directory.join(format!("{name}.rs")), directory.join(name)]).collect()
}

/// Removes the bodies of modules that only tests compile.
fn without_tests(code: &str) -> String {
    let head = Regex::new(r"#\[cfg\(test\)\]\s*mod \w+ \{").expect("a pattern");
    let mut out = String::new();
    let mut rest = code;
    while let Some(found) = head.find(rest) {
        let end = body(&rest[found.start()..]).map_or(rest.len(), |end| found.start() + end);
        out.push_str(&rest[..found.end()]);
        out.extend(rest[found.end()..end].chars().filter(|char| *char == '\n'));
        rest = &rest[end..];
    }
    out + rest
}

/// What stands at a place of a source text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    LineComment,
    /// Nested this deep.
    BlockComment(usize),
    Text,
    /// Ended by a quotation mark and this many `#`.
    RawText(usize),
}

/// Replaces the contents of comments, strings and character literals by spaces.
fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut piece = Piece::Code;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (taken, next) = step(rest, piece, out.chars().next_back());
        let (taken, after) = rest.split_at(taken.max(first.len_utf8()));
        let is_code = piece == Piece::Code && next == Piece::Code && taken.len() == first.len_utf8();
        out.extend(taken.chars().map(|char| if is_code || char == '\n' { char } else { ' ' }));
        (piece, rest) = (next, after);
    }
    out
}

/// Returns how many bytes belong together at the start of `rest`, and what follows them.
fn step(rest: &str, piece: Piece, before: Option<char>) -> (usize, Piece) {
    let starts = |prefix: &str| rest.starts_with(prefix);
    match piece {
        Piece::Code if starts("//") => (2, Piece::LineComment),
        Piece::Code if starts("/*") => (2, Piece::BlockComment(1)),
        Piece::Code if starts("\"") => (1, Piece::Text),
        Piece::Code if starts("'") => (character(rest), Piece::Code),
        Piece::Code
            if starts("r")
                && !before.is_some_and(|char| char.is_alphanumeric() && char != 'b' || char == '_') =>
        {
            let hashes = rest[1..].chars().take_while(|char| *char == '#').count();
            match rest[1 + hashes..].starts_with('"') {
                true => (2 + hashes, Piece::RawText(hashes)),
                false => (1, Piece::Code),
            }
        }
        Piece::LineComment if starts("\n") => (1, Piece::Code),
        Piece::BlockComment(depth) if starts("/*") => (2, Piece::BlockComment(depth + 1)),
        Piece::BlockComment(1) if starts("*/") => (2, Piece::Code),
        Piece::BlockComment(depth) if starts("*/") => (2, Piece::BlockComment(depth - 1)),
        Piece::Text if starts("\\\n") => (1, piece),
        Piece::Text if starts("\\") => (2, piece),
        Piece::Text if starts("\"") => (1, Piece::Code),
        Piece::RawText(hashes) if starts(&format!("\"{}", "#".repeat(hashes))) => (1 + hashes, Piece::Code),
        piece => (1, piece),
    }
}

/// Returns the bytes of a character literal, 1 for the mark of a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next().unwrap_or_default();
    let closing = match first {
        '\\' => chars.skip(1).find(|(_, char)| *char == '\''),
        _ => chars.next().filter(|(_, char)| *char == '\''),
    };
    closing.map_or(1, |(at, _)| at + 1)
}

/// A function: its name and its lines, both counted from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Finds functions with a body.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let head = Regex::new(r"\bfn\s+(\w+)").expect("a pattern");
    let line = |at: usize| code[..at].matches('\n').count();
    let found = head.captures_iter(code).filter_map(|found| {
        let start = found.get(0)?.start();
        let body = body(&code[start..])?;
        Some(Function { name: found[1].to_owned(), first: line(start), last: line(start + body) })
    });
    found.collect()
}

/// Returns the end of the body of the function that a text starts with; `None` when it has only a signature.
fn body(code: &str) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, char) in code.char_indices() {
        match char {
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            ';' if braces == 0 && others == 0 => return None,
            '{' => braces += 1,
            '}' if braces == 1 && others == 0 => return Some(at),
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_strings_are_no_code() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"a "b \" c" d"#, "a          d"),
        (r##"a r#"b " c"# d"##, "a            d"),
        ("a '{' b '\\'' c", "a     b      c"),
        ("fn a<'b>(c: &'b str) {}", "fn a<'b>(c: &'b str) {}"),
        ("for r in rs {}", "for r in rs {}"),
    ];
    for (text, code) in cases {
        assert_eq!(blank(text), code, "{text}");
    }
}

#[test]
fn modules_of_tests_are_no_code() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\nfn c() {}\n";
    assert_eq!(without_tests(code), "fn a() {}\n#[cfg(test)]\nmod tests {\n\n\n}\nfn c() {}\n");
}

#[test]
fn functions_are_found_with_their_lines() {
    let code = "trait A {\n    fn a(&self);\n    fn b(x: [u8; 2]) -> u8 {\n        { x[0] }\n    }\n}\n";
    assert_eq!(functions(code), [Function { name: "b".into(), first: 2, last: 4 }]);
}
