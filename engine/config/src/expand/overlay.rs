//! Rendered overlays, each rendered once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use engine_core::value::Text;

use crate::codes::FILL;

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
