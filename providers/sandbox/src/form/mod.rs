//! How Go reads and writes the built-in kinds: which fields a struct has, which of them are written without a value,
//! and what their types are called in messages.
//!
//! `builtin.forms` has one line for each struct, and one for each kind (`=group/version/Kind`). A field is its name,
//! behind the names of embedded structs; then what is written of it without a value; then its type:
//!
//! | Mark | Without a value |
//! |---|---|
//! | `!` | its zero: an empty text, 0, false, an empty struct |
//! | `^` | null |
//! | `~` | nothing; a zero that is stated is a value |
//! | `?` | nothing, and a zero is no value |
//!
//! | Text | Type |
//! |---|---|
//! | `'string` `'int32=v1.Name` | a scalar of Go, and its own name |
//! | `@name` `[T]` `{T}` | struct, list, map from texts |
//! | `q` `R` | an amount, a map of amounts |
//! | `t` `m` `d` `o` `x` `r` | time, time with microseconds, duration, `IntOrString`, bytes, anything |
//!
//! # Source
//! <https://pkg.go.dev/encoding/json#Marshal>, and the structs of `k8s.io/api` v0.36.3

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use read::{Reading, read};
pub(crate) use write::{store, write};

use crate::resource::Resource;

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// A scalar of Go, and the name of its type.
    Scalar(Scalar, &'static str),
    Struct(&'static str),
    List(Box<Form>),
    Map(Box<Form>),
    Quantity,
    ResourceList,
    Time,
    MicroTime,
    Duration,
    IntOrString,
    Bytes,
    Raw,
}

/// The scalars of Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Bool,
    Int32,
    Int64,
    Float64,
}

/// What is written of a field without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    Zero,
    Null,
    Nothing,
    NothingForZero,
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Member {
    pub name: &'static str,
    /// The names of the embedded structs around it.
    pub embedded: Vec<&'static str>,
    pub absence: Absence,
    pub form: Form,
}

/// A struct of Go by its name, as `core.v1.Pod`.
#[derive(Debug)]
pub(crate) struct Struct {
    /// The name without its package.
    pub name: &'static str,
    pub members: Vec<Member>,
}

impl Struct {
    /// The field of that name in JSON.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// The metadata of every object.
pub(crate) const METADATA: Form = Form::Struct("meta.v1.ObjectMeta");

/// The form of a built-in kind's objects.
pub(crate) fn of(resource: &Resource) -> Option<&'static Form> {
    if resource.custom.is_some() {
        return None;
    }
    TABLE.kinds.get(format!("{}/{}", resource.api_version, resource.kind).as_str())
}

/// The struct of that name.
fn structure(name: &str) -> Option<&'static Struct> {
    TABLE.structs.get(name)
}

#[derive(Default)]
struct Table {
    kinds: HashMap<&'static str, Form>,
    structs: HashMap<&'static str, Struct>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let lines = include_str!("builtin.forms").lines().filter(|line| !line.starts_with('#'));
    lines.fold(Table::default(), |mut table, line| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(kind) = name.strip_prefix('=') {
            table.kinds.extend(form(rest).map(|form| (kind, form)));
        } else {
            let members = rest.split(' ').filter_map(member).collect();
            let short = name.rsplit('.').next().unwrap_or(name);
            table.structs.insert(name, Struct { name: short, members });
        }
        table
    })
});

fn member(text: &'static str) -> Option<Member> {
    let at = text.find(['!', '^', '~', '?'])?;
    let absence = match text.as_bytes()[at] {
        b'!' => Absence::Zero,
        b'^' => Absence::Null,
        b'~' => Absence::Nothing,
        _ => Absence::NothingForZero,
    };
    let mut embedded: Vec<_> = text[..at].split('.').collect();
    let name = embedded.pop()?;
    Some(Member { name, embedded, absence, form: form(&text[at + 1..])? })
}

fn form(text: &'static str) -> Option<Form> {
    let inner = |text: &'static str| form(&text[1..text.len() - 1]).map(Box::new);
    Some(match text.as_bytes().first()? {
        b'@' => Form::Struct(&text[1..]),
        b'[' => Form::List(inner(text)?),
        b'{' => Form::Map(inner(text)?),
        b'\'' => {
            let (kind, name) = text[1..].split_once('=').unwrap_or((&text[1..], &text[1..]));
            Form::Scalar(scalar(kind)?, name)
        }
        b'q' => Form::Quantity,
        b'R' => Form::ResourceList,
        b't' => Form::Time,
        b'm' => Form::MicroTime,
        b'd' => Form::Duration,
        b'o' => Form::IntOrString,
        b'x' => Form::Bytes,
        b'r' => Form::Raw,
        _ => return None,
    })
}

fn scalar(kind: &str) -> Option<Scalar> {
    Some(match kind {
        "string" => Scalar::String,
        "bool" => Scalar::Bool,
        "int32" => Scalar::Int32,
        "int" | "int64" => Scalar::Int64,
        "float64" => Scalar::Float64,
        _ => return None,
    })
}

impl Form {
    /// The type of a field, or of a map's entries.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(of) => structure(of)?.member(name).map(|member| &member.form),
            Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// The type of a list's elements.
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(element) => Some(element),
            _ => None,
        }
    }

    /// What Go calls the type.
    fn go_name(&self) -> String {
        match self {
            Self::Scalar(_, name) => (*name).to_owned(),
            Self::Struct(name) => name.split_once('.').map_or(*name, |(_, name)| name).to_owned(),
            Self::List(element) => format!("[]{}", element.go_name()),
            Self::Map(element) => format!("map[string]{}", element.go_name()),
            Self::Quantity => "resource.Quantity".to_owned(),
            Self::ResourceList => "v1.ResourceList".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::MicroTime => "v1.MicroTime".to_owned(),
            Self::Duration => "v1.Duration".to_owned(),
            Self::IntOrString => "intstr.IntOrString".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Raw => "runtime.RawExtension".to_owned(),
        }
    }
}
