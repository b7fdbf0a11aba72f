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
use engine_core::plan::outcome::Outcome;
use engine_core::plan::{Action, Change, Exceptions, Plan, Shown};
use engine_core::ports::{
    Applied, ApplyRequest, ClusterProvider, DeleteRequest, Force, Mode, Propagation, ProviderError, Resolver,
    Target, Witness,
};
use engine_core::resource::{self, Body, Resource};
use engine_core::state::{Output, ResourceRecord, State, path_hash};
use engine_core::value::{Text, Value};
use tokio::sync::Semaphore;

use crate::Providers;
use crate::apply::{Progress, done};
use crate::journal::Journal;
use crate::namespace::foreign_objects;
use crate::predict::mark;
use crate::read::{read_object, target};
use crate::wait::{Until, Wait, Waited, Watches};

/// How long a kind may take from the moment its definition is established until it is served.
const SERVED_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const SERVED_RETRY: Duration = Duration::from_millis(200);

/// What all changes of a run share.
pub(crate) struct Executor {
    pub(crate) plan: Arc<Plan>,
    pub(crate) graph: Arc<ResourceGraph>,
    /// The state that was planned on.
    pub(crate) state: State,
    pub(crate) providers: Arc<Providers>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) reads: Mutex<BTreeMap<Address, Value>>,
    /// Digests of unchanged objects that the server, and not their records, settled.
    pub(crate) observed: HashMap<ObjectRef, Fingerprint>,
    /// What the clusters serve, as last heard.
    pub(crate) served: Mutex<BTreeMap<ClusterRef, Discovery>>,
    pub(crate) key: Option<SealKey>,
    pub(crate) journal: Journal,
    pub(crate) watches: Watches,
    pub(crate) writes: Semaphore,
    pub(crate) progress: Arc<dyn Progress>,
}

/// One write and what it must meet.
struct Write<'a> {
    uid: Option<&'a Uid>,
    force: Force,
    exceptions: &'a Exceptions,
}

impl Executor {
    /// Carries out a change, waits for it and records it.
    pub(crate) async fn execute(&self, change: &Change) -> Outcome {
        let since = Instant::now();
        self.progress.begun(change);
        let none = Exceptions::default();
        let outcome = match &change.action {
            Action::Create => {
                self.write(change, &Write { uid: None, force: Force::No, exceptions: &none }).await
            }
            Action::Update { uid, force, exceptions } => {
                let force = if *force { Force::Yes } else { Force::No };
                self.write(change, &Write { uid: Some(uid), force, exceptions }).await
            }
            Action::Adopt { uid } => {
                self.write(change, &Write { uid: Some(uid), force: Force::No, exceptions: &none }).await
            }
            Action::Move { uid, exceptions, .. } => {
                self.write(change, &Write { uid: Some(uid), force: Force::No, exceptions }).await
            }
            Action::Replace { uid } => match self.delete(change, uid).await {
                Ok(()) => self.write(change, &Write { uid: None, force: Force::No, exceptions: &none }).await,
                Err(outcome) => Err(outcome),
            },
            Action::Delete { uid } => self.delete(change, uid).await,
            Action::Forget => {
                self.journal.removed(&change.object_ref);
                Ok(())
            }
            Action::Read => self.read(change).await,
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
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
        let (Some(manifest), Some(record)) = (resource.manifest(), self.journal.record(&change.object_ref))
        else {
            return;
        };
        let fresh = ResourceRecord {
            address: resource.address.clone(),
            dependencies: self.graph.dependencies(resource),
            prevent_destroy: resource.lifecycle.prevent_destroy,
            desired: manifest.fingerprint(self.key.as_ref()),
            settled: self.observed.get(&change.object_ref).copied().or(record.settled),
            ..record.clone()
        };
        if fresh != record {
            self.journal.applied(&change.object_ref, fresh);
        }
    }

    async fn read(&self, change: &Change) -> Result<(), Outcome> {
        let Some(Body::Read(read)) = self.graph.at(&change.address).map(|resource| &resource.body) else {
            return Ok(());
        };
        let value =
            read_object(read, &self.providers).await.map_err(|error| Outcome::Failed(chain(&error)))?;
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads.insert(change.address.clone(), value);
        Ok(())
    }

    async fn write(&self, change: &Change, write: &Write<'_>) -> Result<(), Outcome> {
        let Some(resource) = self.graph.at(&change.address) else {
            return Ok(());
        };
        let Some(declared) = resource.manifest() else {
            return Ok(());
        };
        let manifest = self.fill(resource, declared)?;
        let (provider, kind) =
            self.kind(change, &manifest.object_ref().kind, &manifest.api_version().version).await?;
        let request = ApplyRequest {
            target: target(manifest.object_ref(), &kind),
            body: write.exceptions.body(&manifest, &mark(&self.state, resource)),
            manager: self.state.lineage.field_manager(),
            mode: Mode::Persist,
            force: write.force,
            uid: write.uid.cloned(),
        };
        let object = self.send(provider, &request).await?;
        self.journal.applied(&change.object_ref, self.record(resource, &manifest, &object));
        if resource.wait == resource::Wait::Never {
            return Ok(());
        }
        self.wait(change, provider, &request.target, Until::Current, &object).await
    }

    fn fill(&self, resource: &Resource, declared: &Manifest) -> Result<Manifest, Outcome> {
        if declared.holes().is_empty() {
            return Ok(declared.clone());
        }
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let filled = self.resolver.fill(&resource.address, declared, &reads);
        filled.map_err(|faults| {
            let words = faults.iter().map(|fault| format!("{}: {}", fault.summary, fault.detail));
            Outcome::Failed(words.collect::<Vec<_>>().join("; "))
        })
    }

    /// Returns how a kind is served. Discovery is asked again only for a kind that it did not have: one whose
    /// definition this run has just made is served a moment after it is established.
    async fn kind(
        &self,
        change: &Change,
        kind: &GroupKind,
        version: &str,
    ) -> Result<(&Arc<dyn ClusterProvider>, KindInfo), Outcome> {
        let cluster = &change.object_ref.cluster;
        let provider = self.providers.get(cluster);
        let provider =
            provider.ok_or_else(|| Outcome::Failed(format!("cluster {cluster} is not connected")))?;
        let find = |discovery: &Discovery| {
            discovery.find(kind, version).or_else(|| discovery.preferred(kind)).cloned()
        };
        let known = self.served.lock().unwrap_or_else(PoisonError::into_inner).get(cluster).and_then(find);
        if let Some(known) = known {
            return Ok((provider, known));
        }
        let since = Instant::now();
        loop {
            let discovery = provider.discover().await.map_err(|error| Outcome::Failed(error.to_string()))?;
            let found = find(&discovery);
            self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.clone(), discovery);
            if let Some(found) = found {
                return Ok((provider, found));
            }
            if since.elapsed() > SERVED_WITHIN || !self.defines(cluster, kind) {
                let why = format!("cluster {cluster} serves no kind {kind} in version {version}");
                return Err(Outcome::Failed(why));
            }
            tokio::time::sleep(SERVED_RETRY).await;
        }
    }

    fn defines(&self, cluster: &ClusterRef, kind: &GroupKind) -> bool {
        let mut manifests = self.graph.resources().iter().filter_map(Resource::manifest);
        manifests.any(|it| it.object_ref().cluster == *cluster && it.defined_kind().as_ref() == Some(kind))
    }

    /// Sends a write. The status code is the only witness of whether a create met an object.
    async fn send(
        &self,
        provider: &Arc<dyn ClusterProvider>,
        request: &ApplyRequest,
    ) -> Result<Object, Outcome> {
        let permit = self.writes.acquire().await;
        let answer = provider.apply(request).await;
        drop(permit);
        match answer {
            Ok(Applied { witness: Witness::Existed, .. }) if request.uid.is_none() => Err(Outcome::Failed(
                "an object of this name appeared since the plan was made; it is left alone, plan again"
                    .into(),
            )),
            Ok(applied) => {
                applied.warnings.iter().for_each(|warning| tracing::warn!(warning, "the API server warns"));
                Ok(applied.object)
            }
            Err(error) if error.outcome_unknown() => self.resolve(provider, request, &error).await,
            Err(error) => Err(Outcome::Failed(explain(&error))),
        }
    }

    /// A write may have landed. An apply is idempotent, so an object of ours is applied once more; a create is
    /// first looked for, because only an object with our mark is the one that was sent.
    async fn resolve(
        &self,
        provider: &Arc<dyn ClusterProvider>,
        request: &ApplyRequest,
        error: &ProviderError,
    ) -> Result<Object, Outcome> {
        let found = provider.get(&request.target).await.map_err(|_| Outcome::Unknown(explain(error)))?;
        let ours = |object: &Object| object.mark().is_some_and(|mark| mark.lineage == self.state.lineage);
        let Some(object) = found.filter(ours) else {
            return Err(Outcome::Failed(explain(error)));
        };
        let again = ApplyRequest {
            target: request.target.clone(),
            body: request.body.clone(),
            manager: request.manager.clone(),
            uid: request.uid.clone().or_else(|| Some(object.uid())),
            ..*request
        };
        let applied = provider.apply(&again).await.map_err(|error| Outcome::Unknown(explain(&error)))?;
        Ok(applied.object)
    }

    fn record(&self, resource: &Resource, manifest: &Manifest, object: &Object) -> ResourceRecord {
        let manager = self.state.lineage.field_manager();
        let key = self.key.as_ref();
        let own = object.own_entry(&manager, manifest.api_version());
        let mut fields: Vec<u32> =
            own.map(|entry| entry.fields.leaves().iter().map(path_hash).collect()).unwrap_or_default();
        fields.sort_unstable();
        ResourceRecord {
            address: resource.address.clone(),
            api_version: manifest.api_version().clone(),
            uid: object.uid(),
            dependencies: self.graph.dependencies(resource),
            prevent_destroy: resource.lifecycle.prevent_destroy,
            desired: manifest.fingerprint(key),
            settled: object.settled(&manager, manifest.api_version(), manifest.sensitive(), key),
            fields,
        }
    }

    async fn delete(&self, change: &Change, uid: &Uid) -> Result<(), Outcome> {
        let object_ref = &change.object_ref;
        let version = self.state.records.get(object_ref).map(|record| record.api_version.version.clone());
        let kind = self.kind(change, &object_ref.kind, version.as_deref().unwrap_or_default()).await;
        let Ok((provider, kind)) = kind else {
            // A kind that is no longer served took its objects with it.
            self.journal.removed(object_ref);
            return Ok(());
        };
        if object_ref.kind.is("", "Namespace") {
            let foreign = foreign_objects(provider, &object_ref.name, &self.state.environment).await;
            let foreign = foreign.map_err(|error| Outcome::Failed(explain(&error)))?;
            if !foreign.is_empty() {
                let list = foreign.join(", ");
                return Err(Outcome::Failed(format!(
                    "it holds objects that are not of this environment: {list}"
                )));
            }
        }
        let target = target(object_ref, &kind);
        let request =
            DeleteRequest { target: target.clone(), uid: uid.clone(), propagation: Propagation::Background };
        let permit = self.writes.acquire().await;
        let answer = provider.delete(&request).await;
        drop(permit);
        if let Some(remaining) = answer.map_err(|error| Outcome::Failed(explain(&error)))? {
            self.wait(change, provider, &target, Until::Gone, &remaining).await?;
        }
        self.journal.removed(object_ref);
        Ok(())
    }

    async fn wait(
        &self,
        change: &Change,
        provider: &Arc<dyn ClusterProvider>,
        target: &Target,
        until: Until,
        known: &Object,
    ) -> Result<(), Outcome> {
        let timeouts = self.graph.at(&change.address).map(|resource| resource.timeouts).unwrap_or_default();
        let wait = Wait {
            cluster: &change.object_ref.cluster,
            provider,
            target,
            uid: &known.uid(),
            until,
            timeout: if until == Until::Gone { timeouts.delete } else { timeouts.apply },
            report: &|missing| self.progress.waiting(change, missing),
        };
        match self.watches.wait(&wait, Some(known)).await {
            Waited::Reached => Ok(()),
            Waited::Failed(why) => Err(Outcome::Failed(why)),
            Waited::Interrupted(missing) => {
                Err(Outcome::Failed(format!("interrupted while waiting: {missing}")))
            }
        }
    }
}

/// Says what a cluster answered, with every field that another manager holds.
fn explain(error: &ProviderError) -> String {
    let ProviderError::Conflict(conflicts) = error else {
        return error.to_string();
    };
    let fields =
        conflicts.iter().map(|conflict| format!("{} is managed by {}", conflict.field, conflict.manager));
    format!("{error}: {}", fields.collect::<Vec<_>>().join(", "))
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", chain(source)))
}
