//! Lists that are sets or maps: no element comes twice.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>

use serde_json::{Map, Value, json};

use crate::FieldError;
use crate::read;
use crate::validate::child;

/// Every element of a set or of a list by keys that repeats an earlier one.
pub fn check(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::Array(items) => {
            check_list(schema, items, path, errors);
            for (index, item) in items.iter().enumerate().filter(|_| schema["items"].is_object()) {
                check(&schema["items"], item, &format!("{path}[{index}]"), errors);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let property = &schema["properties"][name.as_str()];
                if property.is_object() {
                    check(property, value, &child(path, name), errors);
                } else if schema["additionalProperties"].is_object() {
                    check(&schema["additionalProperties"], value, &format!("{path}[{name}]"), errors);
                }
            }
        }
        _ => {}
    }
}

fn check_list(schema: &Value, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let shown: Vec<Value> = match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => items.to_vec(),
        Some("map") => {
            if let Some(index) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
                let detail = "must be an object for an array of list-type map";
                errors.push(FieldError::invalid(format!("{path}[{index}]"), &items[index], detail));
                return;
            }
            let keys = read::strings(&schema["x-kubernetes-list-map-keys"]);
            items.iter().map(|item| keys_of(&keys, item)).collect()
        }
        _ => return,
    };
    for (index, item) in shown.iter().enumerate() {
        // What comes a third time is not told again.
        if shown[..index].iter().filter(|earlier| *earlier == item).count() == 1 {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), item));
        }
    }
}

/// The keys of an element, as messages show them.
pub fn keys_of(keys: &[&str], item: &Value) -> Value {
    let given = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())));
    json!(given.collect::<Map<_, _>>())
}
