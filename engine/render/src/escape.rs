//! Makes text from clusters and files harmless to look at.
//!
//! Invariant: nothing that is printed holds a control character that this crate did not put there, so no
//! name, event or value can move the cursor, write the clipboard or hide what stands beside it.

use std::borrow::Cow;
use std::fmt::Write;

/// Combining marks that may follow each other; more of them hide the lines above and below.
const MAX_COMBINING: usize = 4;

/// Sequences that continuous integration services take for commands wherever they stand in a line.
///
/// # Source
/// GitHub Actions, workflow commands (`##[`), and Azure Pipelines, logging commands (`##vso[`).
const COMMANDS: [&str; 2] = ["##[", "##vso["];

/// Returns one line of `text` in which nothing is invisible: control characters are shown as `\n` or `\x1b`,
/// direction marks and characters without width as `<U+202E>`.
///
/// # Source
/// The bidirectional characters are those of CVE-2021-42574.
pub fn escape(text: &str) -> Cow<'_, str> {
    let harmless = |char: char| class(char) == Class::Plain;
    if text.chars().all(harmless) && !COMMANDS.iter().any(|command| text.contains(command)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut combining = 0;
    for (at, char) in text.char_indices() {
        combining = match class(char) {
            Class::Combining => combining + 1,
            _ => 0,
        };
        match class(char) {
            Class::Combining if combining <= MAX_COMBINING => out.push(char),
            Class::Plain if char == '#' && COMMANDS.iter().any(|it| text[at..].starts_with(it)) => {
                out.push_str("\\x23");
            }
            Class::Plain => out.push(char),
            Class::Control => out.push_str(&control(char)),
            Class::Invisible | Class::Combining => {
                // Writing to a string cannot fail.
                let _ = write!(out, "<U+{:04X}>", u32::from(char));
            }
        }
    }
    Cow::Owned(out)
}

/// Returns escaped `text` whose beginning no continuous integration service takes for a command, for text that
/// begins a line of output.
///
/// # Source
/// GitHub Actions, workflow commands: `::name parameters::value`, blanks before it ignored.
pub(crate) fn escape_line(text: &str) -> Cow<'_, str> {
    let escaped = escape(text);
    match escaped.trim_start().strip_prefix("::") {
        Some(rest) if rest.contains("::") => {
            let blanks = escaped.len() - escaped.trim_start().len();
            Cow::Owned(format!("{}\\x3a:{rest}", &escaped[..blanks]))
        }
        _ => escaped,
    }
}

/// Returns escaped `text` in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for piece in text.split_inclusive(['"', '\\']) {
        let mark = piece.len() - usize::from(piece.ends_with(['"', '\\']));
        out.push_str(&escape(&piece[..mark]));
        if mark < piece.len() {
            out.push('\\');
            out.push_str(&piece[mark..]);
        }
    }
    out.push('"');
    out
}

/// Returns `text` cut to `room` columns, saying how much is missing. `text` is one escaped line.
pub(crate) fn cut(text: &str, room: Option<usize>) -> Cow<'_, str> {
    let Some(room) = room else {
        return Cow::Borrowed(text);
    };
    if text.len() <= room {
        return Cow::Borrowed(text);
    }
    const TAIL: usize = 24;
    let mut used = 0;
    let mut end = None;
    for (at, char) in text.char_indices() {
        used += char_columns(char);
        if end.is_none() && used > room.saturating_sub(TAIL) {
            end = Some(at);
        }
        if used > room {
            let end = end.unwrap_or(at);
            let missing = text[end..].chars().count();
            return Cow::Owned(format!("{}… ({missing} more)", &text[..end]));
        }
    }
    Cow::Borrowed(text)
}

/// Returns `text` folded to `room` columns, saying how much is missing. Its end stays: that of an image or an address
/// tells as much as the beginning. `text` is one escaped line.
pub fn fold(text: &str, room: Option<usize>) -> Cow<'_, str> {
    let Some(room) = room else {
        return Cow::Borrowed(text);
    };
    if text.len() <= room || columns(text) <= room {
        return Cow::Borrowed(text);
    }
    let note = |missing: usize| format!("… {missing} more …");
    let rest = room.saturating_sub(columns(&note(text.len())));
    let head = fitting(text.chars(), rest - rest / 3);
    let tail = text.len() - fitting(text.chars().rev(), rest / 3);
    let missing = text[head..tail].chars().count();
    Cow::Owned(format!("{}{}{}", &text[..head], note(missing), &text[tail..]))
}

/// Returns the bytes of as many characters as fit into `room` columns.
fn fitting(chars: impl Iterator<Item = char>, room: usize) -> usize {
    let mut used = 0;
    let fits = |char: &char| {
        used += char_columns(*char);
        used <= room
    };
    chars.take_while(fits).map(char::len_utf8).sum()
}

/// Returns both texts cut to `room` columns around the place where they begin to differ.
pub(crate) fn cut_pair(before: &str, after: &str, room: Option<usize>) -> (String, String) {
    let Some(width) = room else {
        return (before.into(), after.into());
    };
    let common = before
        .char_indices()
        .zip(after.chars())
        .find(|((_, a), b)| a != b)
        .map_or(before.len().min(after.len()), |((at, _), _)| at);
    // A third of the line for what is common, the rest for what differs.
    let skip = common.saturating_sub(width / 3);
    // What comes behind may need less.
    let longest = before.len().max(after.len());
    let skip = before.floor_char_boundary(skip.min(longest.saturating_sub(width - 1)));
    if skip == 0 || longest <= width {
        return (cut(before, room).into_owned(), cut(after, room).into_owned());
    }
    let shown = |text: &str| format!("…{}", cut(&text[skip..], Some(width - 1)));
    (shown(before), shown(after))
}

/// Returns how many terminal columns a text takes at most, near enough for cutting.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

fn char_columns(char: char) -> usize {
    if !char.is_ascii() && lies_in(char, &WIDE) { 2 } else { 1 }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Plain,
    Control,
    Invisible,
    Combining,
}

fn class(char: char) -> Class {
    if matches!(char, ' '..='~') {
        Class::Plain
    } else if char.is_control() {
        Class::Control
    } else if lies_in(char, &INVISIBLE) {
        Class::Invisible
    } else if lies_in(char, &COMBINING) {
        Class::Combining
    } else {
        Class::Plain
    }
}

fn lies_in(char: char, ranges: &[(u32, u32)]) -> bool {
    let code = u32::from(char);
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Blocks whose characters take two columns.
///
/// # Source
/// Unicode Standard Annex 11, East Asian Width.
const WIDE: [(u32, u32); 9] = [
    (0x1100, 0x115F),
    (0x2E80, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE6F),
    (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1FAFF),
    (0x20000, 0x3FFFD),
];

/// Characters without a picture of their own.
///
/// # Source
/// Unicode Character Database, property `Default_Ignorable_Code_Point`; U+FE00 to U+FE0F, which choose between
/// pictures, are left out.
const INVISIBLE: [(u32, u32); 13] = [
    (0xAD, 0xAD),       // soft hyphen
    (0x61C, 0x61C),     // Arabic letter mark
    (0x115F, 0x1160),   // Hangul fillers
    (0x17B4, 0x17B5),   // Khmer inherent vowels
    (0x180B, 0x180F),   // Mongolian selectors and vowel separator
    (0x200B, 0x200F),   // zero width, direction marks
    (0x2028, 0x202E),   // line and paragraph separators, direction overrides
    (0x2060, 0x206F),   // word joiner, invisible operators, direction isolates
    (0x3164, 0x3164),   // Hangul filler
    (0xFEFF, 0xFEFF),   // byte order mark
    (0xFFA0, 0xFFA0),   // halfwidth Hangul filler
    (0xFFF0, 0xFFFB),   // reserved, interlinear annotation
    (0xE0000, 0xE0FFF), // tags, variation selectors
];

/// Marks that stand on the character before them.
const COMBINING: [(u32, u32); 5] =
    [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)];

/// Tells whether `char` may not reach a terminal as it is.
pub(crate) fn is_hidden(char: char) -> bool {
    matches!(class(char), Class::Control | Class::Invisible)
}

fn control(char: char) -> Cow<'static, str> {
    match char {
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        char => format!("\\x{:02x}", u32::from(char)).into(),
    }
}

#[cfg(test)]
mod tests;
