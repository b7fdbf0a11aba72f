//! What would be deleted along with a Namespace or a `CustomResourceDefinition`, and is not ours.

use std::sync::Arc;

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::mark::Lineage;
use engine_core::object::Object;
use engine_core::object_ref::ObjectRef;
use engine_core::ports::{ClusterProvider, ListQuery, Page, ProviderError};
use engine_core::value::{Text, Value};
use futures::future::try_join_all;

/// Objects that Kubernetes itself puts into every namespace.
const OF_EVERY_NAMESPACE: [(&str, &str); 2] =
    [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];

/// Kinds that only report, or that follow other objects without naming them as owners.
const DERIVED: [&str; 5] = ["Event", "Endpoints", "EndpointSlice", "PodMetrics", "ControllerRevision"];

/// Returns what a deletion would take along that belongs to nobody in this environment: not ours, not owned by
/// another object, and not there by itself. At most ten objects are named.
///
/// # Errors
/// A kind cannot be listed: what cannot be seen must not be deleted.
pub(crate) async fn foreign_contents(
    provider: &Arc<dyn ClusterProvider>,
    object_ref: &ObjectRef,
    lineage: &Lineage,
) -> Result<Vec<String>, ProviderError> {
    let discovery = provider.discover().await?;
    let namespace = object_ref.kind.is("", "Namespace").then(|| object_ref.name.clone());
    let holds = |kind: &KindInfo| match &namespace {
        Some(_) => kind.scope == Scope::Namespaced && !DERIVED.contains(&kind.kind.kind.as_str()),
        None => object_ref.name == format!("{}.{}", kind.plural, kind.kind.group),
    };
    let kinds = discovery.iter().filter(|kind| kind.listable && holds(kind));
    let lists = kinds.map(|kind| foreign_of_kind(provider, kind, namespace.clone(), lineage));
    let mut found: Vec<String> = try_join_all(lists).await?.into_iter().flatten().collect();
    found.sort();
    if found.len() > 10 {
        let more = found.len() - 10;
        found.truncate(10);
        found.push(format!("and {more} more"));
    }
    Ok(found)
}

/// The environment's label is no proof: another environment of that name, or a copied object, has it too. So
/// everything is listed.
async fn foreign_of_kind(
    provider: &Arc<dyn ClusterProvider>,
    kind: &KindInfo,
    namespace: Option<Text>,
    lineage: &Lineage,
) -> Result<Vec<String>, ProviderError> {
    let query = ListQuery { kind: kind.clone(), namespace, labels: None };
    let mut found = Vec::new();
    let mut sink = |page| match page {
        Page::Restart => found.clear(),
        Page::Items(items) => {
            let foreign =
                items.iter().filter(|object| !comes_by_itself(kind, object) && !object.is_marked_by(lineage));
            found.extend(foreign.map(|object| format!("{}/{}", kind.kind, object.name())));
        }
    };
    match provider.list(&query, &mut sink).await {
        Ok(()) => Ok(found),
        // A kind whose objects cannot be listed there has none there.
        Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn comes_by_itself(kind: &KindInfo, object: &Object) -> bool {
    let owners =
        object.body().at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    !owners.is_empty() || OF_EVERY_NAMESPACE.contains(&(kind.kind.kind.as_str(), object.name()))
}
