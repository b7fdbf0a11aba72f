//! Gives an object the form in which Go would write it: fields that are always written are there, zeros and empty
//! lists that would not be written are not, and amounts are in their shortest form.

use engine_kinds::Quantity;
use serde_json::{Map, Value, json};

use super::{Absence, Form, Scalar, Struct, structure};

/// Brings `value` into the form that Go would write.
pub(crate) fn write(form: &Form, value: &mut Value) {
    match (form, &mut *value) {
        (Form::Struct(name), Value::Object(map)) => {
            if let Some(structure) = structure(name) {
                write_fields(structure, map);
            }
        }
        (Form::List(element), Value::Array(items)) => items.iter_mut().for_each(|item| write(element, item)),
        (Form::Map(element), Value::Object(map)) => map.values_mut().for_each(|item| write(element, item)),
        (Form::ResourceList, Value::Object(map)) => map.values_mut().for_each(|value| {
            write(&Form::Quantity, value);
            if let Some(rounded) = value.as_str().and_then(rounded) {
                *value = json!(rounded);
            }
        }),
        (Form::Quantity, found) => {
            let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
            if let Ok(quantity) = text.parse::<Quantity>() {
                *value = json!(quantity.to_string());
            }
        }
        _ => {}
    }
}

fn write_fields(structure: &Struct, map: &mut Map<String, Value>) {
    for member in &structure.members {
        let absent = match member.absence {
            Absence::Zero => zero(&member.form),
            Absence::Null => Value::Null,
            Absence::Nothing | Absence::NothingForZero => match map.get_mut(member.name) {
                Some(value) => {
                    write(&member.form, value);
                    let is_zero = member.absence == Absence::NothingForZero && is_zero(value);
                    if value.is_null() || is_zero {
                        map.remove(member.name);
                    }
                    continue;
                }
                None => continue,
            },
        };
        let value = map.entry(member.name).or_insert(Value::Null);
        if value.is_null() {
            *value = absent;
        }
        write(&member.form, value);
    }
}

/// Brings `value`, as Go would write it, into the form in which it comes back from the store: an empty list or map is
/// none.
pub(crate) fn store(form: &Form, value: &mut Value) {
    match (form, value) {
        (Form::Struct(name), Value::Object(map)) => {
            for member in structure(name).map_or(&[][..], |structure| &structure.members) {
                let Some(value) = map.get_mut(member.name) else { continue };
                if member.absence == Absence::Null && is_void(&member.form, value) {
                    *value = Value::Null;
                }
                store(&member.form, value);
            }
        }
        (Form::List(element), Value::Array(items)) => items.iter_mut().for_each(|item| store(element, item)),
        (Form::Map(element), Value::Object(map)) => map.values_mut().for_each(|item| store(element, item)),
        _ => {}
    }
}

fn is_void(form: &Form, value: &Value) -> bool {
    match form {
        Form::List(_) => value.as_array().is_some_and(Vec::is_empty),
        Form::Map(_) | Form::ResourceList => value.as_object().is_some_and(Map::is_empty),
        _ => false,
    }
}

fn zero(form: &Form) -> Value {
    match form {
        Form::Scalar(Scalar::String, _) => json!(""),
        Form::Scalar(Scalar::Bool, _) => json!(false),
        Form::Scalar(..) | Form::IntOrString => json!(0),
        Form::Struct(_) => json!({}),
        Form::Quantity => json!("0"),
        Form::Duration => json!("0s"),
        _ => Value::Null,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// An amount of a resource is rounded up to thousandths.
///
/// # Source
/// `SetDefaults_ResourceList` of Kubernetes' core/v1
fn rounded(text: &str) -> Option<String> {
    let (digits, parts) = match text.split_at_checked(text.len().checked_sub(1)?)? {
        (digits, "n") => (digits, 1_000_000),
        (digits, "u") => (digits, 1_000),
        _ => return None,
    };
    let finer: i128 = digits.parse().ok()?;
    let whole = finer.div_euclid(parts) + i128::from(finer.rem_euclid(parts) > 0);
    Some(format!("{whole}m").parse::<Quantity>().ok()?.to_string())
}
