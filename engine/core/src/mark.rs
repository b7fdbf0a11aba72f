//! The marks that say whose an object is.

use std::fmt;
use std::str::FromStr;

use crate::address::Address;
use crate::value::{Text, Value};

/// Label that names the environment; its value is the environment's name.
pub const ENVIRONMENT_LABEL: &str = "terrane.dev/environment";
/// Annotation that names the lineage of the state that records the object.
pub const LINEAGE_ANNOTATION: &str = "terrane.dev/lineage";
/// Annotation that names the resource's address.
pub const ADDRESS_ANNOTATION: &str = "terrane.dev/address";

/// The field manager that holds the fields of an object that an environment has let go. It is of no environment.
pub const RELEASED: &str = "terrane";

/// The name of an environment: an RFC 1123 label, so that it fits a label value and a ref name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(Text);

/// The text is no environment name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an environment name has 1 to 63 characters of a-z, 0-9 and `-`, and starts and ends with a letter or digit"
)]
pub struct EnvironmentNameError;

impl FromStr for EnvironmentName {
    type Err = EnvironmentNameError;

    fn from_str(text: &str) -> Result<Self, EnvironmentNameError> {
        let good = (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if good { Ok(Self(text.into())) } else { Err(EnvironmentNameError) }
    }
}

impl EnvironmentName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a state through all its serials: 32 hexadecimal digits, drawn once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lineage(Text);

/// The text is no lineage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lineage has 32 hexadecimal digits")]
pub struct LineageError;

impl Lineage {
    /// Builds a lineage from 16 random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex::encode(random).into())
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the field manager under which this lineage applies: two environments conflict at the server
    /// instead of stealing from each other.
    pub fn field_manager(&self) -> FieldManager {
        FieldManager(format!("terrane-{}", self.0.get(..8).unwrap_or(&self.0)).into())
    }
}

impl FromStr for Lineage {
    type Err = LineageError;

    fn from_str(text: &str) -> Result<Self, LineageError> {
        let good = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if good { Ok(Self(text.into())) } else { Err(LineageError) }
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name under which server-side apply records who set a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldManager(Text);

impl FieldManager {
    /// Returns the manager to which an environment hands the fields of an object that it lets go: fields without
    /// any manager would be deleted with the mark.
    pub fn released() -> Self {
        Self(RELEASED.into())
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose an object is, written in the request that creates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipMark {
    /// The environment.
    pub environment: EnvironmentName,
    /// The state's lineage.
    pub lineage: Lineage,
    /// The resource.
    pub address: Address,
}

impl OwnershipMark {
    /// Writes the mark into an object's labels and annotations.
    pub fn write_to(&self, body: &mut Value) {
        body.set_at(&["metadata", "labels", ENVIRONMENT_LABEL], self.environment.as_str().into());
        body.set_at(&["metadata", "annotations", LINEAGE_ANNOTATION], self.lineage.as_str().into());
        body.set_at(
            &["metadata", "annotations", ADDRESS_ANNOTATION],
            Value::string(self.address.to_string()),
        );
    }

    /// Reads the mark of a live object; `None` when it has none or a broken one.
    pub fn read_from(body: &Value) -> Option<Self> {
        Some(Self {
            environment: body.str_at(&["metadata", "labels", ENVIRONMENT_LABEL])?.parse().ok()?,
            lineage: body.str_at(&["metadata", "annotations", LINEAGE_ANNOTATION])?.parse().ok()?,
            address: body.str_at(&["metadata", "annotations", ADDRESS_ANNOTATION])?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
