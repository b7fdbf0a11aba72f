//! A control plane, an environment on it, and what the server's log and the objects themselves say about both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use control_plane::{Request, User};
use http::{Method, StatusCode};
use kube::Client;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::release::{OF_OTHERS, Release};
use crate::cluster::{runtime, send};
use crate::environment::root;
use crate::requests::{Counted, by_object};

/// Which object, written as in an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(String);

impl Id {
    fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let (dot, slash) =
            (if group.is_empty() { "" } else { "." }, if namespace.is_empty() { "" } else { "/" });
        Self(format!("{kind}{dot}{group}/{namespace}{slash}{name}"))
    }

    /// The object that the server answers with.
    pub fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (group, _) = text("/apiVersion").split_once('/').unwrap_or_default();
        Self::new(group, text("/kind"), text("/metadata/namespace"), text("/metadata/name"))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What happens to objects: `create`, `update` or `delete`.
pub type Actions = BTreeMap<Id, String>;

/// An environment on a control plane of its own.
pub struct World {
    counted: Counted,
    runtime: Runtime,
    client: Client,
    /// The path of each object that Terrane has ever written.
    paths: BTreeMap<Id, String>,
}

impl World {
    pub fn start() -> Self {
        let counted = Counted::new(&root().join("tests/clusters/empty"));
        let runtime = runtime();
        let client = runtime.block_on(counted.control_plane().client(User::Admin));
        Self { counted, runtime, client, paths: BTreeMap::new() }
    }

    /// Where the definition lies.
    pub fn directory(&self) -> &std::path::Path {
        &self.counted.environment.directory
    }

    /// The objects that are there of those that Terrane has written, by their paths.
    pub fn objects(&self) -> Vec<(String, Value)> {
        let there = |path: &String| Some((path.clone(), self.get(path)?));
        self.paths.values().filter_map(there).collect()
    }

    /// Plans, which must not write, and returns what the plan says.
    pub fn plan(&self, more: &[&str]) -> Value {
        let (ran, requests) = self.counted.run(&[&["plan", "--json"], more].concat());
        let writes: Vec<_> = requests.iter().filter(|request| request.is_write()).collect();
        assert!(writes.is_empty(), "a plan writes: {writes:#?}");
        serde_json::from_str(&ran.stdout).expect("a plan")
    }

    /// Plans and applies what is planned, and holds the server's log against the plan.
    pub fn apply(&mut self) -> Actions {
        let planned = actions(&self.plan(&[]));
        let (_, requests) = self.counted.run(&["apply", "--auto-approve"]);
        assert_eq!(self.written(&requests), planned, "written, and planned");
        planned
    }

    /// Insists that nothing is left to do.
    pub fn expect_nothing(&self, when: &str, more: &[&str]) {
        let plan = self.plan(more);
        assert_eq!(plan["has_changes"], json!(false), "{when}: {:#}", plan["resource_changes"]);
    }

    /// Destroys the environment, and insists that the log knows of one deletion of each object and of nothing else.
    pub fn destroy(&mut self) {
        let there: BTreeSet<Id> = self.objects().iter().map(|(_, object)| Id::of(object)).collect();
        let (_, requests) = self.counted.run(&["destroy", "--auto-approve"]);
        let deleted = there.into_iter().map(|id| (id, "delete".to_owned())).collect::<Actions>();
        assert_eq!(self.written(&requests), deleted, "written, and to be destroyed");
        let left: Vec<String> = self.objects().into_iter().map(|(path, _)| path).collect();
        assert!(left.is_empty(), "left behind: {left:#?}");
        assert_eq!(self.counted.environment.terrane(&["state", "list"]).stdout, "");
    }

    /// What Terrane wrote. The paths of new objects are remembered. A field of another manager is taken only after the
    /// server has named it: that write is refused, and made once more.
    fn written(&mut self, requests: &[Request]) -> Actions {
        let is_kept = |request: &Request| request.is_write() && request.code != 409;
        for (path, count) in by_object(requests, is_kept) {
            assert_eq!(count, 1, "{path} is written {count} times");
        }
        for (path, count) in by_object(requests, |request| request.is_write() && request.code == 409) {
            assert_eq!(count, 1, "{path} is refused {count} times");
        }
        let mut written = Actions::new();
        for request in requests.iter().filter(|request| is_kept(request)) {
            let path = request.uri.split('?').next().unwrap_or_default();
            let action = match (request.verb.as_str(), request.code) {
                ("patch", 201) => "create",
                ("patch", 200) => "update",
                ("delete", 200 | 202) => "delete",
                other => panic!("{other:?} of {path}"),
            };
            let known = self.paths.iter().find(|(_, known)| *known == path).map(|(id, _)| id.clone());
            let id = known.unwrap_or_else(|| {
                let object = self.get(path).unwrap_or_else(|| panic!("{path} is written and not there"));
                self.paths.insert(Id::of(&object), path.to_owned());
                Id::of(&object)
            });
            written.insert(id, action.to_owned());
        }
        written
    }

    /// Holds what is there against what kubectl would make of the published manifests under our name: the same objects,
    /// and nothing to change in them. Controllers may still be writing, and get a few seconds.
    pub fn agrees_with_kubectl(&self, release: &Release, namespace: Option<&str>) {
        let lineage = self.plan(&[])["lineage"].as_str().expect("a lineage").to_owned();
        let (since, manager) = (Instant::now(), format!("terrane-{}", &lineage[..8]));
        loop {
            let published = self.dry_run(release, namespace, &manager);
            let found: BTreeMap<Id, Value> = self
                .objects()
                .into_iter()
                .map(|(_, object)| (Id::of(&object), without_marks(object)))
                .collect();
            let differing: Vec<_> = published
                .keys()
                .chain(found.keys())
                .filter(|id| published.get(*id) != found.get(*id))
                .map(|id| format!("{id}\nkubectl: {:?}\nfound:   {:?}", published.get(id), found.get(id)))
                .collect();
            if differing.is_empty() {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(10), "{}", differing.join("\n"));
        }
    }

    /// The objects as kubectl's server-side apply of the published manifests would leave them.
    fn dry_run(&self, release: &Release, namespace: Option<&str>, manager: &str) -> BTreeMap<Id, Value> {
        let mut command = self.counted.control_plane().kubectl(User::Admin);
        command.current_dir(self.directory()).args(["apply", "--server-side", "--dry-run=server"]);
        command.args(["--force-conflicts", "--output=json", "--field-manager", manager]);
        command.args(namespace.map(|name| format!("--namespace={name}"))).args(release.kubectl());
        let output = command.output().expect("kubectl runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let list: Value = serde_json::from_slice(&output.stdout).expect("kubectl prints JSON");
        let objects = list["items"].as_array().cloned().unwrap_or_else(|| vec![list]);
        let mut objects: BTreeMap<Id, Value> =
            objects.into_iter().map(|object| (Id::of(&object), without_marks(object))).collect();
        // The namespace is the definition's own, not a published object.
        let declared = namespace.filter(|name| *name != OF_OTHERS);
        if let Some(home) = declared.and_then(|name| self.get(&format!("/api/v1/namespaces/{name}"))) {
            objects.entry(Id::of(&home)).or_insert_with(|| without_marks(home));
        }
        objects
    }

    /// Reads an object, `None` when it is not there.
    pub fn get(&self, path: &str) -> Option<Value> {
        match self.send(&Method::GET, path, "application/json", &Value::Null) {
            (StatusCode::OK, object) => Some(object),
            (StatusCode::NOT_FOUND, _) => None,
            (status, answer) => panic!("GET {path}: {status} {answer}"),
        }
    }

    /// Sends a request as the administrator, and returns status and body.
    pub fn send(&self, method: &Method, path: &str, media: &str, body: &Value) -> (StatusCode, Value) {
        self.runtime.block_on(send(&self.client, method, path, media, body))
    }
}

/// What a plan wants to do to objects.
pub fn actions(plan: &Value) -> Actions {
    let changes = plan["resource_changes"].as_array().expect("a list of changes");
    let of = |change: &Value| {
        let text = |name: &str| change[name].as_str().unwrap_or_default();
        (Id::new(text("group"), text("kind"), text("namespace"), text("name")), text("action").to_owned())
    };
    changes.iter().map(of).collect()
}

/// Removes what tells Terrane's objects from others, what the server counts, and what controllers report.
fn without_marks(mut object: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return object };
    for name in ["managedFields", "resourceVersion", "generation"] {
        metadata.remove(name);
    }
    for name in ["labels", "annotations"] {
        let Some(map) = metadata.get_mut(name).and_then(Value::as_object_mut) else { continue };
        map.retain(|key, _| !key.starts_with("terrane.dev/"));
        if map.is_empty() {
            metadata.remove(name);
        }
    }
    object
}
