//! What participants tell of their attempts.

use std::collections::{BTreeMap, BTreeSet};

use crate::Fault;
use crate::chain::Link;

/// The attempts of some participants.
#[derive(Debug, Default)]
pub struct Account {
    /// All that were begun.
    pub tried: BTreeSet<String>,
    /// Which revision each one became that is said to be in the chain.
    pub landed: BTreeMap<String, String>,
    /// Those of which it is said that they never will be in the chain.
    pub lost: BTreeSet<String>,
    /// How many of these because somebody else was first.
    pub moved: usize,
    /// What happened to locks, in order: `holds NAME`, `released NAME`, `fenced NAME`, `unlocked NAME`.
    pub locks: Vec<(String, String)>,
}

impl Account {
    /// Reads what a participant wrote; a line that it was killed in is left out.
    ///
    /// # Errors
    /// A participant gave up.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let mut account = Self::default();
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (id, detail) = rest.split_once(' ').unwrap_or((rest, ""));
            match what {
                "tried" => {
                    account.tried.insert(id.into());
                }
                "landed" | "found" => {
                    account.landed.insert(id.into(), detail.into());
                }
                "lost" => {
                    account.lost.insert(id.into());
                    account.moved += usize::from(detail == "moved");
                }
                "holds" | "released" | "fenced" | "unlocked" => account.locks.push((what.into(), id.into())),
                "open" | "blind" => {}
                _ => return Err(format!("a participant gave up: {line}").into()),
            }
        }
        Ok(account)
    }

    /// Adds what others tell.
    pub fn add(&mut self, other: Self) {
        self.tried.extend(other.tried);
        self.landed.extend(other.landed);
        self.lost.extend(other.lost);
        self.moved += other.moved;
        self.locks.extend(other.locks);
    }

    /// Returns who holds the lock as far as this account tells, and has not been told otherwise.
    pub fn holder(&self) -> Option<&str> {
        self.locks.last().filter(|(what, _)| what == "holds").map(|(_, name)| name.as_str())
    }

    /// Returns how many attempts a success took. An attempt that a fault ended is no lost race.
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    pub fn tries_per_success(&self) -> f64 {
        let landed = self.landed.len().max(1);
        (landed + self.moved) as f64 / landed as f64
    }

    /// Checks that the chain holds what is said to be in it, and nothing that is said to be lost.
    ///
    /// # Errors
    /// It does not: which attempt, and what became of it.
    pub fn check(&self, links: &[Link]) -> Result<(), Fault> {
        let chain: BTreeMap<&str, &Link> = links.iter().map(|link| (link.id.as_str(), link)).collect();
        for (id, revision) in &self.landed {
            match chain.get(id.as_str()) {
                Some(link) if link.revision == *revision => {}
                found => return Err(format!("{id} landed as {revision}, the chain has {found:?}").into()),
            }
        }
        match self.lost.iter().find(|id| chain.contains_key(id.as_str())) {
            Some(id) => Err(format!("{id} was said to be lost, and is in the chain").into()),
            None => Ok(()),
        }
    }
}
