//! What is under way, in the order in which it began.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::Instant;

use engine_core::address::Address;
use engine_render::fold;

/// How many changes are shown at once.
const SHOWN: usize = 10;

/// The changes under way.
#[derive(Default)]
pub(super) struct Running {
    begun: u64,
    order: HashMap<Address, u64>,
    tasks: BTreeMap<u64, Task>,
}

/// What a change does now, what it waits for, if it does, and when it began.
struct Task {
    text: String,
    missing: String,
    since: Instant,
}

impl Running {
    /// Says what a change does now, and what it waits for. It keeps its place.
    pub fn say(&mut self, address: &Address, (text, missing): (String, String), now: Instant) {
        let place = *self.order.entry(address.clone()).or_insert_with(|| {
            self.begun += 1;
            self.begun
        });
        let since = self.tasks.get(&place).map_or(now, |task| task.since);
        self.tasks.insert(place, Task { text, missing, since });
    }

    /// Tells whether this is what a change waits for now.
    pub fn waits(&self, address: &Address, missing: &str) -> bool {
        self.order
            .get(address)
            .and_then(|place| self.tasks.get(place))
            .is_some_and(|it| it.missing == missing)
    }

    /// Drops a change that is no longer under way.
    pub fn end(&mut self, address: &Address) {
        if let Some(place) = self.order.remove(address) {
            self.tasks.remove(&place);
        }
    }

    /// Returns the changes that have been running longest, with how long if it is worth saying, each with what it waits
    /// for on a line below; and how many there are beyond them. A line break comes before each line, which is folded to
    /// the width, 0 for none.
    pub fn lines(&self, now: Instant, width: usize) -> String {
        let mut out = String::new();
        for task in self.tasks.values().take(SHOWN) {
            let elapsed = match now.saturating_duration_since(task.since).as_secs() {
                0 => String::new(),
                seconds => format!(" ({seconds} s)"),
            };
            let room = |used| (width > 0).then(|| width.saturating_sub(used));
            // Writing to a string cannot fail.
            let _ = write!(out, "\n  {}{elapsed}", fold(&task.text, room(2 + elapsed.len())));
            if !task.missing.is_empty() {
                let _ = write!(out, "\n      {}", fold(&task.missing, room(6)));
            }
        }
        let more = self.tasks.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = write!(out, "\n  and {more} more");
        }
        out
    }
}

#[cfg(test)]
mod tests;
