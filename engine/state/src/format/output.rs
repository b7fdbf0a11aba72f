//! Values of outputs, kept exactly.
//!
//! JSON numbers pass through doubles in most readers, so only integers of 64 bits are written as numbers.
//! Every other number is `{"$number":"0.1"}`, and a map that could be taken for such a mark is wrapped as
//! `{"$map":{…}}`.

use engine_core::value::{Map, Value};

const NUMBER: &str = "$number";
const MAP: &str = "$map";

/// The deepest nesting that is kept; the JSON reader's own bound is little above.
const MAX_DEPTH: usize = 60;

/// Returns the JSON form of a value.
pub(super) fn to_json(value: &Value) -> Result<Value, String> {
    write(value, MAX_DEPTH)
}

fn write(value: &Value, depth: usize) -> Result<Value, String> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(format!("an output is nested more than {MAX_DEPTH} levels deep and cannot be kept"));
    };
    Ok(match value {
        Value::Number(number) if number.as_i64().is_none() => {
            Value::map([(NUMBER, Value::string(number.to_string()))])
        }
        Value::List(items) => {
            Value::list(items.iter().map(|item| write(item, below)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Map(map) => {
            let json: Map = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), write(value, below)?)))
                .collect::<Result<_, String>>()?;
            if mark(map).is_some() { Value::map([(MAP, Value::Map(json))]) } else { Value::Map(json) }
        }
        plain => plain.clone(),
    })
}

/// Returns the value of a JSON form.
pub(super) fn from_json(json: &Value) -> Result<Value, String> {
    Ok(match json {
        Value::List(items) => Value::list(items.iter().map(from_json).collect::<Result<Vec<_>, _>>()?),
        Value::Map(map) => match mark(map) {
            Some((NUMBER, value)) => value
                .as_str()
                .and_then(|text| text.parse().ok())
                .map(Value::Number)
                .ok_or_else(|| format!("`{NUMBER}` holds no number"))?,
            Some((_, Value::Map(inner))) => entries(inner)?,
            Some(_) => return Err(format!("`{MAP}` holds no map")),
            None => entries(map)?,
        },
        plain => plain.clone(),
    })
}

fn entries(map: &Map) -> Result<Value, String> {
    map.iter()
        .map(|(key, value)| Ok((key.clone(), from_json(value)?)))
        .collect::<Result<Map, String>>()
        .map(Value::Map)
}

/// Returns the mark that a map is, or would be taken for.
fn mark(map: &Map) -> Option<(&str, &Value)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    (key == NUMBER || key == MAP).then_some((key.as_str(), value))
}
