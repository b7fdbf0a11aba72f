//! Shows objects as rows of a table, which is what `kubectl get` asks for.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables>

mod cells;
mod columns;
mod custom;
mod network;
mod pod;
mod text;
mod workload;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::meta;
use columns::Source;
pub(crate) use columns::{Column, of, of_custom, of_scale};

/// How much of its object each row carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing.
    Nothing,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

/// The `columnDefinitions` of a table.
pub(crate) fn definitions(columns: &[Column]) -> Value {
    columns.iter().map(Column::definition).collect()
}

/// The row of one object.
pub(crate) fn row(columns: &[Column], object: &Value, include: Include) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| cell(column, object)).collect();
    let mut row = json!({ "cells": cells });
    if object["kind"] == "Pod" && object["apiVersion"] == "v1" {
        meta::put(&mut row, "conditions", pod::conditions(object));
    }
    let carried = match include {
        Include::Nothing => None,
        Include::Metadata => Some(metadata(object)),
        Include::Object => Some(object.clone()),
    };
    // A row without its object says so by null.
    row["object"] = carried.unwrap_or(Value::Null);
    row
}

/// An object of which only the metadata is shown.
pub(crate) fn metadata(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
    })
}

fn cell(column: &Column, object: &Value) -> Value {
    match &column.source {
        Source::Field { pointer, default } => match object.pointer(pointer) {
            None | Some(Value::Null) => default.clone(),
            // An absent text and an empty one are the same to Kubernetes' types.
            Some(Value::String(text)) if text.is_empty() => default.clone(),
            Some(found) => found.clone(),
        },
        Source::Function { function, arguments } => function(object, arguments),
        Source::Path { steps, kind } => custom::cell(steps, kind, object),
    }
}
