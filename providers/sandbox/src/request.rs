//! Reads a request: which path, which options, who asks.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/>

use axum::body::Bytes;
use axum::extract::Query;
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Value, json};

use crate::error::{ApiError, ApiResult, FieldError};
use crate::json::{self, Parsed};
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
        self.options(options, None)
    }

    /// The options of a patch.
    ///
    /// # Errors
    /// As [`Request::write_options`]; an apply needs a manager, and nothing else can be forced.
    pub fn patch_options(&self) -> ApiResult<WriteOptions> {
        let is_apply = self.media_type().starts_with("application/apply-patch+");
        let wrong = match is_apply {
            true if self.query.get("fieldManager").is_empty() => {
                Some(FieldError::required("fieldManager", "is required for apply patch"))
            }
            false if self.query.has("force") => {
                Some(FieldError::forbidden("force", "may not be specified for non-apply patch"))
            }
            _ => None,
        };
        self.options("PatchOptions", wrong)
    }

    fn options(&self, options: &str, wrong: Option<FieldError>) -> ApiResult<WriteOptions> {
        let mut errors: Vec<FieldError> = wrong.into_iter().collect();
        errors.extend(manager_faults(self.query.get("fieldManager")));
        let dry_run = match self.query.all("dryRun").as_slice() {
            [] => DryRun::No,
            values => {
                if values.iter().any(|value| *value != "All") {
                    errors.push(FieldError::unsupported("dryRun", &json!(values), &["All".to_owned()]));
                }
                DryRun::Yes
            }
        };
        let validation = match self.query.get("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Strict" => FieldValidation::Strict,
            "Ignore" => FieldValidation::Ignore,
            other => {
                let known = ["", "Ignore", "Strict", "Warn"].map(str::to_owned);
                errors.push(FieldError::unsupported("fieldValidation", &json!(other), &known));
                FieldValidation::Ignore
            }
        };
        if !errors.is_empty() {
            return Err(ApiError::invalid_options(options, errors));
        }
        let force = if self.query.flag("force") { Force::Yes } else { Force::No };
        Ok(WriteOptions {
            dry_run,
            validation,
            force,
            manager: self.manager(),
            user: self.user.clone(),
            duplicates: Vec::new(),
        })
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

    /// The body as an object of a kind, read from JSON, YAML or protobuf by its media type.
    ///
    /// # Errors
    /// If it is none of them, or no object.
    pub fn object(&self, kind: &str) -> ApiResult<Parsed> {
        let unsupported = || ApiError::UnsupportedMediaType("application/json, application/yaml".into());
        let unrecognized = |why: String| {
            let body = summary(&self.body);
            let text =
                format!("the object provided is unrecognized (must be of type {kind}): {why} ({body})");
            ApiError::BadRequest(text)
        };
        let no_kind =
            |why: String| unrecognized(format!("couldn't get version/kind; json parse error: {why}"));
        let parsed = match self.media_type() {
            "application/json" => json::parse(&self.body).map_err(no_kind)?,
            "application/yaml" => {
                Parsed { value: read_yaml(&self.body).map_err(unrecognized)?, ..Parsed::default() }
            }
            "application/vnd.kubernetes.protobuf" => {
                let value = protobuf::read(&self.body).map_err(|error| match error {
                    ProtobufError::UnknownKind(_) => unsupported(),
                    ProtobufError::Malformed(_) => ApiError::BadRequest(error.to_string()),
                });
                Parsed { value: value?, ..Parsed::default() }
            }
            _ => return Err(unsupported()),
        };
        let value = match parsed.value {
            Value::Null => json!({}),
            Value::Object(_) => parsed.value,
            other => {
                let head = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
                let found = json::type_name(&other);
                return Err(no_kind(format!("json: cannot unmarshal {found} into Go value of type {head}")));
            }
        };
        for field in ["apiVersion", "kind"] {
            if !matches!(value[field], Value::Null | Value::String(_)) {
                let found = json::type_name(&value[field]);
                let wrong =
                    format!("json: cannot unmarshal {found} into Go struct field .{field} of type string");
                return Err(no_kind(wrong));
            }
        }
        let version = value["apiVersion"].as_str().unwrap_or_default();
        if version.matches('/').count() > 1 {
            return Err(unrecognized(format!("unexpected GroupVersion string: {version}")));
        }
        Ok(Parsed { value, ..parsed })
    }

    /// The body as an applied configuration; what is written twice in it is told in the second part.
    ///
    /// # Errors
    /// If it is no YAML, or no map.
    pub fn applied(&self) -> ApiResult<(Value, Option<String>)> {
        let wrong = |why: String| ApiError::BadRequest(format!("error decoding YAML: {why}"));
        let (value, twice) = match json::parse(&self.body) {
            Ok(Parsed { value, duplicates }) if duplicates.is_empty() => (value, None),
            _ => (read_yaml(&self.body).map_err(wrong)?, duplicate_in_yaml(&self.body)),
        };
        match value {
            Value::Null => Ok((json!({}), twice)),
            Value::Object(_) => Ok((value, twice)),
            other => Err(wrong(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type \
                 map[string]interface {{}}",
                json::type_name(&other)
            ))),
        }
    }
}

/// What is wrong with the name of a field manager.
fn manager_faults(manager: &str) -> Option<FieldError> {
    /// In bytes, as in kube-apiserver.
    const LIMIT: usize = 128;
    if manager.len() > LIMIT {
        return Some(FieldError::too_long("fieldManager", LIMIT as u64));
    }
    let is_shown = |letter: char| letter == ' ' || !(letter.is_control() || letter.is_whitespace());
    let (place, letter) = manager.char_indices().find(|(_, letter)| !is_shown(*letter))?;
    let detail = format!("invalid character U+{:04X} (at position {place})", u32::from(letter));
    Some(FieldError::invalid("fieldManager", &json!(manager), &detail))
}

/// The beginning of a body, for messages: as it is if it may be JSON, else in hexadecimal digits.
fn summary(body: &[u8]) -> String {
    /// In bytes.
    const SHOWN: usize = 30;
    let head = &body[..body.len().min(SHOWN)];
    let text = match head.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(head).into_owned(),
        Some(_) => head.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if body.len() > SHOWN { format!("{text} ...") } else { text }
}

/// Reads a YAML body; JSON is YAML too. Of a field that stands twice, the last counts.
///
/// # Errors
/// What is wrong, if it is not YAML.
pub(crate) fn read_yaml(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let options =
        serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

// The first field that a YAML body states twice, as Kubernetes' reader says it.
fn duplicate_in_yaml(body: &[u8]) -> Option<String> {
    let error = serde_saphyr::from_str::<Value>(std::str::from_utf8(body).ok()?).err()?;
    match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), location } => {
            Some(format!("line {}: key {key:?} already set in map", location.line()))
        }
        _ => None,
    }
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
    /// Who writes.
    pub user: User,
    /// The paths of fields that the body states twice.
    pub duplicates: Vec<String>,
}

impl WriteOptions {
    /// Judges what is wrong with a body without making it unreadable: returns what to warn of.
    ///
    /// # Errors
    /// What to refuse it for.
    pub fn judge(&self, unknown: &[String]) -> Result<Vec<String>, String> {
        let twice = self.duplicates.iter().map(|path| format!("duplicate field {path:?}"));
        let unknown = unknown.iter().map(|path| format!("unknown field {path:?}"));
        let faults: Vec<String> = twice.chain(unknown).collect();
        match self.validation {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Strict if !faults.is_empty() => {
                Err(format!("strict decoding error: {}", faults.join(", ")))
            }
            FieldValidation::Strict | FieldValidation::Warn => Ok(faults),
        }
    }
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

    /// Whether a boolean parameter is on: with any value but `false` and `0`.
    pub fn flag(&self, name: &str) -> bool {
        let value = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        value.is_some_and(|value| !value.eq_ignore_ascii_case("false") && value != "0")
    }

    /// Whether a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// A whole number; `None` if the parameter is absent.
    ///
    /// # Errors
    /// If it is there and no number.
    pub fn integer(&self, name: &str) -> ApiResult<Option<i64>> {
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
