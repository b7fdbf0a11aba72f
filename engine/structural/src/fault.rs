//! What is wrong with a field, in the API server's words.

use serde_json::{Value, json};

/// One broken rule: where, which sort, what was found and why.
#[derive(Debug, Clone)]
pub struct FieldError {
    /// The path in Kubernetes' notation, as `spec.ports[0].port`.
    pub field: String,
    reason: Reason,
    body: String,
}

#[derive(Debug, Clone, Copy)]
enum Reason {
    Required,
    Invalid,
    TypeInvalid,
    NotSupported,
    NotFound,
    Forbidden,
    Duplicate,
    TooLong,
    TooMany,
}

impl Reason {
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Required => ("FieldValueRequired", "Required value"),
            Self::Invalid => ("FieldValueInvalid", "Invalid value"),
            Self::TypeInvalid => ("FieldValueTypeInvalid", "Invalid value"),
            Self::NotSupported => ("FieldValueNotSupported", "Unsupported value"),
            Self::NotFound => ("FieldValueNotFound", "Not found"),
            Self::Forbidden => ("FieldValueForbidden", "Forbidden"),
            Self::Duplicate => ("FieldValueDuplicate", "Duplicate value"),
            Self::TooLong => ("FieldValueTooLong", "Too long"),
            Self::TooMany => ("FieldValueTooMany", "Too many"),
        }
    }
}

impl FieldError {
    fn build(field: impl Into<String>, reason: Reason, value: Option<&Value>, detail: &str) -> Self {
        Self::build_shown(field, reason, value.map(Value::to_string).as_deref(), detail)
    }

    fn build_shown(field: impl Into<String>, reason: Reason, shown: Option<&str>, detail: &str) -> Self {
        let mut body = reason.texts().1.to_owned();
        for part in shown.into_iter().chain((!detail.is_empty()).then_some(detail)) {
            body.push_str(": ");
            body.push_str(part);
        }
        Self { field: field.into(), reason, body }
    }

    /// A missing value.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::build(field, Reason::Required, None, detail)
    }

    /// A malformed value.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::build(field, Reason::Invalid, Some(value), detail)
    }

    /// A malformed value that is shown as `text`.
    pub fn invalid_as(field: impl Into<String>, text: &str, detail: &str) -> Self {
        let body = format!("{}: {text}: {detail}", Reason::Invalid.texts().1);
        Self { field: field.into(), reason: Reason::Invalid, body }
    }

    /// A malformed value that is too large to be shown.
    pub fn invalid_unshown(field: impl Into<String>, detail: &str) -> Self {
        Self::build(field, Reason::Invalid, None, detail)
    }

    /// A value of the wrong JSON type; `shown` is how the message names what was found.
    pub fn wrong_type(field: impl Into<String>, shown: &Value, detail: &str) -> Self {
        Self::build(field, Reason::TypeInvalid, Some(shown), detail)
    }

    /// A value outside an enumeration.
    pub fn unsupported(field: impl Into<String>, value: &Value, supported: &[String]) -> Self {
        let list: Vec<_> = supported.iter().map(|s| format!("{s:?}")).collect();
        let detail = format!("supported values: {}", list.join(", "));
        Self::build(field, Reason::NotSupported, Some(value), &detail)
    }

    /// Something malformed that is not shown.
    pub fn invalid_bare(field: impl Into<String>, detail: &str) -> Self {
        Self::build_shown(field, Reason::Invalid, None, detail)
    }

    /// A value outside an enumeration, shown in a form of its own.
    pub fn unsupported_as(field: impl Into<String>, shown: &str, detail: &str) -> Self {
        Self::build_shown(field, Reason::NotSupported, Some(shown), detail)
    }

    /// A value that must be unique and is not, shown in a form of its own.
    pub fn duplicate_as(field: impl Into<String>, shown: &str) -> Self {
        Self::build_shown(field, Reason::Duplicate, Some(shown), "")
    }

    /// A reference to something that is not there.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self::build(field, Reason::NotFound, Some(value), "")
    }

    /// A value that may not be there.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::build(field, Reason::Forbidden, None, detail)
    }

    /// A value that must be unique and is not.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self::build(field, Reason::Duplicate, Some(value), "")
    }

    /// A value that must be unique, is not, and is too large to be shown.
    pub fn duplicate_unshown(field: impl Into<String>) -> Self {
        Self::build(field, Reason::Duplicate, None, "")
    }

    /// A text over its limit in bytes.
    pub fn too_long(field: impl Into<String>, limit: u64) -> Self {
        Self::build(field, Reason::TooLong, None, &format!("may not be more than {limit} bytes"))
    }

    /// A list over its limit.
    pub fn too_many(field: impl Into<String>, found: usize, limit: u64) -> Self {
        let detail = format!("must have at most {limit} items");
        Self::build(field, Reason::TooMany, Some(&json!(found)), &detail)
    }

    /// The same error, for a field inside of another one.
    pub fn below(mut self, place: &str) -> Self {
        self.field = if self.field == "<nil>" { place.to_owned() } else { format!("{place}.{}", self.field) };
        self
    }

    /// Whether rules of a schema cannot be judged on a value with this error.
    pub fn hides_rules(&self) -> bool {
        matches!(
            self.reason,
            Reason::Required | Reason::TypeInvalid | Reason::NotSupported | Reason::TooLong | Reason::TooMany
        )
    }

    /// The cause in a `Status` of the API server.
    pub fn cause(&self) -> Value {
        json!({ "reason": self.reason.texts().0, "message": self.body, "field": self.field })
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.body)
    }
}
