//! Structural schemas: what the schema of a `CustomResourceDefinition` makes of a custom resource.
//!
//! Plans judge with it the custom resources of kinds that they bring, of which no server can be asked yet, and the sandbox
//! those that it is sent. It does no I/O and knows nothing of clusters; its answers are compared with those of
//! kube-apiserver.
//!
//! The costs of rules in CEL (`x-kubernetes-validations`) are not estimated, and types in them are not checked before they
//! are evaluated.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/>

mod schema;

mod defaults;
mod fault;
mod merge_type;
mod unknown;

pub mod formats;
pub mod lists;
pub mod paths;
mod read;
pub mod rules;
pub mod validate;

pub use defaults::apply_defaults;
pub use fault::FieldError;
pub use merge_type::object_type;
pub use schema::{Faults, Schema};
pub use unknown::unknown_fields;
