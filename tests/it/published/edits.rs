//! What other managers do to objects, and whether a plan has to say so.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{Actions, Id, World};

/// What somebody does to an object.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Nothing,
    /// Adds an annotation of its own.
    Annotate,
    /// Gives a declared field another value.
    Change,
    /// Applies the same values under another name.
    CoOwn,
    /// Turns round every list of what it wants to be.
    Reverse,
    Delete,
    /// Empties the list of who owns which field.
    Disown,
    /// The same, and applies an annotation: the server then lists all that was there as written before the first apply.
    DisownAndApply,
}

/// Dealt out in turn, so that every case has all of them, and a run is like the one before.
const EDITS: [Edit; 9] = [
    Edit::Change,
    Edit::Annotate,
    Edit::Delete,
    Edit::Disown,
    Edit::Change,
    Edit::CoOwn,
    Edit::Reverse,
    Edit::DisownAndApply,
    Edit::Nothing,
];

/// Edits the objects of a world, and returns what a plan has to do about it.
pub fn edit(world: &World) -> Actions {
    let mut due = Actions::new();
    for (idx, (path, object)) in world.objects().into_iter().enumerate() {
        let action = match EDITS[idx % EDITS.len()] {
            Edit::Nothing => None,
            Edit::Annotate => annotate(world, &path),
            Edit::Change => change(world, &path, &object),
            Edit::CoOwn => co_own(world, &path, &object),
            Edit::Reverse => reverse(world, &path, &object),
            Edit::Delete => delete(world, &path, &object),
            Edit::Disown => disown(world, &path),
            Edit::DisownAndApply => disown_and_apply(world, &path, &object),
        };
        due.extend(action.map(|action| (Id::of(&object), action.to_owned())));
    }
    due
}

const JSON: &str = "application/json";

fn insist(world: &World, method: &Method, path: &str, media: &str, body: &Value) {
    let (status, answer) = world.send(method, path, media, body);
    assert!(status.is_success(), "{method} {path}: {status} {answer}");
}

fn annotate(world: &World, path: &str) -> Option<&'static str> {
    let body = json!({ "metadata": { "annotations": { "example.com/note": "seen" } } });
    insist(world, &Method::PATCH, path, "application/merge-patch+json", &body);
    None
}

fn disown(world: &World, path: &str) -> Option<&'static str> {
    let body = json!({ "metadata": { "managedFields": [{}] } });
    insist(world, &Method::PATCH, path, "application/merge-patch+json", &body);
    Some("update")
}

fn disown_and_apply(world: &World, path: &str, object: &Value) -> Option<&'static str> {
    let action = disown(world, path);
    let metadata = &object["metadata"];
    let body = json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "annotations": { "example.com/note": "applied" },
        },
    });
    let path = format!("{path}?fieldManager=other-tool");
    insist(world, &Method::PATCH, &path, "application/apply-patch+yaml", &body);
    action
}

fn co_own(world: &World, path: &str, object: &Value) -> Option<&'static str> {
    let metadata = &object["metadata"];
    let mut copy = object.clone();
    copy["metadata"] =
        json!({ "name": metadata["name"], "namespace": metadata["namespace"], "labels": metadata["labels"] });
    copy.as_object_mut()?.remove("status");
    let path = format!("{path}?fieldManager=other-tool&force=true");
    insist(world, &Method::PATCH, &path, "application/apply-patch+yaml", &copy);
    None
}

fn reverse(world: &World, path: &str, object: &Value) -> Option<&'static str> {
    let mut copy = object.clone();
    for name in ["spec", "rules", "subjects", "webhooks"] {
        if let Some(value) = copy.get_mut(name) {
            turn_round(value);
        }
    }
    if copy == *object {
        return None;
    }
    // What is refused has not happened.
    let (status, _) = world.send(&Method::PUT, &format!("{path}?fieldManager=editor"), JSON, &copy);
    status.is_success().then_some("update")
}

fn turn_round(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.reverse();
            items.iter_mut().for_each(turn_round);
        }
        Value::Object(fields) => fields.values_mut().for_each(turn_round),
        _ => {}
    }
}

fn delete(world: &World, path: &str, object: &Value) -> Option<&'static str> {
    // With these, much more would go.
    if ["Namespace", "CustomResourceDefinition"].contains(&object["kind"].as_str()?) {
        return None;
    }
    insist(world, &Method::DELETE, path, JSON, &Value::Null);
    while world.get(path).is_some() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Some("create")
}

/// Changes the first declared value that the server lets another manager change.
fn change(world: &World, path: &str, object: &Value) -> Option<&'static str> {
    let declared = declared(object);
    let is_changed = declared.iter().any(|pointer| is_accepted(world, path, object, pointer));
    // A ServiceAccount, say, may have nothing but its name.
    assert!(is_changed || declared.is_empty(), "{path}: none of {declared:#?} can be changed");
    is_changed.then_some("update")
}

/// Tells whether the server takes another value of a field, and keeps it as it is.
fn is_accepted(world: &World, path: &str, object: &Value, pointer: &str) -> bool {
    let others = match object.pointer(pointer) {
        // Any text, one that is base64 as well, and a level of pod security.
        Some(Value::String(text)) => {
            vec![json!(format!("{text}-edited")), json!("ZWRpdGVk"), json!("baseline")]
        }
        Some(Value::Number(number)) => vec![json!(number.as_i64().map(|number| number + 1))],
        Some(Value::Bool(flag)) => vec![json!(!flag)],
        _ => return false,
    };
    let path = format!("{path}?fieldManager=editor");
    others.into_iter().filter(|other| object.pointer(pointer) != Some(other)).any(|other| {
        let patch = json!([{ "op": "replace", "path": pointer, "value": other }]);
        let (status, answer) = world.send(&Method::PATCH, &path, "application/json-patch+json", &patch);
        status == StatusCode::OK && answer.pointer(pointer) == Some(&other)
    })
}

/// The values that Terrane has applied, as JSON pointers, in an order that has nothing to do with that of the fields.
fn declared(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut ours = entries.filter(|entry| {
        entry["operation"] == "Apply"
            && entry["manager"].as_str().is_some_and(|name| name.starts_with("terrane-"))
    });
    let mut found = Vec::new();
    if let Some(entry) = ours.next() {
        collect(&entry["fieldsV1"], object, "", &mut found);
    }
    // Its own marks are another matter.
    found.retain(|pointer| !pointer.contains("/terrane.dev~1"));
    found.sort_by_key(|pointer| {
        pointer.bytes().fold(17_u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(byte))
    });
    found
}

/// Walks a field set along the value that it describes. What tells the items of a list apart is left alone: another
/// value there makes another item.
///
/// # Source
/// <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#fieldsv1-v1-meta>
fn collect(fields: &Value, value: &Value, pointer: &str, found: &mut Vec<String>) {
    let Some(fields) = fields.as_object() else { return };
    if fields.is_empty() {
        return collect_all(value, pointer, found);
    }
    for (name, below) in fields {
        if let Some(name) = name.strip_prefix("f:") {
            let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            collect(below, &value[name], &pointer, found);
        } else if let Some(key) = name.strip_prefix("k:") {
            let key: Value = serde_json::from_str(key).expect("a key is JSON");
            let key = key.as_object().expect("a key is an object");
            let items = value.as_array().into_iter().flatten();
            let is_it = |item: &Value| key.iter().all(|(name, value)| item[name] == *value);
            let Some((idx, item)) = items.enumerate().find(|(_, item)| is_it(item)) else { continue };
            let mut below = below.clone();
            for name in key.keys() {
                below.as_object_mut().map(|below| below.remove(&format!("f:{name}")));
            }
            collect(&below, item, &format!("{pointer}/{idx}"), found);
        }
    }
}

/// Everything in a value that is applied as a whole.
fn collect_all(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(idx, item)| collect_all(item, &format!("{pointer}/{idx}"), found));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_all(value, &format!("{pointer}/{name}"), found);
            }
        }
        _ => found.push(pointer.to_owned()),
    }
}
