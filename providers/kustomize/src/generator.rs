//! `configMapGenerator` and `secretGenerator`, and the hash that makes a changed one a new object.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator/>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::value::{Map, Text, Value};
use sha2::{Digest as _, Sha256};

use crate::codes;
use crate::decode::{Decoder, Spanned};
use crate::kustomization::{GeneratorOptions, Pairs, decode_generator_options, refuse};
use crate::resource::{Behavior, Resource, text_of};
use crate::resource_set::ResourceSet;
use crate::yaml::Node;

/// How many base64 characters stand in one line.
const LINE_LENGTH: usize = 70;

/// Reads a file by the path that a generator names.
pub(crate) type Load<'a> = dyn FnMut(&Spanned<Text>) -> Result<Vec<u8>, Diagnostics> + 'a;

/// What a generator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    ConfigMap,
    Secret,
}

/// One entry of `configMapGenerator` or `secretGenerator`.
#[derive(Debug)]
pub(crate) struct Generator {
    name: Text,
    namespace: Text,
    secret_type: Text,
    behavior: Behavior,
    files: Vec<Spanned<Text>>,
    literals: Vec<Spanned<Text>>,
    envs: Vec<Spanned<Text>>,
    options: GeneratorOptions,
    pub span: SourceSpan,
}

impl Generator {
    pub(crate) fn decode(decoder: &mut Decoder<'_>, node: &Node) -> Self {
        let mut generator = Self {
            name: Text::default(),
            namespace: Text::default(),
            secret_type: Text::default(),
            behavior: Behavior::Create,
            files: Vec::new(),
            literals: Vec::new(),
            envs: Vec::new(),
            options: GeneratorOptions::default(),
            span: decoder.span(&node.range),
        };
        for entry in decoder.fields(node) {
            let value = &entry.value;
            match entry.key.to_ascii_lowercase().as_str() {
                "name" => generator.name = decoder.text(value),
                "namespace" => generator.namespace = decoder.text(value),
                "type" => generator.secret_type = decoder.text(value),
                "behavior" => generator.behavior = decode_behavior(decoder, value),
                "files" => generator.files = decoder.texts(value),
                "literals" => generator.literals = decoder.texts(value),
                "envs" => {
                    let single = std::mem::replace(&mut generator.envs, decoder.texts(value));
                    generator.envs.extend(single);
                }
                "env" if !value.is_null() => generator.envs.push(decoder.spanned_text(value)),
                "env" => {}
                "options" => generator.options = decode_generator_options(decoder, value),
                _ => refuse(decoder, entry, "a generator"),
            }
        }
        if generator.name.is_empty() {
            decoder.fault(codes::BAD_VALUE, &node.range, "a generator needs a `name`");
        }
        generator
    }

    /// Makes the object. `load` reads a file by the path as written.
    ///
    /// # Errors
    /// A source does not parse, a key comes twice, or a file cannot be read.
    pub(crate) fn generate(
        &self,
        product: Product,
        global: &GeneratorOptions,
        load: &mut Load<'_>,
    ) -> Result<Resource, Diagnostics> {
        let data = self.data(load)?;
        let options = &self.options;
        let mut metadata: Vec<(Text, Value)> = vec![("name".into(), Value::String(self.name.clone()))];
        if !self.namespace.is_empty() {
            metadata.push(("namespace".into(), Value::String(self.namespace.clone())));
        }
        let pairs = [
            ("labels", &global.labels, &options.labels),
            ("annotations", &global.annotations, &options.annotations),
        ];
        for (field, global, local) in pairs {
            if !global.is_empty() || !local.is_empty() {
                metadata.push((field.into(), text_map(global, local)));
            }
        }
        let mut value = Map::default();
        value.insert("apiVersion".into(), Value::string("v1"));
        value.insert("metadata".into(), Value::map(metadata));
        match product {
            Product::ConfigMap => {
                value.insert("kind".into(), Value::string("ConfigMap"));
                put_config_map_data(&mut value, &data);
            }
            Product::Secret => {
                value.insert("kind".into(), Value::string("Secret"));
                let is_plain = self.secret_type.is_empty();
                let secret_type =
                    if is_plain { Text::new_static("Opaque") } else { self.secret_type.clone() };
                value.insert("type".into(), Value::String(secret_type));
                let encoded = data.iter().map(|(key, bytes)| (key.clone(), Value::string(encode(bytes))));
                value.insert("data".into(), Value::map(encoded));
            }
        }
        if options.immutable || global.immutable {
            value.insert("immutable".into(), Value::Bool(true));
        }
        let mut resource = Resource::new(value, self.span.clone());
        resource.behavior = self.behavior;
        resource.needs_hash = !(options.disable_name_suffix_hash || global.disable_name_suffix_hash);
        Ok(resource)
    }

    fn data(&self, load: &mut Load<'_>) -> Result<BTreeMap<Text, Vec<u8>>, Diagnostics> {
        let mut data = BTreeMap::new();
        let mut put = |key: Text, bytes: Vec<u8>, span: &SourceSpan| {
            if data.insert(key.clone(), bytes).is_some() {
                let summary = format!("generator `{}` gives key `{key}` twice", self.name);
                return Err(fault(&summary, span));
            }
            Ok(())
        };
        for source in &self.envs {
            for (key, value) in env_lines(&load(source)?, &source.span)? {
                put(key, value.into_bytes(), &source.span)?;
            }
        }
        for source in &self.literals {
            let (key, value) = literal(&source.value).ok_or_else(|| {
                fault(&format!("`{}` is not of the form key=value", source.value), &source.span)
            })?;
            put(key.into(), value.as_bytes().to_vec(), &source.span)?;
        }
        for source in &self.files {
            let (key, path) = file_source(&source.value).ok_or_else(|| {
                fault(&format!("`{}` is not of the form [key=]path", source.value), &source.span)
            })?;
            let path = Spanned { value: path.into(), span: source.span.clone() };
            put(key.into(), load(&path)?, &source.span)?;
        }
        Ok(data)
    }
}

fn fault(summary: &str, span: &SourceSpan) -> Diagnostics {
    Diagnostic::error(codes::GENERATOR_SOURCE, summary).at(span.clone()).into()
}

fn decode_behavior(decoder: &mut Decoder<'_>, node: &Node) -> Behavior {
    match decoder.text(node).as_str() {
        "" | "create" => Behavior::Create,
        "merge" => Behavior::Merge,
        "replace" => Behavior::Replace,
        _ => {
            decoder.fault(codes::BAD_VALUE, &node.range, "`behavior` must be create, merge or replace");
            Behavior::Create
        }
    }
}

fn text_map(global: &Pairs, local: &Pairs) -> Value {
    let entries = global.iter().chain(local);
    Value::map(entries.map(|(key, value)| (key.clone(), Value::String(value.clone()))))
}

/// Text goes to `data`, other bytes to `binaryData`.
fn put_config_map_data(value: &mut Map, data: &BTreeMap<Text, Vec<u8>>) {
    let (mut texts, mut binaries) = (Vec::new(), Vec::new());
    for (key, bytes) in data {
        match std::str::from_utf8(bytes) {
            Ok(text) => texts.push((key.clone(), Value::string(text))),
            Err(_) => binaries.push((key.clone(), Value::string(encode(bytes)))),
        }
    }
    for (field, entries) in [("data", texts), ("binaryData", binaries)] {
        if !entries.is_empty() {
            value.insert(field.into(), Value::map(entries));
        }
    }
}

/// Encodes bytes as base64; what does not fit one line ends every line with a line break.
fn encode(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    if text.len() < LINE_LENGTH {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE_LENGTH + 1);
    for start in (0..text.len()).step_by(LINE_LENGTH) {
        lines.push_str(&text[start..text.len().min(start + LINE_LENGTH)]);
        lines.push('\n');
    }
    lines
}

/// Splits `key=value`; one pair of quotes around the value goes.
fn literal(source: &str) -> Option<(&str, &str)> {
    let (key, value) = source.split_once('=').filter(|(key, _)| !key.is_empty())?;
    let unquoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some((key, unquoted.unwrap_or(value)))
}

/// Splits `key=path`; without a key it is the file's name.
fn file_source(source: &str) -> Option<(&str, &str)> {
    let Some((key, path)) = source.split_once('=') else {
        let name = source.trim_end_matches('/').rsplit('/').next()?;
        return (!name.is_empty()).then_some((name, source));
    };
    (!key.is_empty() && !path.is_empty() && !path.contains('=')).then_some((key, path))
}

/// Reads lines of `key=value`; blanks before them, comments and a byte order mark go, quotes stay.
fn env_lines(bytes: &[u8], span: &SourceSpan) -> Result<Vec<(Text, String)>, Diagnostics> {
    let text = std::str::from_utf8(bytes).map_err(|_| fault("an env file must be UTF-8", span))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).trim_start())
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (key.into(), value.to_owned()))
        .collect())
}

/// Adds a generated object: as a new one, or into the one that has or had its id.
///
/// # Errors
/// There is none to merge with or to replace, or there is one and neither was asked for.
pub(crate) fn absorb(resources: &mut ResourceSet, mut generated: Resource) -> Result<(), Diagnostics> {
    let id = generated.id().clone();
    let slot = match (resources.with_id_ever(&id).as_slice(), generated.behavior) {
        ([], Behavior::Create) => return resources.add(generated),
        ([], _) => {
            return Err(misbehaved(&generated, &format!("there is no {id} to merge with or to replace")));
        }
        ([_], Behavior::Create) => {
            let summary = format!("{id} is there already; `behavior` must be merge or replace");
            return Err(misbehaved(&generated, &summary));
        }
        ([slot], _) => *slot,
        _ => return Err(misbehaved(&generated, &format!("several objects have or had the id {id}"))),
    };
    let Some(old) = resources.get(slot).cloned() else { return Ok(()) };
    let merges = generated.behavior == Behavior::Merge;
    inherit(&mut generated, &old);
    if merges {
        for field in ["data", "binaryData"] {
            let merged = overlaid(old.value.get(field), generated.value.get(field));
            put(&mut generated.value, field, merged);
        }
    }
    resources.replace(slot, generated);
    Ok(())
}

fn misbehaved(generated: &Resource, summary: &str) -> Diagnostics {
    Diagnostic::error(codes::GENERATOR_BEHAVIOR, summary).at(generated.origin.clone()).into()
}

/// Takes over the old object's name, namespace, labels, annotations and history; the new labels win.
fn inherit(generated: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let merged = overlaid(old.metadata(field), generated.metadata(field));
        generated.set_metadata(field, merged);
    }
    generated.set_name(old.name().clone());
    let namespace = Some(old.namespace()).filter(|namespace| !namespace.is_empty());
    generated.set_metadata("namespace", namespace.map(Value::String));
    generated.previous.clone_from(&old.previous);
    generated.prefixes.clone_from(&old.prefixes);
    generated.suffixes.clone_from(&old.suffixes);
    generated.behavior = old.behavior;
    generated.needs_hash &= old.needs_hash;
}

/// Returns the texts of two maps in one, `None` when there are none.
fn overlaid(old: Option<&Value>, new: Option<&Value>) -> Option<Value> {
    let merged: Map = [old, new]
        .into_iter()
        .filter_map(|value| value.and_then(Value::as_map))
        .flat_map(Map::iter)
        .map(|(key, value)| (key.clone(), Value::String(text_of(Some(value)))))
        .collect();
    (!merged.is_empty()).then_some(Value::Map(merged))
}

fn put(map: &mut Map, field: &str, value: Option<Value>) {
    match value {
        Some(value) => map.insert(field.into(), value),
        None => map.remove(field),
    };
}

/// Puts the hash of its content behind the name of every generated object that wants it.
///
/// # Errors
/// None; the form is that of the other transformations.
pub(crate) fn add_hashes(resources: &mut ResourceSet) -> Result<(), Diagnostics> {
    for slot in resources.slots() {
        resources.change(slot, |resource| {
            if resource.needs_hash {
                let hash = content_hash(&resource.value);
                resource.remember_id();
                resource.set_name(format!("{}-{hash}", resource.name()).into());
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Returns the ten characters that stand for an object's content: of the SHA-256 of its kind, type and data in compact
/// JSON, the first hexadecimal digits, those that could spell words replaced. The name counts as empty.
fn content_hash(object: &Map) -> String {
    let kind = text_of(object.get("kind"));
    let (plain, optional) = if kind == "Secret" {
        (["data", "type"].as_slice(), "stringData")
    } else {
        (["data"].as_slice(), "binaryData")
    };
    let mut hashed = Map::default();
    hashed.insert("kind".into(), Value::String(kind));
    hashed.insert("name".into(), Value::string(""));
    for field in plain {
        let value = object.get(field).cloned().filter(|value| *value != Value::Null);
        hashed.insert((*field).into(), value.unwrap_or_else(|| Value::string("")));
    }
    if let Some(value @ Value::Map(_)) = object.get(optional) {
        hashed.insert(optional.into(), value.clone());
    }
    let digest = Sha256::digest(go_json(&Value::Map(hashed)));
    let mut hex = String::new();
    for byte in digest.iter().take(5) {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.chars()
        .map(|char| match char {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            other => other,
        })
        .collect()
}

/// Prints compact JSON as Go does: `<`, `>`, `&` and the Unicode line separators are escaped.
fn go_json(value: &Value) -> String {
    let mut json = String::new();
    for char in value.to_string().chars() {
        match char {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(json, "\\u{:04x}", char as u32);
            }
            other => json.push(other),
        }
    }
    json
}

#[cfg(test)]
mod tests;
