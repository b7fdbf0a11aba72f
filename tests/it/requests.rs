//! What a run asks of an API server: counted in the log that a real kube-apiserver keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use control_plane::{ControlPlane, Request};

use crate::cluster::{Cluster, Server};
use crate::environment::{Environment, Ran, root};

/// An environment on a control plane that counts.
pub struct Counted {
    pub environment: Environment,
    cluster: Cluster,
}

impl Counted {
    pub fn new(definition: &Path) -> Self {
        let cluster = Server::ControlPlane.start();
        Self { environment: Environment::on(cluster.clone(), definition), cluster }
    }

    /// Replaces a text of the definition.
    fn edit(&self, old: &str, new: &str) {
        let path = self.environment.directory.join("main.hcl");
        let text = std::fs::read_to_string(&path).expect("the definition");
        assert!(text.contains(old), "{old}");
        std::fs::write(&path, text.replacen(old, new, 1)).expect("a change");
    }

    /// The server that is asked.
    pub fn control_plane(&self) -> &ControlPlane {
        let Cluster::Real(cluster) = &self.cluster else { panic!("only a control plane counts") };
        cluster.control_plane()
    }

    /// Runs `terrane`, which must succeed, and returns what it asked the server.
    pub fn run(&self, arguments: &[&str]) -> (Ran, Vec<Request>) {
        let moment = self.control_plane().moment();
        let ran = self.environment.terrane(arguments);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        let mut requests = self.control_plane().requests_since(moment);
        requests.retain(|request| request.agent.starts_with("terrane/"));
        (ran, requests)
    }
}

/// How often each object was asked in one way; the query does not tell objects apart.
pub fn by_object(requests: &[Request], verb: impl Fn(&Request) -> bool) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in requests.iter().filter(|request| verb(request)) {
        let path = request.uri.split('?').next().unwrap_or_default();
        *counts.entry(path.to_owned()).or_insert(0) += 1;
    }
    counts
}

/// The kinds of objects, by the paths of the objects.
fn kinds<'a>(paths: impl IntoIterator<Item = &'a String>) -> usize {
    let resource = |path: &'a String| {
        let (collection, _) = path.rsplit_once('/').unwrap_or_default();
        let (root, plural) = collection.rsplit_once('/').unwrap_or_default();
        (root.split("/namespaces/").next().unwrap_or_default(), plural)
    };
    paths.into_iter().map(resource).collect::<BTreeSet<_>>().len()
}

/// Waits are watches, one a kind, and no object is asked after: reads depend on the kinds alone.
fn check_reads(requests: &[Request], kinds: usize) {
    let reads: Vec<_> =
        requests.iter().filter(|it| matches!(it.verb.as_str(), "get" | "list" | "watch")).collect();
    assert!(reads.len() <= 6 * kinds, "{} reads of {kinds} kinds: {reads:#?}", reads.len());
    for (path, count) in by_object(requests, |it| it.verb == "watch") {
        assert_eq!(count, 1, "{path} is watched {count} times");
    }
}

#[test]
fn plans_only_ask_and_applies_write_each_change_once() {
    let counted = Counted::new(&root().join("environments/task-manager"));

    let (_, first) = counted.run(&["plan"]);
    let writes: Vec<_> = first.iter().filter(|request| request.is_write()).collect();
    assert!(writes.is_empty(), "a plan writes: {writes:#?}");
    for (path, count) in by_object(&first, |request| request.verb == "patch") {
        assert_eq!(count, 1, "{path} is predicted {count} times");
    }

    let (applied, requests) = counted.run(&["apply", "--auto-approve"]);
    let writes = by_object(&requests, Request::is_write);
    let (objects, kinds) = (writes.len(), kinds(writes.keys()));
    assert!(objects > 30 && kinds > 10, "{objects} objects of {kinds} kinds");
    assert!(writes.values().all(|count| *count == 1), "an object is written twice: {writes:#?}");
    assert!(applied.stdout.contains(&format!("{objects} created")), "{}", applied.stdout);
    check_reads(&requests, kinds);

    let (_, again) = counted.run(&["plan", "--detailed-exitcode"]);
    assert!(again.len() <= 2 * kinds + 5, "{} requests for {kinds} kinds: {again:#?}", again.len());
    assert!(again.iter().all(|request| matches!(request.verb.as_str(), "get" | "list")), "{again:#?}");

    let (_, destroyed) = counted.run(&["destroy", "--auto-approve"]);
    let deleted = by_object(&destroyed, Request::is_write);
    assert_eq!(deleted.len(), objects, "{deleted:#?}");
    assert!(deleted.values().all(|count| *count == 1), "an object is deleted twice: {deleted:#?}");
}

#[test]
fn one_change_costs_one_question_and_one_write() {
    let counted = Counted::new(&root().join("environments/task-manager"));
    let (_, created) = counted.run(&["apply", "--auto-approve"]);
    let kinds = kinds(by_object(&created, Request::is_write).keys());
    counted.edit("pods              = 20", "pods              = 21");

    let (ran, planned) = counted.run(&["plan"]);
    assert!(ran.stdout.contains("1 to change"), "{}", ran.stdout);
    assert!(planned.len() <= 2 * kinds + 6, "{planned:#?}");
    let asked = by_object(&planned, |request| request.verb == "patch");
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), [(QUOTA.into(), 1)]);

    let (_, applied) = counted.run(&["apply", "--auto-approve"]);
    let written = by_object(&applied, Request::is_write);
    assert_eq!(written.into_iter().collect::<Vec<_>>(), [(QUOTA.into(), 1)]);
    assert_eq!(surroundings(&planned), [""; 0], "nothing depends on others");

    counted.edit("retention = \"7d\"", "retention = \"8d\"");
    let (_, planned) = counted.run(&["plan"]);
    let around = ["limitranges", "resourcequotas"].map(|it| format!("/api/v1/namespaces/monitoring/{it}"));
    assert_eq!(surroundings(&planned), around, "what bounds the pods that change");
}

/// What was listed of everybody's objects.
fn surroundings(requests: &[Request]) -> Vec<String> {
    let of_all = |it: &Request| it.verb == "list" && !it.uri.contains("labelSelector");
    let listed = by_object(requests, of_all).into_iter();
    listed.flat_map(|(path, count)| vec![path; count]).collect()
}

const QUOTA: &str = "/api/v1/namespaces/prod/resourcequotas/quota";
