//! Reading and writing `ObjectMeta` inside a JSON object.

use serde_json::{Map, Value, json};

/// The text at `/metadata/<field>`, or an empty one.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

/// The object's name, or an empty text.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "name")
}

/// The object's name, or what the name that it does not have yet will begin with.
pub(crate) fn stated_name(object: &Value) -> &str {
    let name = name(object);
    if name.is_empty() { text(object, "generateName") } else { name }
}

/// The object's namespace, or an empty text.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// The object's uid, or an empty text.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// The object's resourceVersion; 0 if it has none.
pub(crate) fn version(object: &Value) -> u64 {
    text(object, "resourceVersion").parse().unwrap_or(0)
}

/// The object's generation; 0 if it has none.
pub(crate) fn generation(object: &Value) -> i64 {
    object["metadata"]["generation"].as_i64().unwrap_or(0)
}

/// One label's value.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"][key].as_str()
}

/// One annotation's value.
pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["annotations"][key].as_str()
}

/// Whether deletion was asked and waits for finalizers.
pub(crate) fn is_terminating(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// The finalizers of the object.
pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    strings(&object["metadata"]["finalizers"])
}

/// The texts of a JSON list; anything else is skipped.
pub(crate) fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The items of a JSON list, or nothing.
pub(crate) fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// The child map `key` of an object, made if it is absent or null; `None` if something else is there.
pub(crate) fn child<'a>(object: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    let entry = object.as_object_mut()?.entry(key).or_insert(Value::Null);
    if entry.is_null() {
        *entry = json!({});
    }
    entry.as_object_mut()
}

/// Sets `/metadata/<field>`; null removes it.
pub(crate) fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(metadata) = child(object, "metadata") {
        if value.is_null() {
            metadata.remove(field);
        } else {
            metadata.insert(field.to_owned(), value);
        }
    }
}

/// Removes `/<field>` of the object itself and returns it.
pub(crate) fn take(object: &mut Value, field: &str) -> Option<Value> {
    object.as_object_mut()?.remove(field)
}

/// Sets or removes `/<field>` of the object itself.
pub(crate) fn put(object: &mut Value, field: &str, value: Option<Value>) {
    if let Some(map) = object.as_object_mut() {
        match value {
            Some(value) => map.insert(field.to_owned(), value),
            None => map.remove(field),
        };
    }
}

/// An ownerReference to `owner` as controllers write it.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/>
pub(crate) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner),
        "uid": uid(owner), "controller": true, "blockOwnerDeletion": true,
    })
}

/// Now, in RFC 3339 with whole seconds, as Kubernetes writes times.
pub(crate) fn now() -> String {
    after(0)
}

/// The time in so many seconds, or now if there is no such time.
pub(crate) fn after(seconds: i64) -> String {
    let now = jiff::Timestamp::now();
    let time = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A random suffix of `length` characters (at most 16) from the alphabet of Kubernetes' generated names, which has no
/// vowels and no look-alikes.
pub(crate) fn random_suffix(length: usize) -> String {
    suffix_of(uuid::Uuid::new_v4().as_bytes(), length)
}

/// The same alphabet, for a hash: equal input gives an equal suffix.
pub(crate) fn suffix_of(bytes: &[u8], length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let pick = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    bytes.iter().take(length).map(pick).collect()
}

/// FNV-1a over the canonical text of a value: stable between runs, and no secret depends on it.
pub(crate) fn hash(value: &Value) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    value.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, fold)
}
