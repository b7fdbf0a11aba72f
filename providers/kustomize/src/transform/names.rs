//! `namePrefix` and `nameSuffix`.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/nameprefix/>

use engine_core::diagnostic::Diagnostics;
use engine_core::value::Text;

use crate::resource::Resource;
use crate::resource_set::ResourceSet;

/// Puts a prefix before the names. References follow when the build is done.
///
/// # Errors
/// None; the form is that of the other transformations.
pub(crate) fn prefix(resources: &mut ResourceSet, prefix: &Text) -> Result<(), Diagnostics> {
    rename(resources, |resource| {
        resource.prefixes.push(prefix.clone());
        format!("{prefix}{}", resource.name()).into()
    })
}

/// Puts a suffix behind the names.
///
/// # Errors
/// None; the form is that of the other transformations.
pub(crate) fn suffix(resources: &mut ResourceSet, suffix: &Text) -> Result<(), Diagnostics> {
    rename(resources, |resource| {
        resource.suffixes.push(suffix.clone());
        format!("{}{suffix}", resource.name()).into()
    })
}

fn rename(resources: &mut ResourceSet, name: impl Fn(&mut Resource) -> Text) -> Result<(), Diagnostics> {
    resources.change_all(|resource| {
        if !keeps_name(resource) {
            resource.remember_id();
            let name = name(resource);
            resource.set_name(name);
        }
        Ok(())
    })
}

/// Tells whether the name is part of what the object defines, or belongs to the cluster.
fn keeps_name(resource: &Resource) -> bool {
    match resource.original().0.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => resource.gvk().group == "apiregistration.k8s.io",
        _ => false,
    }
}
