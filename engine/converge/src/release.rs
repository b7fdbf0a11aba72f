//! Lets an object go: it stays as it is, without our mark and without our name on its fields.

use engine_core::field_path::FieldPath;
use engine_core::mark::{ADDRESS_ANNOTATION, ENVIRONMENT_LABEL, FieldManager, LINEAGE_ANNOTATION};
use engine_core::object::{ManagerEntry, Object, Operation};
use engine_core::object_ref::Uid;
use engine_core::plan::Change;
use engine_core::plan::outcome::Outcome;
use engine_core::ports::{ApplyRequest, ClusterProvider, Force, Mode, Target};
use engine_core::value::Value;

use crate::execute::{Executor, explain};
use crate::read::target;

impl Executor {
    /// Hands the fields of an object to a manager of no environment, takes the mark off and drops the record.
    ///
    /// Both are server-side applies: the first makes that manager a co-owner of all that is ours but the mark, the
    /// second is an apply of nothing, which removes what only we own. A run that ends in between is repeated.
    ///
    /// # Source
    /// Kubernetes, Server-Side Apply, "Transferring ownership between managers".
    pub(crate) async fn release(&self, change: &Change, uid: &Uid) -> Result<(), Outcome> {
        let object_ref = &change.object_ref;
        let provider = self.provider(change)?;
        let version = self.state.records.get(object_ref).map(|record| record.api_version.version.clone());
        let kind = self.kind(change, &object_ref.kind, version.as_deref().unwrap_or_default()).await?;
        let live = match kind {
            None => None,
            Some(kind) => {
                let target = target(object_ref, &kind);
                let failed = |error| Outcome::Failed(explain(&error));
                let object = provider.get(&target).await.map_err(failed)?;
                object.filter(|object| object.uid() == *uid).map(|object| (target, object))
            }
        };
        if let Some((target, object)) = live {
            let permit = self.permit(change).await?;
            self.hand_over(provider.as_ref(), &target, &object).await?;
            drop(permit);
        }
        self.journal.removed(object_ref);
        Ok(())
    }

    async fn hand_over(
        &self,
        provider: &dyn ClusterProvider,
        target: &Target,
        object: &Object,
    ) -> Result<(), Outcome> {
        let ours = self.state.lineage.field_manager();
        let is_ours = |entry: &ManagerEntry| {
            entry.manager == ours.as_str()
                && entry.operation == Operation::Apply
                && entry.subresource.is_none()
        };
        let Some(entry) = object.managers().into_iter().find(is_ours) else {
            return Ok(());
        };
        let identity = identity(object);
        let mut kept = entry.fields.extract(object.body()).unwrap_or_default();
        for mark in [
            ["metadata", "labels", ENVIRONMENT_LABEL],
            ["metadata", "annotations", LINEAGE_ANNOTATION],
            ["metadata", "annotations", ADDRESS_ANNOTATION],
        ] {
            FieldPath::fields(mark).remove(&mut kept);
        }
        for path in IDENTITY {
            if let Some(value) = identity.at(path) {
                kept.set_at(path, value.clone());
            }
        }
        for (body, manager) in [(kept, FieldManager::released()), (identity, ours)] {
            let request = ApplyRequest {
                target: target.clone(),
                body,
                manager,
                mode: Mode::Persist,
                force: Force::No,
                uid: Some(object.uid()),
            };
            provider.apply(&request).await.map_err(|error| match error.outcome_unknown() {
                true => Outcome::Unknown(explain(&error)),
                false => Outcome::Failed(explain(&error)),
            })?;
        }
        Ok(())
    }
}

/// The fields that every request to an object holds.
const IDENTITY: [&[&str]; 4] =
    [&["apiVersion"], &["kind"], &["metadata", "name"], &["metadata", "namespace"]];

fn identity(object: &Object) -> Value {
    let mut body = Value::Null;
    for path in IDENTITY {
        if let Some(value) = object.body().at(path) {
            body.set_at(path, value.clone());
        }
    }
    body
}
