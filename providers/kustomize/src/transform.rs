//! The built-in transformations of a kustomization, one file each.

pub(crate) mod images;
pub(crate) mod labels;
pub(crate) mod names;
pub(crate) mod namespace;
pub(crate) mod replicas;
pub(crate) mod shared;

use engine_core::diagnostic::{Diagnostic, Diagnostics};

use crate::codes;
use crate::field_path::ShapeError;
use crate::resource::Resource;

/// Which objects a rule is for; an empty part means any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpec {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub path: &'static [&'static str],
    /// Whether missing fields are made.
    pub create: bool,
}

impl FieldSpec {
    pub(crate) fn applies_to(&self, group: &str, version: &str, kind: &str) -> bool {
        (self.kind.is_empty() || self.kind == kind)
            && (self.group.is_empty() || self.group == group)
            && (self.version.is_empty() || self.version == version)
    }
}

/// Says at which object a transformation stopped.
pub(crate) fn shape_fault(resource: &Resource, doing: &str, error: &ShapeError) -> Diagnostics {
    Diagnostic::error(codes::FIELD_SHAPE, format!("{doing} {}: {error}", resource.id()))
        .at(resource.origin.clone())
        .into()
}
