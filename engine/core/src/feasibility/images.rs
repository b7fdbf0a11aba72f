//! Images that are another one tomorrow.

use super::namespace::Namespace;
use super::{FLOATING_IMAGE, about, some_of};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// Finds images without a tag or digest, or with the tag `latest`.
///
/// # Source
/// Kubernetes, Images: image names.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    for workload in &namespace.workloads {
        let images = workload.containers().filter_map(|container| container.str_at(&["image"]));
        let mut floating: Vec<String> =
            images.filter(|image| is_floating(image)).map(str::to_owned).collect();
        floating.sort();
        floating.dedup();
        if floating.is_empty() {
            continue;
        }
        let summary =
            format!("{} runs an image that can change: {}", workload.object.object_ref(), some_of(&floating));
        let diagnostic = Diagnostic::warning(FLOATING_IMAGE, summary)
            .detail("Pods started later may run something else, and no plan shows it.")
            .hint("name a version or a digest");
        found.push(about(workload.object.resource, diagnostic));
    }
}

fn is_floating(image: &str) -> bool {
    // A colon before the last slash belongs to the port of a registry.
    let name = image.rsplit('/').next().unwrap_or(image);
    !image.is_empty()
        && !image.contains('@')
        && name.split_once(':').is_none_or(|(_, tag)| matches!(tag, "" | "latest"))
}

#[cfg(test)]
mod tests;
