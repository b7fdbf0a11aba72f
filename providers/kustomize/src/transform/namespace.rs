//! `namespace`: puts namespaced objects, and what names a namespace in others, into one namespace.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/namespace/>

use std::collections::HashMap;

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::value::Value;

use super::{FieldSpec, shape_fault};
use crate::codes;
use crate::field_path::{self, Missing, ShapeError};
use crate::resource::{Id, Resource, text_of};
use crate::resource_set::ResourceSet;

const FIELDS: [FieldSpec; 2] = [
    FieldSpec {
        group: "apiregistration.k8s.io",
        version: "",
        kind: "APIService",
        path: &["spec", "service", "namespace"],
        create: true,
    },
    FieldSpec {
        group: "apiextensions.k8s.io",
        version: "",
        kind: "CustomResourceDefinition",
        path: &["spec", "conversion", "webhook", "clientConfig", "service", "namespace"],
        create: false,
    },
];

/// Sets the namespace of every object.
///
/// # Errors
/// Two objects become one, or a field that names a namespace is no scalar.
pub(crate) fn apply(resources: &mut ResourceSet, namespace: &str) -> Result<(), Diagnostics> {
    // Ids as they are while the objects change one by one: a clash on the way is refused like one at the end.
    let mut ids: HashMap<Id, usize> = HashMap::new();
    for resource in resources.iter() {
        *ids.entry(resource.id().clone()).or_default() += 1;
    }
    resources.change_all(|resource| {
        if let Some(count) = ids.get_mut(resource.id()) {
            *count = count.saturating_sub(1);
        }
        resource.remember_id();
        set_namespace(resource, namespace)
            .map_err(|error| shape_fault(resource, "setting the namespace of", &error))?;
        resource.refresh_id();
        let count = ids.entry(resource.id().clone()).or_default();
        *count += 1;
        if *count > 1 {
            let summary = format!("namespace `{namespace}` gives two objects the id {}", resource.id());
            return Err(Diagnostic::error(codes::DUPLICATE_OBJECT, summary)
                .at(resource.origin.clone())
                .into());
        }
        Ok(())
    })
}

fn set_namespace(resource: &mut Resource, namespace: &str) -> Result<(), ShapeError> {
    let gvk = resource.gvk().clone();
    let mut set = |value: &mut Value| field_path::set_scalar(value, Value::string(namespace), "namespace");
    let map = &mut resource.value;
    if !gvk.is_cluster_scoped() {
        field_path::visit(map, &["metadata", "namespace"], Missing::MakeScalar, &mut set)?;
    }
    if gvk.kind == "RoleBinding" || gvk.kind == "ClusterRoleBinding" {
        field_path::visit(map, &["subjects"], Missing::Skip, &mut |subjects| {
            set_default_subjects(subjects, namespace)
        })?;
    }
    if gvk.kind == "Namespace" && gvk.group.is_empty() && gvk.version == "v1" {
        field_path::visit(map, &["metadata", "name"], Missing::MakeScalar, &mut set)?;
    }
    for field in &FIELDS {
        if field.applies_to(&gvk.group, &gvk.version, &gvk.kind) {
            let missing = if field.create { Missing::MakeScalar } else { Missing::Skip };
            field_path::visit(map, field.path, missing, &mut set)?;
        }
    }
    Ok(())
}

/// Sets the namespace of the subjects named `default`, the account that every namespace has.
fn set_default_subjects(subjects: &mut Value, namespace: &str) -> Result<(), ShapeError> {
    let shape = || ShapeError { field: "subjects".to_owned(), wanted: "a list of maps" };
    match subjects {
        Value::Null => Ok(()),
        Value::List(items) => {
            for subject in std::sync::Arc::make_mut(items) {
                match subject {
                    Value::Null => {}
                    Value::Map(map) => {
                        if text_of(map.get("name")) == "default" {
                            map.insert("namespace".into(), Value::string(namespace));
                        }
                    }
                    _ => return Err(shape()),
                }
            }
            Ok(())
        }
        _ => Err(shape()),
    }
}
