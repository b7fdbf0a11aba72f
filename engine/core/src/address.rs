//! The name of a resource inside its environment.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::object_ref::ClusterRef;
use crate::value::Text;

mod relocate;

/// What tells instances of one block apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// `count`: `[0]`.
    Int(u64),
    /// `for_each`: `["dev"]`.
    String(Text),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "[{int}]"),
            Self::String(text) => write!(f, "[{}]", Quoted(text)),
        }
    }
}

/// One `TYPE.NAME[KEY]` of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// Block type: a primitive or a module.
    pub block_type: Text,
    /// The block's label. `read` has two labels, joined by a dot: `ConfigMap.ca`.
    pub name: Text,
    /// Instance, for blocks with `for_each` or `count`.
    pub key: Option<InstanceKey>,
}

impl Step {
    /// Builds a step.
    pub fn new(block_type: impl Into<Text>, name: impl Into<Text>, key: Option<InstanceKey>) -> Self {
        Self { block_type: block_type.into(), name: name.into(), key }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.block_type, self.name)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

/// An address: `namespace.env["dev"].manifest.quota`, and for primitives of many objects
/// `manifests.rbac["Role.rbac.authorization.k8s.io/team-a/reader"]`.
///
/// Invariant: it has at least one step, and an object key only behind an instance key. The text form and [`FromStr`] are inverse.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Shared: addresses are keys in many places, and a clone must cost next to nothing.
    steps: Arc<[Step]>,
    object: Option<Text>,
}

impl Address {
    /// Builds the address of a block of the root module.
    pub fn root(step: Step) -> Self {
        Self { steps: Arc::new([step]), object: None }
    }

    /// Returns the address of a cluster, `cluster.prod["eu"]`: what stands for all that is on it.
    pub fn of_cluster(cluster: &ClusterRef) -> Self {
        let parsed = format!("cluster.{cluster}").parse();
        parsed.unwrap_or_else(|_| Self::root(Step::new("cluster", cluster.as_str(), None)))
    }

    /// Returns the address of a block inside this module instance.
    #[must_use]
    pub fn child(&self, step: Step) -> Self {
        let steps = self.steps.iter().cloned().chain([step]).collect();
        Self { steps, object: None }
    }

    /// Returns the address of one object of this primitive: `Kind.group/namespace/name`.
    ///
    /// Behind a block without instances the key reads like an instance key, so it is kept as one: text alone
    /// cannot tell them apart, and equal text must be equal addresses.
    #[must_use]
    pub fn object(&self, key: impl Into<Text>) -> Self {
        let mut address = self.clone();
        match Arc::make_mut(&mut address.steps).last_mut() {
            Some(step) if step.key.is_none() => step.key = Some(InstanceKey::String(key.into())),
            _ => address.object = Some(key.into()),
        }
        address
    }

    /// Returns the steps, outermost first; at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns this address and those of the blocks around it, innermost first.
    pub fn enclosing(&self) -> Vec<Self> {
        let mut found = Vec::new();
        if self.object.is_some() {
            found.push(self.clone());
        }
        for len in (1..=self.steps.len()).rev() {
            found.push(Self { steps: self.steps[..len].into(), object: None });
            // An object of a primitive without instances: its key is the last step's.
            if len == self.steps.len() && self.object.is_none() {
                let mut block = Self { steps: self.steps.clone(), object: None };
                if let Some(step) =
                    Arc::make_mut(&mut block.steps).last_mut().filter(|step| step.key.is_some())
                {
                    step.key = None;
                    found.push(block);
                }
            }
        }
        found
    }

    /// Tells whether this address is `other` or lies inside it.
    ///
    /// A step without a key covers all instances of its block.
    pub fn is_within(&self, other: &Self) -> bool {
        let steps = other.steps.len() <= self.steps.len()
            && other.steps.iter().zip(self.steps.iter()).all(|(theirs, ours)| {
                theirs.block_type == ours.block_type
                    && theirs.name == ours.name
                    && (theirs.key.is_none() || theirs.key == ours.key)
            });
        steps
            && (other.object.is_none()
                || other.object == self.object && other.steps.len() == self.steps.len())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, step) in self.steps.iter().enumerate() {
            if idx > 0 {
                f.write_str(".")?;
            }
            write!(f, "{step}")?;
        }
        self.object.iter().try_for_each(|key| write!(f, "[{}]", Quoted(key)))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text in double quotes with `\`, `"` and control characters escaped.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                char if char.is_control() => write!(f, "\\u{{{:x}}}", u32::from(char))?,
                char => f.write_char(char)?,
            }
        }
        f.write_char('"')
    }
}

/// The text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an address: {reason} at byte {at}")]
pub struct AddressError {
    reason: &'static str,
    at: usize,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Parser { text, at: 0 }.address()
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn address(mut self) -> Result<Address, AddressError> {
        let mut steps = Vec::new();
        let mut object = None;
        loop {
            steps.push(self.step()?);
            if self.peek() == Some('[') {
                let InstanceKey::String(key) = self.key()? else {
                    return self.fail("an object key must be quoted");
                };
                object = Some(key);
            }
            match self.peek() {
                None => break,
                Some('.') if object.is_none() => self.at += 1,
                Some(_) => return self.fail("unexpected character"),
            }
        }
        Ok(Address { steps: steps.into(), object })
    }

    fn step(&mut self) -> Result<Step, AddressError> {
        let block_type = self.ident()?;
        if !self.eat('.') {
            return self.fail("expected `.`");
        }
        let mut name = self.ident()?;
        if block_type == "read" && self.eat('.') {
            name = format!("{name}.{}", self.ident()?).into();
        }
        let key = if self.peek() == Some('[') { Some(self.key()?) } else { None };
        Ok(Step { block_type, name, key })
    }

    fn ident(&mut self) -> Result<Text, AddressError> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        if len == 0 {
            return self.fail("expected a name");
        }
        self.at += len;
        Ok(rest[..len].into())
    }

    fn key(&mut self) -> Result<InstanceKey, AddressError> {
        self.at += 1;
        let key =
            if self.eat('"') { InstanceKey::String(self.quoted()?) } else { InstanceKey::Int(self.int()?) };
        if self.eat(']') { Ok(key) } else { self.fail("expected `]`") }
    }

    fn int(&mut self) -> Result<u64, AddressError> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Ok(int) = rest[..len].parse() else {
            return self.fail("expected a number");
        };
        self.at += len;
        Ok(int)
    }

    fn quoted(&mut self) -> Result<Text, AddressError> {
        let mut text = String::new();
        while let Some(char) = self.peek() {
            self.at += char.len_utf8();
            match char {
                '"' => return Ok(text.into()),
                '\\' => text.push(self.escape()?),
                char => text.push(char),
            }
        }
        self.fail("unclosed quote")
    }

    fn escape(&mut self) -> Result<char, AddressError> {
        if self.eat('u') && self.eat('{') {
            let rest = &self.text[self.at..];
            let digits = rest.split('}').next().unwrap_or_default();
            let char = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
            self.at += digits.len();
            return match char {
                Some(char) if self.eat('}') => Ok(char),
                _ => self.fail("bad escape"),
            };
        }
        let Some(char @ ('"' | '\\')) = self.peek() else {
            return self.fail("bad escape");
        };
        self.at += 1;
        Ok(char)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn eat(&mut self, char: char) -> bool {
        let found = self.peek() == Some(char);
        if found {
            self.at += char.len_utf8();
        }
        found
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, AddressError> {
        Err(AddressError { reason, at: self.at })
    }
}

#[cfg(test)]
mod tests;
