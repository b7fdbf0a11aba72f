//! The wire format of protobuf.
//!
//! # Source
//! <https://protobuf.dev/programming-guides/encoding/>

use super::ProtobufError;

/// What a field carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Payload<'a> {
    /// A number of variable length.
    Varint(u64),
    /// Eight bytes.
    Fixed(u64),
    /// A text, bytes, or a message.
    Bytes(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// The bytes of a text or message.
    ///
    /// # Errors
    /// If it is a number.
    pub fn bytes(self) -> Result<&'a [u8], ProtobufError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(ProtobufError::Malformed("a number instead of bytes")),
        }
    }

    /// The text.
    ///
    /// # Errors
    /// If it is a number, or no UTF-8.
    pub fn text(self) -> Result<String, ProtobufError> {
        let text = String::from_utf8(self.bytes()?.to_vec());
        text.map_err(|_| ProtobufError::Malformed("a text that is not UTF-8"))
    }

    /// The integer, in two's complement. No bytes stand for zero.
    ///
    /// # Errors
    /// If it is something else.
    pub fn integer(self) -> Result<i64, ProtobufError> {
        match self {
            Self::Varint(number) => Ok(number.cast_signed()),
            Self::Bytes([]) => Ok(0),
            _ => Err(ProtobufError::Malformed("something else instead of an integer")),
        }
    }

    /// The floating-point number.
    ///
    /// # Errors
    /// If it is something else.
    pub fn float(self) -> Result<f64, ProtobufError> {
        match self {
            Self::Fixed(bits) => Ok(f64::from_bits(bits)),
            _ => Err(ProtobufError::Malformed("something else instead of a number of eight bytes")),
        }
    }
}

/// The fields of a message, by number, in their order. It ends after the first that cannot be read.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of these bytes.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn read(&mut self) -> Option<(u64, Payload<'a>)> {
        let key = self.varint()?;
        let payload = match key & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => {
                let (eight, rest) = self.rest.split_first_chunk::<8>()?;
                self.rest = rest;
                Payload::Fixed(u64::from_le_bytes(*eight))
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.rest.split_at_checked(length)?;
                self.rest = rest;
                Payload::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, payload))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Payload<'a>), ProtobufError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(ProtobufError::Malformed("it ends inside a field")))
    }
}
