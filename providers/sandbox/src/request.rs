//! Reads a request: which path, which options, who asks.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

use axum::body::Bytes;
use axum::extract::Query;
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult, FieldError};
use crate::merge::Force;
use crate::protobuf::{self, ProtobufError};
use crate::rbac::User;

/// A request, read but not yet understood.
#[derive(Debug)]
pub(crate) struct Request {
    pub method: Method,
    pub segments: Vec<String>,
    pub query: Params,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub user: User,
}

impl Request {
    /// The text of a header, or an empty one.
    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body's media type without parameters; JSON if there is none.
    pub fn media_type(&self) -> &str {
        let full = self.header(header::CONTENT_TYPE);
        let bare = full.split(';').next().unwrap_or_default().trim();
        if bare.is_empty() { "application/json" } else { bare }
    }

    /// The options of a write; `options` names their kind for error texts.
    ///
    /// # Errors
    /// If one of them has a value Kubernetes does not know.
    pub fn write_options(&self, options: &str) -> ApiResult<WriteOptions> {
        let mut errors = Vec::new();
        let dry_run = match self.query.all("dryRun").as_slice() {
            [] => DryRun::No,
            values if values.iter().all(|value| *value == "All") => DryRun::Yes,
            values => {
                let bad = values.iter().find(|value| **value != "All").unwrap_or(&"");
                errors.push(FieldError::unsupported("dryRun", &json!([bad]), &["All".to_owned()]));
                DryRun::No
            }
        };
        let validation = match self.query.get("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Strict" => FieldValidation::Strict,
            "Ignore" => FieldValidation::Ignore,
            other => {
                let known = ["Ignore", "Warn", "Strict"].map(str::to_owned);
                errors.push(FieldError::unsupported("fieldValidation", &json!(other), &known));
                FieldValidation::Ignore
            }
        };
        if !errors.is_empty() {
            return Err(ApiError::invalid_options(options, errors));
        }
        let force = if self.query.flag("force") { Force::Yes } else { Force::No };
        Ok(WriteOptions { dry_run, validation, force, manager: self.manager() })
    }

    // An unnamed writer is named after its client, as kube-apiserver does.
    fn manager(&self) -> String {
        let named = self.query.get("fieldManager");
        let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default();
        match (named.is_empty(), agent.is_empty()) {
            (false, _) => named.to_owned(),
            (true, false) => agent.chars().take(128).collect(),
            (true, true) => "unknown".to_owned(),
        }
    }

    /// The body as a JSON object, read from JSON, YAML or protobuf by its media type.
    ///
    /// # Errors
    /// If it is none of them.
    pub fn object(&self) -> ApiResult<Value> {
        let unsupported = || {
            let accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
            ApiError::UnsupportedMediaType(accepted.into())
        };
        match self.media_type() {
            "application/json" => read_json(&self.body),
            "application/yaml" => read_yaml(&self.body),
            "application/vnd.kubernetes.protobuf" => {
                protobuf::read(&self.body).map_err(|error| match error {
                    ProtobufError::UnknownKind(_) => unsupported(),
                    ProtobufError::Malformed(_) => ApiError::BadRequest(error.to_string()),
                })
            }
            _ => Err(unsupported()),
        }
    }

    /// The body's `DeleteOptions`, if it has any, with those of the query laid over them.
    ///
    /// # Errors
    /// If the body cannot be read.
    pub fn delete_options(&self) -> ApiResult<DeleteOptions> {
        let body = if self.body.is_empty() { json!({}) } else { self.object()? };
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let asked = match self.query.get("propagationPolicy") {
            "" => text("/propagationPolicy"),
            policy => Some(policy.to_owned()),
        };
        let orphan = body["orphanDependents"].as_bool();
        let propagation = match (asked.as_deref(), orphan) {
            (None, None | Some(false)) | (Some("Background"), _) => Propagation::Background,
            (None, Some(true)) | (Some("Orphan"), _) => Propagation::Orphan,
            (Some("Foreground"), _) => Propagation::Foreground,
            (Some(other), _) => {
                let known = ["Foreground", "Background", "Orphan", "nil"].map(str::to_owned);
                let error = FieldError::unsupported("propagationPolicy", &json!(other), &known);
                return Err(ApiError::invalid_options("DeleteOptions", vec![error]));
            }
        };
        let body_dry_run = body["dryRun"].as_array().is_some_and(|list| !list.is_empty());
        let dry_run = match self.write_options("DeleteOptions")?.dry_run {
            DryRun::No if body_dry_run => DryRun::Yes,
            from_query => from_query,
        };
        Ok(DeleteOptions {
            propagation,
            uid: text("/preconditions/uid"),
            version: text("/preconditions/resourceVersion"),
            dry_run,
        })
    }
}

/// Reads a JSON body.
///
/// # Errors
/// If it is not JSON.
pub(crate) fn read_json(body: &[u8]) -> ApiResult<Value> {
    serde_json::from_slice(body).map_err(|error| {
        ApiError::BadRequest(format!("couldn't get version/kind; json parse error: {error}"))
    })
}

/// Reads a YAML body; JSON is YAML too.
///
/// # Errors
/// If it is not YAML.
pub(crate) fn read_yaml(body: &[u8]) -> ApiResult<Value> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| ApiError::BadRequest(format!("error decoding YAML: {error}")))?;
    serde_saphyr::from_str(text)
        .map_err(|error| ApiError::BadRequest(format!("error decoding YAML: {error}")))
}

/// Whether a write is only rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    No,
    Yes,
}

/// What happens to fields that the kind does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// Options of a create, update or patch.
#[derive(Debug, Clone)]
pub(crate) struct WriteOptions {
    pub dry_run: DryRun,
    pub validation: FieldValidation,
    pub force: Force,
    /// The field manager.
    pub manager: String,
}

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
    pub propagation: Propagation,
    /// The uid the object must have.
    pub uid: Option<String>,
    /// The resourceVersion the object must have.
    pub version: Option<String>,
    pub dry_run: DryRun,
}

/// The parameters of the query, in order.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the query of a URI.
    ///
    /// # Errors
    /// If it is not form-encoded.
    pub fn of(uri: &Uri) -> ApiResult<Self> {
        Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|error| ApiError::BadRequest(error.to_string()))
    }

    /// The first value of a parameter, or an empty text.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    /// Every non-empty value of a parameter.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let of_name = |(key, _): &&(String, String)| key == name;
        self.0.iter().filter(of_name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty()).collect()
    }

    /// Whether a boolean parameter is on.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1" | "True" | "t")
    }

    /// A number; `None` if the parameter is absent.
    ///
    /// # Errors
    /// If it is there and no number.
    pub fn number(&self, name: &str) -> ApiResult<Option<u64>> {
        match self.get(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                ApiError::BadRequest(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
            }),
        }
    }
}

/// The path of a resource, a collection, or a subresource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub group: String,
    pub version: String,
    /// Empty outside a namespace.
    pub namespace: String,
    /// The plural.
    pub resource: String,
    /// Empty for a collection.
    pub name: String,
    /// Empty for the object itself.
    pub subresource: String,
}

impl ResourcePath {
    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; `None` if the path is shorter or of another shape.
    pub fn of(segments: &[String]) -> Option<Self> {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, inner @ ..] if !inner.is_empty() => (*namespace, inner),
            _ => ("", rest),
        };
        let (resource, name, subresource) = match rest {
            [resource] => (*resource, "", ""),
            [resource, name] => (*resource, *name, ""),
            [resource, name, subresource] => (*resource, *name, *subresource),
            _ => return None,
        };
        let [group, version, namespace, resource, name, subresource] =
            [group, version, namespace, resource, name, subresource].map(str::to_owned);
        Some(Self { group, version, namespace, resource, name, subresource })
    }
}

/// Splits a path into its decoded segments.
///
/// # Errors
/// If a percent sign is not followed by two hexadecimal digits, or the result is not UTF-8.
pub(crate) fn segments(path: &str) -> ApiResult<Vec<String>> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

fn decode(segment: &str) -> ApiResult<String> {
    let bad = || ApiError::BadRequest(format!("invalid URL escape in {segment:?}"));
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(bad);
        let (high, low) = (digit()?, digit()?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| bad())?);
    }
    String::from_utf8(bytes).map_err(|_| bad())
}
