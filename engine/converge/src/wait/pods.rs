//! What the pods of one namespace say of their owners.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine_core::kind_info::{KindInfo, Scope};
use engine_core::object::Object;
use engine_core::object_ref::{GroupKind, Uid};
use engine_core::ports::{ClusterProvider, ListQuery, ProviderError, WatchEvent};
use engine_core::status::{Evidence, Remedy, Trouble};
use engine_core::value::{Text, Value};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::lock;
use super::seen::{Hear, keep_watching};

/// How long the pods of a namespace may take to be listed before a wait goes on without.
const SETTLED_WITHIN: Duration = Duration::from_secs(3);

/// Whose pod it is: kind and name of the workload, or of the pod itself.
pub(super) type Owner = (Text, Text);

/// The pods of one namespace that are in trouble, by owner. The others are not kept.
pub(super) struct Pods {
    provider: Arc<dyn ClusterProvider>,
    known: Mutex<Known>,
    /// Everything that exists has been seen, or nothing will be.
    settled: AtomicBool,
    /// Rings when that becomes so.
    bell: Notify,
}

#[derive(Default)]
struct Known {
    /// By owner, then by the pod's name.
    troubled: HashMap<Owner, Family>,
    /// The owner of each pod that is kept.
    owners: HashMap<Text, Owner>,
}

/// The pods of one owner that are in trouble, and the bell that rings when one changes.
#[derive(Default)]
struct Family {
    pods: BTreeMap<Text, Troubled>,
    changed: Arc<Notify>,
}

/// A pod in trouble.
#[derive(Clone)]
pub(super) struct Troubled {
    pub(super) pod: Text,
    pub(super) uid: Uid,
    /// The uid of the workload, where the pod names it.
    owner: Option<Text>,
    created: Text,
    pub(super) trouble: Trouble,
}

impl Troubled {
    /// Tells whether the pod is younger than a time of the server, to the second.
    pub(super) fn is_made_since(&self, time: &str) -> bool {
        !time.is_empty() && self.created.as_str() >= time
    }
}

/// A watch of the pods of a namespace, which ends when nobody listens to it any more.
pub(super) struct PodWatch {
    pub(super) pods: Arc<Pods>,
    task: JoinHandle<()>,
}

impl Drop for PodWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PodWatch {
    pub(super) fn begin(provider: &Arc<dyn ClusterProvider>, namespace: Text) -> Self {
        let pods = Arc::new(Pods {
            provider: provider.clone(),
            known: Mutex::default(),
            settled: AtomicBool::new(false),
            bell: Notify::new(),
        });
        let query = ListQuery { kind: kind(), namespace: Some(namespace), labels: None };
        let task = tokio::spawn(keep_watching(provider.clone(), query, pods.clone()));
        Self { pods, task }
    }
}

/// Returns how pods are served, everywhere.
pub(super) fn kind() -> KindInfo {
    KindInfo {
        kind: GroupKind::new("", "Pod"),
        version: Text::from("v1"),
        plural: Text::from("pods"),
        scope: Scope::Namespaced,
        listable: true,
    }
}

impl Pods {
    /// Returns the bell of an owner.
    pub(super) fn bell(&self, owner: &Owner) -> Arc<Notify> {
        lock(&self.known).troubled.entry(owner.clone()).or_default().changed.clone()
    }

    /// Waits until everything that exists has been seen, or nothing will be; not for long.
    pub(super) async fn settled(&self) {
        let settled = self.bell.notified();
        tokio::pin!(settled);
        settled.as_mut().enable();
        if !self.settled.load(Ordering::Acquire) {
            // Who is not told in time goes on with what there is.
            let _ = tokio::time::timeout(SETTLED_WITHIN, settled).await;
        }
    }

    fn settle(&self) {
        self.settled.store(true, Ordering::Release);
        self.bell.notify_waiters();
    }

    /// Returns the pod whose trouble says most of why its owner with this uid is not ready, and how many others are
    /// in trouble: one that was made since the owner was written before one that is to be replaced, what cannot pass
    /// before what can, a plain word before one that needs evidence, young before old.
    pub(super) fn worst(&self, owner: &Owner, uid: &Uid, written: &str) -> Option<(Troubled, usize)> {
        let known = lock(&self.known);
        let family = known.troubled.get(owner)?.pods.values();
        let own: Vec<_> =
            family.filter(|pod| pod.owner.as_deref().is_none_or(|owner| owner == uid.as_str())).collect();
        let rank = |pod: &Troubled| {
            let lasting = pod.trouble.remedy != Remedy::Time;
            (
                pod.is_made_since(written),
                lasting,
                pod.trouble.evidence != Some(Evidence::Events),
                pod.created.clone(),
            )
        };
        let worst = own.iter().max_by_key(|pod| rank(pod))?;
        Some((Troubled::clone(worst), own.len() - 1))
    }

    fn note(&self, pod: &Object, trouble: Option<Trouble>) {
        let (owner, owner_uid) = owner(pod);
        let name = Text::from(pod.name());
        let mut known = lock(&self.known);
        let changed = match trouble {
            Some(trouble) => {
                let troubled = Troubled {
                    pod: name.clone(),
                    uid: pod.uid(),
                    owner: owner_uid,
                    created: Text::from(
                        pod.body().str_at(&["metadata", "creationTimestamp"]).unwrap_or_default(),
                    ),
                    trouble,
                };
                known.owners.insert(name.clone(), owner.clone());
                let family = known.troubled.entry(owner).or_default();
                let before = family.pods.insert(name.clone(), troubled);
                let same = before.is_some_and(|before| before.trouble == family.pods[&name].trouble);
                (!same).then(|| family.changed.clone())
            }
            None => known.remove(&name),
        };
        drop(known);
        if let Some(changed) = changed {
            changed.notify_waiters();
        }
    }
}

impl Known {
    fn remove(&mut self, pod: &Text) -> Option<Arc<Notify>> {
        let owner = self.owners.remove(pod)?;
        let family = self.troubled.get_mut(&owner)?;
        family.pods.remove(pod);
        Some(family.changed.clone())
    }
}

impl Hear for Pods {
    fn begin(&self) {
        // What exists is told anew.
        let mut known = lock(&self.known);
        known.owners.clear();
        known.troubled.values_mut().for_each(|family| family.pods.clear());
    }

    fn hear(&self, event: WatchEvent) {
        match event {
            WatchEvent::Applied(pod) => self.note(&pod, self.provider.trouble(&pod)),
            WatchEvent::Deleted(pod) => self.note(&pod, None),
            WatchEvent::Synced => self.settle(),
        }
    }

    fn end(&self, refused: Option<&ProviderError>) -> bool {
        // Who may not see pods is not told of them, and no server is pressed for it.
        let goes_on = !matches!(refused, Some(ProviderError::Forbidden(_) | ProviderError::NotFound(_)));
        if !goes_on {
            self.settle();
        }
        goes_on
    }
}

/// Returns whose pod it is, and that object's uid where the pod says it: the pods of a Deployment name its
/// `ReplicaSet`, whose name is the Deployment's and the hash of the template.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
fn owner(pod: &Object) -> (Owner, Option<Text>) {
    let owners = pod.body().at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    let controls = |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
    let Some(owner) = owners.iter().find(controls) else {
        return ((Text::from("Pod"), Text::from(pod.name())), Some(Text::from(pod.uid().as_str())));
    };
    let kind = owner.str_at(&["kind"]).unwrap_or_default();
    let name = owner.str_at(&["name"]).unwrap_or_default();
    let hash = pod.body().str_at(&["metadata", "labels", "pod-template-hash"]);
    let deployment = hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    match deployment.filter(|_| kind == "ReplicaSet") {
        Some(deployment) => ((Text::from("Deployment"), Text::from(deployment)), None),
        None => ((Text::from(kind), Text::from(name)), owner.str_at(&["uid"]).map(Text::from)),
    }
}
