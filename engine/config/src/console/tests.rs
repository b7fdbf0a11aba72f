use std::path::Path;

use engine_core::value::Text;

use super::{Names, answer, show};
use crate::expr_value::ExprValue;
use crate::types::Type;

fn names() -> Names {
    let mut names = Names::new(Path::new("."));
    names.define("secret", ExprValue::from("hush").sensitive());
    names.define("passing", ExprValue::from("hush").with_ephemerality_of(true));
    names.define("later", ExprValue::unknown(Type::String));
    names
}

#[test]
fn values_are_printed_as_terraform_does() {
    for (text, want) in [
        ("null", "null"),
        ("tostring(null)", "tostring(null)"),
        ("\"hello\"", "\"hello\""),
        ("\"\"", "\"\""),
        ("\"a\\tb\\\"c\\\\d'\"", "\"a\\tb\\\"c\\\\d'\""),
        ("\"e\\u0301 \\u202e \\u001b ☃\"", "\"é \\u202e \\x1b ☃\""),
        ("\"hello\\nworld\"", "<<EOT\nhello\nworld\nEOT"),
        ("\"EOT\\nEOT_\"", "<<EOT__\nEOT\nEOT_\nEOT__"),
        ("\"a\\n\"", "<<EOT\na\n\nEOT"),
        ("{ foo = \"boop\\nbeep\" }", "{\n  \"foo\" = <<-EOT\n  boop\n  beep\n  EOT\n}"),
        ("1234567890", "1234567890"),
        ("0.1 + 0.2", "0.3"),
        ("pow(10, 30)", "1000000000000000000000000000000"),
        ("!true", "false"),
        ("{}", "{}"),
        ("[]", "[]"),
        ("{ a = \"b\", \"c d\" = 1 }", "{\n  \"a\" = \"b\"\n  \"c d\" = 1\n}"),
        ("[\"b\", [1]]", "[\n  \"b\",\n  [\n    1,\n  ],\n]"),
        ("tolist([\"b\"])", "tolist([\n  \"b\",\n])"),
        ("toset([2, 1])", "toset([\n  1,\n  2,\n])"),
        ("tomap({ a = 1 })", "tomap({\n  \"a\" = 1\n})"),
        ("compact([\"\"])", "tolist([])"),
        ("secret", "(sensitive value)"),
        ("passing", "(ephemeral value)"),
        ("[secret, later]", "[\n  (sensitive value),\n  (known after apply),\n]"),
        ("upper(later)", "(known after apply)"),
        ("type(\"a\")", "string"),
        ("type(later)", "string"),
        ("type(null)", "dynamic"),
        ("type([])", "tuple([])"),
        ("type({})", "object({})"),
        ("type(tolist([tolist([1])]))", "list(list(number))"),
        (
            "type({ a = 1, b = [true] })",
            "object({\n    a: number,\n    b: tuple([\n        bool,\n    ]),\n})",
        ),
        ("type(tolist([{ foo = \"bar\" }]))", "list(\n    object({\n        foo: string,\n    }),\n)"),
        ("type(secret)", "string"),
    ] {
        assert_eq!(answer(text, &names()).as_deref(), Ok(want), "{text}");
    }
}

#[test]
fn nulls_of_collections_tell_their_type() {
    let list = |element| Type::list(element);
    for (ty, want) in [
        (list(Type::String), "tolist(null) /* of string */"),
        (list(list(Type::Bool)), "tolist(null) /* of list of bool */"),
        (Type::set(Type::Number), "toset(null) /* of number */"),
        (Type::map(Type::Bool), "tomap(null) /* of bool */"),
        (Type::object([(Text::from("a"), Type::Bool)]), "null /* object */"),
    ] {
        assert_eq!(show::value(&ExprValue::null(ty)), want);
    }
}

#[test]
fn faults_point_into_the_expression() {
    for (text, place) in [
        ("1 +", "<expression>:1:"),
        ("nothing", "<expression>:1:1"),
        ("upper([])", "<expression>:1:7"),
        ("type(1, 2)", "<expression>:1:"),
        ("k8s::tera(\"a\", {})", "<expression>:1:1"),
        ("", "<expression>:1:1"),
    ] {
        let faults = answer(text, &names()).unwrap_err();
        let span = faults.iter().next().unwrap().span.as_ref().unwrap().to_string();
        assert!(span.starts_with(place), "{text}: {span}");
    }
}
