//! Overlays: what to render, and each rendered once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use engine_core::value::{Number, Text};

use super::block::Site;
use super::scope::Uses;
use super::{Frame, Walk};
use crate::codes::{FILL, INVALID_ARGUMENT, NO_FILES, OUTSIDE};
use crate::module::Body;
use crate::source::inside;
use crate::types::Type;

/// What tells one rendering from another.
type Key = (String, BTreeMap<Text, Text>, BTreeMap<Text, u64>, Option<Text>);

/// What has been rendered so far.
pub(crate) type Rendering = Mutex<BTreeMap<Key, Rendered>>;

/// Renders overlays.
pub(crate) struct Overlays<'a> {
    /// `None` at apply: only what the plan has rendered is at hand.
    pub(crate) source: Option<&'a dyn ManifestSource>,
    pub(crate) rendered: &'a Rendering,
}

impl Overlays<'_> {
    pub(super) fn render(&self, request: &OverlayRequest) -> Result<Rendered, Diagnostics> {
        let key = (
            request.path.clone(),
            request.images.clone(),
            request.replicas.clone(),
            request.namespace.clone(),
        );
        let lock = || self.rendered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(rendered) = lock().get(&key) {
            return Ok(rendered.clone());
        }
        let Some(source) = self.source else {
            let summary = format!("overlay {} is not part of the plan", request.path);
            return Err(Diagnostic::error(FILL, summary).at(request.span.clone()).into());
        };
        let rendered = source.overlay(request)?;
        lock().insert(key, rendered.clone());
        Ok(rendered)
    }
}

impl Walk<'_> {
    /// Evaluates what to render; `None` when it is not known yet and that is no fault of its own.
    pub(super) fn overlay_request(
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
            let count = value.as_number().and_then(Number::as_i64);
            let count = count.and_then(|count| u64::try_from(count).ok());
            count.map(|count| (name.clone(), count)).ok_or_else(|| {
                Diagnostic::error(INVALID_ARGUMENT, format!("replicas of {name} must be a whole number"))
                    .at(site.declaration.span.clone())
                    .hint("write `replicas = { NAME = 2 }`")
                    .into()
            })
        });
        Ok(Some(OverlayRequest {
            path: directory,
            replicas: counts.collect::<Result<_, Diagnostics>>()?,
            images: images
                .into_iter()
                .filter_map(|(name, value)| Some((name, value.as_text()?.clone())))
                .collect(),
            namespace: self.namespace(frame, site, namespace.as_ref(), uses)?,
            span: Some(path.span()),
        }))
    }

    fn overlay_directory(&self, path: &str, span: &SourceSpan) -> Result<String, Diagnostics> {
        let directory = inside(path).ok_or_else(|| outside(path, span))?;
        let files = self.ground.files;
        let full = files.root().join(Path::new(&directory));
        if !full.is_dir() {
            return Err(Diagnostic::error(NO_FILES, format!("there is no directory {path:?}"))
                .at(span.clone())
                .hint("paths start at the repository's root; \"${path.root}/…\" starts at the environment")
                .into());
        }
        // The directory may be reached through a link that leads out.
        match files.relative(&full) {
            Ok(_) => Ok(directory),
            Err(faults) => Err(faults.into_iter().map(|fault| fault.at(span.clone())).collect()),
        }
    }
}

pub(super) fn outside(path: &str, span: &SourceSpan) -> Diagnostic {
    Diagnostic::error(OUTSIDE, format!("path {path:?} leads out of the repository"))
        .at(span.clone())
        .hint("paths start at the repository's root")
}
