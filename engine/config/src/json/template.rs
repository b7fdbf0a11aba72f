//! Text of JSON as a template of HCL.

/// Writes a string of JSON as a quoted template; tells whether it has more than literal text.
///
/// In JSON the escapes are undone before the text is read as a template, in HCL they belong to its literal parts: only
/// those are escaped again.
pub(super) fn write(text: &[(usize, char)], native: &mut String) -> bool {
    // As in the lexer: one entry for each open string or interpolation, with the braces open in it.
    let mut open: Vec<Option<usize>> = vec![None];
    let mut has_code = false;
    native.push('"');
    let mut idx = 0;
    while let Some((_, char)) = text.get(idx).copied() {
        let next = |ahead: usize| text.get(idx + ahead).map(|(_, char)| *char);
        let is_marker = matches!(char, '$' | '%');
        let is_inner = open.len() > 1;
        let after = text.get(idx + 1).map(|(at, _)| *at);
        match (open.last_mut(), char) {
            (Some(None), '$' | '%') if next(1) == Some(char) && next(2) == Some('{') => {
                native.extend([char, char, '{']);
                idx += 2;
            }
            (Some(None), _) if is_marker && next(1) == Some('{') => {
                native.extend([char, '{']);
                open.push(Some(0));
                has_code = true;
                idx += 1;
            }
            (Some(None), _) if !is_inner => literal(char, native),
            (Some(None), '\\') => {
                native.push(char);
                native.extend(next(1));
                idx += 1;
            }
            (Some(None), '"') => {
                native.push('"');
                open.pop();
                align(native, after);
            }
            (Some(Some(_)), '"') => {
                align(native, after.map(|after| after - 1));
                native.push('"');
                open.push(None);
            }
            (Some(Some(0)), '}') => {
                native.push('}');
                open.pop();
            }
            (Some(Some(braces)), _) => {
                match char {
                    '{' => *braces += 1,
                    '}' => *braces -= 1,
                    _ => {}
                }
                native.push(char);
            }
            (Some(None) | None, _) => native.push(char),
        }
        idx += 1;
    }
    native.push('"');
    has_code
}

fn literal(char: char, native: &mut String) {
    match char {
        '"' => native.push_str("\\\""),
        '\\' => native.push_str("\\\\"),
        '\n' => native.push_str("\\n"),
        '\r' => native.push_str("\\r"),
        '\t' => native.push_str("\\t"),
        char if char < ' ' => native.push_str(&format!("\\u{:04x}", u32::from(char))),
        char => native.push(char),
    }
}

/// Adds space until what is written next stands where it stands in the JSON: less was written for an escape than read.
fn align(native: &mut String, at: Option<usize>) {
    let missing = at.map_or(0, |at| at.saturating_sub(native.len()));
    native.extend(std::iter::repeat_n(' ', missing));
}
