//! Reads JSON as Go's decoder would: what does not fit is a fault in its words, what is unknown is dropped, and what is
//! null is absent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine_kinds::Quantity;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Form, Scalar, structure};

/// What was found while reading.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The first value that does not fit.
    pub fault: Option<Fault>,
    /// The fields that the kind does not have, as `spec.ports[0].prot`.
    pub unknown: Vec<String>,
}

/// Why a value cannot be read, in Go's words.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Reading went on; a fatal fault behind this one comes first.
    Misfit(String),
    /// Reading ended here.
    Fatal(String),
}

impl Fault {
    /// The words.
    pub fn text(&self) -> &str {
        let (Self::Misfit(text) | Self::Fatal(text)) = self;
        text
    }
}

/// Reads `value` in place as a value of that form; `field` is its name, if it is a field.
pub(crate) fn read(form: &Form, value: &mut Value, field: &str) -> Reading {
    let mut reader = Reader::default();
    reader.go.extend((!field.is_empty()).then(|| field.to_owned()));
    reader.place.push_str(field);
    reader.value(form, value);
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Reading,
    /// The innermost struct.
    around: &'static str,
    /// The fields on the way, as Go tells them.
    go: Vec<String>,
    /// The way as Kubernetes tells it, with places in lists.
    place: String,
}

impl Reader {
    fn value(&mut self, form: &Form, value: &mut Value) {
        if matches!(self.found.fault, Some(Fault::Fatal(_))) {
            return;
        }
        match (form, &mut *value) {
            (Form::Struct(name), Value::Object(map)) => self.fields(name, map),
            (Form::Map(element), Value::Object(map)) => self.entries(element, map),
            (Form::ResourceList, Value::Object(map)) => self.entries(&Form::Quantity, map),
            (Form::List(element), Value::Array(items)) => self.items(element, items),
            (Form::Quantity, found) => self.quantity(found),
            (Form::Time, Value::String(text)) => {
                self.time(text, "2006-01-02T15:04:05Z07:00", "%Y-%m-%dT%H:%M:%SZ");
            }
            (Form::MicroTime, Value::String(text)) => {
                self.time(text, "2006-01-02T15:04:05.000000Z07:00", "%Y-%m-%dT%H:%M:%S.%6fZ");
            }
            (Form::Raw, _)
            | (Form::Duration, Value::String(_))
            | (Form::IntOrString, Value::String(_) | Value::Number(_)) => {}
            (Form::Time | Form::MicroTime | Form::Duration, found) => {
                self.fatal(format!(
                    "json: cannot unmarshal {} into Go value of type string",
                    go_value(found)
                ));
            }
            (Form::Bytes, Value::String(text)) => {
                if let Some(at) = base64_fault(text) {
                    self.misfit(format!("illegal base64 data at input byte {at}"));
                }
            }
            (Form::Scalar(scalar, _), found) if fits(*scalar, found) => {}
            (form, found) => {
                let shown = match (form, &*found) {
                    // Go names a number that is out of range or not whole.
                    (Form::Scalar(Scalar::Int32 | Scalar::Int64, _), Value::Number(number)) => {
                        format!("number {number}")
                    }
                    (_, found) => go_value(found).to_owned(),
                };
                let wanted = if *form == Form::IntOrString { "int32".to_owned() } else { form.go_name() };
                let text = format!(
                    "json: cannot unmarshal {shown} into Go struct field {}.{} of type {}",
                    self.around,
                    self.go.join("."),
                    wanted
                );
                self.misfit(text);
            }
        }
    }

    fn fields(&mut self, name: &'static str, map: &mut Map<String, Value>) {
        let Some(structure) = structure(name) else { return };
        let (outer, depth, length) = (self.around, self.go.len(), self.place.len());
        self.around = structure.name;
        map.retain(|name, value| {
            if !self.place.is_empty() {
                self.place.push('.');
            }
            self.place.push_str(name);
            let member = structure.member(name);
            match member {
                Some(_) if value.is_null() => {}
                Some(member) => {
                    self.go.extend(member.embedded.iter().map(|name| (*name).to_owned()));
                    self.go.push(name.clone());
                    self.value(&member.form, value);
                }
                None => self.found.unknown.push(self.place.clone()),
            }
            self.go.truncate(depth);
            self.place.truncate(length);
            member.is_some() && !value.is_null()
        });
        self.around = outer;
    }

    fn entries(&mut self, element: &Form, map: &mut Map<String, Value>) {
        let length = self.place.len();
        for (name, value) in map {
            self.place.push('.');
            self.place.push_str(name);
            self.element(element, value);
            self.place.truncate(length);
        }
    }

    fn items(&mut self, element: &Form, items: &mut [Value]) {
        let length = self.place.len();
        for (index, value) in items.iter_mut().enumerate() {
            self.place.push_str(&format!("[{index}]"));
            self.element(element, value);
            self.place.truncate(length);
        }
    }

    // In a list or map, null is the zero of its type.
    fn element(&mut self, form: &Form, value: &mut Value) {
        if !value.is_null() {
            return self.value(form, value);
        }
        *value = match form {
            Form::Scalar(Scalar::String, _) | Form::Bytes => json!(""),
            Form::Scalar(Scalar::Bool, _) => json!(false),
            Form::Scalar(..) => json!(0),
            Form::Struct(_) => json!({}),
            Form::Quantity => json!("0"),
            _ => Value::Null,
        };
    }

    fn quantity(&mut self, value: &mut Value) {
        let text = match &*value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match text.parse::<Quantity>() {
            Ok(quantity) => *value = json!(quantity.to_string()),
            Err(_) => self.fatal(quantity_fault(&text).to_owned()),
        }
    }

    fn time(&mut self, text: &mut String, layout: &str, format: &str) {
        match text.parse::<Timestamp>() {
            Ok(time) => *text = time.strftime(format).to_string(),
            Err(_) => {
                let text = format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"");
                self.fatal(text);
            }
        }
    }

    fn misfit(&mut self, text: String) {
        self.found.fault.get_or_insert(Fault::Misfit(text));
    }

    fn fatal(&mut self, text: String) {
        self.found.fault = Some(Fault::Fatal(text));
    }
}

fn fits(scalar: Scalar, value: &Value) -> bool {
    match scalar {
        Scalar::String => value.is_string(),
        Scalar::Bool => value.is_boolean(),
        Scalar::Int32 => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Scalar::Int64 => value.is_i64(),
        Scalar::Float64 => value.is_number(),
    }
}

fn go_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

// Where Go's decoder stops: at the first letter that is none of base64's, or at the end of a text of a wrong length.
fn base64_fault(text: &str) -> Option<usize> {
    if STANDARD.decode(text).is_ok() {
        return None;
    }
    let is_of_base64 = |letter: &u8| letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'/');
    let good = text.bytes().take_while(is_of_base64).count();
    // A text that ends too early is told at the start of its last group.
    Some(if good == text.len() { good - good % 4 } else { good })
}

fn quantity_fault(text: &str) -> &'static str {
    let rest = text.trim_start_matches(['+', '-']);
    let number =
        rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.').len();
    let (number, suffix) = rest.split_at(number);
    if number.chars().any(|letter| letter.is_ascii_digit())
        && number.matches('.').count() < 2
        && suffix.chars().all(|letter| "eEinumkKMGTP".contains(letter))
    {
        "unable to parse quantity's suffix"
    } else {
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    }
}
