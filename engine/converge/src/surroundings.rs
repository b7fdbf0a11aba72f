//! Reads what a plan's objects depend on and is not ours: quotas, limits and classes of the clusters.

use std::collections::BTreeMap;

use engine_core::graph::ResourceGraph;
use engine_core::kind_info::KindInfo;
use engine_core::live::Live;
use engine_core::object::Object;
use engine_core::object_ref::ObjectRef;
use engine_core::plan::triage::Triage;
use engine_core::ports::{ClusterProvider, ListQuery, Page, ProviderError};
use engine_core::surroundings::{Needed, Surroundings, needed};
use engine_core::value::Text;
use futures::future::join_all;

use crate::Providers;

/// Reads it all at once: one list per kind, and none for a plan without changes. What cannot be read is left out, since
/// a plan can be made without.
pub async fn read_surroundings(
    graph: &ResourceGraph,
    triage: &Triage,
    live: &Live,
    providers: &Providers,
) -> Surroundings {
    let lists = needed(graph, triage, live).into_iter().filter_map(|needed| {
        let provider = providers.get(&needed.cluster)?;
        let kind = live.clusters.get(&needed.cluster)?.discovery.preferred(&needed.kind)?.clone();
        Some(async move {
            let read = list(provider.as_ref(), &kind, &needed).await;
            (needed, read)
        })
    });
    let mut found = Surroundings::default();
    for (Needed { cluster, kind, .. }, read) in join_all(lists).await {
        match read {
            Ok(objects) => found.insert(cluster, kind, objects),
            Err(error) => tracing::debug!(%cluster, %kind, %error, "the surroundings stay unknown"),
        }
    }
    found
}

async fn list(
    provider: &dyn ClusterProvider,
    kind: &KindInfo,
    needed: &Needed,
) -> Result<BTreeMap<ObjectRef, Object>, ProviderError> {
    let mut namespaces = needed.namespaces.iter();
    // For one namespace its own list costs less, and less of a right.
    let namespace = namespaces.next().filter(|_| namespaces.next().is_none()).cloned();
    let query = ListQuery { kind: kind.clone(), namespace, labels: None };
    let mut objects = BTreeMap::new();
    let mut sink = |page| match page {
        Page::Restart => objects.clear(),
        Page::Items(items) => {
            let refs = items.into_iter().map(|it| (object_ref(kind, needed, &it), it));
            let is_near =
                |it: &ObjectRef| it.namespace.as_ref().is_none_or(|it| needed.namespaces.contains(it));
            objects.extend(refs.filter(|(object_ref, _)| is_near(object_ref)));
        }
    };
    provider.list(&query, &mut sink).await?;
    Ok(objects)
}

fn object_ref(kind: &KindInfo, needed: &Needed, object: &Object) -> ObjectRef {
    ObjectRef {
        cluster: needed.cluster.clone(),
        kind: kind.kind.clone(),
        namespace: object.namespace().map(Text::from),
        name: object.name().into(),
    }
}
