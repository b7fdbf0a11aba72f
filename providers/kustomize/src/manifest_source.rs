//! The port through which a definition asks for overlays.

use std::path::{Path, PathBuf};

use engine_core::diagnostic::Diagnostics;
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use engine_core::value::Text;

use crate::{Image, Overlay, Replica, render};

/// Renders the overlays of one repository.
#[derive(Debug, Clone)]
pub struct Kustomize {
    repository: PathBuf,
}

impl Kustomize {
    /// Renders overlays below this directory; nothing outside it is read.
    pub fn new(repository: &Path) -> Self {
        Self { repository: repository.to_path_buf() }
    }
}

impl ManifestSource for Kustomize {
    fn overlay(&self, request: &OverlayRequest) -> Result<Rendered, Diagnostics> {
        let replicas = request.replicas.iter().map(|(name, count)| Replica {
            name: name.clone(),
            // The API server refuses far smaller numbers than the largest `i64`.
            count: i64::try_from(*count).unwrap_or(i64::MAX),
        });
        let rendered = render(&Overlay {
            path: PathBuf::from(&request.path),
            repository: self.repository.clone(),
            images: request.images.iter().map(|(name, text)| image(name, text)).collect(),
            replicas: replicas.collect(),
            namespace: request.namespace.clone(),
        });
        let rendered = rendered.map_err(|faults| faults.at_least_at(request.span.as_ref()))?;
        let objects = rendered.objects.into_iter().map(|object| (object.value, Some(object.origin)));
        let digests = rendered.files.iter().filter_map(|(path, digest)| {
            let digest = digest.parse().ok()?;
            Some((path.to_string_lossy().into_owned(), digest))
        });
        Ok(Rendered { objects: objects.collect(), warnings: rendered.warnings, files: digests.collect() })
    }
}

/// Reads what to make of an image: a whole reference, or, without `/`, `:` and `@`, only a tag.
fn image(name: &Text, text: &str) -> Image {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(Text::from(digest))),
        None => (text, None),
    };
    // A colon in front of a slash belongs to the registry's port.
    let (new_name, new_tag) = match rest.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => (before, Some(Text::from(tag))),
        _ if rest.contains('/') || digest.is_some() => (rest, None),
        _ => ("", Some(Text::from(rest))),
    };
    let new_name = (!new_name.is_empty()).then(|| Text::from(new_name));
    Image { name: name.clone(), new_name, new_tag, digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_references_or_tags() {
        for (text, name, tag, digest) in [
            ("v2", None, Some("v2"), None),
            ("registry:5000/app", Some("registry:5000/app"), None, None),
            ("registry:5000/app:v2", Some("registry:5000/app"), Some("v2"), None),
            ("app:v2", Some("app"), Some("v2"), None),
            ("app@sha256:aa", Some("app"), None, Some("sha256:aa")),
            ("app:v2@sha256:aa", Some("app"), Some("v2"), Some("sha256:aa")),
        ] {
            let found = image(&"web".into(), text);
            let text_of = |text: &Option<Text>| text.as_ref().map(ToString::to_string);
            assert_eq!(
                (
                    text_of(&found.new_name).as_deref(),
                    text_of(&found.new_tag).as_deref(),
                    text_of(&found.digest).as_deref()
                ),
                (name, tag, digest),
                "{text}"
            );
        }
    }
}
