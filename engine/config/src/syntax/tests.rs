use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};

use super::parse;

fn faults(text: &str) -> Vec<String> {
    let file = Arc::new(SourceFile { path: "a.hcl".into(), text: text.into() });
    match parse(&file) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|fault| fault.span.as_ref().unwrap().to_string()).collect(),
    }
}

#[test]
fn errors_in_several_blocks_are_all_found() {
    let text =
        "a \"x\" {\n  b = \n}\n\nc \"y\" {\n  d = 1\n}\n\ne \"z\" {\n  f = [1,\n}\n\ng \"é\" {\n  é h\n}\n";
    assert_eq!(faults(text), ["a.hcl:2:5", "a.hcl:10:7", "a.hcl:14:6"]);
}

#[test]
fn odd_text_is_an_error_with_a_place() {
    for text in ["\u{feff}a {}", "a {", "a = <<EOF\nx", "}", "a = \"\n", "\0", "a \"b\" { c = 1, d = 2 }"] {
        assert!(!faults(text).is_empty(), "{text:?}");
    }
    assert_eq!(faults("a {\r\n  b = 1\r\n}\r\n"), Vec::<String>::new());
    assert_eq!(faults(""), Vec::<String>::new());
}

#[test]
fn a_brace_that_is_not_closed_is_found_in_its_block() {
    let text = "a \"x\" {\n  b = { c = 1\n}\n\nd \"y\" {\n  e = = 3\n}\n";
    assert_eq!(faults(text), ["a.hcl:2:7", "a.hcl:6:7"]);
    let text = "a \"x\" {\n}\n\nd \"y\" {\n  e = 3\n\nf \"z\" {\n}\n";
    assert_eq!(faults(text), ["a.hcl:4:1"]);
    // Without a missing brace, text that only lacks indentation is no second error.
    assert_eq!(faults("a {\nb \"x\" {\n  c = = 1\n}\n}\n"), ["a.hcl:3:7"]);
}

/// A body on lines of its own, and what is said of it: `LINE:COLUMN SUMMARY (HINT)`, without "syntax error: ".
#[test]
fn typical_mistakes_are_named() {
    for (text, want) in [
        ("a = “x”", "1:5 `“` is not a quote of HCL (write text in straight quotes: \"…\")"),
        ("a = 'x'", "1:5 text stands in double quotes (write \"…\" in place of '…')"),
        ("a = \"x\n  y\"", "1:5 a quoted text ends on its line (write \\n for a line end, or a heredoc"),
        ("a = \"${b}x\n\"", "1:10 a quoted text ends on its line (write \\n"),
        ("b \"x\ny\" {\n}", "1:3 a quoted text ends on its line (write \\n"),
        (
            "a = <<EOT\nx\nEOT # y\n",
            "3:5 something stands behind the closing mark of a heredoc (the mark stands",
        ),
        ("a = 1e400", "1:5 this number is larger than 1.7e308 (write it as text"),
        ("a = 1;", "1:6 there is no `;` in HCL"),
        ("a: 1", "1:2 an argument is set with `=`, not with `:` (write `a = …`, or `a { … }` for a block)"),
        ("a == 1", "1:3 an argument is set with `=`; `==` compares (write `a = …`)"),
        ("\"a\" = 1", "1:1 the name of an argument stands without quotes (write `a = …`)"),
        ("a \"b\" = {\n}", "1:7 there is no `=` between a block and its `{` (write `a \"b\" { … }`)"),
        ("a \"b\"\n{\n}", "1:6 the `{` of this block is missing (write `a \"b\" {` on one line)"),
        ("a =", "1:3 a has no value"),
        ("a", "1:1 `a` alone says nothing"),
        ("a = b\n  && c", "2:3 an expression ends with its line (put the expression into parentheses"),
        ("a = 1,", "1:6 there is no comma behind an argument (remove the `,`)"),
        ("a = [1 2]", "1:8 a comma is missing before this item"),
        ("a = [\n  1\n  2\n]", "3:3 a comma is missing before this item"),
        ("a = f(1 2)", "1:9 a comma is missing before this item"),
        ("a = nginx:1.27", "1:5 text stands in quotes (write `a = \"nginx:1.27\"`)"),
        ("a = 64Gi", "1:5 text stands in quotes (write `a = \"64Gi\"`)"),
        ("a = prod eu", "1:5 text stands in quotes (write `a = \"prod eu\"`)"),
        (
            "a = ${var.x}",
            "1:5 `${ … }` stands within text only (outside of text write the expression alone: `var.x`)",
        ),
        ("a = {{ .Values.x }}", "1:"),
        ("a = 1 b = 2", "1:7 `b` stands on the line of another argument"),
        ("a \"b\" { c = 1, d = 2 }", "1:14 a block on one line takes one argument"),
        ("a \"b\" { c = 1 d = 2 }", "1:15 a block on one line takes one argument"),
        ("a = \"\\d\"", "1:6 this is no escape sequence"),
        ("a = b and c", "1:7 there is no operator `and` (the logical operators are `&&`, `||` and `!`)"),
        ("a = b & c", "1:7 there is no operator `&` (write `&&` or `||`)"),
        ("a = \"x", "1:5 this text has no closing quote"),
        ("a = \"x ${y\"", "1:5 `${` or `%{` in this text is not closed"),
        (
            "a = <<EOT\nx\n",
            "1:5 the heredoc EOT has no end (write `EOT` on a line of its own behind the text)",
        ),
        ("a = 1 /* x", "1:7 this comment has no end"),
        ("}", "1:1 `}` closes nothing"),
        ("a = [1, 2", "1:5 `[` is not closed (add the missing `]`)"),
        ("a \"b\" {", "1:1 this block is not closed (add the missing `}`)"),
        ("\u{feff}a = 1", "1:1 the file begins with a byte order mark"),
    ] {
        let file = Arc::new(SourceFile { path: "a.hcl".into(), text: format!("{text}\n") });
        let faults = parse(&file).expect_err(text);
        let told: Vec<String> = faults
            .iter()
            .map(|fault| {
                let (line, column) = fault.span.as_ref().unwrap().line_column();
                let summary = fault.summary.trim_start_matches("syntax error: ");
                format!("{line}:{column} {summary} ({})", fault.hint.as_deref().unwrap_or_default())
            })
            .collect();
        assert_eq!(told.len(), 1, "{text}\n{told:#?}");
        assert!(told[0].starts_with(want), "{text}\nfound {}\nwant  {want}", told[0]);
    }
}

#[test]
fn an_empty_heredoc_ends_where_it_ends() {
    let values = |text: &str| -> Vec<(String, String)> {
        let file = Arc::new(SourceFile { path: "a.hcl".into(), text: text.into() });
        let body = parse(&file).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"));
        let value = |expression: &hcl_edit::expr::Expression| match expression {
            hcl_edit::expr::Expression::HeredocTemplate(heredoc) => heredoc.template.to_string(),
            other => other.to_string().split_whitespace().collect::<String>(),
        };
        body.attributes().map(|attribute| (attribute.key.to_string(), value(&attribute.value))).collect()
    };
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let found = |text: &str| -> Vec<(String, String)> {
        values(text).into_iter().map(|(key, value)| (key.trim().to_owned(), value)).collect()
    };
    for (text, want) in [
        ("a = <<EOT\nEOT\nb = <<EOT\nx\nEOT\n", own(&[("a", "(\"\")"), ("b", "x\n")])),
        ("a = <<-EOT\n  EOT\nb = <<-EOT\n  x\n  EOT\n", own(&[("a", "(\"\")"), ("b", "x\n")])),
        (
            "a = <<-EOT\r\n  EOT\r\nb = 1\r\nc = <<EOT\r\nEOT\r\n",
            own(&[("a", "(\"\")"), ("b", "1"), ("c", "(\"\")")]),
        ),
        (
            "# <<EOT\n# EOT\na = \"<<EOT\"\nb = <<X\n<<EOT\nEOT\nX\n",
            own(&[("a", "\"<<EOT\""), ("b", "<<EOT\nEOT\n")]),
        ),
        ("a = <<EOT\nEOTX\nEOT\n", own(&[("a", "EOTX\n")])),
    ] {
        assert_eq!(found(text), want, "{text}");
    }
}

#[test]
fn places_lie_between_characters() {
    for text in
        ["locals {\u{2000}\n}\u{2000}\n", "a = \u{2000}", "a = 1 \u{3000}b", "a =\u{2000}\n", "a = [\u{2000}"]
    {
        let file = Arc::new(SourceFile { path: "a.hcl".into(), text: text.into() });
        for fault in parse(&file).err().iter().flat_map(Diagnostics::iter) {
            let span = fault.span.as_ref().unwrap();
            assert!(text.get(span.start..span.end).is_some(), "{text:?}: {}", fault.summary);
        }
    }
}
