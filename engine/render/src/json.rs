//! Plan, state and results as JSON, and how JSON is written.

mod conflict;
mod history;
mod object;
mod plan;
mod run;
mod state;
mod writer;

pub use history::{compacted_json, difference_json, history_json, stored_json, value_json, verified_json};
pub use plan::plan_json;
pub use run::{RunEvent, event_json};
pub use state::{state_json, state_show_json};
pub(crate) use writer::to_json;

/// Version of the JSON formats. Readers ignore fields they do not know and refuse another major version.
pub(crate) const FORMAT_VERSION: &str = "1.0";

#[cfg(test)]
mod tests;
