//! Asks the clusters what an apply would lead to, and computes it where they cannot be asked.

use std::collections::HashMap;

use engine_core::graph::ResourceGraph;
use engine_core::kind_info::KindInfo;
use engine_core::live::Live;
use engine_core::manifest::Manifest;
use engine_core::mark::{FieldManager, OwnershipMark};
use engine_core::object::Object;
use engine_core::object_ref::ObjectRef;
use engine_core::plan::custom_kinds::CustomKinds;
use engine_core::plan::simulate::simulate;
use engine_core::plan::triage::Triage;
use engine_core::plan::{Contested, Terms, Tier};
use engine_core::ports::{Applied, ApplyRequest, ClusterProvider, Force, Mode, ProviderError, Witness};
use engine_core::prediction::Prediction;
use engine_core::resource::Resource;
use engine_core::state::State;
use engine_core::value::Value;
use futures::stream::{self, StreamExt};

use crate::Providers;
use crate::read::target;

/// How many questions are open at once; the provider adapts to what the server bears.
const IN_FLIGHT: usize = 64;

/// Whether the plan is only to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Without the right to write, the client tier answers.
    Show,
    /// Without the right to write, the plan has an error.
    Apply,
}

/// What predictions rest on.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// Desired.
    pub graph: &'a ResourceGraph,
    /// Recorded.
    pub state: &'a State,
    /// Live.
    pub live: &'a Live,
    /// Whether the plan is only to be shown.
    pub purpose: Purpose,
}

/// Predicts everything that triage did not settle.
pub async fn predict(
    basis: Basis<'_>,
    triage: &Triage,
    providers: &Providers,
) -> HashMap<ObjectRef, Prediction> {
    let kinds = CustomKinds::of(basis.graph);
    let simulated = triage.simulate.iter().filter_map(|(object_ref, why)| {
        let subject = Subject::new(basis, &kinds, object_ref)?;
        tracing::debug!(%object_ref, why, "predicted without the server");
        Some((object_ref.clone(), subject.simulate()))
    });
    let mut predictions: HashMap<ObjectRef, Prediction> = simulated.collect();
    let questions = triage.ask.iter().filter_map(|(object_ref, kind)| {
        let subject = Subject::new(basis, &kinds, object_ref)?;
        let provider = providers.get(&object_ref.cluster)?;
        Some(async move { (object_ref.clone(), subject.ask(provider.as_ref(), kind).await) })
    });
    let answers: Vec<_> = stream::iter(questions).buffer_unordered(IN_FLIGHT).collect().await;
    predictions.extend(answers);
    predictions
}

/// One object to predict.
struct Subject<'a> {
    basis: Basis<'a>,
    kinds: &'a CustomKinds<'a>,
    resource: &'a Resource,
    manifest: &'a Manifest,
    live: Option<&'a Object>,
    manager: FieldManager,
    mark: OwnershipMark,
}

impl<'a> Subject<'a> {
    fn new(basis: Basis<'a>, kinds: &'a CustomKinds<'a>, object_ref: &ObjectRef) -> Option<Self> {
        let resource = basis.graph.find(object_ref)?;
        Some(Self {
            basis,
            kinds,
            resource,
            manifest: resource.manifest()?,
            live: basis.live.get(object_ref).and_then(|live| live.object.as_ref()),
            manager: basis.state.lineage.field_manager(),
            mark: mark(basis.state, resource),
        })
    }

    fn simulate(&self) -> Prediction {
        let contested = self.contested();
        let mut terms = contested.terms();
        let schema = self.kinds.schema(self.manifest);
        let object = loop {
            let body = terms.exceptions.body(self.manifest, &self.mark);
            let object = simulate(self.live, &body, &self.manager, self.manifest.api_version(), schema);
            // What is yielded is not met again, so this ends.
            if !terms.meet(contested.foresee(&object)) {
                break object;
            }
        };
        let witness = if self.live.is_some() { Witness::Existed } else { Witness::Created };
        Prediction::new(Tier::Client, Ok(object), witness).on(terms)
    }

    fn contested(&self) -> Contested<'_> {
        Contested {
            manifest: self.manifest,
            lifecycle: &self.resource.lifecycle,
            manager: &self.manager,
            live: self.live,
            ours: self.live.is_some_and(|live| self.is_ours(live)),
        }
    }

    async fn ask(&self, provider: &dyn ClusterProvider, kind: &KindInfo) -> Prediction {
        let contested = self.contested();
        let mut terms = contested.terms();
        // A second round only follows when fields were yielded in the first, and a third never.
        for _ in 0..2 {
            let body = terms.exceptions.body(self.manifest, &self.mark);
            let conflicts = match self.dry_run(provider, kind, &body, Force::No).await {
                Ok(applied) => return answered(applied, terms),
                Err(ProviderError::Conflict(conflicts)) => conflicts,
                Err(error) => return self.refused(provider, kind, &body, error).await,
            };
            let forced = match self.dry_run(provider, kind, &body, Force::Yes).await {
                Ok(applied) => applied,
                Err(error) => return self.refused(provider, kind, &body, error).await,
            };
            if !terms.meet(contested.judge(&conflicts, &forced.object)) {
                return answered(forced, terms);
            }
        }
        let error = ProviderError::Server("its fields change owners while they are being asked about".into());
        Prediction::new(Tier::Server, Err(error), Witness::Existed)
    }

    /// What an `import` block names is treated as ours: its fields are taken from whoever edited them.
    fn is_ours(&self, live: &Object) -> bool {
        self.basis.graph.imports(self.manifest.object_ref())
            || live.is_marked_by(&self.basis.state.lineage)
            || self
                .basis
                .state
                .records
                .get(self.manifest.object_ref())
                .is_some_and(|record| record.uid == live.uid())
    }

    async fn dry_run(
        &self,
        provider: &dyn ClusterProvider,
        kind: &KindInfo,
        body: &Value,
        force: Force,
    ) -> Result<Applied, ProviderError> {
        let request = ApplyRequest {
            target: target(self.manifest.object_ref(), kind),
            body: body.clone(),
            manager: self.manager.clone(),
            mode: Mode::DryRun,
            force,
            uid: self.live.map(Object::uid),
        };
        provider.apply(&request).await
    }

    async fn refused(
        &self,
        provider: &dyn ClusterProvider,
        kind: &KindInfo,
        body: &Value,
        error: ProviderError,
    ) -> Prediction {
        match (&error, self.basis.purpose) {
            (ProviderError::Forbidden(why), Purpose::Show) if why.contains("cannot patch") => {
                Prediction { forbidden: Some(why.clone()), ..self.simulate() }
            }
            (ProviderError::Invalid(invalid), _)
                if self.live.is_some() && self.is_immutable(provider, kind, body).await =>
            {
                let immutable = Some(invalid.fields.clone());
                Prediction { immutable, conflicts: Vec::new(), ..self.simulate() }
            }
            // The right to write seldom comes with a plan: without it nothing must be begun.
            (ProviderError::Forbidden(why), _) if why.contains("cannot patch") => {
                Prediction::new(Tier::Server, Err(error), Witness::Existed)
            }
            (ProviderError::Forbidden(_) | ProviderError::Invalid(_), _) => {
                Prediction { refusal: Some(error), ..self.simulate() }
            }
            _ => Prediction::new(Tier::Server, Err(error), Witness::Existed),
        }
    }

    /// A manifest that is invalid as an update and valid as a new object changes an immutable field.
    async fn is_immutable(&self, provider: &dyn ClusterProvider, kind: &KindInfo, body: &Value) -> bool {
        let name = probe_name(&self.manifest.object_ref().name);
        let mut body = body.clone();
        body.set_at(&["metadata", "name"], name.as_str().into());
        let mut target = target(self.manifest.object_ref(), kind);
        target.name = name.into();
        let request = ApplyRequest {
            target,
            body,
            manager: self.manager.clone(),
            mode: Mode::DryRun,
            force: Force::No,
            uid: None,
        };
        provider.apply(&request).await.is_ok()
    }
}

/// A name that nobody uses, within the length of the shortest limit (63).
fn probe_name(name: &str) -> String {
    let stem: String = name.chars().take(40).collect();
    format!("{}-terrane-probe", stem.trim_end_matches(['-', '.']))
}

fn answered(applied: Applied, terms: Terms) -> Prediction {
    Prediction::new(Tier::Server, Ok(applied.object), applied.witness).on(terms)
}

/// Returns the mark that a resource's object carries.
pub(crate) fn mark(state: &State, resource: &Resource) -> OwnershipMark {
    OwnershipMark {
        environment: state.environment.clone(),
        lineage: state.lineage.clone(),
        address: resource.address.clone(),
    }
}
