//! What is under way, in the order in which it began.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use engine_core::address::Address;

/// How many changes are shown at once.
const SHOWN: usize = 10;

/// The changes under way. Displayed as one line each, after a line break: those that have been running longest, and
/// how many there are beyond them.
#[derive(Default)]
pub(super) struct Running {
    begun: u64,
    order: HashMap<Address, u64>,
    texts: BTreeMap<u64, String>,
}

impl Running {
    /// Says what a change does now. It keeps its place.
    pub fn say(&mut self, address: &Address, text: String) {
        let place = *self.order.entry(address.clone()).or_insert_with(|| {
            self.begun += 1;
            self.begun
        });
        self.texts.insert(place, text);
    }

    /// Tells whether this is what a change does now.
    pub fn says(&self, address: &Address, text: &str) -> bool {
        self.order.get(address).and_then(|place| self.texts.get(place)).is_some_and(|it| it == text)
    }

    /// Drops a change that is no longer under way.
    pub fn end(&mut self, address: &Address) {
        if let Some(place) = self.order.remove(address) {
            self.texts.remove(&place);
        }
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for text in self.texts.values().take(SHOWN) {
            write!(f, "\n  {text}")?;
        }
        match self.texts.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
