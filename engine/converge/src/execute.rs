//! Carries out one planned change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine_core::address::Address;
use engine_core::digest::{Fingerprint, SealKey};
use engine_core::graph::ResourceGraph;
use engine_core::kind_info::{Discovery, KindInfo};
use engine_core::manifest::Manifest;
use engine_core::object::Object;
use engine_core::object_ref::{ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::contents::holds_others;
use engine_core::plan::outcome::Outcome;
use engine_core::plan::{Action, ActionKind, Change, Exceptions, Plan, Shown, redact};
use engine_core::ports::{
    ClusterProvider, Conflict, DeleteRequest, Propagation, ProviderError, Resolver, Target,
};
use engine_core::resource::{Body, Resource};
use engine_core::state::{Output, ResourceRecord, State};
use engine_core::value::{Text, Value};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit, watch};

use crate::Providers;
use crate::apply::{Progress, done};
use crate::contents::foreign_contents;
use crate::gate::Judge;
use crate::keeper::Keeper;
use crate::read::{ReadError, read_object, target};
use crate::wait::{Until, Wait, Waited, Watches};
use crate::write::Write;

/// How long a kind may take from the moment its definition is established until it is served.
const SERVED_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const SERVED_RETRY: Duration = Duration::from_millis(200);
/// How long an object to read may take to appear: often a controller makes it, after what this run has just made.
const READABLE_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const READABLE_RETRY: Duration = Duration::from_millis(200);

/// What all changes of a run share.
pub(crate) struct Executor {
    pub(crate) plan: Arc<Plan>,
    pub(crate) graph: Arc<ResourceGraph>,
    /// The state that was planned on.
    pub(crate) state: State,
    pub(crate) providers: Arc<Providers>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) reads: Mutex<BTreeMap<Address, Value>>,
    /// Manifests with secrets that were known only during this run.
    pub(crate) filled: Mutex<Vec<Manifest>>,
    /// Digests of unchanged objects that the server, and not their records, settled.
    pub(crate) observed: HashMap<ObjectRef, Fingerprint>,
    /// What the clusters serve, as last heard.
    pub(crate) served: Mutex<BTreeMap<ClusterRef, Discovery>>,
    pub(crate) key: Option<SealKey>,
    pub(crate) journal: Keeper,
    pub(crate) watches: Watches,
    pub(crate) writes: Semaphore,
    /// How each of the plan's gates was passed, once it was reached.
    pub(crate) gates: Vec<OnceCell<Outcome>>,
    pub(crate) judge: Arc<dyn Judge>,
    pub(crate) progress: Arc<dyn Progress>,
    /// Turns true when nothing more is to be begun.
    pub(crate) interrupted: watch::Receiver<bool>,
}

impl Executor {
    /// Carries out a change, waits for it and records it.
    pub(crate) async fn execute(&self, change: &Change) -> Outcome {
        let since = Instant::now();
        let none = Exceptions::default();
        if let Err(outcome) = self.require_before(change) {
            return outcome;
        }
        let outcome = match &change.action {
            Action::Create => self.write(change, &Write { uid: None, exceptions: &none }).await,
            Action::Update { uid, exceptions }
            | Action::Import { uid, exceptions }
            | Action::Move { uid, exceptions } => {
                self.write(change, &Write { uid: Some(uid), exceptions }).await
            }
            Action::Adopt { uid } => self.write(change, &Write { uid: Some(uid), exceptions: &none }).await,
            Action::Replace { uid } => match self.delete(change, uid).await {
                Ok(()) => self.write(change, &Write { uid: None, exceptions: &none }).await,
                Err(outcome) => Err(outcome),
            },
            Action::Delete { uid } => self.delete(change, uid).await,
            Action::Forget => {
                self.journal.removed(&change.object_ref);
                Ok(())
            }
            Action::Release { uid } => self.release(change, uid).await,
            Action::Read => self.read(change).await,
            Action::Await => self.resume(change).await,
            Action::NoOp => Ok(()),
        };
        outcome.map_or_else(|outcome| outcome, |()| done(since))
    }

    /// Returns the outputs as they are known at the end. Those that what was read at apply decides are evaluated
    /// again; one that still cannot be told stays for the next plan.
    pub(crate) fn outputs(&self) -> BTreeMap<Text, Output> {
        if self.plan.outputs.iter().all(|output| output.after != Shown::Unknown) {
            return self.plan.new_outputs.clone();
        }
        let reads = self.reads();
        match self.resolver.outputs(&reads) {
            Ok(outputs) => {
                outputs.into_iter().filter_map(|(name, output)| Some((name, output.known()?))).collect()
            }
            Err(faults) => {
                tracing::warn!(?faults, "outputs could not be evaluated");
                self.plan.new_outputs.clone()
            }
        }
    }

    /// Brings the record of an unchanged object up to the definition: no request.
    pub(crate) fn refresh_record(&self, change: &Change) {
        let Some(resource) = self.graph.at(&change.address) else {
            return;
        };
        let desired = resource.fingerprint(self.key.as_ref());
        let (Some(desired), Some(record)) = (desired, self.journal.record(&change.object_ref)) else {
            return;
        };
        let fresh = ResourceRecord {
            address: resource.address.clone(),
            dependencies: self.graph.dependencies(resource),
            prevent_destroy: resource.lifecycle.prevent_destroy,
            desired,
            settled: self.observed.get(&change.object_ref).copied().or(record.settled),
            ..record.clone()
        };
        if fresh != record {
            self.journal.applied(&change.object_ref, fresh);
        }
    }

    async fn read(&self, change: &Change) -> Result<(), Outcome> {
        let Some((resource, Body::Read(read))) = self.graph.at(&change.address).map(|it| (it, &it.body))
        else {
            return Ok(());
        };
        let since = Instant::now();
        let value = loop {
            match read_object(read, &self.providers).await {
                Ok(value) => break value,
                Err(ReadError::Missing { .. })
                    if since.elapsed() < READABLE_WITHIN && !self.is_interrupted() =>
                {
                    tokio::time::sleep(READABLE_RETRY).await;
                }
                Err(error) => return Err(Outcome::Failed(chain(&error))),
            }
        };
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.insert(change.address.clone(), value.clone());
        drop(reads);
        self.require_after(resource, &value)
    }

    /// Returns how a kind is served, `None` if it is served nowhere. Discovery is asked again only for a kind that it did not have: one whose
    /// definition this run has just made is served a moment after it is established.
    pub(crate) async fn kind(
        &self,
        change: &Change,
        kind: &GroupKind,
        version: &str,
    ) -> Result<Option<KindInfo>, Outcome> {
        let cluster = &change.object_ref.cluster;
        let provider = self.provider(change)?;
        let find = |discovery: &Discovery| {
            discovery.find(kind, version).or_else(|| discovery.preferred(kind)).cloned()
        };
        let known = self.served.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).and_then(find);
        if known.is_some() {
            return Ok(known);
        }
        let since = Instant::now();
        loop {
            let discovery = provider.discover().await.map_err(|error| Outcome::Failed(error.to_string()))?;
            let found = find(&discovery);
            if let (None, Some(why)) = (&found, discovery.unavailable.get(&kind.group)) {
                let group = if kind.group.is_empty() { "core" } else { &kind.group };
                return Err(Outcome::Failed(format!(
                    "the server of API group {group} does not answer: {why}"
                )));
            }
            self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone(), discovery);
            if found.is_some() || since.elapsed() > SERVED_WITHIN || !self.defines(cluster, kind) {
                return Ok(found);
            }
            tokio::time::sleep(SERVED_RETRY).await;
        }
    }

    pub(crate) fn provider(&self, change: &Change) -> Result<&Arc<dyn ClusterProvider>, Outcome> {
        let cluster = &change.object_ref.cluster;
        self.providers
            .get(cluster)
            .ok_or_else(|| Outcome::Failed(format!("cluster {cluster} is not connected")))
    }

    fn defines(&self, cluster: &ClusterRef, kind: &GroupKind) -> bool {
        self.definition(cluster, kind).is_some()
    }

    fn definition(&self, cluster: &ClusterRef, kind: &GroupKind) -> Option<&ObjectRef> {
        let mut manifests = self.graph.resources().iter().filter_map(Resource::manifest);
        let definition = manifests
            .find(|it| it.object_ref().cluster == *cluster && it.defined_kind().as_ref() == Some(kind))?;
        Some(definition.object_ref())
    }

    /// Tells whether this run writes the definition of an object's kind.
    pub(crate) fn brings_kind_of(&self, object_ref: &ObjectRef) -> bool {
        let definition = self.definition(&object_ref.cluster, &object_ref.kind);
        definition
            .is_some_and(|definition| self.plan.effective().any(|change| change.object_ref == *definition))
    }

    async fn delete(&self, change: &Change, uid: &Uid) -> Result<(), Outcome> {
        let object_ref = &change.object_ref;
        let provider = self.provider(change)?;
        let version = self.state.records.get(object_ref).map(|record| record.api_version.version.clone());
        let kind = self.kind(change, &object_ref.kind, version.as_deref().unwrap_or_default()).await?;
        let Some(kind) = kind else {
            // A kind that is served nowhere took its objects with it.
            self.journal.removed(object_ref);
            return Ok(());
        };
        if holds_others(&object_ref.kind) {
            let foreign = foreign_contents(provider, object_ref, &self.state.lineage).await;
            let foreign = foreign.map_err(|error| Outcome::Failed(explain(&error)))?;
            if !foreign.is_empty() {
                let list = foreign.join(", ");
                return Err(Outcome::Failed(format!(
                    "deleting it would delete objects that are not of this environment: {list}"
                )));
            }
        }
        let target = target(object_ref, &kind);
        let request =
            DeleteRequest { target: target.clone(), uid: uid.clone(), propagation: Propagation::Background };
        let permit = self.permit(change).await?;
        let answer = provider.delete(&request).await;
        drop(permit);
        let remaining = match answer {
            Err(error) if error.outcome_unknown() => self.remaining(provider, &request, &error).await?,
            answer => answer.map_err(|error| Outcome::Failed(explain(&error)))?,
        };
        if let Some(remaining) = remaining {
            self.wait(change, provider, &target, Until::Gone, &remaining).await?;
        }
        self.journal.removed(object_ref);
        Ok(())
    }

    /// Waits for a turn to write. When it comes, the run may have been interrupted.
    pub(crate) async fn permit(&self, change: &Change) -> Result<Option<SemaphorePermit<'_>>, Outcome> {
        // The semaphore is never closed: without a permit the write simply has no limit.
        let permit = self.writes.acquire().await.ok();
        if self.is_interrupted() {
            return Err(Outcome::Interrupted);
        }
        self.journal.require().await?;
        self.progress.begun(change);
        Ok(permit)
    }

    fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow()
    }

    /// A deletion may have landed: an object that is gone or terminating tells so. One that is there as before may
    /// still go.
    async fn remaining(
        &self,
        provider: &Arc<dyn ClusterProvider>,
        request: &DeleteRequest,
        error: &ProviderError,
    ) -> Result<Option<Object>, Outcome> {
        let unknown = || Outcome::Unknown(explain(error));
        let found = provider.get(&request.target).await.map_err(|_| unknown())?;
        match found.filter(|object| object.uid() == request.uid) {
            Some(object) if !object.is_terminating() => Err(unknown()),
            remaining => Ok(remaining),
        }
    }

    pub(crate) async fn wait(
        &self,
        change: &Change,
        provider: &Arc<dyn ClusterProvider>,
        target: &Target,
        until: Until,
        known: &Object,
    ) -> Result<(), Outcome> {
        let resource = self.graph.at(&change.address);
        let timeouts = resource.map(|resource| resource.timeouts).unwrap_or_default();
        // What its controllers say of an object may quote the object.
        let manifest = resource.and_then(Resource::manifest).filter(|it| !it.sensitive().is_empty());
        let own = |text: &str| manifest.map_or_else(|| text.to_owned(), |manifest| redact(text, manifest));
        let wait = Wait {
            cluster: &change.object_ref.cluster,
            provider,
            target,
            uid: &known.uid(),
            until,
            timeout: match (until, change.action.kind()) {
                (Until::Gone, _) => timeouts.delete,
                (Until::Current, ActionKind::Create | ActionKind::Replace) => timeouts.create,
                (Until::Current, _) => timeouts.update,
            },
            report: &|missing| self.progress.waiting(change, &own(missing)),
            redact: &|text| self.without_secrets(text),
            lacks_key: &|kind, name, key| self.lacks_key(&change.object_ref, (kind, name), key),
        };
        match self.watches.wait(&wait, known).await {
            Waited::Reached => Ok(()),
            Waited::Failed(why) => Err(Outcome::Failed(own(&why))),
            Waited::Interrupted(missing) => {
                Err(Outcome::Failed(format!("interrupted while waiting: {}", own(&missing))))
            }
        }
    }
}

/// Says what a cluster answered, with every field that another manager holds.
pub(crate) fn explain(error: &ProviderError) -> String {
    match error {
        ProviderError::Conflict(conflicts) => format!("{error}: {}", managed(conflicts)),
        error => error.to_string(),
    }
}

/// Names fields and who holds them.
pub(crate) fn managed<'a>(conflicts: impl IntoIterator<Item = &'a Conflict>) -> String {
    let fields = conflicts.into_iter().map(|conflict| {
        let through = conflict.subresource.as_ref().map(|name| format!(" through {name}"));
        format!("{} is managed by {}{}", conflict.field, conflict.manager, through.unwrap_or_default())
    });
    fields.collect::<Vec<_>>().join(", ")
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
}
