//! The waves of `rollout` blocks.

use std::collections::BTreeMap;

use engine_core::diagnostic::{Diagnostic, SourceSpan};
use engine_core::object_ref::ClusterRef;
use engine_core::rollout::Wave;

use super::{Instances, Reader, UNKNOWN};
use crate::codes::{DUPLICATE, INVALID_ARGUMENT};
use crate::expand::{ClusterOrder, Repeated};
use crate::module::{self, Rollout, duration, typed};
use crate::types::Type;

impl Reader<'_> {
    /// Returns the waves that have clusters. Each waits for the one before.
    pub(super) fn waves(
        &mut self,
        rollout: &Rollout,
        instances: &Instances,
        order: &mut ClusterOrder,
    ) -> Vec<Wave> {
        let mut placed: BTreeMap<ClusterRef, SourceSpan> = BTreeMap::new();
        let mut waves: Vec<Wave> = Vec::new();
        for declared in &rollout.waves {
            let mut here = Vec::new();
            for target in &declared.clusters {
                for cluster in self.named(target, instances) {
                    if let Some(first) = placed.insert(cluster.clone(), target.span.clone()) {
                        let fault =
                            Diagnostic::error(DUPLICATE, format!("cluster {cluster} is in two waves"));
                        let fault = fault.at(target.span.clone()).label(first, "first named here");
                        self.faults.push(fault.hint("name it in one of them"));
                        continue;
                    }
                    let before = waves.last().into_iter().flat_map(|wave| &wave.clusters);
                    let span = || target.span.clone();
                    order.waits.extend(before.map(|one| (cluster.clone(), one.clone(), span())));
                    here.push(cluster);
                }
            }
            order.checks.extend(declared.checks.iter().cloned());
            let wave = self.wave(declared, here);
            // A wave of no clusters, by an empty `for_each`, is passed over.
            waves.extend((!wave.clusters.is_empty()).then_some(wave));
        }
        waves
    }

    fn wave(&mut self, declared: &module::Wave, clusters: Vec<ClusterRef>) -> Wave {
        let soak = declared.soak.as_ref().and_then(|expr| {
            let text = self.text(expr, "soak", &Repeated::Once)?;
            let soak = duration(&text);
            if soak.is_none() && text != UNKNOWN {
                let fault = Diagnostic::error(INVALID_ARGUMENT, format!("{text:?} is not a duration"));
                self.faults.push(fault.at(expr.span()).hint("write it like \"90s\", \"10m\" or \"1h30m\""));
            }
            soak
        });
        let approval = declared.approval.as_ref().and_then(|expr| {
            let value = self.value(expr, &Repeated::Once)?;
            let value = typed(&value, &Type::Bool, "approval", expr);
            value.map_err(|faults| self.faults.extend(faults)).ok()?.as_bool()
        });
        Wave {
            name: declared.name.clone(),
            clusters,
            soak,
            checks: declared.checks.iter().map(|(check, _)| check.clone()).collect(),
            approval: approval.unwrap_or(false),
        }
    }
}
