//! Conversions between types, and the sensitive mark. What converts is the signature.

use super::{Row, marked};
use crate::expr_value::ExprValue;
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    marked("issensitive(value: any|null) -> bool", "Tells whether the value is sensitive.",
        r#"issensitive(sensitive("a"))"#, |call| {
            let value = call.value(0)?;
            let undecided = value.is_unknown() && !value.is_sensitive();
            Ok(if undecided { ExprValue::unknown(Type::Bool) } else { value.is_sensitive().into() })
        }),
    marked("nonsensitive(value: any|null) -> any", "Returns the value without the sensitive mark: it will be shown.",
        r#"!issensitive(nonsensitive(sensitive("a")))"#, |call| Ok(call.value(0)?.clone().without_mark())),
    marked("sensitive(value: any|null) -> any", "Returns the value with the sensitive mark: it is shown nowhere.",
        r#"nonsensitive(sensitive(1) + 1) == 2"#, |call| Ok(call.value(0)?.clone().sensitive())),
    marked("tobool(value: bool|null) -> bool", "Returns the value as a boolean.",
        r#"tobool("true") == true"#, |call| call.value(0).cloned()),
    marked("tolist(value: list(any)|null) -> list(any)", "Returns the value as a list, all items of one type.",
        r#"tolist(["a", 1]) == tolist(["a", "1"])"#, |call| call.value(0).cloned()),
    marked("tomap(value: map(any)|null) -> map(any)", "Returns the value as a map, all values of one type.",
        r#"tomap({ a = "x", b = 1 }) == tomap({ a = "x", b = "1" })"#, |call| call.value(0).cloned()),
    marked("tonumber(value: number|null) -> number", "Returns the value as a number.",
        r#"tonumber("1.50") == 1.5"#, |call| call.value(0).cloned()),
    marked("toset(value: set(any)|null) -> set(any)", "Returns the value as a set: equal items once, in order.",
        r#"toset(["b", "a", "b"]) == toset(["a", "b"])"#, |call| call.value(0).cloned()),
    marked("tostring(value: string|null) -> string", "Returns the value as text.",
        r#"tostring(1.50) == "1.5""#, |call| call.value(0).cloned()),
    marked("type(value: any|null) -> string", "Returns the name of the value's type.",
        r#"type([1, "a"]) == "tuple([number, string])""#, |call| Ok(ExprValue::string(call.value(0)?.ty().to_string()))),
];
