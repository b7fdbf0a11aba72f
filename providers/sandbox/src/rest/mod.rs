//! The verbs of the API on resources.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

mod create;
mod delete;
mod list;
mod patch;
mod pointer;
mod scale;
mod strategic;
mod strategy;
mod update;
mod watch;

use std::sync::Arc;

use serde_json::Value;

use crate::request::WriteOptions;

pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use list::{Page, Pages, list};
pub(crate) use patch::{PatchKind, apply, patch};
pub(crate) use scale::{ScalePaths, read_scale, write_scale};
pub(crate) use update::replace;
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
