//! Refusals of the API server, and the Kubernetes `Status` each becomes.

use http::StatusCode;
use serde_json::{Map, Value, json};

pub(crate) use engine_structural::FieldError;

use crate::merge::FieldConflict;

/// What a request handler of the sandbox returns.
pub(crate) type ApiResult<T> = Result<T, ApiError>;

/// Why a request was refused. Texts and codes follow
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/> and what kube-apiserver answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No such object; `resource` is `plural.group`.
    #[error("{} \"{name}\" not found", .resource.qualified())]
    NotFound { resource: GroupResource, name: String },
    /// The path names nothing that is served.
    #[error("404 page not found")]
    NoSuchPath,
    /// The group is served, but nothing of that name in it.
    #[error("the server could not find the requested resource")]
    NoSuchResource,
    /// No form of the answer that the client accepts is served; what is.
    #[error("{0}")]
    NotAcceptable(String),
    /// A create met an object of the same name.
    #[error(
        "{}{} \"{name}\" already exists",
        if *.is_ending { "object is being deleted: " } else { "" },
        .resource.qualified()
    )]
    AlreadyExists { resource: GroupResource, name: String, is_ending: bool },
    /// A precondition (resourceVersion or uid) does not hold.
    #[error("Operation cannot be fulfilled on {} \"{name}\": {why}", .resource.qualified())]
    Conflict { resource: GroupResource, name: String, why: String },
    /// Server-side apply met fields of other managers.
    #[error("{}", apply_conflict_message(.0))]
    ApplyConflict(Vec<FieldConflict>),
    /// The object breaks rules of its kind.
    #[error("{}", invalid_message(.kind, .name, .errors))]
    Invalid { kind: GroupKind, name: String, errors: Vec<FieldError> },
    /// The request itself is malformed.
    #[error("{0}")]
    BadRequest(String),
    /// The caller may not, or admission refused; `name` may be empty.
    #[error("{}", forbidden_message(.resource, .name, .why))]
    Forbidden { resource: GroupResource, name: String, why: String, causes: Vec<Value> },
    /// A JSON patch does not fit the object.
    #[error("the server rejected our request due to an error in our request")]
    Unprocessable,
    /// No or unknown credentials.
    #[error("Unauthorized")]
    Unauthorized,
    /// The resource does not have that verb.
    #[error("the server does not allow this method on the requested resource")]
    MethodNotAllowed,
    /// No handler takes the body's media type.
    #[error("415: Unsupported Media Type")]
    NotConsumed,
    /// The body's media type is not understood.
    #[error("the body of the request was in an unknown format - accepted media types include: {0}")]
    UnsupportedMediaType(String),
    /// The body, or a patch, is over a limit.
    #[error("Request entity too large: {0}")]
    TooLarge(String),
    /// The asked resourceVersion or continue token is gone.
    #[error("{0}")]
    Expired(String),
    /// The state that a continue token belongs to is gone; the list may go on in the present by the token `next`.
    #[error(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
         the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
         Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
         deleted between the time the first chunk was returned and now may show up in the list."
    )]
    ExpiredPage { next: String },
    /// The asked resourceVersion lies in the future.
    #[error("Too large resource version: {asked}, current: {current}")]
    TooLargeVersion { asked: u64, current: u64 },
    /// A failure that Kubernetes reports as a bare 500 without a reason.
    #[error("{0}")]
    Bare(String),
    /// A part of Kubernetes that the sandbox does not simulate.
    #[error("the sandbox does not simulate {0}")]
    NotSimulated(String),
    /// The state on disk could not be written.
    #[error("Internal error occurred: {0}")]
    Internal(String),
}

/// A resource by group and plural.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupResource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural, as in the path.
    pub resource: String,
}

impl GroupResource {
    /// Builds one from its parts.
    pub fn new(group: &str, resource: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned() }
    }

    /// `deployments.apps`, or `pods` for the core group.
    pub fn qualified(&self) -> String {
        qualified(&self.resource, &self.group)
    }
}

/// A kind by group and name.
#[derive(Debug, Clone)]
pub(crate) struct GroupKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
}

fn qualified(noun: &str, group: &str) -> String {
    if group.is_empty() { noun.to_owned() } else { format!("{noun}.{group}") }
}

fn invalid_message(kind: &GroupKind, name: &str, errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in errors.iter().map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let list = texts.join(", ");
    let list = if texts.len() == 1 { list } else { format!("[{list}]") };
    format!("{} {name:?} is invalid: {list}", qualified(&kind.kind, &kind.group))
}

fn forbidden_message(resource: &GroupResource, name: &str, why: &str) -> String {
    match (resource.resource.is_empty(), name.is_empty()) {
        (true, _) => format!("forbidden: {why}"),
        (false, true) => format!("{} is forbidden: {why}", resource.qualified()),
        (false, false) => format!("{} {name:?} is forbidden: {why}", resource.qualified()),
    }
}

fn conflict_with(conflict: &FieldConflict) -> String {
    let mut text = format!("conflict with {:?}", conflict.manager);
    if !conflict.subresource.is_empty() {
        text.push_str(&format!(" with subresource {:?}", conflict.subresource));
    }
    if conflict.operation == "Update" {
        text.push_str(&format!(" using {}", conflict.api_version));
    }
    text
}

// One conflict is said in a line; many are listed under their managers, managers sorted.
fn apply_conflict_message(conflicts: &[FieldConflict]) -> String {
    if let [only] = conflicts {
        return format!("Apply failed with 1 conflict: {}: {}", conflict_with(only), only.field);
    }
    let mut by_manager: std::collections::BTreeMap<String, Vec<&str>> = Default::default();
    for conflict in conflicts {
        by_manager.entry(conflict_with(conflict)).or_default().push(&conflict.field);
    }
    let mut lines = Vec::new();
    for (with, fields) in by_manager {
        lines.push(format!("{}:", with.replacen("conflict", "conflicts", 1)));
        lines.extend(fields.iter().map(|field| format!("- {field}")));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

impl ApiError {
    /// A missing object of a resource.
    pub fn not_found(resource: &GroupResource, name: &str) -> Self {
        Self::NotFound { resource: resource.clone(), name: name.to_owned() }
    }

    /// A refusal on one object, by policy.
    pub fn forbidden(resource: &GroupResource, name: &str, why: String) -> Self {
        Self::Forbidden { resource: resource.clone(), name: name.to_owned(), why, causes: Vec::new() }
    }

    /// A refusal of request options, as Kubernetes reports them.
    pub fn invalid_options(options: &str, errors: Vec<FieldError>) -> Self {
        let kind = GroupKind { group: "meta.k8s.io".into(), kind: options.to_owned() };
        Self::Invalid { kind, name: String::new(), errors }
    }

    /// The HTTP status code and the `reason` of the Status.
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound { .. } | Self::NoSuchPath | Self::NoSuchResource => {
                (StatusCode::NOT_FOUND, "NotFound")
            }
            Self::AlreadyExists { .. } => (StatusCode::CONFLICT, "AlreadyExists"),
            Self::Conflict { .. } | Self::ApplyConflict(_) => (StatusCode::CONFLICT, "Conflict"),
            Self::Invalid { .. } | Self::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
            Self::Forbidden { .. } => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
            Self::UnsupportedMediaType(_) | Self::NotConsumed => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType")
            }
            Self::NotAcceptable(_) => (StatusCode::NOT_ACCEPTABLE, "NotAcceptable"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            Self::Expired(_) | Self::ExpiredPage { .. } => (StatusCode::GONE, "Expired"),
            Self::TooLargeVersion { .. } => (StatusCode::GATEWAY_TIMEOUT, "Timeout"),
            Self::Bare(_) => (StatusCode::INTERNAL_SERVER_ERROR, ""),
            Self::NotSimulated(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }

    /// The `Status` object of this refusal.
    ///
    /// # Source
    /// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/>
    pub fn to_status(&self) -> Value {
        let (code, reason) = self.code();
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.to_string(), "code": code.as_u16(),
        });
        if !reason.is_empty() {
            status["reason"] = json!(reason);
        }
        if let Self::ExpiredPage { next } = self {
            status["metadata"]["continue"] = json!(next);
        }
        if let Some(details) = self.details() {
            status["details"] = Value::Object(details);
        }
        status
    }

    fn details(&self) -> Option<Map<String, Value>> {
        let mut details = Map::new();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                details.insert(key.to_owned(), json!(text));
            }
        };
        match self {
            Self::NotFound { resource, name }
            | Self::AlreadyExists { resource, name, .. }
            | Self::Conflict { resource, name, .. } => {
                put("name", name);
                put("group", &resource.group);
                put("kind", &resource.resource);
            }
            Self::Forbidden { resource, name, causes, .. } => {
                put("name", name);
                put("group", &resource.group);
                put("kind", &resource.resource);
                if !causes.is_empty() {
                    details.insert("causes".into(), json!(causes));
                }
            }
            Self::Invalid { kind, name, errors } => {
                put("name", name);
                put("group", &kind.group);
                put("kind", &kind.kind);
                let causes: Vec<_> = errors.iter().map(FieldError::cause).collect();
                details.insert("causes".into(), json!(causes));
            }
            Self::ApplyConflict(conflicts) => {
                let causes: Vec<_> = conflicts
                    .iter()
                    .map(|c| json!({ "reason": "FieldManagerConflict", "message": conflict_with(c), "field": c.field }))
                    .collect();
                details.insert("causes".into(), json!(causes));
            }
            Self::TooLargeVersion { .. } => {
                let cause =
                    json!({ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" });
                details.insert("causes".into(), json!([cause]));
                details.insert("retryAfterSeconds".into(), json!(1));
            }
            Self::MethodNotAllowed | Self::Unprocessable | Self::NotConsumed | Self::NoSuchResource => {}
            Self::Internal(why) => {
                details.insert("causes".into(), json!([{ "message": why }]));
            }
            _ => return None,
        }
        Some(details)
    }
}
