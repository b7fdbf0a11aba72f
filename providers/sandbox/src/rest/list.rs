//! Lists, whole or page by page.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks> and
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::number_in;
use crate::cluster::Cluster;
use crate::convert;
use crate::error::{ApiError, ApiResult, FieldError};
use crate::request::Params;
use crate::resource::Resource;
use crate::selector::Selector;

/// The version of the tokens by which lists go on.
const TOKEN_VERSION: &str = "meta.k8s.io/v1";

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub items: Vec<Arc<Value>>,
    /// The version of the whole list, the same on every page.
    pub version: u64,
    /// How to ask for the next page, if there is one.
    pub next: Option<String>,
    /// How many items follow; unknown where a selector is used.
    pub remaining: Option<usize>,
}

/// What a list starts behind, and what it shows.
struct Start {
    /// The state of the past; `None` is the present.
    version: Option<u64>,
    /// Keys below are on earlier pages.
    key: String,
}

/// Lists a resource in one namespace, or everywhere if `namespace` is empty.
///
/// # Errors
/// 400 for options that cannot be read, 422 for those that contradict each other, 410 for a state that is forgotten.
pub(crate) fn list(
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    query: &Params,
) -> ApiResult<Page> {
    let limit = query.integer("limit")?.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(0);
    let selector = Selector::of(resource, query)?;
    check_options(query)?;
    let start = start(cluster, query, limit)?;
    let version = start.version.unwrap_or(cluster.store.version());
    let Some(objects) = cluster.store.list_at(&resource.group_resource(), namespace, version) else {
        return Err(forgotten(&start));
    };
    // Any state will do for version 0, so it comes from a cache and at once.
    let limit = if query.get("resourceVersion") == "0" || limit == 0 { usize::MAX } else { limit };
    // Tokens tell keys within their list.
    let root = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
    let mut rest = objects.range(format!("{root}{}", start.key)..);
    let mut page = Page { items: Vec::new(), version, next: None, remaining: None };
    let mut last = "";
    for (key, object) in rest.by_ref() {
        let shown = convert::to_version(resource, object);
        if selector.matches(&shown) {
            page.items.push(shown);
            last = &key[root.len()..];
        }
        if page.items.len() >= limit {
            break;
        }
    }
    let following = rest.count();
    if following > 0 {
        page.next = Some(token(&version.to_string(), &format!("{last}\0")));
        page.remaining = selector.is_empty().then_some(following);
    }
    Ok(page)
}

/// Options of a list that contradict each other.
///
/// # Errors
/// 422 then.
pub(super) fn check_options(query: &Params) -> ApiResult<()> {
    let (matching, version) = (query.get("resourceVersionMatch"), query.get("resourceVersion"));
    let at = "resourceVersionMatch";
    let mut errors = Vec::new();
    if !matching.is_empty() {
        if version.is_empty() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            errors.push(FieldError::forbidden(at, why));
        }
        if !query.get("continue").is_empty() {
            let why = "resourceVersionMatch is forbidden when continue is provided";
            errors.push(FieldError::forbidden(at, why));
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            let known = ["Exact", "NotOlderThan", ""].map(str::to_owned);
            errors.push(FieldError::unsupported(at, &json!(matching), &known));
        }
        if matching == "Exact" && version == "0" {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            errors.push(FieldError::forbidden(at, why));
        }
    }
    if !query.get("sendInitialEvents").is_empty() {
        errors.push(FieldError::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::invalid_options("ListOptions", errors)) }
}

fn start(cluster: &Cluster, query: &Params, limit: usize) -> ApiResult<Start> {
    let stated = query.get("resourceVersion");
    let token = query.get("continue");
    if !token.is_empty() {
        let start = start_of(token).map_err(|why| {
            ApiError::BadRequest(format!("invalid continue token: continue key is not valid: {why}"))
        })?;
        if !matches!(stated, "" | "0") {
            let why = "specifying resource version is not allowed when using continue";
            return Err(ApiError::BadRequest(why.into()));
        }
        return Ok(start);
    }
    let asked = number_in(stated)
        .map_err(|why| ApiError::BadRequest(format!("invalid resource version: {why}")))?
        .filter(|version| *version > 0);
    let current = cluster.store.version();
    if let Some(asked) = asked.filter(|asked| *asked > current) {
        return Err(ApiError::TooLargeVersion { asked, current });
    }
    let is_exact = match query.get("resourceVersionMatch") {
        "" => limit > 0,
        matching => matching == "Exact",
    };
    Ok(Start { version: asked.filter(|_| is_exact), key: String::new() })
}

fn forgotten(start: &Start) -> ApiError {
    if start.key.is_empty() {
        return ApiError::Expired("The resourceVersion for the provided list is too old.".into());
    }
    ApiError::ExpiredPage { next: token("-1", &start.key) }
}

// The number stands in the text as such: it may be negative.
fn token(version: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{{\"v\":\"{TOKEN_VERSION}\",\"rv\":{version},\"start\":{}}}", json!(key)))
}

// A token with a negative version goes on in the present.
fn start_of(token: &str) -> Result<Start, String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| error.to_string())?;
    let token: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let written_as = token["v"].as_str().unwrap_or_default();
    if written_as != TOKEN_VERSION {
        return Err(format!("server does not recognize this encoded version {written_as}"));
    }
    let version = token["rv"].as_i64().unwrap_or(0);
    if version == 0 {
        return Err(format!("incorrect encoded start resourceVersion (version {TOKEN_VERSION})"));
    }
    let key = token["start"].as_str().unwrap_or_default().to_owned();
    if key.is_empty() {
        return Err(format!("encoded start key empty (version {TOKEN_VERSION})"));
    }
    Ok(Start { version: u64::try_from(version).ok(), key })
}

/// Reads an object.
///
/// # Errors
/// 404 if it is absent, 504 if its version is asked to lie in the future.
pub(crate) fn read(
    cluster: &Cluster,
    resource: &Resource,
    at: &crate::store::Key,
    query: &Params,
) -> ApiResult<Arc<Value>> {
    let current = cluster.store.version();
    match number_in(query.get("resourceVersion")).map_err(ApiError::Bare)? {
        Some(asked) if asked > current => Err(ApiError::TooLargeVersion { asked, current }),
        _ => cluster.live(resource, &at.namespace, &at.name),
    }
}
