//! Digests of data: what a record keeps in place of the data itself.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::sensitive::SensitivePaths;
use crate::value::Value;

/// So many bytes of a hash, printed as twice as many hexadecimal digits. 32 unless told otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest<const BYTES: usize = 32>([u8; BYTES]);

impl Digest {
    /// Returns the SHA-256 of some bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the SHA-256 of a value's canonical form.
    pub fn of_value(value: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(value, &mut |bytes| hash.update(bytes));
        Self(hash.finalize().into())
    }

    /// Returns as much of it as a record keeps.
    pub fn print(&self) -> Print {
        Print::of_hash(self.0)
    }
}

impl<const BYTES: usize> Digest<BYTES> {
    /// Builds a digest from bytes that were one.
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Returns the first eight hexadecimal digits.
    pub fn short(&self) -> String {
        self.to_string().chars().take(8).collect()
    }
}

impl<const BYTES: usize> fmt::Display for Digest<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl<const BYTES: usize> fmt::Debug for Digest<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: expected 64 hexadecimal digits")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError)?;
        Ok(Self(bytes))
    }
}

/// The secret key of an environment's sensitive digests. It never enters state or output, so it has no `Debug`.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Builds a key from 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the key's bytes, to keep them in a private place.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The leftmost 192 bits of a hash: what a record keeps of each, twice an object.
///
/// # Source
/// NIST SP 800-107 revision 1, section 5.1: a hash cut off at its right is as strong as what is left of it.
pub type Print = Digest<24>;

impl Print {
    /// Cuts a whole hash off.
    fn of_hash(hash: impl Into<[u8; 32]>) -> Self {
        let hash = hash.into();
        Self(std::array::from_fn(|idx| hash[idx]))
    }
}

/// The digest of the sensitive part of some data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// Nothing is sensitive.
    Empty,
    /// HMAC-SHA-256 under the environment's [`SealKey`].
    Keyed(Print),
    /// The key was not at hand: the sensitive part is unknown and equal to nothing.
    Unknown,
}

/// A digest in two parts: what may be guessed from it is hashed plainly, what may not is keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256 over the data with its sensitive fields left out.
    pub open: Print,
    /// The sensitive fields, and what they stand among.
    pub seal: Seal,
}

impl Fingerprint {
    /// The fingerprint of data that nobody has seen: it proves nothing.
    pub const NOTHING: Self = Self { open: Digest([0; 24]), seal: Seal::Unknown };

    /// Returns the fingerprint of a value.
    pub fn of(value: &Value, sensitive: &SensitivePaths, key: Option<&SealKey>) -> Self {
        let (open, seal) = Self::whole(value, sensitive, key);
        Self { open: open.print(), seal }
    }

    /// Returns the fingerprint of a value with all bits of what is open.
    pub(crate) fn whole(value: &Value, sensitive: &SensitivePaths, key: Option<&SealKey>) -> (Digest, Seal) {
        let mut open = Sha256::new();
        let mut secret = key.and_then(|key| Hmac::<Sha256>::new_from_slice(&key.0).ok());
        let mut found = false;
        split(value, sensitive, &mut |bytes, hidden| match (hidden, &mut secret) {
            (false, _) => open.update(bytes),
            (true, Some(hmac)) => {
                found = true;
                hmac.update(bytes);
            }
            (true, None) => found = true,
        });
        let open = Digest(open.finalize().into());
        let seal = match (found, secret) {
            (false, _) => Seal::Empty,
            (true, Some(mut hmac)) => {
                // The rest goes in as well: seals do not tell that two objects hold the same secret.
                hmac.update(&open.0);
                Seal::Keyed(Print::of_hash(hmac.finalize().into_bytes()))
            }
            (true, None) => Seal::Unknown,
        };
        (open, seal)
    }

    /// Tells whether both were taken of the same data. An unknown sensitive part proves nothing.
    pub fn proves(&self, other: &Self) -> bool {
        self == other && self.seal != Seal::Unknown
    }
}

/// The digest of a list's canonical form, fed piece by piece: the list itself is never built.
#[derive(Default)]
pub(crate) struct Canonical(Sha256);

impl Canonical {
    /// Begins a list of this length; its items follow.
    pub(crate) fn list(&mut self, len: usize) {
        self.0.update(b"l");
        self.0.update((len as u64).to_be_bytes());
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.update(b"s");
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    /// Returns the digest, as [`Digest::of_value`] does of the same list.
    pub(crate) fn digest(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Feeds a value's canonical form: a type byte, then the length and content of what it holds, so that no two
/// values share a form.
fn feed(value: &Value, sink: &mut dyn FnMut(&[u8])) {
    split(value, &SensitivePaths::default(), &mut |bytes, _| sink(bytes));
}

fn split(value: &Value, sensitive: &SensitivePaths, sink: &mut dyn FnMut(&[u8], bool)) {
    let hidden = sensitive.is_all();
    let text = |kind: &[u8], text: &str, sink: &mut dyn FnMut(&[u8], bool)| {
        sink(kind, hidden);
        sink(&(text.len() as u64).to_be_bytes(), hidden);
        sink(text.as_bytes(), hidden);
    };
    match value {
        Value::Null => sink(b"z", hidden),
        Value::Bool(false) => sink(b"f", hidden),
        Value::Bool(true) => sink(b"t", hidden),
        Value::Number(number) => text(b"n", &number.to_string(), sink),
        Value::String(string) => text(b"s", string, sink),
        Value::List(items) => {
            sink(b"l", hidden);
            sink(&(items.len() as u64).to_be_bytes(), hidden);
            items.iter().for_each(|item| split(item, sensitive, sink));
        }
        Value::Map(map) => {
            sink(b"m", hidden);
            sink(&(map.len() as u64).to_be_bytes(), hidden);
            for (name, field) in map.iter() {
                text(b"k", name, sink);
                let below = if hidden { Some(sensitive) } else { sensitive.field(name) };
                split(field, below.unwrap_or(&SensitivePaths::default()), sink);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field_path::FieldPath;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn order_of_lists_counts_and_order_of_keys_does_not() {
        assert_eq!(
            Digest::of_value(&value(r#"{"a":1,"b":2}"#)),
            Digest::of_value(&value(r#"{"b":2,"a":1}"#))
        );
        assert_ne!(Digest::of_value(&value("[1,2]")), Digest::of_value(&value("[2,1]")));
        assert_ne!(Digest::of_value(&value(r#"["ab"]"#)), Digest::of_value(&value(r#"["a","b"]"#)));
        assert_ne!(Digest::of_value(&value("1")), Digest::of_value(&value(r#""1""#)));
    }

    #[test]
    fn a_list_fed_piece_by_piece_has_the_digest_of_the_list() {
        let mut list = Canonical::default();
        list.list(2);
        list.list(1);
        list.text("a");
        list.text("é");
        assert_eq!(list.digest(), Digest::of_value(&value(r#"[["a"],"é"]"#)));
    }

    #[test]
    fn sensitive_parts_are_keyed_and_unknown_without_the_key() {
        let mut sensitive = SensitivePaths::default();
        sensitive.insert(&FieldPath::fields(["data"]));
        let (one, two) = (value(r#"{"data":{"p":"1234"},"x":1}"#), value(r#"{"data":{"p":"4321"},"x":1}"#));
        let (key, other) = (SealKey::new([1; 32]), SealKey::new([2; 32]));
        let print = |value: &Value, key| Fingerprint::of(value, &sensitive, key);
        assert!(print(&one, Some(&key)).proves(&print(&one, Some(&key))));
        assert!(!print(&one, Some(&key)).proves(&print(&two, Some(&key))));
        assert!(!print(&one, Some(&key)).proves(&print(&one, Some(&other))));
        assert!(!print(&one, None).proves(&print(&one, None)));
        assert_eq!(print(&one, None).open, print(&two, None).open);
    }
}
