//! Renders Kustomize overlays: source tree in, objects out; no cluster, no process, no network.
//!
//! [`render`] gives what `kubectl kustomize` of kubectl 1.36 (Kustomize 5.8.1) gives: the same objects, in the same
//! order, with the same values. A field that is not supported is an error that names it, never passed over. Beyond
//! Kustomize there are warnings for what it does silently, the place each object comes from, and bounds on what an
//! overlay may read.
//!
//! Stricter than Kustomize: keys that stand twice in a map, tags that YAML does not define, an unknown `behavior` of a
//! generator, two objects with one id under `order: fifo`. Not followed: what a patch makes of null merge keys, the
//! quotes of text that does not need them (see `strategic_merge`), and integers above 2⁵³ turning into doubles under a
//! JSON patch.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/>

mod build;
pub mod codes;
mod decode;
mod field_path;
mod generator;
mod json_patch;
mod kinds;
mod kustomization;
mod manifest_source;
mod objects;
mod order;
mod patch;
mod references;
mod resource;
mod resource_set;
mod selector;
mod source;
mod strategic_merge;
mod transform;
pub mod yaml;

use std::path::PathBuf;

use engine_core::diagnostic::{Diagnostics, SourceSpan};
use engine_core::value::{Text, Value};

use crate::build::Build;
use crate::source::SourceTree;

pub use crate::kustomization::{Image, Replica};
pub use crate::manifest_source::Kustomize;
pub use crate::source::{MAX_BYTES, MAX_FILES};

/// What to render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// The directory of the kustomization, absolute or from the repository's root.
    pub path: PathBuf,
    /// The repository: nothing outside it is read, symbolic links resolved.
    pub repository: PathBuf,
    /// Images to change on top of the overlay, as if an outer kustomization with it as its only resource did. The order
    /// of the objects stays the overlay's own.
    pub images: Vec<Image>,
    /// Replicas to set on top of the overlay.
    pub replicas: Vec<Replica>,
    /// The namespace to set on top of the overlay.
    pub namespace: Option<Text>,
}

/// An overlay's objects and what they were made from.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The objects in the order of `kubectl kustomize`.
    pub objects: Vec<RenderedObject>,
    /// What the user should know: deprecated fields, patches without effect.
    pub warnings: Diagnostics,
    /// Every file read, by its path below the repository, with its SHA-256 in hexadecimal: the input of the build.
    pub files: Vec<(PathBuf, String)>,
}

/// One object of an overlay.
#[derive(Debug, Clone)]
pub struct RenderedObject {
    /// The object.
    pub value: Value,
    /// The document, or the generator's entry, that it comes from.
    pub origin: SourceSpan,
}

/// Renders an overlay. The same files give the same result.
///
/// # Errors
/// Every fault of the first file, or the first step, that has any, with its place and a code of [`codes`].
pub fn render(overlay: &Overlay) -> Result<Rendered, Diagnostics> {
    let tree = SourceTree::open(&overlay.repository).map_err(|error| error.diagnostic(None))?;
    let mut build = Build { tree, warnings: Diagnostics::default() };
    let resources = build.run(overlay)?;
    Ok(Rendered {
        objects: resources
            .into_iter()
            .map(|resource| RenderedObject { value: Value::Map(resource.value), origin: resource.origin })
            .collect(),
        warnings: build.warnings.sorted(),
        files: build.tree.into_files(),
    })
}
