use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostics, SourceFile};
use hcl_edit::expr::{Array, FuncArgs, Object};
use hcl_edit::structure::Body;
use hcl_edit::visit_mut::{VisitMut, visit_array_mut, visit_body_mut, visit_func_args_mut, visit_object_mut};
use proptest::prelude::*;

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

/// Expressions and blocks with as little and as much space as the grammar allows.
fn body() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("-a.b[0]".to_owned()),
        Just("\"x ${y} \\\"\"".to_owned()),
        Just("null".to_owned()),
        Just("<<E\n t\nE\n".to_owned()),
    ];
    let expr = leaf.prop_recursive(4, 24, 3, |inner| {
        let flat = inner.clone().prop_filter("one line", |text| !text.contains('\n'));
        prop_oneof![
            (flat.clone(), flat.clone()).prop_map(|(a, b)| format!("[{a},{b}]")),
            flat.clone().prop_map(|a| format!("[\n{a}\n,{a}]")),
            flat.clone().prop_map(|a| format!("{{\nk={a}\n\"l m\"={a}}}")),
            (flat.clone(), flat.clone()).prop_map(|(a, b)| format!("({a}+ {b})")),
            flat.clone().prop_map(|a| format!("f( {a},{a}  ...)")),
            flat.clone().prop_map(|a| format!("{a}==1?!{a}:- {a}")),
            flat.prop_map(|a| format!("[for x in [{a}]:x if x!={a}]")),
        ]
    });
    let attribute = ("[a-z]{1,6}", expr).prop_map(|(name, value)| {
        let end = if value.ends_with('\n') { "" } else { " # c\n" };
        format!("{name}_ = {value}{end}")
    });
    prop::collection::vec(attribute, 1..5).prop_map(|lines| {
        lines.iter().enumerate().map(|(idx, line)| format!("b{idx} \"l\" {{\n\n   {line}}}\n")).collect()
    })
}

proptest! {
    #[test]
    fn the_meaning_stays_and_formatting_is_idempotent(text in body()) {
        prop_assume!(text.parse::<Body>().is_ok());
        let formatted = format(&text).unwrap();
        prop_assert_eq!(meaning(&text), meaning(&formatted));
        prop_assert_eq!(format(&formatted).unwrap(), formatted);
    }
}
