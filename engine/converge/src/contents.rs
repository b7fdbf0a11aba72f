//! What would be deleted along with a Namespace or a `CustomResourceDefinition`, and is not ours.

use std::collections::HashSet;
use std::sync::Arc;

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::mark::Lineage;
use engine_core::object::Object;
use engine_core::object_ref::ObjectRef;
use engine_core::plan::Plan;
use engine_core::plan::contents::Contents;
use engine_core::ports::{ClusterProvider, ListQuery, Page, ProviderError};
use engine_core::value::{Text, Value};
use futures::future::try_join_all;

use crate::Providers;

/// Objects that Kubernetes itself puts into every namespace.
const OF_EVERY_NAMESPACE: [(&str, &str); 2] =
    [("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")];

/// Kinds that only report, or that follow other objects without naming them as owners.
const DERIVED: [&str; 5] = ["Event", "Endpoints", "EndpointSlice", "PodMetrics", "ControllerRevision"];

/// Kinds that a plan looks at in a namespace that it deletes: where people keep what they would miss.
const COUNTED: [(&str, &str); 6] = [
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Service"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("batch", "Job"),
];

/// Says in a plan what its deletions of Namespaces and kinds would meet that is not of this environment. That costs a
/// list for each of a few kinds, and nothing where neither is deleted. What cannot be listed is not said; apply
/// looks again, at everything.
pub async fn foresee(plan: &mut Plan, providers: &Providers) {
    let deleted: Vec<ObjectRef> = plan.deleted_containers().cloned().collect();
    for object_ref in deleted {
        let Some(provider) = providers.get(&object_ref.cluster) else { continue };
        let counted = |kind: &KindInfo| {
            !object_ref.kind.is("", "Namespace")
                || COUNTED.iter().any(|(group, name)| kind.kind.is(group, name))
        };
        match contents(provider, &object_ref, &plan.lineage, counted).await {
            Ok(contents) => plan.meet_contents(&object_ref, contents),
            Err(error) => tracing::warn!(%object_ref, %error, "what lies in it could not be listed"),
        }
    }
}

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
    let mut found = contents(provider, object_ref, lineage, |_| true).await?.foreign;
    if found.len() > 10 {
        let more = found.len() - 10;
        found.truncate(10);
        found.push(format!("and {more} more"));
    }
    Ok(found)
}

async fn contents(
    provider: &Arc<dyn ClusterProvider>,
    object_ref: &ObjectRef,
    lineage: &Lineage,
    counts: impl Fn(&KindInfo) -> bool,
) -> Result<Contents, ProviderError> {
    let discovery = provider.discover().await?;
    let namespace = object_ref.kind.is("", "Namespace").then(|| object_ref.name.clone());
    let holds = |kind: &KindInfo| match &namespace {
        Some(_) => kind.scope == Scope::Namespaced && !DERIVED.contains(&kind.kind.kind.as_str()),
        None => object_ref.name == format!("{}.{}", kind.plural, kind.kind.group),
    };
    let mut seen = HashSet::new();
    let kinds = discovery.iter().filter(|kind| kind.listable && holds(kind) && counts(kind));
    let kinds: Vec<&KindInfo> = kinds.filter(|kind| seen.insert(&kind.kind)).collect();
    let lists = kinds.into_iter().map(|kind| contents_of_kind(provider, kind, namespace.clone(), lineage));
    let mut all = Contents::default();
    for found in try_join_all(lists).await? {
        all.foreign.extend(found.foreign);
        all.owned.extend(found.owned);
    }
    all.foreign.sort();
    Ok(all)
}

/// The environment's label is no proof: another environment of that name, or a copied object, has it too. So
/// everything is listed.
async fn contents_of_kind(
    provider: &Arc<dyn ClusterProvider>,
    kind: &KindInfo,
    namespace: Option<Text>,
    lineage: &Lineage,
) -> Result<Contents, ProviderError> {
    let query = ListQuery { kind: kind.clone(), namespace, labels: None };
    let mut found = Contents::default();
    let mut sink = |page| match page {
        Page::Restart => found = Contents::default(),
        Page::Items(items) => {
            for object in items.iter().filter(|object| !object.is_marked_by(lineage)) {
                if is_owned(object) {
                    *found.owned.entry(kind.kind.clone()).or_default() += 1;
                } else if !OF_EVERY_NAMESPACE.contains(&(kind.kind.kind.as_str(), object.name())) {
                    let place = object.body().str_at(&["metadata", "namespace"]);
                    let place = place.filter(|_| query.namespace.is_none()).map(|it| format!("{it}/"));
                    let place = place.unwrap_or_default();
                    found.foreign.push(format!("{}/{place}{}", kind.kind, object.name()));
                }
            }
        }
    };
    match provider.list(&query, &mut sink).await {
        Ok(()) => Ok(found),
        // A kind whose objects cannot be listed there has none there.
        Err(ProviderError::NotFound(_)) => Ok(Contents::default()),
        Err(error) => Err(error),
    }
}

fn is_owned(object: &Object) -> bool {
    let owners = object.body().at(&["metadata", "ownerReferences"]).and_then(Value::as_list);
    owners.is_some_and(|owners| !owners.is_empty())
}
