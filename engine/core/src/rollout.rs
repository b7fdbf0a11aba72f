//! Clusters in waves, and what has to be met between two waves.

use std::collections::BTreeSet;
use std::time::Duration;

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
    /// Names of the checks of the root module that must hold before the next wave.
    pub checks: Vec<Text>,
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
    /// Checks that must hold then.
    pub checks: Vec<Text>,
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
    pub fn gates(&self, changed: &BTreeSet<&ClusterRef>) -> Vec<Gate> {
        let changes = |wave: &Wave| wave.clusters.iter().any(|cluster| changed.contains(cluster));
        let mut gates = Vec::new();
        for (idx, wave) in self.waves.iter().enumerate() {
            if !self.waves[idx..].iter().any(changes) {
                break;
            }
            let before = idx.checked_sub(1).map(|before| &self.waves[before]);
            let gate = Gate {
                rollout: self.name.clone(),
                wave: wave.name.clone(),
                clusters: wave.clusters.clone(),
                soak: before.filter(|before| changes(before)).and_then(|before| before.soak),
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
        let wave = |name: &str, approval| Wave {
            name: name.into(),
            clusters: vec![ClusterRef::new(format!("{name}-1")), ClusterRef::new(format!("{name}-2"))],
            soak: Some(Duration::from_secs(60)),
            checks: vec![format!("{name}-is-well").into()],
            approval,
        };
        Rollout { name: "all".into(), waves: vec![wave("a", false), wave("b", true), wave("c", false)] }
    }

    #[test]
    fn a_gate_stands_before_each_wave_behind_which_something_changes() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            // Behind the last wave that changes nothing waits.
            (&["a-1"], &["a"]),
            (&["a-2", "b-1"], &["a", "b soak a-is-well approval"]),
            (&["b-1"], &["a", "b a-is-well approval"]),
            (&["c-2"], &["a", "b a-is-well", "c b-is-well"]),
            (&["a-1", "c-1"], &["a", "b soak a-is-well", "c b-is-well"]),
        ];
        for (changed, want) in cases {
            let changed: Vec<ClusterRef> = changed.iter().map(|name| ClusterRef::new(*name)).collect();
            let gates = rollout().gates(&changed.iter().collect());
            let told = gates.iter().map(|gate| {
                let soak = gate.soak.map(|_| "soak");
                let checks = gate.checks.iter().map(Text::as_str);
                let approval = gate.approval.then_some("approval");
                let words: Vec<&str> =
                    [gate.wave.as_str()].into_iter().chain(soak).chain(checks).chain(approval).collect();
                words.join(" ")
            });
            assert_eq!(told.collect::<Vec<_>>(), want, "{changed:?}");
        }
    }
}
