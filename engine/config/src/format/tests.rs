use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};
use hcl_edit::expr::{Array, FuncArgs, Object};
use hcl_edit::structure::Body;
use hcl_edit::visit_mut::{VisitMut, visit_array_mut, visit_body_mut, visit_func_args_mut, visit_object_mut};
use proptest::prelude::*;

use crate::definition::harness::Repository;

fn format(text: &str) -> Result<String, Diagnostics> {
    super::format(&Arc::new(SourceFile { path: "main.hcl".into(), text: text.into() }))
}

/// A parsed text without the one kind of white space that takes part in comparisons.
fn meaning(text: &str) -> Body {
    struct Plain;
    impl VisitMut for Plain {
        fn visit_func_args_mut(&mut self, args: &mut FuncArgs) {
            args.set_trailing("");
            visit_func_args_mut(self, args);
        }

        fn visit_array_mut(&mut self, array: &mut Array) {
            array.set_trailing("");
            visit_array_mut(self, array);
        }

        fn visit_object_mut(&mut self, object: &mut Object) {
            object.set_trailing("");
            visit_object_mut(self, object);
        }
    }
    let mut body = text.parse::<Body>().unwrap();
    visit_body_mut(&mut Plain, &mut body);
    body
}

fn check(text: &str, want: &str) {
    let formatted = format(text).unwrap();
    assert_eq!(formatted, want);
    assert_eq!(format(&formatted).unwrap(), formatted, "formatting twice changes nothing more");
    assert_eq!(meaning(text), meaning(&formatted));
}

#[test]
fn indentation_spaces_and_alignment() {
    check(
        "a   \"b\" {\n c=1\n     long_name  =  [1,2 ,3]\n\n\n  d {\n\te = { x=1,y = -2 }\n  }\n}\n",
        "a \"b\" {\n  c         = 1\n  long_name = [1, 2, 3]\n\n  d {\n    e = { x = 1, y = -2 }\n  }\n}\n",
    );
    check(
        "a {\n  b = 1\n  map = {\n  x=1\n  \"quoted.key\"=2\n  }\n  c = 2\n}\n",
        "a {\n  b = 1\n  map = {\n    x            = 1\n    \"quoted.key\" = 2\n  }\n  c = 2\n}\n",
    );
    check("x = f( a,b... )\n", "x = f(a, b...)\n");
    check("x = a.b [ 0 ].c[*].d\n", "x = a.b[0].c[*].d\n");
    check("x = !a&&b||-c - d<=-1?{}:[ ]\n", "x = !a && b || -c - d <= -1 ? {} : []\n");
    check(
        "x = [for k,v in (m):\"${ k }-x\" if v!=null]\ny = { for k in [1]:k=>k... }\n",
        "x = [for k, v in (m) : \"${ k }-x\" if v != null]\ny = { for k in [1] : k => k... }\n",
    );
    check("x = [{\na = 1\n}, {\nb = 2\n}]\n", "x = [{\n  a = 1\n}, {\n  b = 2\n}]\n");
    check("x = merge(\n{ a = 1 },\n[\n1\n]\n)\n", "x = merge(\n  { a = 1 },\n  [\n    1\n  ]\n)\n");
    check("x = 1.5e-3 * 2.\n".replace("2.", "2").as_str(), "x = 1.5e-3 * 2\n");
}

#[test]
fn blank_lines_stand_between_blocks_and_nowhere_twice() {
    check(
        "\n\na {\n\n  b = 1\n\n}\nc {}\n# about d\n# more\nd {\n  e {\n  }\n  f {\n  }\n}\n\n\n",
        "a {\n  b = 1\n}\n\nc {}\n\n# about d\n# more\nd {\n  e {\n  }\n\n  f {\n  }\n}\n",
    );
}

#[test]
fn comments_strings_and_heredocs_stay() {
    check(
        "# head\na {\n  b = 1 # one\n  cc = 22   // two\n  /* inline */ d = 3\n}\n",
        "# head\na {\n  b  = 1  # one\n  cc = 22 // two\n  /* inline */ d = 3\n}\n",
    );
    check(
        "a {\n  t = <<-EOT\n      keep   this ${ x }\n    EOT\n  s=\"a  b \\\" ${ f(\"}\") } $${x}\"\n}\n",
        "a {\n  t = <<-EOT\n      keep   this ${ x }\n    EOT\n  s = \"a  b \\\" ${ f(\"}\") } $${x}\"\n}\n",
    );
    // A heredoc takes part in the alignment, as in OpenTofu.
    check("a=1\nlong=<<E\n t\nE\nbb=2\n", "a    = 1\nlong = <<E\n t\nE\nbb   = 2\n");
    assert!(format("a = \n").is_err());
}

#[test]
fn every_definition_of_this_repository_is_in_the_canonical_style() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut seen = 0;
    for folder in ["modules", "environments"] {
        for directory in std::fs::read_dir(root.join(folder)).unwrap() {
            for file in std::fs::read_dir(directory.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "hcl") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert_eq!(format(&text).unwrap(), text, "{}", path.display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 6);
}

/// Expressions with as little and as much space as the grammar allows.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-a.b[0]",
        "- 1.5e3",
        "!true",
        "null",
        "a[*].b",
        "a.0.b",
        "a.*.b",
        "var . x",
        "\"x ${y} \\\"\"",
        "\"%{ if a ~}b%{ else }${ c }%{ endif }\"",
        "\"$${x} %%{y} ${ f(\"}\") }\"",
        "\"#no comment //\"",
        "f( )",
        "k8s::f(1)",
        "<<E\n t ${x}\nE\n",
        "<<-E\n    t\n      # no comment\n    E\n",
        "[ ]",
        "{ }",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let flat = inner.clone().prop_filter("one line", |text| !text.contains('\n'));
        let lines = inner.clone().prop_map(|text| text.trim_end().to_owned());
        prop_oneof![
            (flat.clone(), flat.clone()).prop_map(|(a, b)| format!("[{a},{b}]")),
            lines.clone().prop_map(|a| format!("[\n{a}\n,{}]", 1)),
            lines.clone().prop_map(|a| format!("{{\nk={a}\n\"l m\":{}\n}}", 2)),
            flat.clone().prop_map(|a| format!("{{ # c\nk={a} // d\n\n\n/* e */ (\"m\")={a},\n # f\n}}")),
            flat.clone().prop_map(|a| format!("{{k={a},l={a}}}")),
            (flat.clone(), flat.clone()).prop_map(|(a, b)| format!("({a}+ {b})")),
            (flat.clone(), flat.clone()).prop_map(|(a, b)| format!("{a}&&{b}||{a}!={b}")),
            flat.clone().prop_map(|a| format!("f( {a},{a}  ...)")),
            flat.clone().prop_map(|a| format!("f(\n{a},\n{a},\n)")),
            flat.clone().prop_map(|a| format!("{a}==1?!{a}:- {a}")),
            flat.clone().prop_map(|a| format!("[for x in [{a}]:x if x!={a}]")),
            flat.clone().prop_map(|a| format!("{{for k,v in {{a={a}}}:k=>v...if {a}==null}}")),
            flat.clone().prop_map(|a| format!("[{{\na={a}\n}},{{\n}}]")),
            flat.prop_map(|a| format!("\"${{{a}}}\"")),
        ]
    })
}

/// Blocks and arguments, with comments and blank lines wherever these may stand.
fn body() -> impl Strategy<Value = String> {
    let end =
        prop::sample::select(vec!["\n", " # c\n", "  // d\n", " /* e */\n", "\n\n\n", "\n# alone\n", "\r\n"]);
    let attribute = ("[a-z]{1,6}", expression(), end).prop_map(|(name, value, end)| {
        let end = if value.ends_with('\n') { "" } else { end };
        format!("{name}_ = {value}{end}")
    });
    let attributes = prop::collection::vec(attribute, 0..4).boxed();
    let nested = attributes.clone().prop_map(|lines| {
        lines.iter().enumerate().map(|(idx, line)| format!("n{idx} {{\n  {line}\n}}\n")).collect::<String>()
    });
    prop::collection::vec((attributes, nested), 1..3).prop_map(|blocks| {
        let mut text = String::new();
        for (idx, (lines, nested)) in blocks.iter().enumerate() {
            let lines: String = lines
                .iter()
                .enumerate()
                .map(|(idx, line)| format!("  {idx_}{line}", idx_ = "abcdef".get(idx..=idx).unwrap_or("g")))
                .collect();
            text.push_str(&format!("# above\nb{idx} \"l\" x{{ // head\n\n{lines}{nested}\n}}\nempty {{}}\n"));
        }
        text
    })
}

/// The comments of a text, in order.
fn comments(text: &str) -> Vec<String> {
    let tokens = crate::syntax::lexer::lines(text).into_iter().flatten();
    let comments = tokens.filter(|token| token.kind == crate::syntax::lexer::Kind::Comment);
    comments.map(|token| token.text.trim_end().to_owned()).collect()
}

/// What a text evaluates to, or its faults.
fn evaluated(text: &str) -> String {
    let repository = Repository::main(text);
    match repository.load() {
        Ok(definition) => format!("{:?}", definition.outputs),
        Err(faults) => repository
            .print(&faults)
            .lines()
            .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
            .collect(),
    }
}

proptest! {
    #[test]
    fn the_meaning_stays_and_formatting_is_idempotent(text in body()) {
        prop_assume!(text.parse::<Body>().is_ok());
        let formatted = format(&text).unwrap();
        prop_assert_eq!(meaning(&text), meaning(&formatted), "{}\n{}", text, formatted);
        prop_assert_eq!(comments(&text), comments(&formatted), "{}\n{}", text, formatted);
        prop_assert_eq!(format(&formatted).unwrap(), formatted);
    }

    #[test]
    fn the_value_of_an_expression_stays(value in expression()) {
        let text = format!("locals{{\n a=[1]\n\n\n y   = {{b=[{{b=1}}]}}\n}}\noutput \"x\"{{\nvalue={value}\n}}\n");
        prop_assume!(text.parse::<Body>().is_ok());
        let text = text.replace("var . x", "local.a").replace("${y}", "${local.a[0]}").replace("a[*].b", "local.y.b[*].b");
        prop_assume!(text.parse::<Body>().is_ok());
        prop_assert_eq!(evaluated(&text), evaluated(&format(&text).unwrap()), "{}", text);
    }
}
