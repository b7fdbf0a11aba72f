//! Single objects: get, apply, delete.

use engine_core::object::Object;
use engine_core::ports::{
    Applied, ApplyRequest, DeleteRequest, Force, Mode, Propagation, ProviderError, Target, Witness,
};
use engine_core::value::Value;
use http::{Method, StatusCode};

use crate::failure::Subject;
use crate::path::{self, Query};
use crate::retry::Repeat;
use crate::transport::{Call, Transport};
use crate::warning;

/// Server-side apply. The body is JSON, which is YAML.
const APPLY_MEDIA_TYPE: &str = "application/apply-patch+yaml";

/// Returns one object, `None` when it does not exist.
///
/// # Errors
/// The server refuses, or does not answer.
pub(crate) async fn get(transport: &Transport, target: &Target) -> Result<Option<Object>, ProviderError> {
    let reply = transport.send(&Call::get(path::object(target)?)).await?;
    if reply.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let body = reply.success(Subject::of(target))?.json()?;
    Ok(Some(Object::new(body)))
}

/// Sends a server-side apply. The status code tells whether the object was created.
///
/// # Errors
/// The server refuses, or does not answer.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/>
pub(crate) async fn apply(transport: &Transport, request: &ApplyRequest) -> Result<Applied, ProviderError> {
    let subject = Subject::of(&request.target).bound(request.uid.is_some());
    let reply = transport.send(&apply_call(request)?).await?.success(subject)?;
    let witness = match reply.status {
        StatusCode::CREATED => Witness::Created,
        StatusCode::OK => Witness::Existed,
        other => {
            let message = format!("an apply was answered with {other}");
            return Err(ProviderError::Server(message));
        }
    };
    Ok(Applied { object: Object::new(reply.json()?), witness, warnings: warning::warnings(&reply.headers) })
}

fn apply_call(request: &ApplyRequest) -> Result<Call, ProviderError> {
    let mut body = request.body.clone();
    if let Some(uid) = &request.uid {
        body.set_at(&["metadata", "uid"], Value::string(uid.as_str()));
    }
    let body = serde_json::to_vec(&body).map_err(|error| {
        ProviderError::Invalid(format!("the manifest cannot be written as JSON: {error}").into())
    })?;
    let uri = Query::default()
        .with("fieldManager", request.manager.as_str())
        .with_some("force", (request.force == Force::Yes).then_some("true"))
        .with_some("dryRun", (request.mode == Mode::DryRun).then_some("All"))
        .with("fieldValidation", "Strict")
        .on(&path::object(&request.target)?);
    // A creation that is kept has one witness, the first answer.
    let repeat = if request.mode == Mode::DryRun || request.uid.is_some() {
        Repeat::Always
    } else {
        Repeat::IfRefused
    };
    Ok(Call { method: Method::PATCH, body: Some((APPLY_MEDIA_TYPE, body)), repeat, ..Call::get(uri) })
}

/// Deletes the object with the uid. Returns the object if it lives on, `None` when it is gone.
///
/// # Errors
/// Another object has the name ([`ProviderError::Stale`]), the server refuses, or does not answer.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/architecture/garbage-collection/#cascading-deletion>
pub(crate) async fn delete(
    transport: &Transport,
    request: &DeleteRequest,
) -> Result<Option<Object>, ProviderError> {
    let policy = match request.propagation {
        Propagation::Background => "Background",
        Propagation::Foreground => "Foreground",
    };
    let options = Value::map([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string("DeleteOptions")),
        ("propagationPolicy", Value::string(policy)),
        ("preconditions", Value::map([("uid", Value::string(request.uid.as_str()))])),
    ]);
    let call = Call {
        method: Method::DELETE,
        body: Some(("application/json", options.to_string().into_bytes())),
        ..Call::get(path::object(&request.target)?)
    };
    let reply = transport.send(&call).await?;
    if reply.status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let body: Value = reply.success(Subject::of(&request.target).bound(true))?.json()?;
    // Gone at once shows as a `Status`, or for some kinds as the object as it was last.
    let is_status = body.str_at(&["kind"]) == Some("Status");
    let object = Object::new(body);
    Ok((!is_status && object.is_terminating()).then_some(object))
}
