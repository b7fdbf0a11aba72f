use std::sync::Arc;

use engine_core::diagnostic::Code;
use proptest::prelude::*;

use super::*;
use crate::samples::address;

const SOURCE: &str = "namespace \"dev\" {\n\tquota = {\n\t\tpods = many\n\t}\n}\n\nnamespace \"dev\" {\n}\n";

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: "main.hcl".into(), text: text.into() })
}

fn span(text: &str, word: &str) -> SourceSpan {
    let at = text.find(word).unwrap();
    SourceSpan::new(file(text), at..at + word.len())
}

#[test]
fn reports_show_place_cause_and_way_out() {
    let second = SourceSpan::new(file(SOURCE), SOURCE.rfind("namespace").unwrap()..SOURCE.len());
    let diagnostics: Diagnostics = [
        Diagnostic::warning(Code(7), "argument has no effect").detail("First line.\nSecond line."),
        Diagnostic::error(Code(503), "namespace.dev is declared twice")
            .at(second)
            .about(address("namespace.dev"))
            .label(span(SOURCE, "namespace"), "first declared here")
            .hint("remove one of the two"),
        Diagnostic::error(Code(120), "unknown name `many`").at(span(SOURCE, "many")),
    ]
    .into_iter()
    .collect();
    insta::assert_snapshot!(diagnostics_text(&diagnostics, Style::PLAIN), @r#"
    warning[TRN0007]: argument has no effect
     |
     = note: First line.
             Second line.

    error[TRN0120]: unknown name `many`
     --> main.hcl:3:10
      |
    3 |         pods = many
      |                ^^^^

    error[TRN0503]: namespace.dev is declared twice
     --> main.hcl:7:1
      |
    1 | namespace "dev" {
      | --------- first declared here
    ...
    7 | namespace "dev" {
      | ^^^^^^^^^^^^^^^^^
      |
      = note: in namespace.dev
      = help: remove one of the two

    2 errors, 1 warning
    "#);
}

#[test]
fn nothing_found_is_nothing_said() {
    assert_eq!(diagnostics_text(&Diagnostics::default(), Style::PLAIN), "");
}

#[test]
fn hostile_source_is_escaped_and_still_pointed_at() {
    let source = "a = \"\x1b[2J\u{202e}\" + bad\r\n";
    let diagnostics: Diagnostics = Diagnostic::error(Code(1), "bad\x07").at(span(source, "bad")).into();
    insta::assert_snapshot!(diagnostics_text(&diagnostics, Style::PLAIN), @r#"
    error[TRN0001]: bad\x07
     --> main.hcl:1:25
      |
    1 | a = "\x1b[2J<U+202E>" + bad
      |                         ^^^

    1 error
    "#);
}

#[test]
fn json_has_the_shape_of_validate() {
    let diagnostics: Diagnostics = Diagnostic::error(Code(120), "unknown name `many`")
        .at(span(SOURCE, "many"))
        .hint("declare it")
        .into();
    let json: serde_json::Value = serde_json::from_str(&diagnostics_json(&diagnostics)).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "diagnostics": [
        {
          "code": "TRN0120",
          "detail": "",
          "hint": "declare it",
          "range": {
            "end": {
              "byte": 42,
              "column": 14,
              "line": 3
            },
            "filename": "main.hcl",
            "start": {
              "byte": 38,
              "column": 10,
              "line": 3
            }
          },
          "severity": "error",
          "snippet": {
            "code": "\t\tpods = many",
            "highlight_end_offset": 13,
            "highlight_start_offset": 9,
            "start_line": 3
          },
          "summary": "unknown name `many`"
        }
      ],
      "error_count": 1,
      "format_version": "1.0",
      "valid": false,
      "warning_count": 0
    }
    "#);
}

#[test]
fn snippets_of_endless_lines_stay_short() {
    let source = format!("{}bad{}", "é".repeat(5_000), "x".repeat(500_000));
    let diagnostics: Diagnostics = Diagnostic::error(Code(1), "bad").at(span(&source, "bad")).into();
    let json: serde_json::Value = serde_json::from_str(&diagnostics_json(&diagnostics)).unwrap();
    let snippet = &json["diagnostics"][0]["snippet"];
    let code = snippet["code"].as_str().unwrap();
    let at = |name: &str| usize::try_from(snippet[name].as_u64().unwrap()).unwrap();
    assert_eq!(&code[at("highlight_start_offset")..at("highlight_end_offset")], "bad");
    assert!(code.len() <= 1_000);
    let text = diagnostics_text(&diagnostics, Style { colour: Colour::Off, width: 80 });
    assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
}

proptest! {
    #[test]
    fn any_span_in_any_text_is_drawn(text in any::<String>(), a in 0usize..200, b in 0usize..200, width in 0usize..100) {
        let place = SourceSpan::new(file(&text), a.min(b)..a.max(b));
        let label = SourceSpan::new(file(&text), b / 2..b);
        let diagnostics: Diagnostics =
            Diagnostic::error(Code(1), text.clone()).detail(text.clone()).at(place).label(label, text).into();
        let drawn = diagnostics_text(&diagnostics, Style { colour: Colour::Off, width });
        prop_assert!(!drawn.chars().any(|char| char != '\n' && crate::escape::is_hidden(char)));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&diagnostics_json(&diagnostics)).is_ok());
    }
}
