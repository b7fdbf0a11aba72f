//! Tests of tables that need no server beside.

use serde_json::{Value, json};

use super::custom;
use super::text::duration;
use crate::resource::Catalog;

#[test]
fn every_column_has_a_source() {
    for resource in Catalog::default().all() {
        let columns = super::of(resource);
        let row = super::row(columns, &json!({ "metadata": { "name": "a" } }), super::Include::Nothing);
        let cells = row["cells"].as_array().map_or(0, Vec::len);
        assert_eq!(super::definitions(columns).as_array().map(Vec::len), Some(cells), "{}", resource.kind);
        assert!(cells >= 2, "{}", resource.kind);
    }
}

#[test]
fn durations_keep_the_digits_that_matter() {
    let table = [
        (-5, "<invalid>"),
        (-1, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (3600, "60m"),
        (4 * 3600 + 60, "4h1m"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (400 * 86_400, "400d"),
        (800 * 86_400, "2y70d"),
        (4000 * 86_400, "10y"),
    ];
    for (seconds, text) in table {
        assert_eq!(duration(seconds), text, "{seconds}");
    }
}

#[test]
fn paths_of_columns_find_their_value() {
    let object = json!({
        "metadata": { "labels": { "a.b/c": "label" } },
        "spec": { "list": [1, 2], "size": 3.0, "on": true, "map": { "x": "y" } },
        "status": { "conditions": [{ "type": "Synced", "status": "False" }, { "type": "Ready", "status": "True" }] },
    });
    let table = [
        (".spec.list[0]", "integer", json!(1)),
        (".spec.list[-1]", "integer", json!(2)),
        (".spec.list[*]", "integer", json!(1)),
        (".spec.on", "boolean", json!(true)),
        (".spec.on", "string", json!("true")),
        (".spec.map", "string", json!(r#"{"x":"y"}"#)),
        (".spec.map", "integer", Value::Null),
        (".spec.missing.deep", "string", Value::Null),
        (r".metadata.labels.a\.b/c", "string", json!("label")),
        (".metadata.labels['a.b/c']", "string", json!("label")),
        (r#".status.conditions[?(@.type=="Ready")].status"#, "string", json!("True")),
        (".status.conditions[?(@.type=='Gone')].status", "string", Value::Null),
        (".spec.list[", "integer", Value::Null),
        ("", "string", Value::Null),
    ];
    for (path, kind, cell) in table {
        assert_eq!(custom::cell(&custom::parse(path), kind, &object), cell, "{path}");
    }
}
