//! A place in which runs are killed: a work copy, the remote of its state, and a cluster that survives.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use git2::Repository;
use providers_sandbox::Sandbox;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::chain::{self, Link};
use super::wire::{Moment, Upstream, Wire};
use crate::canary::forms::Forms;
use crate::cluster::{RealCluster, User};
use crate::environment::{files_below, root};

/// What no sink may hold.
const CANARY: &str = "c4-canary-5b0e7f31-a9";

/// What a run is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The environment as first written.
    First,
    /// The environment after a change: three objects differ, one of them cannot be changed in place, one is new and
    /// one is gone.
    Second,
    /// Nothing.
    Destroy,
}

/// Where a world keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// At a Git remote.
    Remote,
    /// In the repository of the work copy.
    Local,
}

impl Store {
    /// Returns the Git directory, below that of the world.
    pub fn repository(self) -> &'static str {
        match self {
            Self::Remote => "origin.git",
            Self::Local => "work/.git",
        }
    }
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The run dies on its way to the cluster.
    Wire(Moment, usize),
    /// The n-th push goes wrong, from 1.
    Push(Push, usize),
    /// The run dies before the n-th call that writes below its work copy, from 1.
    File(usize),
}

/// What goes wrong with a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// The run dies before it.
    DeathBefore,
    /// The run dies after it.
    DeathAfter,
    /// It lands, and `git` says that it failed.
    Unheard,
    /// The remote refuses it, and all after it.
    Refused,
    /// Somebody else is first, at this push and all before it: with the commits of the file `rivals`, a line for each.
    Overtaken,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub killed: bool,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// One work copy with its remote and its cluster.
pub struct World {
    // In this order they end.
    pub wire: Wire,
    pub directory: TempDir,
    _sandbox: Option<Sandbox>,
    _runtime: Option<Runtime>,
    pub namespace: String,
    pub store: Store,
}

impl World {
    /// A world in which nothing has happened, with its state at a remote.
    pub fn new() -> Self {
        Self::keeping(Store::Remote)
    }

    /// A world in which nothing has happened.
    pub fn keeping(store: Store) -> Self {
        let directory = temporary();
        for name in ["home", "sandbox"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        Self::prepare(directory.path(), store);
        Self::on_sandbox(directory, store)
    }

    /// The same on a control plane, in a namespace of its own.
    pub fn on(cluster: &RealCluster, namespace: &str) -> Self {
        let directory = temporary();
        std::fs::create_dir(directory.path().join("home")).unwrap();
        Self::prepare(directory.path(), Store::Remote);
        // Whatever runs the client must live as long as it is used.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(cluster.control_plane().client(User::Admin));
        Self {
            _runtime: Some(runtime),
            ..Self::with((directory, Store::Remote), Upstream::ControlPlane(client), namespace, None)
        }
    }

    /// A world like this one, which goes on by itself.
    pub fn copy(&self) -> Self {
        let directory = temporary();
        copy(self.directory.path(), directory.path());
        Self::on_sandbox(directory, self.store)
    }

    fn on_sandbox(directory: TempDir, store: Store) -> Self {
        let sandbox = Sandbox::open(&directory.path().join("sandbox")).unwrap();
        let upstream = Upstream::Sandbox(sandbox.router());
        let world = Self::with((directory, store), upstream, "dev", Some(sandbox));
        // Somebody else has an object of the same name.
        let twin = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "settings", "namespace": "default" },
            "data": { "which": "theirs" },
        });
        world.wire.put("/api/v1/namespaces/default/configmaps/settings", &twin);
        world
    }

    fn with(
        (directory, store): (TempDir, Store),
        upstream: Upstream,
        namespace: &str,
        sandbox: Option<Sandbox>,
    ) -> Self {
        let deployment = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web");
        let wire = Wire::start(upstream, directory.path().join(store.repository()), deployment);
        let namespace = namespace.to_owned();
        let world = Self { wire, directory, _sandbox: sandbox, _runtime: None, namespace, store };
        std::fs::write(world.path("kubeconfig"), world.wire.kubeconfig()).unwrap();
        let remote = format!("file://{}", world.path("origin.git").display());
        Repository::open(world.path("work")).unwrap().remote_set_url("origin", &remote).unwrap();
        world
    }

    fn prepare(directory: &Path, store: Store) {
        let remote = Repository::init_bare(directory.join("origin.git")).unwrap();
        remote.config().unwrap().set_str("core.logAllRefUpdates", "always").unwrap();
        let work = Repository::init(directory.join("work")).unwrap();
        work.remote("origin", "file:///nowhere").unwrap();
        let remote = "  state \"git\" {\n    remote = \"origin\"\n  }\n";
        let definition = match store {
            Store::Remote => include_str!("main.hcl").to_owned(),
            Store::Local => include_str!("main.hcl").replacen(remote, "  state \"local\" {}\n", 1),
        };
        std::fs::write(directory.join("work/main.hcl"), definition).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn reach(&self, goal: Goal) -> Ran {
        self.reach_with(goal, None)
    }

    /// Goes for a goal, and something goes wrong.
    pub fn reach_with(&self, goal: Goal, strike: Option<Strike>) -> Ran {
        let command = if goal == Goal::Destroy { "destroy" } else { "apply" };
        self.run(&[command, "--auto-approve"], goal, strike)
    }

    /// Runs `terrane`, as it is for a goal.
    pub fn run(&self, arguments: &[&str], goal: Goal, strike: Option<Strike>) -> Ran {
        self.run_in("work", arguments, goal, strike)
    }

    /// Does the same in another work copy.
    pub fn run_in(&self, copy: &str, arguments: &[&str], goal: Goal, strike: Option<Strike>) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
        command.args(arguments).current_dir(self.path(copy)).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.path("home")).env("USER", "tester").env("HOSTNAME", "localhost");
        command.env("PATH", path()).env("CRASH_GIT", git()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("KUBECONFIG", self.path("kubeconfig"));
        command.env("TERRANE_VAR_password", CANARY).env("TERRANE_VAR_namespace", &self.namespace);
        command.env("TERRANE_VAR_which", if goal == Goal::First { "first" } else { "second" });
        self.set(&mut command, strike);
        // Its own group, so that a kill takes what it has started with it.
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.wire.arm(None);
        let child = command.spawn().unwrap();
        if let Some(Strike::Wire(moment, n)) = strike {
            self.wire.arm(Some((moment, n, child.id())));
        }
        let output = child.wait_with_output().unwrap();
        self.wire.arm(None);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Ran {
            killed: output.status.signal() == Some(9),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        let shown = secrets().found(&[output.stdout, output.stderr].concat()).join(", ");
        assert_eq!(shown, "", "{arguments:?} shows a secret:\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    fn set(&self, command: &mut Command, strike: Option<Strike>) {
        let count = self.path("count");
        let (when, n) = match strike {
            Some(Strike::Push(push, n)) => (Some(push.name()), n),
            Some(Strike::File(n)) => (None, n),
            Some(Strike::Wire(..)) | None => return,
        };
        std::fs::write(&count, if when.is_some() { &[][..] } else { &[0; 8] }).unwrap();
        command.env("CRASH_AT", n.to_string()).env("CRASH_COUNT", count);
        match when {
            Some(when) => command
                .env("CRASH_WHEN", when)
                .env("CRASH_RIVALS", self.path("rivals"))
                .env("CRASH_REMOTE", self.path("origin.git")),
            None => command.env("LD_PRELOAD", preload().unwrap()).env("CRASH_BELOW", self.path("work")),
        };
    }

    /// Whether the push that was to go wrong did.
    pub fn pushed(&self, n: usize) -> bool {
        std::fs::read_to_string(self.path("count")).is_ok_and(|count| count.lines().count() >= n)
    }

    /// Reaches a goal after a run that did not end well: by running again.
    pub fn recover(&self, goal: Goal, when: &str) {
        let ran = self.reach(goal);
        assert_eq!(ran.code, Some(0), "{when}: no recovery\n{}{}", ran.stdout, ran.stderr);
    }

    /// Does the same on another machine, which knows nothing of that run but its lock: as the hint says, the lock is
    /// released first.
    pub fn recover_elsewhere(&self, goal: Goal, when: &str) {
        for (path, _) in files_below(&self.path("work/.terrane")) {
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-")) {
                std::fs::remove_file(path).unwrap();
            }
        }
        if let Some(command) = hint(&self.reach(goal)) {
            let unlocked = self.run(&command.split(' ').collect::<Vec<_>>(), goal, None);
            assert_eq!(unlocked.code, Some(0), "{when}: {}", unlocked.stderr);
        }
        self.recover(goal, when);
    }

    /// Returns the chain of the state.
    pub fn chain(&self) -> Vec<Link> {
        chain::read(&self.path(self.store.repository()))
    }

    /// Returns the objects with the mark of a lineage, by kind, namespace and name.
    pub fn marked(&self, lineage: &str) -> BTreeMap<String, Json> {
        let objects = self.objects().into_iter();
        objects.filter(|(_, it)| it["metadata"]["annotations"]["terrane.dev/lineage"] == lineage).collect()
    }

    /// Returns every object of the kinds that are ours.
    pub fn objects(&self) -> BTreeMap<String, Json> {
        let mut found = BTreeMap::new();
        for (path, kind) in [
            ("/api/v1/namespaces", "Namespace"),
            ("/api/v1/configmaps", "ConfigMap"),
            ("/api/v1/secrets", "Secret"),
            ("/apis/apps/v1/deployments", "Deployment"),
        ] {
            let list = self.wire.get(path).unwrap();
            for object in list["items"].as_array().unwrap() {
                let metadata = &object["metadata"];
                let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
                let name = format!("{kind} {}/{}", text(&metadata["namespace"]), text(&metadata["name"]));
                found.insert(name, object.clone());
            }
        }
        found
    }

    /// Insists that files of ours are for their owner only, and that none holds a secret: neither here nor in Git.
    pub fn check_files(&self, when: &str) {
        for (path, content) in files_below(&self.path("work/.terrane")) {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let public = path.ends_with(".gitignore");
            assert!(public || mode == 0o600, "{when}: {} has mode {mode:o}", path.display());
            assert_eq!(secrets().found(&content).join(", "), "", "{when}: {}", path.display());
        }
        for repository in ["origin.git", "work/.git", "work/.git/terrane/state.git"] {
            let repository = self.path(repository);
            if repository.join("HEAD").exists() {
                let content = every_object(&repository);
                assert_eq!(secrets().found(&content).join(", "), "", "{when}: {}", repository.display());
            }
        }
    }
}

impl Push {
    fn name(self) -> &'static str {
        match self {
            Self::DeathBefore => "before",
            Self::DeathAfter => "after",
            Self::Unheard => "unheard",
            Self::Refused => "refused",
            Self::Overtaken => "overtaken",
        }
    }
}

/// Returns the command that releases the lock which stopped another one, as the hint says it.
fn hint(ran: &Ran) -> Option<String> {
    let (_, hint) = ran.stderr.split_once("`terrane state unlock ")?;
    Some(format!("state unlock {}", hint.split('`').next()?))
}

fn secrets() -> &'static Forms {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    FORMS.get_or_init(|| Forms::of(&[("password", CANARY)]))
}

/// Returns the content of every object of a repository, whether or not a ref leads to it.
pub fn every_object(repository: &Path) -> Vec<u8> {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(repository).args(["cat-file", "--batch-all-objects", "--batch"]);
    let output = command.env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the objects that `git` names.
pub fn objects(repository: &Path, arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(git()).arg("--git-dir").arg(repository).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A directory in memory, where there is one: thousands of files are synced to it.
fn temporary() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The path of programs, with our `git` before all others.
fn path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", root().join("tests/it/crash/bin").display())
}

/// The `git` that does the work.
pub fn git() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|directory| directory.join("git")).find(|git| git.exists()).unwrap()
}

/// Builds what kills a run at a call that writes; `None` where that is not possible.
pub fn preload() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let source = root().join("tests/it/crash/preload.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash-preload.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
        let built = cfg!(target_os = "linux") && compiler.status().is_ok_and(|status| status.success());
        if !built {
            eprintln!(
                "NOT TESTED: no death at a call that writes a file, for lack of Linux or of a C compiler"
            );
        }
        built.then_some(library)
    };
    BUILT.get_or_init(build).as_deref()
}

/// Copies a directory into one that is there.
pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
