//! The differences of single objects, each folded.

use engine_core::plan::{Change, Tier};

use super::Tally;
use super::effect::Effect;
use super::inert::{code, fence, html};
use super::page::{Page, Section};
use crate::body::{self, Line, Sign};
use crate::escape::{cut, cut_pair};
use crate::text::{look, notes, sentence};

/// Columns of a line beyond which it is cut.
const MAX_COLUMNS: usize = 1_000;

/// Bytes kept back for saying what is left out.
const REST: usize = 1_500;

/// Appends the objects, largest last, until one does not fit, and says what is left out.
pub(super) fn put_all(page: &mut Page, effect: &Effect<'_>) {
    let mut blocks: Vec<(String, &Change)> =
        effect.changes.iter().map(|change| (block(change, effect), change.as_ref())).collect();
    blocks.sort_by_key(|(block, _)| block.len());
    let total: usize = blocks.iter().map(|(block, _)| block.len()).sum();
    let mut room = page.room();
    if total > room {
        room = room.saturating_sub(REST);
    }
    let mut shown = 0;
    for (block, _) in &blocks {
        if block.len() > room {
            break;
        }
        room -= block.len();
        page.push(block);
        shown += 1;
    }
    let left_out: Vec<&Change> = blocks[shown..].iter().map(|(_, change)| *change).collect();
    if left_out.is_empty() {
        return;
    }
    let title = format!(
        "**Too long for this comment: {}. Their differences are in the full plan.**",
        Tally::of(left_out.iter().copied()).parts().join(", ")
    );
    let names = left_out.iter().map(|change| format!("- {}", code(&change.object_ref.key())));
    page.section(Section::list(&title, names), REST);
}

fn block(change: &Change, effect: &Effect<'_>) -> String {
    let (symbol, _) = look(change.action.kind());
    let mut out = format!(
        "<details><summary><code>{}</code> {} {}</summary>\n\n",
        symbol.replace('<', "&lt;").replace('>', "&gt;"),
        html(&change.object_ref.key()),
        sentence(change).replace('\'', "&#39;"),
    );
    out += &format!("{} on {}", code(&change.address.to_string()), code(change.object_ref.cluster.as_str()));
    if change.tier == Tier::Client {
        out += " (predicted without the server)";
    }
    for note in notes(change, effect.conflicts_of(&change.object_ref)) {
        out += &format!("<br>{}", code(&note));
    }
    out += "\n\n";
    let lines: Vec<String> = body::lines(&change.fields).iter().flat_map(diff_lines).collect();
    if !lines.is_empty() {
        out += &fence("diff", &lines);
        out.push('\n');
    }
    out += "</details>\n\n";
    out
}

fn diff_lines(line: &Line) -> Vec<String> {
    match line {
        Line::One { sign, depth, text } => {
            let sign = match sign {
                Sign::Add => '+',
                Sign::Remove => '-',
                Sign::Change => '!',
                Sign::Keep => ' ',
            };
            let text = cut(text, Some(MAX_COLUMNS));
            vec![format!("{sign} {:width$}{text}", "", width = depth * 2)]
        }
        Line::Two { label, before, after } => {
            let (before, after) = cut_pair(before, after, Some(MAX_COLUMNS));
            let label = cut(label, Some(MAX_COLUMNS));
            vec![format!("- {label}: {before}"), format!("+ {label}: {after}")]
        }
    }
}
