//! What the server serves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use engine_core::kind_info::{Discovery, KindInfo, Scope};
use engine_core::object_ref::GroupKind;
use engine_core::ports::ProviderError;
use engine_core::value::Text;
use futures::future;
use http::StatusCode;
use http::header::ETAG;
use serde::{Deserialize, Deserializer};

use crate::failure::Subject;
use crate::path::Query;
use crate::retry::Repeat;
use crate::transport::{Call, Reply, Transport};

/// Aggregated discovery, stable or beta, then the classic documents.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery>
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                      application/json";

/// The two documents of discovery: the core group, and all others.
const ROOTS: [&str; 2] = ["/api", "/apis"];

/// Keeps the documents by the server's `ETag`.
#[derive(Default)]
pub(crate) struct DiscoveryCache {
    roots: [Mutex<Option<Cached>>; 2],
}

struct Cached {
    etag: String,
    part: Part,
}

/// What one document says.
#[derive(Clone, Default)]
struct Part {
    kinds: Vec<KindInfo>,
    unavailable: BTreeMap<Text, String>,
}

impl DiscoveryCache {
    /// Returns what the server serves.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub(crate) async fn discover(&self, transport: &Transport) -> Result<Discovery, ProviderError> {
        let [core, groups] = [0, 1].map(|root| self.part(transport, root));
        // The first time one after the other: asked at once, each question would open a connection of its own.
        let parts = match self.is_empty() {
            true => [core.await?, groups.await?],
            false => future::try_join(core, groups).await?.into(),
        };
        let mut discovery = Discovery::default();
        let mut seen = BTreeSet::new();
        for part in parts {
            for kind in part.kinds {
                // A second resource of the same kind is a view of the first.
                if seen.insert((kind.kind.clone(), kind.version.clone())) {
                    discovery.insert(kind);
                }
            }
            discovery.unavailable.extend(part.unavailable);
        }
        Ok(discovery)
    }

    fn is_empty(&self) -> bool {
        self.roots.iter().all(|root| root.lock().unwrap_or_else(PoisonError::into_inner).is_none())
    }

    async fn part(&self, transport: &Transport, root: usize) -> Result<Part, ProviderError> {
        let cached = || self.roots[root].lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call {
            accept: ACCEPT,
            etag: cached().as_ref().map(|cached| cached.etag.clone()),
            ..Call::get(ROOTS[root].to_owned())
        };
        let reply = transport.send(&call).await?;
        if reply.status == StatusCode::NOT_MODIFIED
            && let Some(cached) = cached().as_ref()
        {
            return Ok(cached.part.clone());
        }
        let reply = reply.success(Subject::default())?;
        let document: Document = reply.json()?;
        if document.kind != "APIGroupDiscoveryList" {
            return classic(transport, ROOTS[root], document).await;
        }
        if document.items.is_empty() {
            let plain = transport.send(&Call::get(ROOTS[root].to_owned())).await?;
            let document = plain.success(Subject::default())?.json()?;
            return classic(transport, ROOTS[root], document).await;
        }
        let part = aggregated(document.items);
        *cached() = etag(&reply).map(|etag| Cached { etag, part: part.clone() });
        Ok(part)
    }
}

fn etag(reply: &Reply) -> Option<String> {
    let etag = reply.headers.get(ETAG)?.to_str().ok()?;
    Some(etag.to_owned())
}

/// A document of discovery: aggregated (`items`), classic of the core group (`versions`) or of the other
/// groups (`groups`).
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    kind: String,
    #[serde(default, deserialize_with = "or_default")]
    items: Vec<GroupItem>,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct GroupItem {
    #[serde(default)]
    metadata: GroupMeta,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<VersionItem>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupMeta {
    name: Text,
}

#[derive(Deserialize)]
struct VersionItem {
    version: Text,
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<ResourceItem>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceItem {
    resource: Text,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default, deserialize_with = "or_default")]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    kind: Text,
}

/// Reads the aggregated form, whose versions stand in the server's order of preference.
fn aggregated(groups: Vec<GroupItem>) -> Part {
    let mut part = Part::default();
    for group in groups {
        let name = group.metadata.name;
        for version in group.versions {
            if version.freshness == "Stale" {
                let message = format!("the server of {name}/{} does not answer", version.version);
                part.unavailable.insert(name.clone(), message);
            }
            for resource in version.resources {
                let Some(response) = resource.response_kind.filter(|it| !it.kind.is_empty()) else {
                    continue;
                };
                part.kinds.push(KindInfo {
                    kind: GroupKind::new(name.clone(), response.kind),
                    version: version.version.clone(),
                    plural: resource.resource,
                    scope: scope(resource.scope == "Namespaced"),
                    listable: listable(&resource.verbs),
                });
            }
        }
    }
    part
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: Text,
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: Text,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default, deserialize_with = "or_default")]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: Text,
    kind: Text,
    #[serde(default)]
    namespaced: bool,
    #[serde(default, deserialize_with = "or_default")]
    verbs: Vec<String>,
}

/// Reads the classic form: one more request for each version of each group. A group whose server does not
/// answer costs that group alone.
async fn classic(transport: &Transport, root: &str, document: Document) -> Result<Part, ProviderError> {
    let core = document.versions.into_iter().map(|version| (Text::default(), Text::from(version)));
    let groups = document.groups.into_iter().flat_map(|group| {
        let preferred = group.preferred_version.map(|it| it.version);
        let mut versions: Vec<Text> = group.versions.into_iter().map(|it| it.version).collect();
        // Stable: the preferred version comes first, the others stay in the server's order.
        versions.sort_by_key(|version| Some(version) != preferred.as_ref());
        versions.into_iter().map(move |version| (group.name.clone(), version))
    });
    let wanted: Vec<_> = core.chain(groups).collect();
    let lists = wanted.iter().map(|(group, version)| resources(transport, root, group, version));
    let mut part = Part::default();
    for ((group, _), outcome) in wanted.iter().zip(future::join_all(lists).await) {
        match outcome {
            Ok(kinds) => part.kinds.extend(kinds),
            Err(error @ (ProviderError::Unauthorized(_) | ProviderError::Unreachable(_))) => {
                return Err(error);
            }
            Err(error) => {
                part.unavailable.insert(group.clone(), error.to_string());
            }
        }
    }
    Ok(part)
}

async fn resources(
    transport: &Transport,
    root: &str,
    group: &Text,
    version: &Text,
) -> Result<Vec<KindInfo>, ProviderError> {
    let path = match group.as_str() {
        "" => format!("{root}/{version}"),
        group => format!("{root}/{group}/{version}"),
    };
    // The server of a group may be down for good: its 503 is the answer, not a reason to wait.
    let call = Call { repeat: Repeat::IfRefused, ..Call::get(Query::default().on(&path)) };
    let list: ResourceList = transport.send(&call).await?.success(Subject::default())?.json()?;
    let kinds = list.resources.into_iter().filter(|resource| !resource.name.contains('/'));
    Ok(kinds
        .map(|resource| KindInfo {
            kind: GroupKind::new(group.clone(), resource.kind),
            version: version.clone(),
            plural: resource.name,
            scope: scope(resource.namespaced),
            listable: listable(&resource.verbs),
        })
        .collect())
}

/// Go writes an empty list as null.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

fn scope(namespaced: bool) -> Scope {
    if namespaced { Scope::Namespaced } else { Scope::Cluster }
}

fn listable(verbs: &[String]) -> bool {
    ["list", "watch"].iter().all(|wanted| verbs.iter().any(|verb| verb == wanted))
}
