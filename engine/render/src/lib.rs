//! Says what was found: plans, diagnostics, state and results as text, Markdown, JSON and pictures.
//!
//! Invariants: the same input gives the same bytes; text from clusters and files reaches a terminal only through
//! [`escape()`], and a comment only through the fences and code spans of the Markdown renderer; secrets cannot
//! be printed, because plans hold none. Nothing here looks at the terminal, the clock or the environment.

mod escape;
mod style;

mod body;
mod conflict;
mod diagnostics;
mod graph;
mod history;
mod json;
mod markdown;
mod naming;
mod report;
mod source_diff;
mod state;
mod text;

pub use diagnostics::{diagnostics_json, diagnostics_text};
pub use escape::{escape, fold};
pub use graph::{graph_dot, graph_mermaid};
pub use history::{Approvals, difference_text, history_text, verified_text};
pub use json::{
    RunEvent, compacted_json, difference_json, event_json, history_json, plan_json, state_json,
    state_show_json, stored_json, value_json, verified_json,
};
pub use markdown::{DEFAULT_LIMIT, PreviewOptions, plan_markdown, preview_marker};
pub use naming::Naming;
pub use report::{Operation, report_text};
pub use source_diff::source_diff;
pub use state::{outputs_json, outputs_text, state_list, state_show};
pub use style::{Colour, Style};
pub use text::plan_text;

#[cfg(test)]
mod samples;
