//! The notation of `builtin.schema`.
//!
//! | Text | Type |
//! |---|---|
//! | `s` `n` `b` `u` | string, number, boolean, any scalar |
//! | `?` `*` `@name` | the type of that name |
//! | `[T]` `[T]=` `[T](k,l="TCP")` | list: atomic, set, map-like with keys and their defaults |
//! | `[T](k)+` | the same, always present |
//! | `{f:T,g+:T\|T}` | map: fields (`+`: always present), then the type of further entries |
//! | `{…}!` | atomic map |
//!
//! Several of these in a row mean that the value decides.

use std::collections::BTreeMap;

use super::{
    Field, KeyDefault, ListKey, ListRelation, ListType, MapRelation, MapType, Repr, Scalar, Shape, Type,
};

/// Parses a whole line; `None` if it is malformed.
pub(super) fn shape(text: &'static str) -> Option<Shape> {
    let mut reader = Reader { rest: text };
    let shape = reader.shape()?;
    reader.rest.is_empty().then_some(shape)
}

struct Reader {
    rest: &'static str,
}

impl Reader {
    fn shape(&mut self) -> Option<Shape> {
        let mut shape = Shape::default();
        let mut any = false;
        loop {
            match self.rest.bytes().next() {
                Some(b'[') => shape.list = Some(self.list()?),
                Some(b'{') => shape.map = Some(self.map()?),
                Some(letter) => match scalar(letter) {
                    Some(scalar) => {
                        shape.scalar = Some(scalar);
                        self.rest = &self.rest[1..];
                    }
                    None => return any.then_some(shape),
                },
                None => return any.then_some(shape),
            }
            any = true;
        }
    }

    fn ty(&mut self) -> Option<Type> {
        match self.rest.bytes().next()? {
            b'?' | b'*' => {
                let (name, rest) = self.rest.split_at(1);
                self.rest = rest;
                Some(Type(Repr::Named(name)))
            }
            b'@' => {
                self.rest = &self.rest[1..];
                Some(Type(Repr::Named(self.until(&[',', ']', '}', '|'])?)))
            }
            _ => self.shape().map(Type::from),
        }
    }

    fn list(&mut self) -> Option<ListType> {
        self.eat('[').then_some(())?;
        let element = self.ty()?;
        self.eat(']').then_some(())?;
        let relation = if self.eat('=') {
            ListRelation::Set
        } else if self.eat('(') {
            ListRelation::Map(self.keys()?)
        } else {
            ListRelation::Atomic
        };
        Some(ListType { element, relation, always: self.eat('+') })
    }

    fn keys(&mut self) -> Option<Vec<ListKey>> {
        let mut keys = Vec::new();
        loop {
            let name = self.until(&['=', ',', ')'])?.into();
            let default = if self.eat('=') { Some(key_default(self.until(&[',', ')'])?)?) } else { None };
            keys.push(ListKey { name, default });
            if !self.eat(',') {
                return self.eat(')').then_some(keys);
            }
        }
    }

    fn map(&mut self) -> Option<MapType> {
        self.eat('{').then_some(())?;
        let mut fields = BTreeMap::new();
        while !self.rest.starts_with(['|', '}']) {
            let name = self.until(&[':'])?;
            self.eat(':').then_some(())?;
            let ty = self.ty()?;
            let always = name.ends_with('+');
            fields.insert(name.trim_end_matches('+').into(), Field { ty, always });
            self.eat(',');
        }
        let element = if self.eat('|') { Some(self.ty()?) } else { None };
        self.eat('}').then_some(())?;
        let relation = if self.eat('!') { MapRelation::Atomic } else { MapRelation::Separable };
        Some(MapType { fields, element, relation })
    }

    fn eat(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn until(&mut self, ends: &[char]) -> Option<&'static str> {
        let (text, rest) = self.rest.split_at(self.rest.find(ends)?);
        self.rest = rest;
        Some(text)
    }
}

fn scalar(letter: u8) -> Option<Scalar> {
    Some(match letter {
        b's' => Scalar::String,
        b'n' => Scalar::Numeric,
        b'b' => Scalar::Boolean,
        b'u' => Scalar::Untyped,
        _ => return None,
    })
}

fn key_default(text: &str) -> Option<KeyDefault> {
    match text {
        "true" => Some(KeyDefault::Boolean(true)),
        "false" => Some(KeyDefault::Boolean(false)),
        _ => match text.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"').map(|inner| KeyDefault::String(inner.into())),
            None => text.parse().ok().map(KeyDefault::Integer),
        },
    }
}
