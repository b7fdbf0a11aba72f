//! Label and field selectors of lists and watches.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api> and
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/>

mod fields;
mod labels;

use serde_json::Value;

pub(crate) use fields::required_name;

use crate::error::ApiResult;
use crate::request::Params;
use crate::resource::Resource;

/// Requirements that an object must meet, all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<labels::Requirement>,
    fields: Vec<fields::Term>,
}

impl Selector {
    /// Reads both selectors of a request on a resource; either may be absent.
    ///
    /// # Errors
    /// If one cannot be read, or names a field that the kind does not select by.
    pub fn of(resource: &Resource, query: &Params) -> ApiResult<Self> {
        let labels = labels::parse(query.get("labelSelector"))?;
        Ok(Self { labels, fields: fields::parse(resource, query.get("fieldSelector"))? })
    }

    /// Reads a `LabelSelector` object; an empty one selects everything.
    pub fn of_object(selector: &Value) -> Self {
        Self { labels: labels::of_object(selector), fields: Vec::new() }
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it selects this object.
    pub fn matches(&self, object: &Value) -> bool {
        self.matches_labels(&object["metadata"]["labels"])
            && self.fields.iter().all(|term| term.holds(object))
    }

    /// Whether its label requirements hold for these labels.
    pub fn matches_labels(&self, labels: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(labels))
    }
}
