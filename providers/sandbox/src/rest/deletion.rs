//! What a client asks of a deletion.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/>

use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult, FieldError};
use crate::request::{DryRun, Request};

/// What a deletion does to dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// Options of a deletion.
#[derive(Debug, Clone)]
pub(crate) struct DeleteOptions {
    /// `None` leaves it to the kind.
    pub propagation: Option<Propagation>,
    /// The uid the object must have.
    pub uid: Option<String>,
    /// The resourceVersion the object must have.
    pub version: Option<String>,
    /// How long a pod may take to end.
    pub grace_seconds: Option<i64>,
    /// Whether the client wants to be told, by another status code, that the object is not gone yet.
    pub tells_pending: bool,
    pub dry_run: DryRun,
}

impl DeleteOptions {
    /// A deletion without further conditions.
    pub fn plain(propagation: Propagation) -> Self {
        Self {
            propagation: Some(propagation),
            uid: None,
            version: None,
            grace_seconds: None,
            tells_pending: false,
            dry_run: DryRun::No,
        }
    }

    /// Reads the body of a request or, if it has none, the query.
    ///
    /// # Errors
    /// 400 if they cannot be read, 422 if they do not fit together.
    pub fn of(request: &Request) -> ApiResult<Self> {
        let stated = if request.body.is_empty() { of_query(request)? } else { of_body(request)? };
        let text = |path: &str| stated.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let orphan = stated["orphanDependents"].as_bool();
        let mut errors = Vec::new();
        let propagation = match (stated["propagationPolicy"].as_str(), orphan) {
            (Some(policy), orphan) => {
                if orphan.is_some() {
                    let why = "orphanDependents and deletionPropagation cannot be both set";
                    errors.push(FieldError::invalid("propagationPolicy", &json!(policy), why));
                }
                let known = propagation(policy);
                if known.is_none() {
                    let names = ["Foreground", "Background", "Orphan", "nil"].map(str::to_owned);
                    errors.push(FieldError::unsupported("propagationPolicy", &json!(policy), &names));
                }
                known
            }
            (None, Some(true)) => Some(Propagation::Orphan),
            (None, Some(false)) => Some(Propagation::Background),
            (None, None) => None,
        };
        let rehearsals = stated["dryRun"].as_array().filter(|list| !list.is_empty());
        if rehearsals.is_some_and(|list| list.iter().any(|value| value != "All")) {
            errors.push(FieldError::unsupported("dryRun", &stated["dryRun"], &["All".to_owned()]));
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid_options("DeleteOptions", errors));
        }
        Ok(Self {
            propagation,
            uid: text("/preconditions/uid"),
            version: text("/preconditions/resourceVersion"),
            grace_seconds: stated["gracePeriodSeconds"].as_i64(),
            tells_pending: orphan == Some(false),
            dry_run: if rehearsals.is_some() { DryRun::Yes } else { DryRun::No },
        })
    }
}

fn propagation(policy: &str) -> Option<Propagation> {
    match policy {
        "Background" => Some(Propagation::Background),
        "Foreground" => Some(Propagation::Foreground),
        "Orphan" => Some(Propagation::Orphan),
        _ => None,
    }
}

fn of_body(request: &Request) -> ApiResult<Value> {
    let body = request.object("DeleteOptions")?.value;
    let kind = body["kind"].as_str().unwrap_or("DeleteOptions");
    if kind != "DeleteOptions" {
        let version = body["apiVersion"].as_str().unwrap_or_default();
        return Err(ApiError::BadRequest(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let is_fine = |field: &str, test: fn(&Value) -> bool| body[field].is_null() || test(&body[field]);
    let well_typed = is_fine("gracePeriodSeconds", Value::is_i64)
        && is_fine("orphanDependents", Value::is_boolean)
        && is_fine("propagationPolicy", Value::is_string)
        && is_fine("preconditions", Value::is_object)
        && is_fine("dryRun", Value::is_array);
    if !well_typed {
        return Err(ApiError::BadRequest("a field of DeleteOptions has a value of the wrong type".into()));
    }
    Ok(body)
}

fn of_query(request: &Request) -> ApiResult<Value> {
    let query = &request.query;
    let mut options = json!({ "dryRun": query.all("dryRun") });
    if let Some(seconds) = query.integer("gracePeriodSeconds")? {
        options["gracePeriodSeconds"] = json!(seconds);
    }
    match query.get("propagationPolicy") {
        "" => {}
        policy => options["propagationPolicy"] = json!(policy),
    }
    if !query.get("orphanDependents").is_empty() {
        options["orphanDependents"] = json!(query.flag("orphanDependents"));
    }
    Ok(options)
}
