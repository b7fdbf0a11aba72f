use std::sync::Arc;

use engine_core::diagnostic::SourceFile;
use hcl_edit::expr::Expression;

use super::{Type, parse, unify};

fn read(text: &str) -> Result<Type, Box<engine_core::diagnostic::Diagnostic>> {
    let expression: Expression = text.parse().unwrap();
    let file = Arc::new(SourceFile { path: "test.hcl".to_owned(), text: text.to_owned() });
    parse(&expression, &file).map_err(Box::new)
}

#[test]
fn types_read_and_print_the_same() {
    for text in [
        "any",
        "string",
        "number",
        "bool",
        "list(string)",
        "set(number)",
        "map(list(bool))",
        "tuple([string, number])",
        "tuple([])",
        "object({})",
        "object({ a = string, b = optional(number) })",
        "object({ a = optional(string, \"x\"), b = optional(list(number), [1, 2]) })",
        "map(object({ port = optional(number, 80) }))",
    ] {
        assert_eq!(read(text).unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_type_is_refused_at_its_place() {
    for (text, summary, place, hint) in [
        ("strin", "no type \"strin\"", "strin", Some("did you mean \"string\"?")),
        ("list", "no type \"list\"", "list", Some("list needs to say of what: list(…)")),
        ("\"string\"", "a type is written without quotes", "\"string\"", Some("write string")),
        ("list(strng)", "no type \"strng\"", "strng", Some("did you mean \"string\"?")),
        ("list(string, number)", "list(…) takes one argument", "list(string, number)", None),
        ("lst(string)", "no type \"lst\"", "lst(string)", Some("did you mean \"list\"?")),
        (
            "optional(string)",
            "optional(…) is only for attributes of an object type",
            "optional(string)",
            None,
        ),
        ("tuple(string)", "tuple(…) takes a list of types: tuple([string, number])", "string", None),
        ("object({ a = 1 })", "not a type", "1", None),
        ("object({ a = optional(number, \"x\") })", "invalid default: a number is required", "\"x\"", None),
        ("object({ a = optional(string, var.x) })", "a default cannot refer to \"var\"", "var.x", None),
        ("1", "not a type", "1", None),
    ] {
        let fault = read(text).err().unwrap_or_else(|| panic!("{text} is a type"));
        assert_eq!(fault.summary, summary, "{text}");
        let span = fault.span.unwrap();
        assert_eq!(&text[span.start..span.end], place, "{text}");
        if hint.is_some() {
            assert_eq!(fault.hint.as_deref(), hint, "{text}");
        }
    }
}

#[test]
fn types_unify_without_loss() {
    for (types, want) in [
        (vec![], Some("any")),
        (vec!["number", "number"], Some("number")),
        (vec!["number", "string"], Some("string")),
        (vec!["bool", "any", "string"], Some("string")),
        (vec!["number", "bool"], None),
        (vec!["number", "list(number)"], None),
        (vec!["list(number)", "list(string)"], Some("list(string)")),
        (vec!["tuple([number])", "tuple([string])"], Some("tuple([string])")),
        (vec!["tuple([number])", "tuple([])"], Some("list(number)")),
        (vec!["tuple([number, string])", "list(bool)"], Some("list(string)")),
        (vec!["list(number)", "set(number)"], Some("list(number)")),
        (vec!["tuple([number])", "set(string)"], Some("set(string)")),
        (vec!["object({ a = number })", "object({ a = string })"], Some("object({ a = string })")),
        (vec!["object({ a = number })", "object({ b = string })"], Some("map(string)")),
        (vec!["object({ a = number, b = object({}) })", "object({})"], None),
        (vec!["map(number)", "object({ a = string })"], Some("map(string)")),
        (vec!["map(number)", "list(number)"], None),
    ] {
        let types: Vec<_> = types.iter().map(|text| read(text).unwrap()).collect();
        let unified = unify(&types).map(|ty| ty.to_string());
        assert_eq!(unified.as_deref(), want, "{types:?}");
        let turned = unify(types.iter().rev()).map(|ty| ty.to_string());
        assert_eq!(turned, unified, "{types:?}");
    }
}
