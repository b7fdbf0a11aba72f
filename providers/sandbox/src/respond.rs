//! Writes answers.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-representations>

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::resource::Resource;
use crate::rest::{Page, Written};
use crate::router::warning_header;

/// How a client wants to see objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As they are. Also the answer to clients that prefer a table: they accept plain JSON next to it.
    Full,
    /// Their metadata only.
    Metadata,
}

impl View {
    /// Reads an `Accept` header.
    pub fn of(accept: &str) -> Self {
        if accept.contains("as=PartialObjectMetadata") { Self::Metadata } else { Self::Full }
    }

    /// How this view shows an object.
    pub fn shows(self) -> fn(&Value) -> Value {
        match self {
            Self::Full => Value::clone,
            Self::Metadata => |object| {
                json!({
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
                })
            },
        }
    }
}

/// An answer that is not yet on the wire.
pub(crate) struct Reply {
    code: StatusCode,
    content_type: &'static str,
    tag: Option<HeaderValue>,
    warnings: Vec<String>,
    body: ReplyBody,
}

enum ReplyBody {
    Bytes(Vec<u8>),
    // Built after the cluster is unlocked.
    Stream(Box<dyn FnOnce() -> Body + Send>),
}

impl Reply {
    fn bytes(code: StatusCode, content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { code, content_type, tag: None, warnings: Vec::new(), body: ReplyBody::Bytes(bytes) }
    }

    /// A plain text.
    pub fn text(code: StatusCode, text: &str) -> Self {
        Self::bytes(code, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    /// A JSON document.
    pub fn json(value: &Value) -> Self {
        Self::bytes(StatusCode::OK, "application/json", value.to_string().into_bytes())
    }

    /// A JSON document that was made by the request.
    pub fn created(value: &Value) -> Self {
        Self { code: StatusCode::CREATED, ..Self::json(value) }
    }

    /// A discovery document, or nothing if the client has it already.
    pub fn tagged(document: &Value, tag: &str, known: &str) -> Self {
        let mut reply = if known == tag {
            Self::bytes(StatusCode::NOT_MODIFIED, AGGREGATED, Vec::new())
        } else {
            Self::bytes(StatusCode::OK, AGGREGATED, document.to_string().into_bytes())
        };
        reply.tag = HeaderValue::from_str(tag).ok();
        reply
    }

    /// One object.
    pub fn object(object: &Value, view: View) -> Self {
        match view {
            View::Full => Self::bytes(StatusCode::OK, "application/json", object.to_string().into_bytes()),
            View::Metadata => Self::json(&view.shows()(object)),
        }
    }

    /// The result of a write.
    pub fn written(written: Written, view: View) -> Self {
        let mut reply = Self::object(&written.object, view);
        if written.created {
            reply.code = StatusCode::CREATED;
        }
        reply.warnings = written.warnings;
        reply
    }

    /// A page of a list. Items of built-in lists do not repeat their kind.
    pub fn list(resource: &Resource, page: Page, view: View) -> Self {
        let mut metadata = json!({ "resourceVersion": page.version.to_string() });
        if let Some(next) = page.next {
            metadata["continue"] = json!(next);
        }
        if let Some(remaining) = page.remaining {
            metadata["remainingItemCount"] = json!(remaining);
        }
        let (kind, api_version) = match view {
            View::Full => (resource.list_kind.as_str(), resource.api_version.as_str()),
            View::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1"),
        };
        let head = json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata }).to_string();
        let items: Vec<String> = page.items.iter().map(|item| item_text(resource, item, view)).collect();
        let open = head.strip_suffix('}').unwrap_or(&head);
        let bytes = format!("{open},\"items\":[{}]}}", items.join(","));
        Self::bytes(StatusCode::OK, "application/json", bytes.into_bytes())
    }

    /// A refusal.
    pub fn failure(error: &ApiError) -> Self {
        let code = error.code().0;
        match error {
            ApiError::NoSuchPath => Self::text(code, "404 page not found\n"),
            _ => Self::bytes(code, "application/json", error.to_status().to_string().into_bytes()),
        }
    }

    /// A stream of JSON lines.
    pub fn stream(make: impl FnOnce() -> Body + Send + 'static) -> Self {
        let body = ReplyBody::Stream(Box::new(make));
        Self { code: StatusCode::OK, content_type: "application/json", tag: None, warnings: Vec::new(), body }
    }

    /// Adds a text for a `Warning` header.
    pub fn warn(&mut self, text: &str) {
        self.warnings.push(text.to_owned());
    }

    /// The answer as HTTP.
    pub fn into_response(self) -> Response {
        let body = match self.body {
            ReplyBody::Bytes(bytes) => Body::from(bytes),
            ReplyBody::Stream(make) => make(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.code;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        if let Some(tag) = self.tag {
            headers.insert(header::ETAG, tag);
        }
        for warning in self.warnings.iter().filter_map(|text| warning_header(text)) {
            headers.append(header::WARNING, warning);
        }
        response
    }
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

fn item_text(resource: &Resource, item: &Arc<Value>, view: View) -> String {
    match view {
        View::Metadata => view.shows()(item).to_string(),
        View::Full if resource.custom.is_some() => item.to_string(),
        View::Full => {
            let fields = item.as_object().into_iter().flatten();
            let shown = fields.filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion"));
            let texts: Vec<_> =
                shown.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
            format!("{{{}}}", texts.join(","))
        }
    }
}
