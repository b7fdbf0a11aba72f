use std::sync::Arc;

use engine_core::diagnostic::SourceFile;
use hcl_edit::expr::Expression;
use proptest::prelude::*;

use super::convert;
use crate::expr_value::ExprValue;
use crate::types::{Type, parse};

fn ty(text: &str) -> Type {
    let expression: Expression = text.parse().unwrap();
    let file = Arc::new(SourceFile { path: "test.hcl".to_owned(), text: text.to_owned() });
    parse(&expression, &file).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn object(entries: &[(&str, ExprValue)]) -> ExprValue {
    ExprValue::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
}

#[test]
fn values_convert_where_nothing_is_lost() {
    let tuple = ExprValue::tuple;
    for (value, to, want) in [
        (1.into(), "string", "\"1\""),
        (true.into(), "string", "\"true\""),
        ("1.50".into(), "number", "1.5"),
        ("false".into(), "bool", "false"),
        ("1".into(), "bool", "true"),
        (ExprValue::NULL, "number", "null"),
        (1.into(), "any", "1"),
        (tuple(vec![1.into(), "a".into()]), "list(string)", "[\"1\", \"a\"]"),
        (tuple(vec![1.into(), "a".into()]), "list(any)", "[\"1\", \"a\"]"),
        (tuple(vec![2.into(), 1.into(), 2.into()]), "set(number)", "toset([1, 2])"),
        (tuple(vec![1.into(), "2".into()]), "tuple([string, number])", "[\"1\", 2]"),
        (tuple(vec![]), "list(string)", "[]"),
        (tuple(vec![ExprValue::NULL, "a".into()]), "list(string)", "[null, \"a\"]"),
        (object(&[("a", 1.into()), ("b", true.into())]), "map(string)", "{ a = \"1\", b = \"true\" }"),
        (object(&[("a", "1".into()), ("x", 1.into())]), "object({ a = number })", "{ a = 1 }"),
        (object(&[]), "object({ a = optional(number) })", "{ a = null }"),
        (object(&[]), "object({ a = optional(number, 5) })", "{ a = 5 }"),
        (object(&[("a", ExprValue::NULL)]), "object({ a = optional(string, 5) })", "{ a = \"5\" }"),
        (
            object(&[]),
            "object({ a = optional(object({ b = optional(string, \"x\") }), {}) })",
            "{ a = { b = \"x\" } }",
        ),
        (
            tuple(vec![object(&[("a", 1.into())]), object(&[("b", 2.into())])]),
            "list(any)",
            "[{ a = 1 }, { b = 2 }]",
        ),
        (ExprValue::unknown(Type::Number), "string", "(known after apply)"),
        (ExprValue::from(1).sensitive(), "string", "(sensitive value)"),
        (tuple(vec![ExprValue::from(1).sensitive()]), "list(string)", "[(sensitive value)]"),
        (tuple(vec![ExprValue::from(1).sensitive()]), "set(string)", "(sensitive value)"),
    ] {
        let converted = convert(&value, &ty(to)).unwrap_or_else(|error| panic!("{value} to {to}: {error}"));
        assert_eq!(converted.to_string(), want, "{value} to {to}");
    }
}

#[test]
fn faults_say_what_is_required_and_where() {
    let tuple = ExprValue::tuple;
    for (value, to, want) in [
        ("x".into(), "number", "a number is required"),
        ("yes".into(), "bool", "a bool is required"),
        ("TRUE".into(), "bool", "a bool is required; to convert from string, use lower case \"true\""),
        (1.into(), "bool", "a bool is required"),
        (true.into(), "number", "a number is required"),
        (1.into(), "list(string)", "a list of string is required"),
        (tuple(vec![]), "string", "a string is required"),
        (tuple(vec![]), "map(number)", "a map of number is required"),
        (object(&[]), "object({ a = string })", "attribute \"a\" is required"),
        (
            object(&[("prot", 1.into())]),
            "object({ port = number })",
            "attribute \"port\" is required (there is \"prot\", which the type does not name)",
        ),
        (tuple(vec![1.into(), "x".into()]), "list(number)", "[1]: a number is required"),
        (
            object(&[("a", tuple(vec![object(&[("b", "x".into())])]))]),
            "object({ a = list(object({ b = number })) })",
            "a[0].b: a number is required",
        ),
        (object(&[("k 1", "x".into())]), "map(number)", "[\"k 1\"]: a number is required"),
        (tuple(vec![1.into()]), "tuple([number, number])", "2 elements are required, there are 1"),
        (tuple(vec![1.into(), tuple(vec![])]), "list(any)", "all elements must have the same type"),
        (tuple(vec![1.into(), true.into()]), "set(any)", "all elements must have the same type"),
        (ExprValue::unknown(Type::list(Type::String)), "string", "a string is required"),
        (ExprValue::unknown(Type::Bool), "number", "a number is required"),
        (ExprValue::from("hush").sensitive(), "number", "a number is required"),
    ] {
        let error = convert(&value, &ty(to)).err().unwrap_or_else(|| panic!("{value} converts to {to}"));
        assert_eq!(error.to_string(), want, "{value} to {to}");
    }
}

fn any_value() -> impl Strategy<Value = ExprValue> {
    let leaf = prop_oneof![
        Just(ExprValue::NULL),
        any::<bool>().prop_map(ExprValue::from),
        any::<i64>().prop_map(ExprValue::from),
        "[a-z0-9]{0,4}".prop_map(ExprValue::string),
        Just(ExprValue::from("hush").sensitive()),
        Just(ExprValue::unknown(Type::String)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(ExprValue::tuple),
            prop::collection::vec(("[a-c]", inner), 0..4).prop_map(|entries| {
                ExprValue::object(entries.into_iter().map(|(key, value)| (key.into(), value)))
            }),
        ]
    })
}

fn any_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Any), Just(Type::Bool), Just(Type::Number), Just(Type::String)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|types| Type::Tuple(types.into())),
            prop::collection::vec(("[a-c]", inner), 0..3)
                .prop_map(|types| Type::object(types.into_iter().map(|(name, ty)| (name.into(), ty)))),
        ]
    })
}

proptest! {
    #[test]
    fn numbers_and_booleans_survive_the_way_through_text(int in any::<i64>(), scale in 0_u32..30, bool in any::<bool>()) {
        let number: engine_core::value::Number = format!("{int}e-{scale}").parse().unwrap();
        for value in [ExprValue::number(number), ExprValue::from(bool)] {
            let text = convert(&value, &Type::String).unwrap();
            prop_assert_eq!(convert(&text, &value.ty()).unwrap(), value);
        }
    }

    #[test]
    fn what_is_converted_is_of_the_type(value in any_value(), to in any_type()) {
        if let Ok(converted) = convert(&value, &to) {
            prop_assert_eq!(convert(&converted, &to), Ok(converted.clone()));
            // Marks and unknowns are still there.
            prop_assert!(converted.contains_sensitive() || !value.contains_sensitive() || dropped(&to));
            prop_assert!(converted.is_wholly_known() <= (value.is_wholly_known() || dropped(&to)));
        }
    }

    #[test]
    fn a_value_converts_to_its_own_type(value in any_value()) {
        prop_assert_eq!(convert(&value, &value.ty()), Ok(value.clone()));
    }
}

/// Tells whether conversion to the type may drop attributes, and what was in them.
fn dropped(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(element) | Type::Set(element) | Type::Map(element) => dropped(element),
        Type::Tuple(elements) => elements.iter().any(dropped),
        Type::Any | Type::Bool | Type::Number | Type::String => false,
    }
}
