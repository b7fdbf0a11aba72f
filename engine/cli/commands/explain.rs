//! `terrane explain`

use include_dir::{Dir, include_dir};

use crate::error::{CommandError, Exit};
use crate::terminal::{line, print};

/// One page a code, called `TRN0123.md`; the heading is `# TRN0123: TITLE`.
static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/engine/docs/codes");

/// Prints the page of a code, or all codes with their titles.
pub fn run(code: Option<&str>) -> Result<Exit, CommandError> {
    let Some(code) = code else {
        let mut pages: Vec<&str> = PAGES.files().filter_map(|page| page.contents_utf8()).collect();
        pages.sort_unstable();
        for heading in pages.iter().filter_map(|page| page.lines().next()) {
            line(heading.trim_start_matches("# "))?;
        }
        return Ok(Exit::Success);
    };
    let page = number(code).and_then(|number| PAGES.get_file(format!("TRN{number:04}.md")));
    let Some(text) = page.and_then(|page| page.contents_utf8()) else {
        return Err(CommandError::new(format!("there is no code {code}"))
            .hint("a code is written TRN0105; `terrane explain` alone lists all"));
    };
    // Remarks for whoever keeps the pages are comments.
    for shown in text.lines().filter(|shown| !shown.starts_with("<!--")) {
        print(&format!("{shown}\n"))?;
    }
    Ok(Exit::Success)
}

/// Reads `TRN0105`, `trn105` or `105`.
fn number(code: &str) -> Option<u16> {
    let code = code.trim().trim_matches(['[', ']']).to_ascii_uppercase();
    code.trim_start_matches("TRN").parse().ok()
}
