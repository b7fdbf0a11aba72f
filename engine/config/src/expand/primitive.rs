//! The blocks that give objects: `manifest`, `manifests` and `kustomization`.

use std::collections::BTreeMap;
use std::path::Path;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::kind_info::{Scope, builtin_scope};
use engine_core::object_ref::{ApiVersion, GroupKind};
use engine_core::ports::OverlayRequest;
use engine_core::sensitive::SensitivePaths;
use engine_core::value::{Text, Value};

use super::block::Site;
use super::frame::Instance;
use super::scope::Uses;
use super::{Frame, Walk};
use crate::codes::{INVALID_ARGUMENT, MANIFEST, NO_FILES, OUTSIDE, UNKNOWN_IDENTITY};
use crate::expr_value::ExprValue;
use crate::module::{Argument, Body, Expr, typed};
use crate::source::inside;
use crate::types::Type;
use crate::yaml;

/// Objects in order, each with the place it comes from.
type Objects = Vec<(Value, Option<SourceSpan>)>;

impl Walk<'_> {
    /// Evaluates one instance of a primitive.
    pub(super) fn primitive(
        &mut self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        uses: &mut Uses,
    ) -> Result<Instance, Diagnostics> {
        let value = match &site.declaration.body {
            Body::Manifest { object } => self.one_manifest(frame, site, object, uses)?,
            Body::Manifests { files, namespace } => {
                let patterns = self.known(frame, site, (files, "files", &Type::list(Type::String)), uses)?;
                let namespace = self.namespace(frame, site, namespace.as_ref(), uses)?;
                match patterns {
                    None => ExprValue::unknown(Type::Any),
                    Some(patterns) => {
                        let patterns = patterns.as_items().into_iter().flat_map(|items| items.iter());
                        let patterns: Vec<Text> =
                            patterns.filter_map(|item| item.as_text().cloned()).collect();
                        let objects = self.files(&patterns, namespace.as_ref(), &files.span())?;
                        self.many(site, objects, &files.span())?
                    }
                }
            }
            Body::Kustomization { path, .. } => match self.overlay_request(frame, site, uses)? {
                None => ExprValue::unknown(Type::Any),
                Some(request) => {
                    let rendered = self.ground.overlays.render(&request)?;
                    self.warnings.extend(rendered.warnings);
                    for (file, digest) in rendered.files {
                        self.ground.files.note(file, digest);
                    }
                    self.many(site, rendered.objects, &path.span())?
                }
            },
            Body::Read { .. } | Body::Module { .. } => ExprValue::NULL,
        };
        Ok(Instance { stage: site.stage, value, planned: true })
    }

    fn one_manifest(
        &mut self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        object: &Argument,
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        let value = self.argument(frame, object, site.repeated, uses)?;
        let span = object.span();
        let Some(manifest) = self.manifest(site, value.to_plain(), &span)? else {
            return Ok(ExprValue::unknown(Type::Any));
        };
        let kept = if site.declaration.referenced {
            let object_ref = manifest.object_ref();
            let text = |text: &str| ExprValue::string(text);
            ExprValue::object([
                ("api_version".into(), text(&manifest.api_version().to_string())),
                ("kind".into(), text(&object_ref.kind.kind)),
                ("name".into(), text(&object_ref.name)),
                (
                    "namespace".into(),
                    object_ref.namespace.as_ref().map_or(ExprValue::NULL, |namespace| text(namespace)),
                ),
                ("object".into(), value),
            ])
        } else {
            ExprValue::NULL
        };
        self.add_object(site, site.address.clone(), manifest, None);
        Ok(kept)
    }

    /// Adds many objects; their value is a map by key.
    fn many(
        &mut self,
        site: &Site<'_>,
        objects: Objects,
        span: &SourceSpan,
    ) -> Result<ExprValue, Diagnostics> {
        let mut faults = Diagnostics::default();
        let mut kept = Vec::new();
        for (body, place) in objects {
            let at = place.as_ref().unwrap_or(span);
            let value = site.declaration.referenced.then(|| ExprValue::from(&body));
            let nothing = (SensitivePaths::default(), Vec::new());
            match self.checked_manifest(site, body, nothing, at) {
                Ok(manifest) => {
                    let key = Text::from(manifest.object_ref().key());
                    kept.extend(value.map(|value| (key.clone(), value)));
                    self.add_object(site, site.address.object(key), manifest, place);
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(ExprValue::object([("objects".into(), ExprValue::object(kept))]))
        } else {
            Err(faults)
        }
    }

    /// Reads the objects of all files that patterns match.
    fn files(
        &self,
        patterns: &[Text],
        namespace: Option<&Text>,
        span: &SourceSpan,
    ) -> Result<Objects, Diagnostics> {
        let mut objects = Vec::new();
        let mut faults = Diagnostics::default();
        for pattern in patterns {
            let names = match self.matching(pattern, span) {
                Ok(names) => names,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            for name in names {
                let documents = self
                    .ground
                    .files
                    .text(&self.ground.files.root().join(name))
                    .map_err(Diagnostics::from)
                    .and_then(|file| yaml::documents(&file));
                match documents {
                    Ok(documents) => {
                        for (value, place) in documents {
                            objects.extend(items(value, &place)?.into_iter().map(|mut object| {
                                place_in(&mut object, namespace);
                                (object, Some(place.clone()))
                            }));
                        }
                    }
                    Err(found) => faults.extend(found),
                }
            }
        }
        if faults.is_empty() { Ok(objects) } else { Err(faults) }
    }

    /// Returns the files that a pattern matches; `*` and `?` match within the last name of the path.
    fn matching(&self, pattern: &str, span: &SourceSpan) -> Result<Vec<String>, Diagnostic> {
        let path = inside(pattern).ok_or_else(|| outside(pattern, span))?;
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", &path));
        if directory.contains(['*', '?']) {
            let summary = format!("pattern {pattern:?} has a wildcard in a directory's name");
            return Err(Diagnostic::error(INVALID_ARGUMENT, summary).at(span.clone()));
        }
        let files = self.ground.files;
        let names = files.names(&files.root().join(directory))?;
        let found: Vec<String> = names
            .iter()
            .filter(|candidate| matches(name.as_bytes(), candidate.as_bytes()))
            .map(|name| format!("{directory}/{name}"))
            .collect();
        if found.is_empty() {
            return Err(Diagnostic::error(NO_FILES, format!("no file matches {pattern:?}"))
                .at(span.clone())
                .hint("paths start at the repository's root; \"${path.root}/…\" starts at the environment"));
        }
        Ok(found)
    }

    fn overlay_request(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        uses: &mut Uses,
    ) -> Result<Option<OverlayRequest>, Diagnostics> {
        let Body::Kustomization { path, images, replicas, namespace } = &site.declaration.body else {
            return Ok(None);
        };
        let Some(text) = self.known(frame, site, (path, "path", &Type::String), uses)? else {
            return Ok(None);
        };
        let directory = self.overlay_directory(text.as_str().unwrap_or_default(), &path.span())?;
        let images = self.known_map(frame, site, (images.as_ref(), "images", &Type::String), uses)?;
        let replicas = self.known_map(frame, site, (replicas.as_ref(), "replicas", &Type::Number), uses)?;
        let counts = replicas.iter().map(|(name, value)| {
            let count = value.as_number().and_then(engine_core::value::Number::as_i64);
            let count = count.and_then(|count| u64::try_from(count).ok());
            count.map(|count| (name.clone(), count)).ok_or_else(|| {
                Diagnostic::error(INVALID_ARGUMENT, format!("replicas of {name} must be a whole number"))
                    .at(site.declaration.span.clone())
            })
        });
        Ok(Some(OverlayRequest {
            path: directory,
            replicas: counts.collect::<Result<_, _>>()?,
            images: images
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_text()?.clone())))
                .collect(),
            namespace: self.namespace(frame, site, namespace.as_ref(), uses)?,
            span: Some(path.span()),
        }))
    }

    fn overlay_directory(&self, path: &str, span: &SourceSpan) -> Result<String, Diagnostic> {
        let directory = inside(path).ok_or_else(|| outside(path, span))?;
        let files = self.ground.files;
        let full = files.root().join(Path::new(&directory));
        if !full.is_dir() {
            return Err(Diagnostic::error(NO_FILES, format!("there is no directory {path:?}"))
                .at(span.clone())
                .hint("paths start at the repository's root; \"${path.root}/…\" starts at the environment"));
        }
        files.relative(&full).map(|_| directory).map_err(|fault| fault.at(span.clone()))
    }

    fn namespace(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        expr: Option<&Expr>,
        uses: &mut Uses,
    ) -> Result<Option<Text>, Diagnostics> {
        let Some(expr) = expr else { return Ok(None) };
        let value = self.known(frame, site, (expr, "namespace", &Type::String), uses)?;
        Ok(value.and_then(|value| value.as_text().cloned()))
    }

    /// Evaluates an argument that decides which objects there are, so it must be known. `None` when it is not
    /// known yet and that is no fault of its own.
    fn known(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        (expr, name, ty): (&Expr, &str, &Type),
        uses: &mut Uses,
    ) -> Result<Option<ExprValue>, Diagnostics> {
        let value = self.expr(frame, expr, site.repeated, uses)?;
        let value = typed(&value, ty, name, expr)?;
        if value.is_wholly_known() {
            return Ok(Some(value));
        }
        if self.is_provisional() {
            return Ok(None);
        }
        Err(unknown(name, site, &expr.span()))
    }

    fn known_map(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        (argument, name, element): (Option<&Argument>, &str, &Type),
        uses: &mut Uses,
    ) -> Result<BTreeMap<Text, ExprValue>, Diagnostics> {
        let Some(argument) = argument else {
            return Ok(BTreeMap::new());
        };
        let value = self.argument(frame, argument, site.repeated, uses)?;
        let value = crate::convert::convert(&value, &Type::map(element.clone())).map_err(|error| {
            Diagnostic::error(INVALID_ARGUMENT, format!("invalid value for {name}: {error}"))
                .detail(format!("The given value is {value}."))
                .at(argument.span())
        })?;
        if !value.is_wholly_known() && !self.is_provisional() {
            return Err(unknown(name, site, &argument.span()));
        }
        let entries = value.as_entries().into_iter().flat_map(|entries| entries.iter());
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

fn unknown(name: &str, site: &Site<'_>, span: &SourceSpan) -> Diagnostics {
    let summary = format!("{name} of {} is known only after apply", site.address);
    Diagnostic::error(UNKNOWN_IDENTITY, summary)
        .detail("A plan must be able to say which objects there are.")
        .at(span.clone())
        .into()
}

fn outside(path: &str, span: &SourceSpan) -> Diagnostic {
    Diagnostic::error(OUTSIDE, format!("path {path:?} leads out of the repository"))
        .at(span.clone())
        .hint("paths start at the repository's root")
}

/// Returns the objects of a document: itself, or the items of a `List`.
///
/// # Source
/// Kubernetes API Concepts, "Collections": `kind: List` is a client-side collection.
fn items(value: Value, place: &SourceSpan) -> Result<Vec<Value>, Diagnostics> {
    let is_list = |value: &Value| value.str_at(&["kind"]) == Some("List") && value.get("items").is_some();
    if !is_list(&value) {
        return Ok(vec![value]);
    }
    let items = value.get("items").and_then(Value::as_list).unwrap_or_default();
    if items.iter().any(is_list) {
        return Err(Diagnostic::error(MANIFEST, "a List within a List").at(place.clone()).into());
    }
    Ok(items.to_vec())
}

/// Sets the namespace of an object that should have one and has none. Kinds that are not built in are taken
/// to be namespaced.
fn place_in(object: &mut Value, namespace: Option<&Text>) {
    let Some(namespace) = namespace else { return };
    let group = object
        .str_at(&["apiVersion"])
        .and_then(|text| text.parse::<ApiVersion>().ok())
        .map(|version| version.group);
    let (Some(group), Some(kind)) = (group, object.str_at(&["kind"])) else {
        return;
    };
    let scope = builtin_scope(&GroupKind::new(group, kind));
    if scope != Some(Scope::Cluster) && object.str_at(&["metadata", "namespace"]).is_none() {
        object.set_at(&["metadata", "namespace"], Value::String(namespace.clone()));
    }
}

/// Tells whether a name matches a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on when the last `*` takes one more byte.
    let mut retry: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, taken)) = retry else { return false };
                retry = Some((star, taken + 1));
                at = star + 1;
                from = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, want) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?c*", "abc", true),
            ("a?c", "abcd", false),
            ("*a*b", "xaxxb", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), want, "{pattern} {name}");
        }
    }
}
