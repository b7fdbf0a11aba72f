//! The HTTP surface: authenticates, reads the request, calls the verb, writes the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use crate::cluster::{Cluster, Shared};
use crate::controllers;
use crate::discovery;
use crate::error::{ApiError, ApiResult};
use crate::openapi;
use crate::rbac::{self, Attempt, User};
use crate::request::{Params, Request, ResourcePath, segments};
use crate::resource::Resource;
use crate::respond::{Reply, View};
use crate::rest::{self, DeleteOptions, PatchKind, WatchOptions, Writing};
use crate::reviews;
use crate::selector;
use crate::store::Key;

/// The largest body that is read, as in kube-apiserver.
const BODY_LIMIT: usize = 3 * 1024 * 1024;

/// Who may come in without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Callers inside this process are the cluster's administrator.
    InProcess,
    /// Callers from the network show a token.
    Network,
}

#[derive(Debug)]
struct Front {
    shared: Shared,
    token: String,
    door: Door,
}

/// A router on this cluster.
pub(crate) fn router(shared: Shared, token: String, door: Door) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Front { shared, token, door }))
}

async fn handle(State(front): State<Arc<Front>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => answer(&front, parts, body),
        Err(_) => Err(ApiError::TooLarge(format!("limit is {BODY_LIMIT}"))),
    };
    answer.unwrap_or_else(|error| Reply::failure(&error)).into_response()
}

fn answer(front: &Front, parts: http::request::Parts, body: axum::body::Bytes) -> ApiResult<Reply> {
    let mut segments = segments(parts.uri.path())?;
    let knows_token = segments.first() == Some(&front.token);
    if knows_token {
        segments.remove(0);
    }
    let user = authenticate(front, &parts.headers, knows_token)?;
    let request = Request {
        method: parts.method,
        segments,
        query: Params::of(&parts.uri)?,
        headers: parts.headers,
        body,
        user,
    };
    let path: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let missing = |error| explain(error, &request.method, &path);
    if let Some(reply) = unowned_path(front, &request, &path).map_err(missing)? {
        return Ok(reply);
    }
    let Some(at) = ResourcePath::of(&request.segments) else {
        let verb = request.method.as_str().to_lowercase();
        let attempt = Attempt::Path { verb, path: format!("/{}", path.join("/")) };
        rbac::authorize(&front.shared.lock(), &request.user, &attempt)?;
        return Err(missing(ApiError::NoSuchPath));
    };
    resource_request(front, &request, &at).map_err(missing)
}

// Below a built-in group, what is not there is told in a Status; discovery is there, but can only be read.
fn explain(error: ApiError, method: &Method, path: &[&str]) -> ApiError {
    let is_known = |group: &str| engine_kinds::builtin::all().iter().any(|kind| kind.group == group);
    let reads = *method == Method::GET;
    match (&error, path) {
        (ApiError::NoSuchPath, ["api" | "apis" | "version"] | ["api", "v1"]) if !reads => {
            ApiError::MethodNotAllowed
        }
        (ApiError::NoSuchPath, ["apis", group] | ["apis", group, "v1"]) if !reads && is_known(group) => {
            ApiError::MethodNotAllowed
        }
        (ApiError::NoSuchPath, ["api", _, ..]) => ApiError::NoSuchResource,
        (ApiError::NoSuchPath, ["apis", group, _, ..]) if is_known(group) => ApiError::NoSuchResource,
        _ => error,
    }
}

fn authenticate(front: &Front, headers: &HeaderMap, knows_token: bool) -> ApiResult<User> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("authorization"), front.door) {
        _ if knows_token => {}
        (None, Door::InProcess) => {}
        (Some(given), _) if given.strip_prefix("Bearer ") == Some(&front.token) => {}
        _ => return Err(ApiError::Unauthorized),
    }
    let groups = headers.get_all("impersonate-group").iter().filter_map(|value| value.to_str().ok());
    Ok(match text("impersonate-user") {
        Some(name) => User::impersonated(name, groups.map(str::to_owned).collect()),
        None => User::admin(),
    })
}

// Paths that name no resource: discovery, health and reviews.
fn unowned_path(front: &Front, request: &Request, path: &[&str]) -> ApiResult<Option<Reply>> {
    let cluster = front.shared.lock();
    let is_get = request.method == Method::GET;
    let allow = || {
        let verb = request.method.as_str().to_lowercase();
        rbac::authorize(
            &cluster,
            &request.user,
            &Attempt::Path { verb, path: format!("/{}", path.join("/")) },
        )
    };
    let wants_aggregated = request.header(header::ACCEPT).contains("as=APIGroupDiscoveryList");
    let found = match path {
        ["healthz" | "readyz" | "livez", ..] if is_get => Some(Reply::text(StatusCode::OK, "ok")),
        ["version"] if is_get => Some(Reply::pretty(&discovery::version())),
        ["api" | "apis"] if is_get && wants_aggregated => {
            let (document, tag) = discovery::aggregated(&cluster.catalog, path == ["api"]);
            Some(Reply::tagged(&document, &tag, request.header(header::IF_NONE_MATCH)))
        }
        ["api"] if is_get => Some(Reply::json(&discovery::core_versions())),
        ["apis"] if is_get => Some(Reply::json(&discovery::group_list(&cluster.catalog))),
        ["apis", group] if is_get => {
            discovery::group(&cluster.catalog, group).map(|value| Reply::json(&value))
        }
        ["api", version] if is_get => {
            discovery::resource_list(&cluster.catalog, "", version).map(|value| Reply::json(&value))
        }
        ["apis", group, version] if is_get => {
            discovery::resource_list(&cluster.catalog, group, version).map(|value| Reply::json(&value))
        }
        ["openapi", "v2"] if is_get => Some(Reply::second_openapi(request.header(header::ACCEPT))),
        ["openapi", "v3"] if is_get => Some(Reply::json(&openapi::index(&cluster.catalog))),
        ["openapi", "v3", root @ ..] if is_get => {
            let found = openapi::document(&cluster.catalog, &root.join("/"));
            let none = || Reply::text(StatusCode::NOT_FOUND, "");
            Some(found.map_or_else(none, |value| Reply::json(&value)))
        }
        ["apis", group @ ("authorization.k8s.io" | "authentication.k8s.io"), "v1", rest @ ..] => {
            return review(&cluster, request, (group, rest)).map(Some);
        }
        _ => return Ok(None),
    };
    allow()?;
    found.map(Some).ok_or(ApiError::NoSuchPath)
}

fn review(cluster: &Cluster, request: &Request, (group, path): (&str, &[&str])) -> ApiResult<Reply> {
    let (namespace, plural) = match path {
        [plural] => ("", *plural),
        ["namespaces", namespace, plural] => (*namespace, *plural),
        _ => return Err(ApiError::NoSuchPath),
    };
    let Some(review) = reviews::find(group, namespace, plural) else {
        return Err(ApiError::NotSimulated(plural.to_owned()));
    };
    if request.method != Method::POST {
        return Err(ApiError::MethodNotAllowed);
    }
    let attempt = Attempt::Resource {
        verb: "create".into(),
        resource: crate::error::GroupResource::new(group, plural),
        subresource: String::new(),
        namespace: namespace.to_owned(),
        name: String::new(),
    };
    rbac::authorize(cluster, &request.user, &attempt)?;
    let asked = request.object(review.kind)?.value;
    reviews::answer(cluster, &request.user, review, asked).map(|answer| Reply::created(&answer))
}

/// Subresources of built-in kinds that need running containers, an issuer of tokens, or a scheduler.
const NOT_SIMULATED: [&str; 12] = [
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "eviction",
    "binding",
    "ephemeralcontainers",
    "resize",
    "token",
    "approval",
    "metrics",
];

/// The warning that comes with the one built-in resource that is deprecated.
const ENDPOINTS: &str = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

fn resource_request(front: &Front, request: &Request, path: &ResourcePath) -> ApiResult<Reply> {
    let mut cluster = front.shared.lock();
    let resource = cluster.catalog.find(&path.group, &path.version, &path.resource).cloned();
    rbac::authorize(&cluster, &request.user, &attempt(request, path))?;
    let resource =
        resource.ok_or_else(|| match discovery::lists_only(&path.group, &path.version, &path.resource) {
            true => ApiError::NotSimulated(path.resource.clone()),
            false => ApiError::NoSuchPath,
        })?;
    check_path(&resource, path)?;
    // An answer that cannot be given is refused before anything is done.
    View::of(request)?;
    let reply = match request.method {
        Method::GET | Method::PATCH if path.subresource == "finalize" => Err(ApiError::MethodNotAllowed),
        Method::GET => read(front, &mut cluster, &resource, request, path),
        Method::POST => post(&mut cluster, &resource, request, path),
        Method::PUT => put(&mut cluster, &resource, request, path),
        Method::PATCH => patch(&mut cluster, &resource, request, path),
        Method::DELETE => remove(&mut cluster, &resource, request, path),
        _ => Err(ApiError::MethodNotAllowed),
    };
    controllers::settle(&mut cluster);
    let mut reply = reply?;
    let deprecation = resource.custom.as_ref().and_then(|custom| custom.deprecation.as_deref());
    if let Some(warning) = deprecation.or_else(|| resource.is("", "endpoints").then_some(ENDPOINTS)) {
        reply.warn(warning);
    }
    Ok(reply)
}

fn check_path(resource: &Resource, path: &ResourcePath) -> ApiResult<()> {
    let sub = path.subresource.as_str();
    if !sub.is_empty() && !resource.has(sub) {
        let is_known = resource.custom.is_none() && NOT_SIMULATED.contains(&sub);
        let full = format!("{}/{sub}", path.resource);
        return Err(match resource.custom {
            _ if is_known => ApiError::NotSimulated(full),
            Some(_) => ApiError::not_found(&resource.group_resource(), &path.name),
            None => ApiError::NoSuchPath,
        });
    }
    match (resource.is_namespaced(), path.namespace.is_empty(), path.name.is_empty()) {
        (true, true, false) | (false, false, _) => Err(ApiError::NoSuchPath),
        _ => Ok(()),
    }
}

fn attempt(request: &Request, path: &ResourcePath) -> Attempt {
    let verb = match (&request.method, path.name.is_empty()) {
        (&Method::GET, _) if request.query.flag("watch") => "watch",
        (&Method::GET, true) => "list",
        (&Method::GET, false) => "get",
        (&Method::POST, _) => "create",
        (&Method::PUT, _) => "update",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, true) => "deletecollection",
        _ => "delete",
    };
    // Who lists the object of one name only needs no right to the others.
    let name = match verb {
        "list" | "watch" | "deletecollection" => {
            selector::required_name(request.query.get("fieldSelector")).unwrap_or_default()
        }
        _ => path.name.clone(),
    };
    // A namespace is an object in itself: roles inside it apply to it too.
    let is_namespace = path.group.is_empty() && path.resource == "namespaces";
    Attempt::Resource {
        verb: verb.to_owned(),
        resource: crate::error::GroupResource::new(&path.group, &path.resource),
        subresource: path.subresource.clone(),
        namespace: if is_namespace { path.name.clone() } else { path.namespace.clone() },
        name,
    }
}

fn read(
    front: &Front,
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    let view = View::of(request)?;
    if path.name.is_empty() && request.query.flag("watch") {
        let options = WatchOptions::of(resource, &path.namespace, &request.query, view)?;
        let shared = front.shared.clone();
        return Ok(Reply::stream(move || Body::from_stream(rest::watch(&shared, options))));
    }
    if path.name.is_empty() {
        let page = rest::list(cluster, resource, &path.namespace, &request.query)?;
        return Ok(Reply::list(resource, page, view));
    }
    let at = Cluster::key(resource, &path.namespace, &path.name);
    if path.subresource == "scale" {
        return rest::read_scale(cluster, resource, &at).map(|scale| Reply::scale(&scale, view));
    }
    let object = rest::read(cluster, resource, &at, &request.query)?;
    Ok(Reply::object(resource, &object, view))
}

fn post(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    if !path.name.is_empty() {
        return Err(ApiError::MethodNotAllowed);
    }
    let mut options = request.write_options("CreateOptions")?;
    let body = request.object(&resource.kind)?;
    options.duplicates = body.duplicates;
    let writing = Writing { options: &options, subresource: "" };
    let written = rest::create(cluster, resource, &path.namespace, body.value, &writing)?;
    Ok(Reply::written(resource, written, View::of(request)?))
}

fn put(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    if path.name.is_empty() {
        return Err(ApiError::MethodNotAllowed);
    }
    let mut options = request.write_options("UpdateOptions")?;
    let is_scale = path.subresource == "scale";
    let body = request.object(if is_scale { "Scale" } else { &resource.kind })?;
    options.duplicates = body.duplicates;
    let writing = Writing { options: &options, subresource: &path.subresource };
    let at = Cluster::key(resource, &path.namespace, &path.name);
    if is_scale {
        return rest::replace_scale(cluster, resource, &at, body.value, &writing)
            .map(|value| Reply::json(&value));
    }
    if rest::is_created_by_replacement(resource) {
        authorize_creation(cluster, &at, request, path)?;
    }
    let written = rest::replace(cluster, resource, &at, body.value, &writing)?;
    Ok(Reply::written(resource, written, View::of(request)?))
}

fn patch(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    if path.name.is_empty() {
        return Err(ApiError::MethodNotAllowed);
    }
    let kind = match request.media_type() {
        "application/json-patch+json" => PatchKind::Json,
        "application/merge-patch+json" => PatchKind::Merge,
        "application/strategic-merge-patch+json" if resource.custom.is_none() => PatchKind::Strategic,
        "application/apply-patch+yaml" => return apply(cluster, resource, request, path),
        _ if resource.custom.is_some() => {
            let accepted =
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(ApiError::UnsupportedMediaType(accepted.into()));
        }
        _ => return Err(ApiError::NotConsumed),
    };
    let mut options = request.patch_options()?;
    let at = Cluster::key(resource, &path.namespace, &path.name);
    let body = kind.read(&request.body)?;
    options.duplicates = body.duplicates;
    let writing = Writing { options: &options, subresource: &path.subresource };
    if path.subresource == "scale" {
        return rest::patch_scale(cluster, resource, &at, (kind, &body.value), &writing)
            .map(|value| Reply::json(&value));
    }
    let written = rest::patch(cluster, resource, &at, (kind, &body.value), &writing)?;
    Ok(Reply::written(resource, written, View::of(request)?))
}

// A write that creates needs the right to create too.
fn authorize_creation(cluster: &Cluster, at: &Key, request: &Request, path: &ResourcePath) -> ApiResult<()> {
    if !path.subresource.is_empty() || cluster.store.get(at).is_some() {
        return Ok(());
    }
    let Attempt::Resource { resource, subresource, namespace, name, .. } = attempt(request, path) else {
        return Err(ApiError::NoSuchPath);
    };
    let creation = Attempt::Resource { verb: "create".into(), resource, subresource, namespace, name };
    rbac::authorize(cluster, &request.user, &creation)
}

fn apply(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    let options = request.patch_options()?;
    let writing = Writing { options: &options, subresource: &path.subresource };
    let at = Cluster::key(resource, &path.namespace, &path.name);
    authorize_creation(cluster, &at, request, path)?;
    let (applied, twice) = request.applied()?;
    if path.subresource == "scale" {
        return rest::apply_scale(cluster, resource, &at, &applied, &writing)
            .map(|value| Reply::json(&value));
    }
    let written = rest::apply(cluster, resource, &at, (applied, twice), &writing)?;
    Ok(Reply::written(resource, written, View::of(request)?))
}

fn remove(
    cluster: &mut Cluster,
    resource: &Arc<Resource>,
    request: &Request,
    path: &ResourcePath,
) -> ApiResult<Reply> {
    if !path.subresource.is_empty() {
        return Err(ApiError::MethodNotAllowed);
    }
    let (options, view) = (DeleteOptions::of(request)?, View::of(request)?);
    if path.name.is_empty() {
        let is_everywhere = resource.is_namespaced() && path.namespace.is_empty();
        if is_everywhere || resource.is("", "namespaces") {
            return Err(ApiError::MethodNotAllowed);
        }
        let (page, warning) =
            rest::delete_collection(cluster, resource, &path.namespace, &request.query, &options)?;
        let mut reply = Reply::list(resource, page, view);
        warning.into_iter().for_each(|text| reply.warn(text));
        return Ok(reply);
    }
    let at = Cluster::key(resource, &path.namespace, &path.name);
    let deletion = rest::delete(cluster, resource, &at, &options)?;
    let mut reply = match deletion.answer["kind"].as_str() {
        Some("Status") => Reply::json(&deletion.answer),
        _ => Reply::object(resource, &deletion.answer, view),
    };
    if !deletion.is_done && options.tells_pending {
        reply.accept();
    }
    deletion.warning.into_iter().for_each(|text| reply.warn(text));
    Ok(reply)
}

/// A value for a `Warning` header.
pub(crate) fn warning_header(text: &str) -> Option<HeaderValue> {
    let quoted = json!(text.replace(['\n', '\r'], " ")).to_string();
    HeaderValue::from_str(&format!("299 - {quoted}")).ok()
}
