//! A cluster in memory, whose objects say themselves how they are: by the field `says`.

use std::sync::Mutex;

use engine_core::kind_info::{Discovery, KindInfo, Scope};
use engine_core::object::Object;
use engine_core::object_ref::{GroupKind, Uid};
use engine_core::ports::{
    Applied, ApplyRequest, BoxFuture, ClusterProvider, DeleteRequest, ListQuery, PageSink, ProviderError,
    Target, WatchEvent, WatchSink,
};
use engine_core::status::{Evidence, Remedy, Status, Trouble};
use engine_core::value::{Text, Value};
use tokio::sync::watch;

/// What a pod says, and where it says there is more or what can end it.
pub enum Says {
    Words(&'static str),
    Events(&'static str),
    Log(&'static str),
    Program(&'static str, &'static str),
    Remedy(&'static str, Remedy),
}

/// A cluster that a test changes while waits watch it.
pub struct Cluster {
    objects: Mutex<Vec<Object>>,
    asked: Mutex<Vec<String>>,
    /// `None`: never an answer.
    evidence: Option<Result<Option<String>, ProviderError>>,
    denied: Option<&'static str>,
    /// Counts what watches see at once.
    seen: watch::Sender<u64>,
    /// Counts how often watches break.
    broken: watch::Sender<u64>,
}

/// When all objects were last written.
const WRITTEN: &str = "2026-01-01T00:00:00Z";

/// Returns a Deployment in namespace `dev`.
pub fn deployment(name: &str, says: &str) -> Object {
    object(("Deployment", name), "dev", says)
}

/// Returns the Deployment `web` in a namespace.
pub fn within(namespace: &str, says: &str) -> Object {
    object(("Deployment", "web"), namespace, says)
}

/// Returns a Job in namespace `dev`.
pub fn job(name: &str, says: &str) -> Object {
    object(("Job", name), "dev", says)
}

/// Returns a pod that the workload of kind and name made.
pub fn pod(name: &str, owner: (&str, &str), says: Says) -> Object {
    let (words, said, more, remedy) = match says {
        Says::Words(words) => (words, "", "", Remedy::Time),
        Says::Events(words) => (words, "", "events", Remedy::Time),
        Says::Log(words) => (words, "", "log", Remedy::Time),
        Says::Program(words, said) => (words, said, "", Remedy::Time),
        Says::Remedy(words, remedy) => (words, "", "", remedy),
    };
    let mut body = object(("Pod", name), "dev", words).body().clone();
    body.set_at(&["more"], Value::string(more));
    body.set_at(&["said"], Value::string(said));
    body.set_at(
        &["remedy"],
        Value::string(match remedy {
            Remedy::Time => String::new(),
            Remedy::Change => "change".into(),
            Remedy::Key { kind, name, key } => format!("{kind} {name} {key}"),
        }),
    );
    body.set_at(&["metadata", "labels", "pod-template-hash"], Value::string("abc"));
    let reference = Value::map([
        ("controller", Value::Bool(true)),
        ("kind", Value::string(owner.0)),
        ("name", Value::string(owner.1)),
        ("uid", Value::string(owner.1)),
    ]);
    body.set_at(&["metadata", "ownerReferences"], Value::list([reference]));
    Object::new(body)
}

/// Returns an object in a later version of its own, of a generation.
pub fn at_version(object: &Object, version: &str, generation: i64) -> Object {
    let mut body = object.body().clone();
    body.set_at(&["metadata", "resourceVersion"], Value::string(version));
    body.set_at(&["metadata", "generation"], Value::from(generation));
    Object::new(body)
}

/// Returns a pod that was made before its workload was last written.
pub fn from_before(pod: &Object) -> Object {
    let mut body = pod.body().clone();
    body.set_at(&["metadata", "creationTimestamp"], Value::string("2025-12-31T23:59:59Z"));
    Object::new(body)
}

/// Returns a pod that the workload with another uid made.
pub fn of_another(pod: &Object) -> Object {
    let mut body = pod.body().clone();
    let mut reference = body.at(&["metadata", "ownerReferences"]).unwrap().as_list().unwrap()[0].clone();
    reference.set_at(&["uid"], Value::string("another"));
    body.set_at(&["metadata", "ownerReferences"], Value::list([reference]));
    Object::new(body)
}

fn object((kind, name): (&str, &str), namespace: &str, says: &str) -> Object {
    let mut body = Value::map([("kind", Value::string(kind)), ("says", Value::string(says))]);
    for (field, text) in [("name", name), ("uid", name), ("namespace", namespace)] {
        body.set_at(&["metadata", field], Value::string(text));
    }
    body.set_at(&["metadata", "creationTimestamp"], Value::string("2026-01-02T00:00:00Z"));
    let entry = [("manager", "terrane"), ("operation", "Apply"), ("apiVersion", "v1"), ("time", WRITTEN)];
    let mut entry = Value::map(entry.map(|(field, text)| (field, Value::string(text))));
    entry.set_at(&["fieldsV1", "f:spec"], Value::map::<&str>([]));
    body.set_at(&["metadata", "managedFields"], Value::list([entry]));
    body.set_at(&["spec", "template", "spec", "containers"], Value::list([]));
    Object::new(body)
}

/// Returns how to address an object.
pub fn target(object: &Object) -> Target {
    let name = object.body().str_at(&["kind"]).unwrap();
    let group = if name == "Pod" { "" } else { "apps" };
    Target {
        kind: KindInfo {
            kind: GroupKind::new(group, name),
            version: "v1".into(),
            plural: format!("{}s", name.to_lowercase()).into(),
            scope: Scope::Namespaced,
            listable: true,
        },
        namespace: object.namespace().map(Text::from),
        name: Text::from(object.name()),
    }
}

impl Cluster {
    pub fn new(objects: impl IntoIterator<Item = Object>) -> Self {
        Self {
            objects: Mutex::new(objects.into_iter().collect()),
            asked: Mutex::default(),
            evidence: Some(Ok(None)),
            denied: None,
            seen: watch::Sender::default(),
            broken: watch::Sender::default(),
        }
    }

    /// Answers so whenever evidence is asked for.
    pub fn with_evidence(self, evidence: Result<Option<String>, ProviderError>) -> Self {
        Self { evidence: Some(evidence), ..self }
    }

    /// Never answers when evidence is asked for.
    pub fn without_evidence(self) -> Self {
        Self { evidence: None, ..self }
    }

    /// Refuses a watch: of a kind, or of a kind `everywhere`.
    pub fn without(self, denied: &'static str) -> Self {
        Self { denied: Some(denied), ..self }
    }

    /// Puts an object in the place of the one of its name, for all to see.
    pub fn put(&self, object: Object) {
        let mut objects = self.objects.lock().unwrap();
        objects.retain(|other| (other.name(), other.namespace()) != (object.name(), object.namespace()));
        objects.push(object);
        drop(objects);
        self.seen.send_modify(|count| *count += 1);
    }

    /// Removes an object, while no watch is open.
    pub fn lose(&self, name: &str) {
        self.objects.lock().unwrap().retain(|object| object.name() != name);
        self.broken.send_modify(|count| *count += 1);
    }

    /// Returns what was asked, in its order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn ask(&self, question: String) {
        self.asked.lock().unwrap().push(question);
    }

    fn deliver(&self, query: &ListQuery, sink: &mut (dyn FnMut(WatchEvent) -> bool + Send)) {
        let objects = self.objects.lock().unwrap().clone();
        for object in objects {
            let is_asked = object.body().str_at(&["kind"]) == Some(&query.kind.kind.kind)
                && query.namespace.as_deref().is_none_or(|namespace| object.namespace() == Some(namespace));
            if is_asked {
                sink(WatchEvent::Applied(object));
            }
        }
    }

    async fn watch_until_broken(&self, query: &ListQuery, sink: WatchSink<'_>) -> Result<(), ProviderError> {
        let place = query.namespace.as_ref().map(|namespace| format!(" in {namespace}"));
        self.ask(format!("watch {}{}", query.kind.plural, place.unwrap_or_default()));
        let scope = if query.namespace.is_none() { " everywhere" } else { "" };
        let plural = query.kind.plural.as_str();
        if self.denied.is_some_and(|denied| denied == plural || denied == format!("{plural}{scope}")) {
            return Err(ProviderError::Forbidden("no".into()));
        }
        let (mut seen, mut broken) = (self.seen.subscribe(), self.broken.subscribe());
        self.deliver(query, sink);
        sink(WatchEvent::Synced);
        loop {
            tokio::select! {
                _ = seen.changed() => self.deliver(query, sink),
                _ = broken.changed() => return Ok(()),
            }
        }
    }
}

impl ClusterProvider for Cluster {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ProviderError>> {
        Box::pin(async { Err(ProviderError::Invalid("not part of a wait".to_owned().into())) })
    }

    fn list<'a>(&'a self, _: &'a ListQuery, _: PageSink<'a>) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(async { Err(ProviderError::Invalid("not part of a wait".to_owned().into())) })
    }

    fn get<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Option<Object>, ProviderError>> {
        self.ask(format!("get {}", target.name));
        let objects = self.objects.lock().unwrap().clone();
        Box::pin(async move { Ok(objects.into_iter().find(|object| object.name() == target.name)) })
    }

    fn apply<'a>(&'a self, _: &'a ApplyRequest) -> BoxFuture<'a, Result<Applied, ProviderError>> {
        Box::pin(async { Err(ProviderError::Invalid("not part of a wait".to_owned().into())) })
    }

    fn delete<'a>(&'a self, _: &'a DeleteRequest) -> BoxFuture<'a, Result<Option<Object>, ProviderError>> {
        Box::pin(async { Err(ProviderError::Invalid("not part of a wait".to_owned().into())) })
    }

    fn watch<'a>(
        &'a self,
        query: &'a ListQuery,
        sink: WatchSink<'a>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(self.watch_until_broken(query, sink))
    }

    fn status(&self, object: &Object) -> Option<Status> {
        let says = object.body().str_at(&["says"])?;
        Some(match says.split_once(": ") {
            _ if says == "current" => Status::Current,
            Some(("failed", why)) => Status::Failed(why.into()),
            Some(("terminating", why)) => Status::Terminating(why.into()),
            _ => Status::InProgress(says.into()),
        })
    }

    fn trouble(&self, pod: &Object) -> Option<Trouble> {
        let field = |name| pod.body().str_at(&[name]).unwrap_or_default();
        let mut key = field("remedy").split(' ').map(Text::from);
        let remedy = match (key.next(), key.next(), key.next()) {
            (Some(kind), Some(name), Some(key)) => Remedy::Key { kind, name, key },
            (Some(change), ..) if change == "change" => Remedy::Change,
            _ => Remedy::Time,
        };
        let evidence = match field("more") {
            "events" => Some(Evidence::Events),
            "log" => Some(Evidence::Log { container: "main".into(), previous: true }),
            _ => None,
        };
        let said = Some(field("said").to_owned()).filter(|said| !said.is_empty());
        Some(Trouble { words: field("says").into(), said, remedy, evidence })
    }

    fn evidence<'a>(
        &'a self,
        about: &'a Target,
        _: &'a Uid,
        evidence: &'a Evidence,
    ) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        self.ask(match evidence {
            Evidence::Log { container, .. } => format!("log of {container} of {}", about.name),
            Evidence::Events => format!("events of {}", about.name),
        });
        Box::pin(async {
            match self.evidence.clone() {
                Some(evidence) => evidence,
                None => std::future::pending().await,
            }
        })
    }

    fn requests(&self) -> u64 {
        0
    }
}
