//! Clusters in waves, and what has to be met between two waves.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::address::Address;
use crate::object_ref::ClusterRef;
use crate::value::Text;

/// Clusters in waves: one begins when everything on the clusters of the wave before is current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollout {
    /// Its name.
    pub name: Text,
    /// In their order, each with clusters.
    pub waves: Vec<Wave>,
}

/// Clusters that change side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Its name.
    pub name: Text,
    /// The clusters; each is in one wave only.
    pub clusters: Vec<ClusterRef>,
    /// How long the next wave waits once all of this one is current.
    pub soak: Option<Duration>,
    /// The checks that must hold before the next wave; a step without a key names all instances.
    pub checks: Vec<Address>,
    /// Whether it begins only if the plan's decision is approved.
    pub approval: bool,
}

/// What has to be met before a wave of a plan begins, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The rollout.
    pub rollout: Text,
    /// The wave that waits.
    pub wave: Text,
    /// Its clusters.
    pub clusters: Vec<ClusterRef>,
    /// How long to wait first.
    pub soak: Option<Duration>,
    /// Checks that must hold then; a step without a key names all instances.
    pub checks: Vec<Address>,
    /// Whether the plan's decision must have been approved.
    pub approval: bool,
}

impl Gate {
    /// Tells whether it stands open: the wave only comes after the one before.
    pub fn is_open(&self) -> bool {
        self.soak.is_none() && self.checks.is_empty() && !self.approval
    }
}

impl Rollout {
    /// Returns the gates that a plan meets which changes something on these clusters, one before each wave up to the
    /// last that changes: a soak follows only what was changed, and an approval is asked only of what it is for.
    ///
    /// A wave that an earlier apply intended to change, and left before it began, may have been about to soak: the
    /// soak before it begins again.
    pub fn gates(&self, changed: &BTreeSet<&ClusterRef>, intended: &BTreeSet<&ClusterRef>) -> Vec<Gate> {
        let is_on = |wave: &Wave, clusters: &BTreeSet<&ClusterRef>| {
            wave.clusters.iter().any(|cluster| clusters.contains(cluster))
        };
        let changes = |wave: &Wave| is_on(wave, changed);
        let mut gates = Vec::new();
        for (idx, wave) in self.waves.iter().enumerate() {
            if !self.waves[idx..].iter().any(changes) {
                break;
            }
            let before = idx.checked_sub(1).map(|before| &self.waves[before]);
            let soak = match before {
                Some(before) if changes(before) => before.soak,
                // What the soak followed may lie further back, before waves in which nothing changed.
                _ if changes(wave) && is_on(wave, intended) => {
                    self.waves[..idx].iter().rev().find_map(|before| before.soak)
                }
                _ => None,
            };
            let gate = Gate {
                rollout: self.name.clone(),
                wave: wave.name.clone(),
                clusters: wave.clusters.clone(),
                soak,
                checks: before.map(|before| before.checks.clone()).unwrap_or_default(),
                approval: wave.approval && changes(wave),
            };
            gates.push(gate);
        }
        gates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout() -> Rollout {
        let wave = |name: &str, soak, approval| Wave {
            name: name.into(),
            clusters: vec![ClusterRef::new(format!("{name}-1")), ClusterRef::new(format!("{name}-2"))],
            soak: Some(Duration::from_secs(soak)),
            checks: vec![format!("check.{name}-is-well").parse().unwrap()],
            approval,
        };
        Rollout {
            name: "all".into(),
            waves: vec![wave("a", 60, false), wave("b", 30, true), wave("c", 10, false)],
        }
    }

    fn told(changed: &[&str], intended: &[&str]) -> Vec<String> {
        let clusters = |names: &[&str]| names.iter().map(|name| ClusterRef::new(*name)).collect::<Vec<_>>();
        let (changed, intended) = (clusters(changed), clusters(intended));
        let gates = rollout().gates(&changed.iter().collect(), &intended.iter().collect());
        let words = gates.iter().map(|gate| {
            let mut words = vec![gate.wave.to_string()];
            words.extend(gate.soak.map(|soak| format!("soak {}", soak.as_secs())));
            words.extend(gate.checks.iter().map(ToString::to_string));
            words.extend(gate.approval.then(|| "approval".to_owned()));
            words.join(" ")
        });
        words.collect()
    }

    #[test]
    fn a_gate_stands_before_each_wave_behind_which_something_changes() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            // Behind the last wave that changes nothing waits.
            (&["a-1"], &["a"]),
            (&["a-2", "b-1"], &["a", "b soak 60 check.a-is-well approval"]),
            (&["b-1"], &["a", "b check.a-is-well approval"]),
            (&["c-2"], &["a", "b check.a-is-well", "c check.b-is-well"]),
            (&["a-1", "c-1"], &["a", "b soak 60 check.a-is-well", "c check.b-is-well"]),
        ];
        for (changed, want) in cases {
            assert_eq!(told(changed, &[]), want, "{changed:?}");
        }
    }

    #[test]
    fn a_soak_that_an_apply_left_begins_again() {
        let cases: [(&[&str], &[&str], &[&str]); 5] = [
            (&["b-1"], &["b-1"], &["a", "b soak 60 check.a-is-well approval"]),
            (&["b-1"], &["c-1"], &["a", "b check.a-is-well approval"]),
            // What was intended of a wave that no longer changes waits for nothing.
            (&["c-1"], &["b-1"], &["a", "b check.a-is-well", "c check.b-is-well"]),
            (
                &["b-1", "c-1"],
                &["b-1", "c-1"],
                &["a", "b soak 60 check.a-is-well approval", "c soak 30 check.b-is-well"],
            ),
            // Nothing changed in the wave between.
            (&["c-1"], &["c-2"], &["a", "b check.a-is-well", "c soak 30 check.b-is-well"]),
        ];
        for (changed, intended, want) in cases {
            assert_eq!(told(changed, intended), want, "{changed:?} after {intended:?}");
        }
    }

    #[test]
    fn a_soak_that_an_apply_left_is_that_of_the_last_wave_that_has_one() {
        let mut rollout = rollout();
        rollout.waves[1].soak = None;
        let cluster = ClusterRef::new("c-1");
        let (changed, intended) = (BTreeSet::from([&cluster]), BTreeSet::from([&cluster]));
        let soaks: Vec<_> = rollout.gates(&changed, &intended).into_iter().map(|gate| gate.soak).collect();
        assert_eq!(soaks, [None, None, Some(Duration::from_secs(60))]);
    }
}
