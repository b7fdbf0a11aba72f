//! Whether a loose object is whole.
//!
//! libgit2 1.9 waits for ever for the rest of a loose object whose file is cut off, as a full disk or a crash
//! of the machine can leave it. So the compressed stream is walked to its end before libgit2 reads it. Only
//! the end matters here: the content is checked by libgit2, against the object's hash.
//!
//! # Source
//! RFC 1950 (zlib), RFC 1951 (deflate).

use std::io;

use git2::{Oid, Repository};

use crate::file;

/// Tells whether an object can be read to its end. What is not loose is whole: packs carry their own checks.
pub(super) fn is_whole(repository: &Repository, oid: Oid) -> io::Result<bool> {
    let hex = oid.to_string();
    let (directory, name) = hex.split_at(2);
    let path = repository.commondir().join("objects").join(directory).join(name);
    Ok(file::read(&path)?.is_none_or(|stream| ends(&stream)))
}

/// Tells whether a zlib stream reaches the end of its last block.
fn ends(stream: &[u8]) -> bool {
    let Some(([method, flags], blocks)) = stream.split_first_chunk() else {
        return false;
    };
    let is_zlib = method & 0x8f == 0x08 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31);
    is_zlib && walk(&mut Bits { bytes: blocks, at: 0 }).is_some()
}

/// Walks all blocks; `None` when the input ends first or is no deflate stream.
fn walk(bits: &mut Bits<'_>) -> Option<()> {
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => bits.skip_stored()?,
            1 => skip_symbols(bits, &fixed_literals(), &Code::of(&[5; 30]))?,
            2 => {
                let (literals, distances) = codes(bits)?;
                skip_symbols(bits, &literals, &distances)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(());
        }
    }
}

fn skip_symbols(bits: &mut Bits<'_>, literals: &Code, distances: &Code) -> Option<()> {
    loop {
        let symbol = literals.next(bits)?;
        match symbol {
            0..=255 => continue,
            256 => return Some(()),
            257..=264 | 285 => {}
            265..=284 => drop(bits.take((symbol - 261) / 4)?),
            _ => return None,
        }
        let distance = distances.next(bits)?;
        bits.take(distance.saturating_sub(2) / 2)?;
    }
}

/// RFC 1951, 3.2.6.
fn fixed_literals() -> Code {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Code::of(&lengths)
}

/// Reads the codes of a dynamic block: RFC 1951, 3.2.7.
fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let literals = usize::from(bits.take(5)?) + 257;
    let distances = usize::from(bits.take(5)?) + 1;
    let count = usize::from(bits.take(4)?) + 4;
    let mut of_lengths = [0; 19];
    for at in &ORDER[..count] {
        of_lengths[*at] = bits.take(3)? as u8;
    }
    let code = Code::of(&of_lengths);
    let mut lengths = Vec::with_capacity(literals + distances);
    while lengths.len() < literals + distances {
        let (length, repeat) = match code.next(bits)? {
            16 => (*lengths.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(length, repeat.into()));
    }
    let (literals, distances) = lengths.split_at(literals);
    Some((Code::of(literals), Code::of(distances)))
}

/// A canonical Huffman code: RFC 1951, 3.2.2.
struct Code {
    /// How many symbols have a code of each length, from one bit to fifteen.
    counts: [u16; 15],
    /// Symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    /// Builds the code from the length of each symbol's code; zero for unused symbols.
    fn of(lengths: &[u8]) -> Self {
        let mut counts = [0; 15];
        let mut symbols = Vec::new();
        for (length, count) in (1u8..).zip(&mut counts) {
            let before = symbols.len();
            let used = (0u16..).zip(lengths).filter(|(_, other)| **other == length);
            symbols.extend(used.map(|(symbol, _)| symbol));
            *count = (symbols.len() - before) as u16;
        }
        Self { counts, symbols }
    }

    /// Reads a symbol.
    fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        // The offset of the code read so far among the codes of its length, and where their symbols start.
        let (mut offset, mut start) = (0usize, 0usize);
        for count in self.counts.map(usize::from) {
            offset = offset * 2 + usize::from(bits.take(1)?);
            if offset < count {
                return self.symbols.get(start + offset).copied();
            }
            offset -= count;
            start += count;
        }
        None
    }
}

/// The bits of a stream, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// Reads a number of up to 15 bits.
    fn take(&mut self, count: u16) -> Option<u16> {
        let mut number = 0;
        for place in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number |= u16::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(number)
    }

    /// Skips a block that is not compressed: RFC 1951, 3.2.4.
    fn skip_stored(&mut self) -> Option<()> {
        let start = self.at.div_ceil(8);
        let length = self.bytes.get(start..start + 2)?;
        let end = start + 4 + usize::from(u16::from_le_bytes([length[0], length[1]]));
        self.at = end * 8;
        (end <= self.bytes.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lets Git compress some content and returns the stream.
    fn stream(content: &[u8], level: &str) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(directory.path()).unwrap();
        repository.config().unwrap().set_str("core.looseCompression", level).unwrap();
        let hex = repository.blob(content).unwrap().to_string();
        std::fs::read(directory.path().join("objects").join(&hex[..2]).join(&hex[2..])).unwrap()
    }

    fn content() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![Just(b"terrane".to_vec()), proptest::collection::vec(any::<u8>(), 0..200)];
        proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whole_streams_end_and_cut_ones_do_not(
            content in content(),
            level in prop_oneof![Just("0"), Just("1"), Just("9")],
            cut in any::<prop::sample::Index>(),
        ) {
            let stream = stream(&content, level);
            prop_assert!(ends(&stream));
            // The last four bytes are a checksum, behind the end of the blocks.
            let cut = cut.index(stream.len() - 4);
            prop_assert!(!ends(&stream[..cut]));
        }
    }

    #[test]
    fn what_is_no_stream_is_not_whole() {
        for bytes in [&b""[..], b"x", b"\x78\x01", b"\x78\x02\x03\x00", b"\x78\x01\x07", b"blob 1\0x"] {
            assert!(!ends(bytes), "{bytes:?}");
        }
        assert!(ends(b"\x78\x01\x03\x00"), "one empty block");
    }

    #[test]
    fn long_content_uses_every_kind_of_block() {
        let text: Vec<u8> = (0..60_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
        for level in ["0", "1", "9"] {
            let stream = stream(&text, level);
            assert!(ends(&stream), "level {level}");
            assert!(!ends(&stream[..stream.len() - 5]), "level {level}");
        }
    }
}
