//! Character encodings by their registered names.

use encoding_rs::Encoding;

/// A character encoding.
pub(super) enum Charset {
    Utf16 { little: bool },
    Latin1,
    Ascii,
    Other(&'static Encoding),
}

/// Finds an encoding by its name in the IANA registry or one of its aliases; case does not matter.
pub(super) fn find(name: &str) -> Option<Charset> {
    Some(match name.to_ascii_lowercase().as_str() {
        // The encoding library follows browsers, which read these three as something larger.
        "utf-16le" => Charset::Utf16 { little: true },
        "utf-16be" | "utf-16" => Charset::Utf16 { little: false },
        "iso-8859-1" | "iso_8859-1" | "latin1" | "l1" => Charset::Latin1,
        "us-ascii" | "ascii" | "iso646-us" => Charset::Ascii,
        "replacement" | "x-user-defined" => return None,
        _ => Charset::Other(Encoding::for_label_no_replacement(name.as_bytes())?),
    })
}

impl Charset {
    /// Returns the bytes of a text; `None` when a character is not in the encoding.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf16 { little: true } => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Self::Utf16 { little: false } => Some(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Latin1 => text.chars().map(|char| u8::try_from(char).ok()).collect(),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Other(encoding) => {
                let (bytes, _, lossy) = encoding.encode(text);
                (!lossy).then(|| bytes.into_owned())
            }
        }
    }

    /// Returns the text that bytes stand for; `None` when they stand for none.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf16 { little } => {
                let read = if *little { u16::from_le_bytes } else { u16::from_be_bytes };
                let pairs = bytes.chunks_exact(2);
                let whole = pairs.remainder().is_empty();
                let units: Vec<u16> = pairs.map(|pair| read([pair[0], pair[1]])).collect();
                whole.then(|| String::from_utf16(&units).ok()).flatten()
            }
            Self::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Ascii => bytes.is_ascii().then(|| bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Other(encoding) => {
                let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
                Some(text.into_owned())
            }
        }
    }
}
