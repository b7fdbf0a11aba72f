//! The blocks that give objects: `manifest`, `manifests` and `kustomization`.

use std::collections::BTreeMap;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::sensitive::SensitivePaths;
use engine_core::value::{Text, Value};
use rayon::prelude::*;

use super::block::Site;
use super::frame::Instance;
use super::namespaces;
use super::object::{checked_manifest, kept};
use super::scope::Uses;
use super::{Frame, Walk};
use crate::codes::{INVALID_ARGUMENT, UNKNOWN_IDENTITY};
use crate::expr_value::{Entries, ExprValue};
use crate::module::{Argument, Body, Expr, typed};
use crate::types::Type;

/// Objects in order, each with the place it comes from.
pub(super) type Objects = Vec<(Value, Option<SourceSpan>)>;

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
            Body::Secret(secret) => self.secret(frame, site, secret, uses)?,
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
        mut objects: Objects,
        span: &SourceSpan,
    ) -> Result<ExprValue, Diagnostics> {
        namespaces::drop_from_cluster_scoped(&mut objects);
        let checked = objects.into_par_iter().map(|(body, place)| {
            let at = place.as_ref().unwrap_or(span);
            let value = site.declaration.referenced.then(|| ExprValue::from(&body));
            let nothing = (SensitivePaths::default(), Vec::new());
            Ok((checked_manifest(site, body, nothing, at)?, place, value))
        });
        let checked: Vec<Result<_, Diagnostics>> = checked.collect();
        let mut faults = Diagnostics::default();
        let mut kept = Vec::new();
        for found in checked {
            match found {
                Ok((manifest, place, value)) => {
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

    pub(super) fn namespace(
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
    pub(super) fn known(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        (expr, name, ty): (&Expr, &str, &Type),
        uses: &mut Uses,
    ) -> Result<Option<ExprValue>, Diagnostics> {
        let value = self.expr(frame, expr, site.repeated, uses)?;
        let value = typed(&value, ty, name, expr)?;
        if value.contains_ephemeral() {
            return Err(kept(name, site, &expr.span()));
        }
        if value.is_wholly_known() {
            return Ok(Some(value));
        }
        if self.is_provisional() {
            return Ok(None);
        }
        Err(unknown(name, site, &expr.span()))
    }

    pub(super) fn known_map(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        (argument, name, element): (Option<&Argument>, &str, &Type),
        uses: &mut Uses,
    ) -> Result<BTreeMap<Text, ExprValue>, Diagnostics> {
        let Some(argument) = argument else {
            return Ok(BTreeMap::new());
        };
        let Some(value) = self.given(frame, argument, site.repeated, uses)? else {
            return Ok(BTreeMap::new());
        };
        let value = crate::convert::convert(&value, &Type::map(element.clone())).map_err(|error| {
            Diagnostic::error(INVALID_ARGUMENT, format!("invalid value for {name}: {error}"))
                .detail(format!("The given value is {value}."))
                .at(argument.span())
                .hint(format!("give a map whose values are of type {element}"))
        })?;
        if value.contains_ephemeral() {
            return Err(kept(name, site, &argument.span()));
        }
        if !value.is_wholly_known() && !self.is_provisional() {
            return Err(unknown(name, site, &argument.span()));
        }
        let entries = value.as_entries().into_iter().flat_map(Entries::iter);
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
