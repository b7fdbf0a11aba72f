//! Reads objects from protobuf, in which typed clients of Go send the kinds of Kubernetes: kubectl, when it creates
//! something by name, and controllers. Answers are always JSON, which such clients accept too.
//!
//! `builtin.messages` has one line for each message, and one for each kind (`=group/version/Kind`). A field is its
//! number, its name, `~` if it is there even as zero, and its layout; the fields of a message without a name are
//! those of the message around it.
//!
//! | Text | Layout |
//! |---|---|
//! | `s` `i` `b` `f` `x` | text, integer, boolean, floating-point number, bytes |
//! | `@name` `[T]` `{T}` | message, repeated field, map from texts |
//! | `w…` | a list that is a message of its own |
//! | `t` `m` `q` `o` `r` | time, time with microseconds, amount, `IntOrString`, JSON |
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding>, and the tags of the structs of
//! `k8s.io/api` v0.36.3

#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use wire::{Fields, Payload};

/// The layouts, generated.
static TEXT: &str = include_str!("builtin.messages");

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

static MESSAGES: LazyLock<HashMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter(|line| !line.starts_with(['#', '=']));
    lines
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .map(|(name, rest)| (name, fields(rest)))
        .collect()
});

static KINDS: LazyLock<HashMap<&'static str, &'static str>> =
    LazyLock::new(|| TEXT.lines().filter_map(|line| line.strip_prefix('=')?.split_once(" @")).collect());

/// A field of a message.
#[derive(Debug)]
struct Field {
    number: u64,
    /// Empty if its own fields are those of the message around it.
    name: &'static str,
    /// Whether a zero is a value.
    keeps_zero: bool,
    layout: Layout,
}

#[derive(Debug)]
enum Layout {
    Text,
    Integer,
    Boolean,
    Float,
    Bytes,
    Message(&'static str),
    List(Box<Layout>),
    Map(Box<Layout>),
    Wrapped(Box<Layout>),
    Time,
    MicroTime,
    Quantity,
    IntOrString,
    Json,
}

/// Why a body cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtobufError {
    /// Of this kind no layout is known.
    #[error("{0} cannot be read from protobuf")]
    UnknownKind(String),
    /// It is no protobuf, or does not fit its kind.
    #[error("unable to decode the protobuf body: {0}")]
    Malformed(&'static str),
}

/// Reads a body as the object it holds.
///
/// # Errors
/// If it holds none of a known kind.
pub(crate) fn read(body: &[u8]) -> Result<Value, ProtobufError> {
    let envelope = body.strip_prefix(MAGIC).ok_or(ProtobufError::Malformed("it does not begin with k8s"))?;
    let (mut kind, mut api_version, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields::of(envelope) {
        match field? {
            (1, Payload::Bytes(names)) => {
                for name in Fields::of(names) {
                    match name? {
                        (1, payload) => api_version = payload.text()?,
                        (2, payload) => kind = payload.text()?,
                        _ => {}
                    }
                }
            }
            (2, Payload::Bytes(object)) => raw = object,
            _ => {}
        }
    }
    // The options of a deletion are of the version of what is deleted.
    let full =
        if kind == "DeleteOptions" { "v1/DeleteOptions".into() } else { format!("{api_version}/{kind}") };
    let name = KINDS.get(full.as_str()).ok_or(ProtobufError::UnknownKind(full))?;
    let mut object = message(name, raw)?;
    object.insert("apiVersion".into(), json!(api_version));
    object.insert("kind".into(), json!(kind));
    Ok(Value::Object(object))
}

// Messages nest as deep as the types of Kubernetes do, and none is part of itself.
fn message(name: &str, bytes: &[u8]) -> Result<Map<String, Value>, ProtobufError> {
    let known = MESSAGES.get(name).map(Vec::as_slice).unwrap_or_default();
    let mut object = Map::new();
    for field in Fields::of(bytes) {
        let (number, payload) = field?;
        let Some(field) = known.iter().find(|field| field.number == number) else { continue };
        add(&mut object, field, payload)?;
    }
    Ok(object)
}

fn add(object: &mut Map<String, Value>, field: &Field, payload: Payload<'_>) -> Result<(), ProtobufError> {
    match &field.layout {
        Layout::Message(name) if field.name.is_empty() => object.extend(message(name, payload.bytes()?)?),
        Layout::List(layout) => {
            let list = object.entry(field.name).or_insert_with(|| json!([]));
            list.as_array_mut()
                .into_iter()
                .try_for_each(|list| value(layout, payload).map(|item| list.push(item)))?;
        }
        Layout::Map(layout) => {
            let (key, item) = entry(layout, payload.bytes()?)?;
            let map = object.entry(field.name).or_insert_with(|| json!({}));
            map.as_object_mut().map(|map| map.insert(key, item));
        }
        layout => {
            let value = value(layout, payload)?;
            let is_zero = value.is_null() || value == "" || value == 0 || value == false;
            if field.keeps_zero || !is_zero {
                object.insert(field.name.into(), value);
            }
        }
    }
    Ok(())
}

fn entry(layout: &Layout, bytes: &[u8]) -> Result<(String, Value), ProtobufError> {
    let (mut key, mut item) = (String::new(), None);
    for field in Fields::of(bytes) {
        match field? {
            (1, payload) => key = payload.text()?,
            (2, payload) => item = Some(value(layout, payload)?),
            _ => {}
        }
    }
    // An empty value may be left out.
    item.map_or_else(|| value(layout, Payload::Bytes(&[])), Ok).map(|item| (key, item))
}

fn value(layout: &Layout, payload: Payload<'_>) -> Result<Value, ProtobufError> {
    Ok(match layout {
        Layout::Text => json!(payload.text()?),
        Layout::Integer => json!(payload.integer()?),
        Layout::Boolean => json!(payload.integer()? != 0),
        Layout::Float => json!(payload.float()?),
        Layout::Bytes => json!(STANDARD.encode(payload.bytes()?)),
        Layout::Message(name) => Value::Object(message(name, payload.bytes()?)?),
        Layout::Time => time(payload.bytes()?, "%Y-%m-%dT%H:%M:%SZ")?,
        Layout::MicroTime => time(payload.bytes()?, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        Layout::Quantity => json!(first(payload)?.map_or_else(|| Ok("0".into()), Payload::text)?),
        Layout::IntOrString => int_or_string(payload.bytes()?)?,
        Layout::Json => match first(payload)? {
            None => Value::Null,
            Some(json) => serde_json::from_slice(json.bytes()?)
                .map_err(|_| ProtobufError::Malformed("an embedded object is not JSON"))?,
        },
        Layout::Wrapped(layout) => {
            let items = Fields::of(payload.bytes()?).map(|field| value(layout, field?.1));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Layout::List(_) | Layout::Map(_) => return Err(ProtobufError::Malformed("a list in a list")),
    })
}

// The value of a message that holds one.
fn first(payload: Payload<'_>) -> Result<Option<Payload<'_>>, ProtobufError> {
    Fields::of(payload.bytes()?).next().transpose().map(|field| field.map(|(_, payload)| payload))
}

fn time(bytes: &[u8], format: &str) -> Result<Value, ProtobufError> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, payload) => seconds = Some(payload.integer()?),
            (2, payload) => nanos = payload.integer()?,
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let nanos = i32::try_from(nanos).unwrap_or(0);
    let time = Timestamp::new(seconds, nanos).map_err(|_| ProtobufError::Malformed("a time out of range"))?;
    Ok(json!(time.strftime(format).to_string()))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, ProtobufError> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Fields::of(bytes) {
        match field? {
            (1, payload) => is_text = payload.integer()? != 0,
            (2, payload) => number = payload.integer()?,
            (3, payload) => text = payload.text()?,
            _ => {}
        }
    }
    Ok(if is_text { json!(text) } else { json!(number) })
}

fn fields(text: &'static str) -> Vec<Field> {
    text.split(' ').filter_map(field).collect()
}

fn field(text: &'static str) -> Option<Field> {
    let (number, rest) = text.split_once('=')?;
    let (name, layout) = rest.split_once(':')?;
    let (name, keeps_zero) = name.strip_suffix('~').map_or((name, false), |name| (name, true));
    Some(Field { number: number.parse().ok()?, name, keeps_zero, layout: self::layout(layout)? })
}

fn layout(text: &'static str) -> Option<Layout> {
    let inner = |open, close| text.strip_prefix(open)?.strip_suffix(close).and_then(layout).map(Box::new);
    Some(match text {
        "s" => Layout::Text,
        "i" => Layout::Integer,
        "b" => Layout::Boolean,
        "f" => Layout::Float,
        "x" => Layout::Bytes,
        "t" => Layout::Time,
        "m" => Layout::MicroTime,
        "q" => Layout::Quantity,
        "o" => Layout::IntOrString,
        "r" => Layout::Json,
        _ if text.starts_with('[') => Layout::List(inner('[', ']')?),
        _ if text.starts_with('{') => Layout::Map(inner('{', '}')?),
        _ if text.starts_with('w') => Layout::Wrapped(layout(&text[1..]).map(Box::new)?),
        _ => Layout::Message(text.strip_prefix('@')?),
    })
}
