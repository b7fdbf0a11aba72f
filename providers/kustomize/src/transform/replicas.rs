//! `replicas`.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replicas/>

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::value::Value;

use super::shape_fault;
use crate::codes;
use crate::field_path::{self, Missing};
use crate::kustomization::Replica;
use crate::resource_set::ResourceSet;

const KINDS: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

/// Sets the replicas of every workload that has or had the name.
///
/// # Errors
/// No workload has it.
pub(crate) fn apply(
    resources: &mut ResourceSet,
    replica: &Replica,
    span: Option<&SourceSpan>,
) -> Result<(), Diagnostics> {
    let mut found = false;
    resources.change_each(|resource| {
        let fits = |kind: &str, name: &str| name == replica.name && KINDS.contains(&kind);
        let is_named = resource.previous.iter().any(|id| fits(&id.kind, &id.name))
            || fits(resource.kind(), resource.name());
        if !is_named {
            return Ok(());
        }
        found = true;
        if !KINDS.contains(&resource.kind().as_str()) {
            return Ok(());
        }
        let mut set =
            |value: &mut Value| field_path::set_scalar(value, Value::from(replica.count), "replicas");
        field_path::visit(&mut resource.value, &["spec", "replicas"], Missing::MakeScalar, &mut set)
            .map_err(|error| shape_fault(resource, "setting the replicas of", &error))
    })?;
    if found {
        return Ok(());
    }
    let summary = format!(
        "no Deployment, ReplicaSet, ReplicationController or StatefulSet is named `{}`",
        replica.name
    );
    Err(Diagnostic::error(codes::REPLICAS_TARGET, summary).at(span.cloned()).into())
}
