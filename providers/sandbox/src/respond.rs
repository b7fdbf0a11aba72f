//! Writes answers.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-representations>

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult};
use crate::openapi;
use crate::request::Request;
use crate::resource::Resource;
use crate::rest::{Page, Written};
use crate::router::warning_header;
use crate::table::{self, Column, Include};

/// How a client wants to see objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As they are.
    Full,
    /// Their metadata only.
    Metadata,
    /// As rows of a table.
    Table(Include),
}

/// Whether a table still has to tell its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    Wanted,
    Sent,
}

impl View {
    /// Reads what a request accepts: the first form that the sandbox knows.
    ///
    /// # Errors
    /// If the sandbox knows none of them, or a table is wanted with objects that are neither metadata nor whole.
    pub fn of(request: &Request) -> ApiResult<Self> {
        let accept = request.header(header::ACCEPT);
        if accept.is_empty() {
            return Ok(Self::Full);
        }
        for clause in accept.split(',').map(|clause| clause.replace(' ', "")) {
            let mut parts = clause.split(';');
            let is_json = matches!(parts.next(), Some("application/json" | "application/*" | "*/*"));
            let wanted = parts.find_map(|part| part.strip_prefix("as="));
            match wanted {
                _ if !is_json => {}
                Some("Table") => return include(request).map(Self::Table),
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Ok(Self::Metadata),
                Some(_) => {}
                None => return Ok(Self::Full),
            }
        }
        let why = "only the following media types are accepted: application/json";
        Err(ApiError::NotAcceptable(why.into()))
    }

    /// An object in this view.
    pub fn show(self, resource: &Resource, object: &Value, heading: Heading) -> Value {
        match self {
            Self::Full => object.clone(),
            Self::Metadata => table::metadata(object),
            Self::Table(include) => tabulated(table::of(resource), object, include, heading),
        }
    }
}

/// A table with one row.
fn tabulated(columns: &[Column], object: &Value, include: Include, heading: Heading) -> Value {
    let mut shown = json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": { "resourceVersion": object["metadata"]["resourceVersion"] },
        "columnDefinitions": null, "rows": [table::row(columns, object, include)],
    });
    if heading == Heading::Wanted {
        shown["columnDefinitions"] = table::definitions(columns);
    }
    shown
}

fn include(request: &Request) -> ApiResult<Include> {
    match request.query.get("includeObject") {
        "" | "Metadata" => Ok(Include::Metadata),
        "None" => Ok(Include::Nothing),
        "Object" => Ok(Include::Object),
        other => Err(ApiError::BadRequest(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', \
             'Object', 'None', or empty"
        ))),
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

    /// A JSON document for readers.
    pub fn pretty(value: &Value) -> Self {
        Self::bytes(StatusCode::OK, "application/json", format!("{value:#}").into_bytes())
    }

    /// The scale of a resource, whose table has columns of its own.
    pub fn scale(scale: &Value, view: View) -> Self {
        match view {
            View::Table(include) => {
                Self::json(&tabulated(table::of_scale(), scale, include, Heading::Wanted))
            }
            _ => Self::json(scale),
        }
    }

    /// A JSON document that was made by the request.
    pub fn created(value: &Value) -> Self {
        Self { code: StatusCode::CREATED, ..Self::json(value) }
    }

    /// The document of `OpenAPI` 2, in the form that the client accepts.
    pub fn second_openapi(accept: &str) -> Self {
        let (content_type, bytes) = openapi::second_version(accept);
        Self::bytes(StatusCode::OK, content_type, bytes)
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
    pub fn object(resource: &Resource, object: &Value, view: View) -> Self {
        match view {
            View::Full => Self::bytes(StatusCode::OK, "application/json", object.to_string().into_bytes()),
            _ => Self::json(&view.show(resource, object, Heading::Wanted)),
        }
    }

    /// The result of a write.
    pub fn written(resource: &Resource, written: Written, view: View) -> Self {
        let mut reply = Self::object(resource, &written.object, view);
        if written.created {
            reply.code = StatusCode::CREATED;
        }
        reply.warnings = written.warnings;
        reply
    }

    /// A page of a list. Items of built-in lists do not repeat their kind.
    pub fn list(resource: &Resource, page: Page, view: View) -> Self {
        let mut metadata = json!({ "resourceVersion": page.version.to_string() });
        if resource.custom.is_some() && view == View::Full {
            metadata["continue"] = json!("");
        }
        if let Some(next) = page.next {
            metadata["continue"] = json!(next);
        }
        if let Some(remaining) = page.remaining {
            metadata["remainingItemCount"] = json!(remaining);
        }
        let (kind, api_version, member) = match view {
            View::Full => (resource.list_kind.as_str(), resource.api_version.as_str(), "items"),
            View::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1", "items"),
            View::Table(_) => ("Table", "meta.k8s.io/v1", "rows"),
        };
        let mut head = json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata });
        if let View::Table(_) = view {
            head["columnDefinitions"] = table::definitions(table::of(resource));
        }
        let head = head.to_string();
        let items: Vec<String> = page.items.iter().map(|item| item_text(resource, item, view)).collect();
        let open = head.strip_suffix('}').unwrap_or(&head);
        let bytes = format!("{open},\"{member}\":[{}]}}", items.join(","));
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

    /// Says that what was asked is not done yet.
    pub fn accept(&mut self) {
        self.code = StatusCode::ACCEPTED;
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
        View::Metadata => table::metadata(item).to_string(),
        View::Table(include) => table::row(table::of(resource), item, include).to_string(),
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
