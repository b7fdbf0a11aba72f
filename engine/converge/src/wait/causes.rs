//! Finds out why an object is not ready: from its pods, and where those say nothing from events.
//!
//! Nothing is asked of a wait that is over soon. Then the pods of its namespace are watched, once for all waits there;
//! logs and events are asked for one after the other, with a pause between them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use engine_core::object::Object;
use engine_core::object_ref::{ClusterRef, Uid};
use engine_core::ports::Target;
use engine_core::status::{Evidence, Remedy};
use engine_core::value::{Text, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::pods::{Owner, PodWatch, Troubled};
use super::told::{Told, join, line, quote};
use super::{Until, Wait, Waited, lock, pods};

/// Namespaces whose pods are watched at the same time.
const MAX_WATCHED: usize = 32;
/// How long evidence may take.
const EVIDENCE_WITHIN: Duration = Duration::from_secs(5);
/// How long the search for the cause of a failure may take.
const LOOK_WITHIN: Duration = Duration::from_secs(8);

/// When what is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long a wait lasts before anybody asks why.
    pub(super) patience: Duration,
    /// How much longer before anybody asks for events.
    pub(super) events: Duration,
    /// Between two questions of one wait.
    pub(super) again: Duration,
    /// Between two questions of a run.
    pub(super) pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(5),
            events: Duration::from_secs(10),
            again: Duration::from_secs(30),
            pause: Duration::from_millis(200),
        }
    }
}

/// Finds causes, for all waits of a run.
pub(super) struct Causes {
    pace: Pace,
    watched: Mutex<HashMap<(ClusterRef, Text), Weak<PodWatch>>>,
    /// When the last question was asked.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

/// What evidence a wait has, and when it may ask for more.
struct Heard {
    /// Before this nothing is asked.
    next: Instant,
    /// Before this no events are asked for: they are the last resort.
    events: Instant,
    /// When to look again, whatever the pods say.
    wake: Instant,
    last: Option<Answer>,
}

/// What was heard of an object.
struct Answer {
    name: Text,
    evidence: Evidence,
    /// The trouble that it was asked for.
    trouble: String,
    found: String,
}

impl Answer {
    /// Tells whether this is what the same container wrote, or what events say of the same object.
    fn is_of(&self, name: &str, evidence: &Evidence) -> bool {
        let container = |evidence: &Evidence| match evidence {
            Evidence::Log { container, .. } => Some(container.clone()),
            Evidence::Events => None,
        };
        self.name == name && container(&self.evidence) == container(evidence)
    }
}

impl Heard {
    fn from(now: Instant, events: Duration) -> Self {
        Self { next: now, events: now + events, wake: now, last: None }
    }
}

impl Causes {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, watched: Mutex::default(), asked: tokio::sync::Mutex::default() }
    }

    /// Tells why the wait goes on, for as long as it does. Ends only when it cannot come to a good end.
    ///
    /// # Cancel safety
    /// Dropping the future ends the search.
    pub(super) async fn follow(&self, wait: &Wait<'_>, known: &Object, told: &Told<'_>) -> Waited {
        if wait.until == Until::Gone {
            return std::future::pending().await;
        }
        tokio::time::sleep(self.pace.patience).await;
        let (owner, written) = (owner(wait), written(known));
        let silent = Arc::new(Notify::new());
        let mut watch = None;
        let mut heard = Heard::from(Instant::now(), self.pace.events);
        loop {
            if watch.is_none() && has_pods(known) {
                watch = self.watch(wait);
                if let Some(watch) = &watch {
                    watch.pods.settled().await;
                }
            }
            let bell = watch.as_ref().map_or_else(|| silent.clone(), |watch| watch.pods.bell(&owner));
            let changed = bell.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change falls between the two.
            changed.as_mut().enable();
            let worst = watch.as_ref().and_then(|watch| watch.pods.worst(&owner, wait.uid, &written));
            let is_final = worst.as_ref().is_some_and(|(pod, _)| is_final(wait, pod, &written));
            heard.wake = Instant::now() + self.pace.again;
            let cause = self.cause(wait, told, worst, &mut heard).await;
            told.cause(cause);
            if is_final {
                return Waited::Failed(told.last());
            }
            tokio::select! {
                () = &mut changed => {}
                () = tokio::time::sleep_until(heard.wake) => {}
            }
        }
    }

    /// Tells why a wait failed so soon that nobody has looked for it. A failure is not kept back for long.
    pub(super) async fn look(&self, wait: &Wait<'_>, known: &Object, told: &Told<'_>) {
        let look = async {
            let watch = self.watch(wait)?;
            watch.pods.settled().await;
            let worst = watch.pods.worst(&owner(wait), wait.uid, &written(known))?;
            let mut heard = Heard::from(Instant::now(), Duration::ZERO);
            told.cause(self.cause(wait, told, Some(worst), &mut heard).await);
            Some(())
        };
        if wait.until == Until::Current && has_pods(known) {
            // What was told until then is enough.
            let _ = tokio::time::timeout(LOOK_WITHIN, look).await;
        }
    }

    /// Returns the watch of the pods in the namespace of the object, `None` while too many others are watched.
    fn watch(&self, wait: &Wait<'_>) -> Option<Arc<PodWatch>> {
        let namespace = wait.target.namespace.clone()?;
        let mut watched = lock(&self.watched);
        let key = (wait.cluster.clone(), namespace.clone());
        if let Some(watch) = watched.get(&key).and_then(Weak::upgrade) {
            return Some(watch);
        }
        watched.retain(|_, watch| watch.strong_count() > 0);
        if watched.len() >= MAX_WATCHED {
            return None;
        }
        let watch = Arc::new(PodWatch::begin(wait.provider, namespace));
        watched.insert(key, Arc::downgrade(&watch));
        Some(watch)
    }

    /// Says why, with evidence where there is some. What is known without is told while that is asked for.
    async fn cause(
        &self,
        wait: &Wait<'_>,
        told: &Told<'_>,
        worst: Option<(Troubled, usize)>,
        heard: &mut Heard,
    ) -> Option<String> {
        let Some((pod, others)) = worst else {
            let event = self.evidence(wait, (wait.target, wait.uid), (&Evidence::Events, ""), heard).await?;
            return Some(event);
        };
        let others = if others > 0 { format!(" (and {others} more)") } else { String::new() };
        let mut words = format!("pod {}{others}: {}", pod.pod, line(&pod.trouble.words));
        if let Some(said) = &pod.trouble.said {
            words = join(&words, &quote(&(wait.redact)(said)));
        }
        let Some(evidence) = &pod.trouble.evidence else {
            return Some(words);
        };
        told.cause_at_least(&words);
        let target = Target { kind: pods::kind(), namespace: wait.target.namespace.clone(), name: pod.pod };
        let about = (&target, &pod.uid);
        let found = self.evidence(wait, about, (evidence, &pod.trouble.words), heard).await;
        Some(match (found, evidence) {
            (Some(line), Evidence::Log { .. }) => format!("{words}: its last line: {line}"),
            (Some(event), Evidence::Events) => format!("{words}: {event}"),
            (None, _) => words,
        })
    }

    /// Returns evidence that was heard already, or asks for it when the time has come. A server that refuses to give
    /// it is not blamed: the wait is about something else.
    async fn evidence(
        &self,
        wait: &Wait<'_>,
        (target, uid): (&Target, &Uid),
        (evidence, trouble): (&Evidence, &str),
        heard: &mut Heard,
    ) -> Option<String> {
        let last = heard.last.as_ref().filter(|last| last.is_of(&target.name, evidence));
        let known = last.map(|last| last.found.clone());
        let due = match evidence {
            Evidence::Log { .. } if last.is_some_and(|last| last.trouble == trouble) => return known,
            Evidence::Log { .. } => heard.next,
            Evidence::Events => heard.next.max(heard.events),
        };
        if Instant::now() < due {
            heard.wake = due;
            return known;
        }
        self.turn().await;
        let answer =
            tokio::time::timeout(EVIDENCE_WITHIN, wait.provider.evidence(target, uid, evidence)).await;
        heard.next = Instant::now() + self.pace.again;
        heard.wake = heard.next;
        let Ok(Ok(Some(text))) = answer else {
            return known;
        };
        let text = quote(&(wait.redact)(&text));
        heard.last = Some(Answer {
            name: target.name.clone(),
            evidence: evidence.clone(),
            trouble: trouble.to_owned(),
            found: text.clone(),
        });
        Some(text)
    }

    /// Waits until the next question may be asked.
    async fn turn(&self) {
        let mut asked = self.asked.lock().await;
        if let Some(last) = *asked {
            tokio::time::sleep_until(last + self.pace.pause).await;
        }
        *asked = Some(Instant::now());
    }
}

/// Tells whether the pod will stay in trouble whatever happens outside of the plan. One that is older than the object as
/// it is now is about to be replaced.
fn is_final(wait: &Wait<'_>, pod: &Troubled, written: &str) -> bool {
    match &pod.trouble.remedy {
        _ if !pod.is_made_since(written) => false,
        Remedy::Time => false,
        Remedy::Change => true,
        Remedy::Key { kind, name, key } => (wait.lacks_key)(kind, name, key),
    }
}

/// Returns when the object was last written other than by its controllers, empty if it does not say.
fn written(object: &Object) -> Text {
    let entries = object.managers().into_iter().filter(|entry| entry.subresource.is_none());
    entries.filter_map(|entry| entry.time).max().unwrap_or_default()
}

/// Returns how pods name the object.
fn owner(wait: &Wait<'_>) -> Owner {
    (wait.target.kind.kind.kind.clone(), wait.target.name.clone())
}

/// Tells whether the object is a pod, or makes pods.
fn has_pods(object: &Object) -> bool {
    let pod = object.body().str_at(&["kind"]) == Some("Pod");
    pod || object.body().at(&["spec", "template", "spec", "containers"]).is_some_and(|it| *it != Value::Null)
}
