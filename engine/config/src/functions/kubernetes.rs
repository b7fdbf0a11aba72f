//! Functions on what Kubernetes writes in its own notation: quantities, references, selectors, images.

use bigdecimal::BigDecimal;
use engine_core::Quantity;

use super::{Call, FunctionError, Row, marked, plain};
use crate::expr_value::{ExprValue, Kind};
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("k8s::image_parse(image: string) -> any",
        "Returns the parts of an image's name as a container runtime reads it: registry, repository, tag and digest.",
        r#"k8s::image_parse("nginx:1.27").repository == "library/nginx""#, image_parse),
    plain("k8s::label_selector(selector: any) -> string",
        "Returns a selector in the notation of kubectl, from labels or from matchLabels and matchExpressions.",
        r#"k8s::label_selector({ app = "web", tier = "front" }) == "app=web,tier=front""#, label_selector),
    marked("k8s::object_ref(object: any) -> string",
        "Returns how an object is referred to: Kind.group/namespace/name, without the dot in the core group.",
        r#"k8s::object_ref({ apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web", namespace = "prod" } }) == "Deployment.apps/prod/web""#,
        object_ref),
    plain("k8s::quantity_add(first: string, rest...: string) -> string",
        "Returns the sum of quantities in their canonical form, with the suffixes of the first that is not zero.",
        r#"k8s::quantity_add("1Gi", "512Mi") == "1536Mi" && k8s::quantity_add("250m", "1") == "1250m""#, |call| {
            let mut sum = quantity(call, 0)?;
            for idx in 1..call.arguments.len() {
                let more = quantity(call, idx)?;
                sum = sum.checked_add(more).ok_or_else(|| FunctionError::failed("the sum is out of range"))?;
            }
            Ok(ExprValue::string(sum.to_string()))
        }),
    plain("k8s::quantity_compare(a: string, b: string) -> number",
        "Returns -1, 0 or 1: whether the first quantity is less than, the same as or more than the second.",
        r#"k8s::quantity_compare("1Gi", "1000Mi") == 1 && k8s::quantity_compare("1000m", "1") == 0"#,
        |call| Ok(ExprValue::number(quantity(call, 0)?.cmp(&quantity(call, 1)?) as i64))),
    plain("k8s::quantity_to_number(quantity: string) -> number", "Returns the exact number that a quantity stands for.",
        r#"k8s::quantity_to_number("1.5Gi") == 1610612736 && k8s::quantity_to_number("100m") == 0.1"#,
        |call| Ok(ExprValue::number(BigDecimal::new(quantity(call, 0)?.nanos().into(), 9)))),
];

fn quantity(call: &Call<'_>, idx: usize) -> Result<Quantity, FunctionError> {
    let text = call.text(idx)?;
    text.parse().map_err(|_| FunctionError::argument(idx, "a quantity is required, such as 100m, 2 or 1.5Gi"))
}

/// # Source
/// Reference grammar of `distribution/reference`; Docker's short names.
fn image_parse(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let invalid = |why: &str| FunctionError::argument(0, format!("the image's name {why}"));
    let image = call.text(0)?.as_str();
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err(invalid("has no digest such as sha256:… behind its @"));
    }
    // A colon before a slash belongs to the port of the registry.
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(invalid("has no valid tag behind its colon"));
    }
    let (registry, repository) = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest.to_owned()),
        Some(_) => ("docker.io", path.to_owned()),
        None => ("docker.io", format!("library/{path}")),
    };
    if !repository.split('/').all(is_component) {
        return Err(invalid("holds something else than small letters, digits and single separators"));
    }
    // Without a tag and a digest the newest is meant.
    let tag = tag.or(digest.is_none().then_some("latest"));
    let text = |part: Option<&str>| part.map_or(ExprValue::NULL, ExprValue::from);
    Ok(ExprValue::object([
        ("registry".into(), ExprValue::from(registry)),
        ("repository".into(), ExprValue::string(repository)),
        ("tag".into(), text(tag)),
        ("digest".into(), text(digest)),
    ]))
}

fn is_digest(text: &str) -> bool {
    let hexadecimal =
        |digits: &str| digits.len() >= 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_once(':').is_some_and(|(algorithm, digits)| !algorithm.is_empty() && hexadecimal(digits))
}

fn is_tag(text: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    text.len() <= 128
        && text.starts_with(word)
        && text.chars().all(|char| word(char) || char == '.' || char == '-')
}

/// Tells whether text is words of small letters and digits, with `.`, `_`, `__` or dashes between them.
fn is_component(text: &str) -> bool {
    let word = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let separators = text.split(word).filter(|separator| !separator.is_empty());
    text.starts_with(word)
        && text.ends_with(word)
        && separators.into_iter().all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.chars().all(|char| char == '-')
        })
}

/// Looks at nothing but the identity: the rest of the object may be known after apply, or sensitive.
fn object_ref(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let object = call.value(0)?;
    let metadata = object.get("metadata").unwrap_or(ExprValue::NULL);
    let part =
        |from: &ExprValue, name: &str| if from.is_unknown() { Some(from.clone()) } else { from.get(name) };
    let parts = [
        part(object, "apiVersion"),
        part(object, "kind"),
        part(&metadata, "name"),
        part(&metadata, "namespace"),
    ];
    let sensitive = parts.iter().flatten().any(ExprValue::is_sensitive);
    if object.is_unknown() || parts.iter().flatten().any(ExprValue::is_unknown) {
        return Ok(ExprValue::unknown(Type::String).with_sensitivity_of(sensitive || object.is_sensitive()));
    }
    let [version, kind, name, namespace] = parts
        .map(|part| part.and_then(|part| part.as_str().map(str::to_owned)).filter(|text| !text.is_empty()));
    let missing = |what: &str| FunctionError::argument(0, format!("the object has no {what}"));
    let version = version.ok_or_else(|| missing("apiVersion"))?;
    let kind = kind.ok_or_else(|| missing("kind"))?;
    let name = name.ok_or_else(|| missing("metadata.name"))?;
    let kind = match version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind,
    };
    let path = match namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    };
    Ok(ExprValue::string(path).with_sensitivity_of(sensitive))
}

fn label_selector(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let selector = call.entries(0)?;
    let structured = selector.keys().any(|key| key == "matchLabels" || key == "matchExpressions");
    let mut terms = Vec::new();
    if !structured {
        labels(call.value(0)?, &mut terms)?;
        return Ok(ExprValue::string(terms.join(",")));
    }
    if let Some(other) =
        selector.keys().find(|key| !["matchLabels", "matchExpressions"].contains(&key.as_str()))
    {
        return Err(invalid(&format!("has no field {:?}", other.as_str())));
    }
    if let Some(found) = selector.get("matchLabels").filter(|found| !found.is_null()) {
        labels(found, &mut terms)?;
    }
    if let Some(found) = selector.get("matchExpressions").filter(|found| !found.is_null()) {
        let found = found.as_items().ok_or_else(|| invalid("needs a list as matchExpressions"))?;
        for expression in found.iter() {
            terms.push(requirement(expression)?);
        }
    }
    Ok(ExprValue::string(terms.join(",")))
}

fn invalid(why: &str) -> FunctionError {
    FunctionError::argument(0, format!("the selector {why}"))
}

fn labels(found: &ExprValue, terms: &mut Vec<String>) -> Result<(), FunctionError> {
    let found = found.as_entries().ok_or_else(|| invalid("needs labels: a map of strings"))?;
    for (key, value) in found.iter() {
        terms.push(format!("{key}={}", label(value)?));
    }
    Ok(())
}

fn label(value: &ExprValue) -> Result<String, FunctionError> {
    match value.kind() {
        Kind::String(text) => Ok(text.to_string()),
        Kind::Number(number) => Ok(number.to_string()),
        Kind::Bool(bool) => Ok(bool.to_string()),
        _ => Err(invalid("has a value that is no string")),
    }
}

/// # Source
/// Kubernetes documentation, "Labels and Selectors", "Set-based requirement".
fn requirement(expression: &ExprValue) -> Result<String, FunctionError> {
    let text = |name: &str| expression.get(name).and_then(|value| value.as_str().map(str::to_owned));
    let key = text("key").ok_or_else(|| invalid("has an expression without a key"))?;
    let operator = text("operator").ok_or_else(|| invalid("has an expression without an operator"))?;
    let values = expression.get("values").filter(|values| !values.is_null());
    let values: Vec<String> = match values.as_ref().map(ExprValue::as_items) {
        None => Vec::new(),
        Some(Some(items)) => items.iter().map(label).collect::<Result<_, _>>()?,
        Some(None) => return Err(invalid("needs a list as values")),
    };
    match (operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(format!("{key} in ({})", values.join(","))),
        ("NotIn", false) => Ok(format!("{key} notin ({})", values.join(","))),
        ("Exists", true) => Ok(key),
        ("DoesNotExist", true) => Ok(format!("!{key}")),
        ("In" | "NotIn", true) => Err(invalid("needs values for In and NotIn")),
        ("Exists" | "DoesNotExist", false) => Err(invalid("takes no values for Exists and DoesNotExist")),
        _ => Err(invalid("knows the operators In, NotIn, Exists and DoesNotExist only")),
    }
}
