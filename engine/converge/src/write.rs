//! Writes one object: fill, send, settle what is in doubt, record, wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_core::manifest::Manifest;
use engine_core::object::Object;
use engine_core::object_ref::Uid;
use engine_core::plan::outcome::Outcome;
use engine_core::plan::{Change, Contested, Exceptions, FieldConflict, redact};
use engine_core::ports::{
    Applied, ApplyRequest, ClusterProvider, Conflict, Force, Mode, ProviderError, Target, Witness,
};
use engine_core::resource::{self, Resource};
use engine_core::state::{ResourceRecord, path_hash};
use engine_core::value::Value;

use crate::conditions::failed;
use crate::execute::{Executor, explain, managed};
use crate::predict::mark;
use crate::read::target;
use crate::wait::Until;

/// How long a server may take from the moment the definition of a kind is changed until it judges by it.
const JUDGED_ANEW_WITHIN: Duration = Duration::from_secs(10);
/// Between two attempts.
const JUDGED_ANEW_RETRY: Duration = Duration::from_millis(200);

/// One write and what it must meet.
pub(crate) struct Write<'a> {
    /// The object must have this uid; `None` for one that must not exist.
    pub(crate) uid: Option<&'a Uid>,
    pub(crate) exceptions: &'a Exceptions,
}

/// What is sent, and for which manifest.
struct Sending<'a> {
    /// The fields of other managers that the plan takes.
    takes: Vec<&'a FieldConflict>,
    provider: &'a Arc<dyn ClusterProvider>,
    manifest: &'a Manifest,
    request: ApplyRequest,
}

impl Executor {
    /// Applies a change's object, records it and waits until it is current.
    pub(crate) async fn write(&self, change: &Change, write: &Write<'_>) -> Result<(), Outcome> {
        let resource = self.graph.at(&change.address);
        let Some((resource, declared)) = resource.and_then(|it| Some((it, it.manifest()?))) else {
            return Ok(());
        };
        let manifest = self.fill(resource, declared)?;
        let provider = self.provider(change)?;
        let version = &manifest.api_version().version;
        let kind = self.kind(change, &manifest.object_ref().kind, version).await?.ok_or_else(|| {
            let object_ref = &change.object_ref;
            Outcome::Failed(format!("cluster {} serves no kind {}", object_ref.cluster, object_ref.kind))
        })?;
        let request = ApplyRequest {
            target: target(manifest.object_ref(), &kind),
            body: write.exceptions.body(&manifest, &mark(&self.state, resource)),
            manager: self.state.lineage.field_manager(),
            mode: Mode::Persist,
            force: Force::No,
            uid: write.uid.cloned(),
        };
        let takes = self.plan.takes(&change.object_ref).collect();
        let mut sending = Sending { takes, provider, manifest: &manifest, request };
        let permit = self.permit(change).await?;
        let object = self.send(&mut sending).await?;
        drop(permit);
        self.journal.applied(&change.object_ref, self.record(resource, &manifest, &object));
        self.until_current(change, (resource, provider), &sending.request.target, &object).await
    }

    /// Waits for an object that a run before this one wrote.
    pub(crate) async fn resume(&self, change: &Change) -> Result<(), Outcome> {
        self.refresh_record(change);
        let resource = self.graph.at(&change.address);
        let Some((resource, manifest)) = resource.and_then(|it| Some((it, it.manifest()?))) else {
            return Ok(());
        };
        let provider = self.provider(change)?;
        let gone = || Outcome::Failed("it has gone since the plan was made; plan again".into());
        let version = &manifest.api_version().version;
        let kind = self.kind(change, &change.object_ref.kind, version).await?.ok_or_else(gone)?;
        let target = target(&change.object_ref, &kind);
        let permit = self.permit(change).await?;
        let object = provider.get(&target).await.map_err(|error| Outcome::Failed(explain(&error)))?;
        drop(permit);
        self.until_current(change, (resource, provider), &target, &object.ok_or_else(gone)?).await
    }

    /// Waits until an object is current, if that is wanted, and checks what must hold then.
    async fn until_current(
        &self,
        change: &Change,
        (resource, provider): (&Resource, &Arc<dyn ClusterProvider>),
        target: &Target,
        object: &Object,
    ) -> Result<(), Outcome> {
        if resource.wait != resource::Wait::Never {
            self.wait(change, provider, target, Until::Current, object).await?;
        }
        self.journal.seen(&change.object_ref);
        if !resource.lifecycle.postcondition {
            return Ok(());
        }
        let live = provider.get(target).await.map_err(|error| Outcome::Failed(explain(&error)))?;
        self.require_after(resource, live.as_ref().unwrap_or(object).body())
    }

    fn fill(&self, resource: &Resource, declared: &Manifest) -> Result<Manifest, Outcome> {
        if declared.holes().is_empty() {
            return Ok(declared.clone());
        }
        let reads = self.reads();
        let filled = self.resolver.fill(&resource.address, declared, &reads);
        filled.inspect(|manifest| self.remember(manifest)).map_err(|faults| failed(&faults))
    }

    /// Sends a write. The status code is the only witness of whether a create met an object.
    async fn send(&self, sending: &mut Sending<'_>) -> Result<Object, Outcome> {
        let answer = match sending.attempt().await {
            Err(ProviderError::Invalid(_)) if self.brings_kind_of(sending.manifest.object_ref()) => {
                sending.insist().await
            }
            answer => answer,
        };
        match answer {
            Ok(Applied { witness: Witness::Existed, object, .. }) if sending.request.uid.is_none() => {
                Err(self.take_back(sending, &object).await)
            }
            Ok(applied) => {
                applied.warnings.iter().for_each(|warning| tracing::warn!(warning, "the API server warns"));
                Ok(applied.object)
            }
            Err(error) if error.outcome_unknown() => self.resolve(sending, &error).await,
            Err(ProviderError::Conflict(conflicts)) => Err(sending.unplanned(&conflicts)),
            Err(error) => Err(Outcome::Failed(sending.explain(&error))),
        }
    }

    /// A create met an object that appeared since the plan was made, and has written to it. An apply of nothing
    /// takes back exactly what only we own of it, mark included.
    async fn take_back(&self, sending: &Sending<'_>, object: &Object) -> Outcome {
        let mut body = Value::Null;
        for path in [&["apiVersion"] as &[&str], &["kind"], &["metadata", "name"], &["metadata", "namespace"]]
        {
            if let Some(value) = sending.request.body.at(path) {
                body.set_at(path, value.clone());
            }
        }
        let request = sending.again(body, Some(object.uid()));
        match sending.provider.apply(&request).await {
            Ok(_) => Outcome::Failed(
                "an object of this name appeared since the plan was made; it is left as it was, plan again"
                    .into(),
            ),
            Err(error) => Outcome::Unknown(format!(
                "an object of this name appeared since the plan was made, and what was written to it could not be \
                 taken back: {}",
                sending.explain(&error)
            )),
        }
    }

    /// A write may have landed. An apply is idempotent, so an object of ours is applied once more; a create is
    /// first looked for, because only an object with our mark is the one that was sent.
    async fn resolve(&self, sending: &mut Sending<'_>, error: &ProviderError) -> Result<Object, Outcome> {
        let manifest = sending.manifest;
        let unknown = |error: &ProviderError| Outcome::Unknown(redact(&explain(error), manifest));
        let found = sending.provider.get(&sending.request.target).await.map_err(|_| unknown(error))?;
        // Not there yet is not the same as never: the request may still be on its way.
        let Some(object) = found.filter(|object| object.is_marked_by(&self.state.lineage)) else {
            return Err(unknown(error));
        };
        sending.request.uid.get_or_insert_with(|| object.uid());
        let applied = sending.attempt().await.map_err(|error| unknown(&error))?;
        Ok(applied.object)
    }

    fn record(&self, resource: &Resource, manifest: &Manifest, object: &Object) -> ResourceRecord {
        let manager = self.state.lineage.field_manager();
        let key = self.key.as_ref();
        let own = object.own_entry(&manager, manifest.api_version());
        let mut fields: Vec<u32> =
            own.map(|entry| entry.fields.leaves().iter().map(path_hash).collect()).unwrap_or_default();
        fields.sort_unstable();
        let lifecycle = &resource.lifecycle;
        let contested = Contested { manifest, lifecycle, manager: &manager, live: Some(object), ours: true };
        ResourceRecord {
            address: resource.address.clone(),
            api_version: manifest.api_version().clone(),
            uid: object.uid(),
            dependencies: self.graph.dependencies(resource),
            prevent_destroy: resource.lifecycle.prevent_destroy,
            desired: resource.lifecycle.applied_to(manifest.fingerprint(key)),
            settled: contested.settled(key),
            fields,
        }
    }
}

impl Sending<'_> {
    /// Sends the request. Fields of other managers are taken only after the server has named them: what somebody
    /// has claimed since the plan was made is not overruled unseen.
    async fn attempt(&mut self) -> Result<Applied, ProviderError> {
        self.request.force = Force::No;
        match self.provider.apply(&self.request).await {
            Err(ProviderError::Conflict(conflicts)) if conflicts.iter().all(|it| self.is_planned(it)) => {
                self.request.force = Force::Yes;
                self.provider.apply(&self.request).await
            }
            answer => answer,
        }
    }

    /// Sends a request that was refused until the server knows the kind as this run has changed it: for a moment after
    /// its definition is written it still judges by the former one.
    async fn insist(&mut self) -> Result<Applied, ProviderError> {
        let since = Instant::now();
        loop {
            tokio::time::sleep(JUDGED_ANEW_RETRY).await;
            match self.attempt().await {
                Err(ProviderError::Invalid(_)) if since.elapsed() < JUDGED_ANEW_WITHIN => {}
                answer => return answer,
            }
        }
    }

    fn is_planned(&self, conflict: &Conflict) -> bool {
        self.takes.iter().any(|it| it.is(conflict))
    }

    /// Says which fields the plan does not take.
    fn unplanned(&self, conflicts: &[Conflict]) -> Outcome {
        let named = managed(conflicts.iter().filter(|it| !self.is_planned(it)));
        let named = redact(&named, self.manifest);
        Outcome::Failed(format!("changed since the plan was made: {named}; it is left as it is, plan again"))
    }

    /// Says what the cluster answered, without what is sensitive in the manifest.
    fn explain(&self, error: &ProviderError) -> String {
        redact(&explain(error), self.manifest)
    }

    /// Returns a second request to the same object.
    fn again(&self, body: Value, uid: Option<Uid>) -> ApplyRequest {
        ApplyRequest {
            target: self.request.target.clone(),
            body,
            manager: self.request.manager.clone(),
            uid,
            ..self.request
        }
    }
}
