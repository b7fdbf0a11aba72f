//! Reads what a plan needs to know of the clusters: one LIST per kind, reduced to fingerprints page by page.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine_core::address::Address;
use engine_core::digest::SealKey;
use engine_core::graph::ResourceGraph;
use engine_core::kind_info::{Discovery, KindInfo, Scope};
use engine_core::live::{Live, LiveCluster, LiveObject};
use engine_core::mark::ENVIRONMENT_LABEL;
use engine_core::object::Object;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::Contested;
use engine_core::plan::triage::{DesiredPrints, is_settled};
use engine_core::ports::{ClusterProvider, ListQuery, Page, ProviderError, Target};
use engine_core::resource::{Body, Read, Resource};
use engine_core::state::State;
use engine_core::value::{Text, Value};
use futures::future::{join_all, try_join, try_join_all};
use futures::stream::{self, StreamExt};
use rayon::prelude::*;
use tracing::Instrument;

use crate::Providers;

/// Why clusters could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A cluster cannot be used at all.
    #[error("cannot read cluster {cluster}")]
    Cluster {
        /// The cluster.
        cluster: ClusterRef,
        /// Why.
        #[source]
        source: ProviderError,
    },
    /// The connection leads to another cluster than the one the state was built on.
    #[error(
        "cluster {cluster} is not the one that the state records: its kube-system namespace has uid {found}, recorded is {recorded}"
    )]
    OtherCluster {
        /// The cluster.
        cluster: ClusterRef,
        /// What answered.
        found: Uid,
        /// What the state has.
        recorded: Uid,
    },
    /// An object to read does not exist.
    #[error("{object_ref} does not exist on cluster {cluster}")]
    Missing {
        /// The cluster.
        cluster: ClusterRef,
        /// The object.
        object_ref: ObjectRef,
    },
}

/// What is to be read, and what it is compared with.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Desired.
    pub graph: &'a ResourceGraph,
    /// Digests of the desired manifests.
    pub desired: &'a DesiredPrints,
    /// Recorded.
    pub state: &'a State,
    /// Key of the sensitive digests.
    pub key: Option<&'a SealKey>,
}

/// Reads all clusters at once.
///
/// # Errors
/// A cluster does not answer, or is another one than recorded. A kind that cannot be listed is no error: it is
/// unobserved.
pub async fn read(question: Question<'_>, providers: &Providers) -> Result<Live, ReadError> {
    let clusters = providers.iter().map(|(cluster, provider)| async move {
        let span = tracing::info_span!("read", cluster = cluster.as_str());
        let live = read_cluster(question, cluster, provider).instrument(span).await?;
        Ok((cluster.clone(), live))
    });
    let clusters = try_join_all(clusters).await?;
    Ok(Live { clusters: clusters.into_iter().collect(), ..Live::default() })
}

/// Reads one object that a definition asks for.
///
/// # Errors
/// The object does not exist, or the cluster does not answer.
pub async fn read_object(read: &Read, providers: &Providers) -> Result<Value, ReadError> {
    let cluster = read.object_ref.cluster.clone();
    let missing = || ReadError::Missing { cluster: cluster.clone(), object_ref: read.object_ref.clone() };
    let failed = |source| ReadError::Cluster { cluster: cluster.clone(), source };
    let provider = providers.get(&read.object_ref.cluster).ok_or_else(missing)?;
    let discovery = provider.discover().await.map_err(failed)?;
    let kind = match &read.api_version {
        Some(version) => discovery.find(&read.object_ref.kind, &version.version),
        None => discovery.preferred(&read.object_ref.kind),
    };
    let target = target(&read.object_ref, kind.ok_or_else(missing)?);
    let object = provider.get(&target).await.map_err(failed)?.ok_or_else(missing)?;
    Ok(object.body().clone())
}

/// How many objects are read at once.
const READ_AT_ONCE: usize = 32;

/// Reads objects, by the addresses that name them. Those that cannot be read are left out.
pub async fn read_objects(reads: BTreeMap<Address, Read>, providers: &Providers) -> BTreeMap<Address, Value> {
    let questions = reads.into_iter().map(|(address, read)| async move {
        let found = read_object(&read, providers).await;
        found
            .map_err(|error| tracing::warn!(%error, %address, "an object could not be read"))
            .ok()
            .map(|it| (address, it))
    });
    let found: Vec<_> = stream::iter(questions).buffer_unordered(READ_AT_ONCE).collect().await;
    found.into_iter().flatten().collect()
}

/// Returns how to address an object of a kind.
pub(crate) fn target(object_ref: &ObjectRef, kind: &KindInfo) -> Target {
    Target { kind: kind.clone(), namespace: object_ref.namespace.clone(), name: object_ref.name.clone() }
}

async fn read_cluster(
    question: Question<'_>,
    cluster: &ClusterRef,
    provider: &Arc<dyn ClusterProvider>,
) -> Result<LiveCluster, ReadError> {
    let failed = |source| ReadError::Cluster { cluster: cluster.clone(), source };
    let (discovery, uid) =
        try_join(provider.discover(), cluster_uid(provider.as_ref())).await.map_err(failed)?;
    if let Some(record) = question.state.clusters.get(cluster).filter(|record| record.uid != uid) {
        return Err(ReadError::OtherCluster {
            cluster: cluster.clone(),
            found: uid,
            recorded: record.uid.clone(),
        });
    }
    let reader = Reader { question, cluster, provider, discovery: &discovery };
    let (Listed { objects, owners }, unobserved) = reader.read().await.map_err(failed)?;
    tracing::debug!(objects = objects.len(), unobserved = unobserved.len(), "read");
    Ok(LiveCluster { uid, discovery, objects, owners, unobserved })
}

/// Reads which cluster this is, by the uid of a namespace that each has. Needs no discovery, to save the time
/// of one answer.
pub(crate) async fn cluster_uid(provider: &dyn ClusterProvider) -> Result<Uid, ProviderError> {
    let kind = KindInfo {
        kind: GroupKind::new("", "Namespace"),
        version: "v1".into(),
        plural: "namespaces".into(),
        scope: Scope::Cluster,
        listable: true,
    };
    let target = Target { kind, namespace: None, name: "kube-system".into() };
    let namespace = provider.get(&target).await?;
    Ok(namespace.ok_or_else(|| ProviderError::Server("it has no namespace kube-system".into()))?.uid())
}

type Objects = HashMap<ObjectRef, LiveObject>;
type Unobserved = BTreeMap<(GroupKind, Option<Text>), String>;

struct Reader<'a> {
    question: Question<'a>,
    cluster: &'a ClusterRef,
    provider: &'a Arc<dyn ClusterProvider>,
    discovery: &'a Discovery,
}

impl Reader<'_> {
    async fn read(&self) -> Result<(Listed, Unobserved), ProviderError> {
        let (mut all, mut unobserved) = (Listed::default(), Unobserved::new());
        for listed in join_all(self.kinds().into_iter().map(|kind| self.list_kind(kind))).await {
            let (kind, outcome) = listed;
            match outcome {
                Ok(found) => all.extend(found),
                // Without any answer there is nothing to plan on.
                Err(error @ (ProviderError::Unreachable(_) | ProviderError::Unauthorized(_))) => {
                    return Err(error);
                }
                Err(error) => drop(unobserved.insert((kind.kind, None), error.to_string())),
            }
        }
        let missing = self.recorded().chain(self.imported()).filter(|(object_ref, _)| {
            !all.objects.contains_key(*object_ref)
                && !unobserved.contains_key(&(object_ref.kind.clone(), None))
        });
        let found = join_all(missing.map(|(object_ref, version)| self.get(object_ref, version))).await;
        for (object_ref, outcome) in found {
            match outcome {
                Ok(Some(object)) => {
                    all.note_owners(|| object_ref.clone(), &object);
                    drop(all.objects.insert(object_ref.clone(), self.reduce(&object_ref, object)));
                }
                Ok(None) => {}
                Err(error) => {
                    unobserved.insert((object_ref.kind, object_ref.namespace), error.to_string());
                }
            }
        }
        Ok((all, unobserved))
    }

    /// The kinds to list: of all that is desired, recorded, or was intended by a run that did not end well, in
    /// the version it is written in.
    fn kinds(&self) -> Vec<KindInfo> {
        let desired = self.question.graph.resources().iter().filter_map(|resource| match &resource.body {
            Body::Object(manifest) => Some((manifest.object_ref(), manifest.api_version())),
            Body::Read(_) => None,
        });
        let intended =
            self.question.state.intents.iter().map(|intent| (&intent.object_ref, &intent.api_version));
        let of_here = intended.chain(desired).filter(|(object_ref, _)| object_ref.cluster == *self.cluster);
        let names: BTreeMap<&GroupKind, &ApiVersion> =
            self.recorded().chain(of_here).map(|(object_ref, version)| (&object_ref.kind, version)).collect();
        let served = names.into_iter().filter_map(|(kind, version)| {
            self.discovery.find(kind, &version.version).or_else(|| self.discovery.preferred(kind))
        });
        served.filter(|kind| kind.listable).cloned().collect()
    }

    fn recorded(&self) -> impl Iterator<Item = (&ObjectRef, &ApiVersion)> {
        let records = self.question.state.records.iter();
        let here = records.filter(|(object_ref, _)| object_ref.cluster == *self.cluster);
        here.map(|(object_ref, record)| (object_ref, &record.api_version))
    }

    /// Objects of `import` blocks have no mark yet, so no list holds them.
    fn imported(&self) -> impl Iterator<Item = (&ObjectRef, &ApiVersion)> {
        let graph = self.question.graph;
        let resources =
            graph.refactoring().imports.keys().filter_map(|address| graph.at(address)?.manifest());
        let unknown = resources.filter(|manifest| {
            let object_ref = manifest.object_ref();
            object_ref.cluster == *self.cluster && !self.question.state.records.contains_key(object_ref)
        });
        unknown.map(|manifest| (manifest.object_ref(), manifest.api_version()))
    }

    async fn list_kind(&self, kind: KindInfo) -> (KindInfo, Result<Listed, ProviderError>) {
        let outcome = match self.list(&kind, None).await {
            Err(ProviderError::Forbidden(why)) => self.list_namespaces(&kind, &why).await,
            other => other,
        };
        (kind, outcome)
    }

    /// Without the right to list everywhere: each namespace that the environment has objects in.
    async fn list_namespaces(&self, kind: &KindInfo, why: &str) -> Result<Listed, ProviderError> {
        let desired = self.question.graph.resources().iter().map(Resource::object_ref);
        let refs = desired.filter(|r| r.cluster == *self.cluster).chain(self.recorded().map(|(r, _)| r));
        let namespaces: BTreeSet<&Text> = refs
            .filter(|object_ref| object_ref.kind == kind.kind)
            .filter_map(|r| r.namespace.as_ref())
            .collect();
        if namespaces.is_empty() {
            return Err(ProviderError::Forbidden(why.into()));
        }
        let lists = namespaces.into_iter().map(|namespace| self.list(kind, Some(namespace.clone())));
        let mut all = Listed::default();
        for listed in try_join_all(lists).await? {
            all.extend(listed);
        }
        Ok(all)
    }

    async fn list(&self, kind: &KindInfo, namespace: Option<Text>) -> Result<Listed, ProviderError> {
        let labels = Some(format!("{ENVIRONMENT_LABEL}={}", self.question.state.environment));
        let query = ListQuery { kind: kind.clone(), namespace, labels };
        let mut listed = Listed::default();
        let mut sink = |page| match page {
            Page::Restart => listed = Listed::default(),
            Page::Items(items) => {
                items.iter().for_each(|it| listed.note_owners(|| self.object_ref(kind, it), it));
                listed.objects.par_extend(items.into_par_iter().map(|object| {
                    let object_ref = self.object_ref(kind, &object);
                    let live = self.reduce(&object_ref, object);
                    (object_ref, live)
                }));
            }
        };
        self.provider.list(&query, &mut sink).await?;
        Ok(listed)
    }

    async fn get(
        &self,
        object_ref: &ObjectRef,
        version: &ApiVersion,
    ) -> (ObjectRef, Result<Option<Object>, ProviderError>) {
        let kind = self.discovery.find(&object_ref.kind, &version.version);
        let outcome = match kind.or_else(|| self.discovery.preferred(&object_ref.kind)) {
            Some(kind) => self.provider.get(&target(object_ref, kind)).await,
            // A kind that is no longer served has no objects.
            None => Ok(None),
        };
        (object_ref.clone(), outcome)
    }

    fn object_ref(&self, kind: &KindInfo, object: &Object) -> ObjectRef {
        ObjectRef {
            cluster: self.cluster.clone(),
            kind: kind.kind.clone(),
            namespace: object.namespace().map(Text::from),
            name: object.name().into(),
        }
    }

    /// Keeps of an object what the plan needs: a fingerprint if its record settles it, else all of it.
    fn reduce(&self, object_ref: &ObjectRef, object: Object) -> LiveObject {
        let Question { graph, desired, state, key } = self.question;
        let resource = graph.find(object_ref);
        let manager = state.lineage.field_manager();
        let settled = resource.and_then(|resource| {
            let (manifest, lifecycle) = (resource.manifest()?, &resource.lifecycle);
            Contested { manifest, lifecycle, manager: &manager, live: Some(&object), ours: true }.settled(key)
        });
        let record = state.records.get(object_ref);
        let mut live = LiveObject { uid: object.uid(), settled, object: None };
        let proved = resource
            .zip(desired.get(object_ref))
            .is_some_and(|(resource, desired)| is_settled(resource, desired, record, Some(&live)));
        if !proved {
            live.object = Some(object);
        }
        live
    }
}

#[derive(Default)]
struct Listed {
    objects: Objects,
    owners: BTreeMap<ObjectRef, Vec<Uid>>,
}

impl Listed {
    fn extend(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.owners.extend(other.owners);
    }

    /// Most objects have no owner, and need no name here.
    fn note_owners(&mut self, object_ref: impl FnOnce() -> ObjectRef, object: &Object) {
        let owners = object.owners();
        if !owners.is_empty() {
            self.owners.insert(object_ref(), owners);
        }
    }
}
