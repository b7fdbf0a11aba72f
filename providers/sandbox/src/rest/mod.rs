//! The verbs of the API on resources.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

mod create;
mod delete;
mod deletion;
mod list;
mod patch;
mod pointer;
mod scale;
mod strategic;
mod strategy;
mod update;
mod watch;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::FieldError;
use crate::request::WriteOptions;

pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use deletion::{DeleteOptions, Propagation};
pub(crate) use list::{Page, list, read};
pub(crate) use patch::{PatchKind, apply, patch};
pub(crate) use scale::{ScalePaths, apply_scale, patch_scale, read_scale, replace_scale};
pub(crate) use update::{is_created_by_replacement, replace};
pub(crate) use watch::{WatchOptions, watch};

/// Who writes, how, and through which subresource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'a> {
    pub options: &'a WriteOptions,
    /// Empty for the object itself.
    pub subresource: &'a str,
}

/// The result of a write.
#[derive(Debug)]
pub(crate) struct Written {
    /// The object as stored, or as it would be stored.
    pub object: Arc<Value>,
    /// Whether it is new.
    pub created: bool,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
}

/// Reads a resourceVersion that a request states; `None` if it states none.
///
/// # Errors
/// What is wrong with it, in Kubernetes' words.
fn number_in(version: &str) -> Result<Option<u64>, String> {
    if version.is_empty() {
        return Ok(None);
    }
    version.parse().map(Some).map_err(|_| {
        let detail = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
        FieldError::invalid("resourceVersion", &json!(version), &detail).to_string()
    })
}
