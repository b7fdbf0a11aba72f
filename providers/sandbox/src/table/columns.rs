//! Which columns a resource has.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::cells::{self, Function};
use super::custom::{self, Step};
use crate::meta;
use crate::resource::Resource;

/// The columns of the built-in kinds; the notation is explained in the file.
static BUILTIN: &str = include_str!("builtin.columns");

/// One column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    name: String,
    kind: String,
    format: String,
    description: String,
    priority: i64,
    pub(super) source: Source,
}

/// Where a cell comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A field, by JSON pointer, and what stands for it if it is absent.
    Field { pointer: String, default: Value },
    /// What a function makes of the object.
    Function { function: Function, arguments: Vec<String> },
    /// A column of a custom resource: a path, and the type of the column.
    Path { steps: Vec<Step>, kind: String },
}

impl Column {
    /// The column as clients are told.
    pub fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format, "description": self.description,
            "priority": self.priority,
        })
    }

    fn name() -> Self {
        Self::text("Name", Source::Field { pointer: "/metadata/name".into(), default: json!("") })
    }

    fn text(name: &str, source: Source) -> Self {
        let format = if name == "Name" { "name" } else { "" };
        Self {
            name: name.into(),
            kind: "string".into(),
            format: format.into(),
            description: String::new(),
            priority: 0,
            source,
        }
    }
}

/// The columns of a resource.
pub(crate) fn of(resource: &Resource) -> &[Column] {
    static PLAIN: OnceLock<Vec<Column>> = OnceLock::new();
    match &resource.custom {
        Some(custom) => &custom.columns,
        None => builtin(&resource.group, &resource.kind).unwrap_or_else(|| PLAIN.get_or_init(plain)),
    }
}

/// The columns of a scale.
pub(crate) fn of_scale() -> &'static [Column] {
    builtin("autoscaling", "Scale").unwrap_or_default()
}

fn builtin(group: &str, kind: &str) -> Option<&'static [Column]> {
    static ALL: OnceLock<BTreeMap<&'static str, Vec<Column>>> = OnceLock::new();
    let all = ALL.get_or_init(|| BUILTIN.lines().filter_map(parse).collect());
    all.get(format!("{group}/{kind}").as_str()).map(Vec::as_slice)
}

/// The columns of a kind for which Kubernetes has defined none.
fn plain() -> Vec<Column> {
    let created = Source::Field { pointer: "/metadata/creationTimestamp".into(), default: json!("") };
    vec![Column::name(), Column { kind: "date".into(), ..Column::text("Created At", created) }]
}

/// The columns that a version's `additionalPrinterColumns` ask for, or the age alone.
pub(crate) fn of_custom(wanted: &Value) -> Vec<Column> {
    let age = json!([{ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" }]);
    let wanted = if meta::items(wanted).is_empty() { &age } else { wanted };
    let mut columns = vec![Column::name()];
    for column in meta::items(wanted) {
        let text = |field: &str| column[field].as_str().unwrap_or_default().to_owned();
        let path = text("jsonPath");
        let description = match text("description") {
            described if !described.is_empty() => described,
            _ => format!("Custom resource definition column (in JSONPath format): {path}"),
        };
        let source = Source::Path { steps: custom::parse(&path), kind: text("type") };
        columns.push(Column {
            kind: text("type"),
            format: text("format"),
            description,
            priority: column["priority"].as_i64().unwrap_or(0),
            ..Column::text(&text("name"), source)
        });
    }
    columns
}

fn parse(line: &'static str) -> Option<(&'static str, Vec<Column>)> {
    let mut parts = line.split(" | ");
    let kind = parts.next().filter(|kind| !kind.starts_with('#'))?;
    Some((kind, parts.map(column).collect()))
}

fn column(text: &str) -> Column {
    let (head, source) = text.split_once(" = ").unwrap_or((text, ""));
    let (head, priority) = head.strip_suffix('!').map_or((head, 0), |head| (head, 1));
    let (name, kind, zero) = match (head.strip_suffix('#'), head.strip_suffix('%')) {
        (Some(name), _) => (name, "integer", json!(0)),
        (_, Some(name)) => (name, "boolean", json!(false)),
        _ => (head, "string", json!("")),
    };
    let source = match (name, source) {
        ("Name", "") => ".metadata.name",
        ("Age", "") => "age",
        (_, source) => source,
    };
    let (source, default) = source.split_once(" ?? ").unwrap_or((source, ""));
    let default = match default {
        "" => zero,
        text => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    };
    Column { kind: kind.into(), priority, ..Column::text(name, read(source, default)) }
}

fn read(source: &str, default: Value) -> Source {
    if source.starts_with('.') {
        return Source::Field { pointer: pointer(source), default };
    }
    let mut words = source.split(' ');
    let name = words.next().unwrap_or_default();
    let argument = |word: &str| if word.starts_with('.') { pointer(word) } else { word.to_owned() };
    let function = cells::function(name).expect("the columns name known functions");
    Source::Function { function, arguments: words.map(argument).collect() }
}

fn pointer(path: &str) -> String {
    path.replace('.', "/")
}
