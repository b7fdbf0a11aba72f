//! Finds what an environment has made by the marks on its objects: for a state that is lost.
//!
//! A mark counts only where the server says that the lineage has applied the object: see
//! [`Object::is_marked_by`](engine_core::object::Object::is_marked_by).

use std::collections::BTreeMap;

use engine_core::digest::Fingerprint;
use engine_core::graph::Dependencies;
use engine_core::kind_info::KindInfo;
use engine_core::mark::{ENVIRONMENT_LABEL, EnvironmentName, Lineage};
use engine_core::object::{Object, Operation};
use engine_core::object_ref::{ApiVersion, ClusterRef, ObjectRef, Uid};
use engine_core::ports::{ClusterProvider, ListQuery, Page, ProviderError};
use engine_core::state::{ResourceRecord, path_hash};
use engine_core::value::Text;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt};

use crate::Providers;
use crate::read::{ReadError, cluster_uid};

/// How many kinds of a cluster are listed at once.
const LISTED_AT_ONCE: usize = 16;

/// What is marked on the clusters.
#[derive(Debug, Default)]
pub struct Census {
    /// The records of the objects, as far as the objects tell them, by lineage.
    pub lineages: BTreeMap<Lineage, BTreeMap<ObjectRef, ResourceRecord>>,
    /// Which clusters these are.
    pub clusters: BTreeMap<ClusterRef, Uid>,
    /// Kinds that could not be listed, and why: `cluster: kind: reason`.
    pub unobserved: Vec<String>,
}

/// Lists every kind of every cluster for the mark of an environment.
///
/// # Errors
/// A cluster does not answer. A kind that cannot be listed is no error: it is named.
pub async fn census(environment: &EnvironmentName, providers: &Providers) -> Result<Census, ReadError> {
    let clusters = providers.iter().map(|(cluster, provider)| async move {
        let found = of_cluster(environment, cluster, provider.as_ref()).await;
        found.map_err(|source| ReadError::Cluster { cluster: cluster.clone(), source })
    });
    let mut census = Census::default();
    for (uid, found) in try_join_all(clusters).await? {
        census.clusters.insert(found.cluster, uid);
        census.unobserved.extend(found.unobserved);
        for (lineage, object_ref, record) in found.records {
            census.lineages.entry(lineage).or_default().insert(object_ref, record);
        }
    }
    Ok(census)
}

struct Found {
    cluster: ClusterRef,
    records: Vec<(Lineage, ObjectRef, ResourceRecord)>,
    unobserved: Vec<String>,
}

async fn of_cluster(
    environment: &EnvironmentName,
    cluster: &ClusterRef,
    provider: &dyn ClusterProvider,
) -> Result<(Uid, Found), ProviderError> {
    let uid = cluster_uid(provider).await?;
    let discovery = provider.discover().await?;
    let mut found = Found { cluster: cluster.clone(), records: Vec::new(), unobserved: Vec::new() };
    let unavailable = discovery.unavailable.iter();
    found
        .unobserved
        .extend(unavailable.map(|(group, why)| format!("{cluster}: all of group {group}: {why}")));
    let listable = discovery.iter().filter(|kind| kind.listable);
    let lists = listable.map(|kind| async move { (kind, list(environment, provider, kind).await) });
    let mut lists = stream::iter(lists).buffer_unordered(LISTED_AT_ONCE);
    while let Some((kind, listed)) = lists.next().await {
        match listed {
            Ok(objects) => {
                found.records.extend(objects.iter().filter_map(|object| record(cluster, kind, object)));
            }
            Err(error @ (ProviderError::Unreachable(_) | ProviderError::Unauthorized(_))) => {
                return Err(error);
            }
            Err(error) => found.unobserved.push(format!("{cluster}: {}: {error}", kind.kind)),
        }
    }
    drop(lists);
    found.unobserved.sort();
    Ok((uid, found))
}

async fn list(
    environment: &EnvironmentName,
    provider: &dyn ClusterProvider,
    kind: &KindInfo,
) -> Result<Vec<Object>, ProviderError> {
    let labels = Some(format!("{ENVIRONMENT_LABEL}={environment}"));
    let query = ListQuery { kind: kind.clone(), namespace: None, labels };
    let mut objects = Vec::new();
    let mut sink = |page| match page {
        Page::Restart => objects.clear(),
        Page::Items(items) => objects.extend(items),
    };
    match provider.list(&query, &mut sink).await {
        // Gone since discovery, or shown by it and not there: nothing of it can be ours.
        Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
        listed => listed.map(|()| objects),
    }
}

/// Returns what an object tells of its record. What was desired and what the server made of it then, it does not
/// tell: the next plan asks.
fn record(
    cluster: &ClusterRef,
    kind: &KindInfo,
    object: &Object,
) -> Option<(Lineage, ObjectRef, ResourceRecord)> {
    let mark = object.mark().filter(|mark| object.is_marked_by(&mark.lineage))?;
    let manager = mark.lineage.field_manager();
    let entries = object.managers().into_iter();
    let own = entries.filter(|entry| {
        entry.manager == manager.as_str()
            && entry.operation == Operation::Apply
            && entry.subresource.is_none()
    });
    let own = own.last()?;
    let api_version: ApiVersion = own.api_version.parse().ok()?;
    // The same object may be served by several groups; it was applied in one.
    if api_version.group != kind.kind.group {
        return None;
    }
    let mut fields: Vec<u32> = own.fields.leaves().iter().map(path_hash).collect();
    fields.sort_unstable();
    let object_ref = ObjectRef {
        cluster: cluster.clone(),
        kind: kind.kind.clone(),
        namespace: object.namespace().map(Text::from),
        name: object.name().into(),
    };
    let record = ResourceRecord {
        address: mark.address,
        api_version,
        uid: object.uid(),
        dependencies: Dependencies::default(),
        prevent_destroy: false,
        desired: Fingerprint::NOTHING,
        settled: None,
        fields,
    };
    Some((mark.lineage, object_ref, record))
}
