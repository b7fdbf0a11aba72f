//! A place in which the command runs: own directory, own home, nothing of the machine's settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::{Cluster, User};
use crate::sandbox;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A temporary copy of a definition.
pub struct Environment {
    // Held for its lifetime: the directory is deleted with it.
    _temporary: TempDir,
    pub directory: PathBuf,
    home: PathBuf,
    cluster: Cluster,
    context: &'static str,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Environment {
    /// Copies a definition, to run on the sandbox. Hidden files and recorded expectations stay behind.
    pub fn copy_of(source: &Path) -> Self {
        Self::on(Cluster::Sandbox, source)
    }

    /// Copies a definition, to run on a cluster.
    pub fn on(cluster: Cluster, source: &Path) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let (directory, home) = (temporary.path().join("environment"), temporary.path().join("home"));
        std::fs::create_dir(&home).expect("a home");
        copy(source, &directory);
        Self { _temporary: temporary, directory, home, cluster, context: User::Admin.name() }
    }

    /// Builds a definition from files, by their paths, to run on the sandbox.
    pub fn of_files(files: &[(&str, &str)]) -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in files {
            let path = temporary.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        Self::copy_of(temporary.path())
    }

    /// Lets another user of the control plane run the commands.
    pub fn run_by(&mut self, user: User) {
        self.context = user.name();
    }

    /// Runs `terrane` in the environment's directory.
    pub fn terrane(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("terrane runs");
        self.ran(&output)
    }

    /// Prepares a run of `terrane`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
        command.args(arguments);
        self.confine(&mut command);
        command
    }

    /// Runs another program in the environment's directory.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command.args(arguments);
        self.confine(&mut command);
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        self.ran(&output)
    }

    fn confine(&self, command: &mut Command) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.current_dir(&self.directory).stdin(Stdio::null()).env_clear();
        command.env("PATH", path).env("HOME", &self.home).env("USER", "tester").env("HOSTNAME", "localhost");
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", &self.home);
        if let Cluster::Real(cluster) = &self.cluster {
            command.env("KUBECONFIG", cluster.control_plane().kubeconfig());
            command.env("TERRANE_CLUSTER_MAIN_CONTEXT", self.context);
        }
    }

    fn ran(&self, output: &Output) -> Ran {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Sends one request behind Terrane's back, and returns status and body.
    pub fn send(&self, method: &Method, path: &str, media: &str, body: &Value) -> (StatusCode, Value) {
        match &self.cluster {
            Cluster::Sandbox => {
                sandbox::send(&self.directory.join(".terrane/sandbox/main"), method, path, media, body)
            }
            Cluster::Real(cluster) => cluster.send(method, path, media, body),
        }
    }

    /// Reads an object, `None` when it is not there.
    pub fn get(&self, path: &str) -> Option<Value> {
        match self.send(&Method::GET, path, "application/json", &Value::Null) {
            (StatusCode::OK, body) => Some(body),
            (StatusCode::NOT_FOUND, _) => None,
            (status, body) => panic!("GET {path}: {status} {body}"),
        }
    }

    /// Writes as somebody else would, and insists that it works. What is deleted is gone afterwards: as with kubectl,
    /// that is waited for.
    pub fn write(&self, method: &Method, path: &str, media: &str, body: &Value) {
        let there = || self.get(path).map(|object| object["metadata"]["uid"].clone());
        let deleted = if method == Method::DELETE { there() } else { None };
        let (status, answer) = self.send(method, path, media, body);
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        let since = Instant::now();
        // Another object of that name may follow at once.
        while deleted.is_some() && there() == deleted {
            assert!(since.elapsed() < Duration::from_secs(60), "{path} is not deleted");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every file below the directory with its content.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.directory)
    }
}

/// Every file below a directory with its content; a link is its own content.
pub fn files_below(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    if directory.exists() {
        collect(directory, &mut found);
    }
    found
}

/// Returns the `terrane` block and the cluster that every definition has, as far as a text lacks them.
pub fn complete(text: &str) -> String {
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    let mut missing = String::new();
    let has_terrane = has("terrane {");
    if !has_terrane {
        missing.push_str("terrane {\n  environment = \"example\"\n}\n");
    }
    if !has("cluster \"") && !has_terrane {
        missing.push_str("\ncluster \"main\" {\n  sandbox = true\n}\n");
    }
    missing
}

fn collect(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_symlink() {
            found.insert(path, b"link".to_vec());
        } else if path.is_dir() {
            collect(&path, found);
        } else {
            let content = std::fs::read(&path).expect("a file");
            found.insert(path, content);
        }
    }
}

pub fn copy(source: &Path, target: &Path) {
    std::fs::create_dir_all(target).expect("a directory");
    for entry in std::fs::read_dir(source).unwrap_or_else(|error| panic!("{}: {error}", source.display())) {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        let expectation = name == "steps.yaml" || name.to_string_lossy().ends_with(".out");
        if hidden || expectation {
            continue;
        }
        let (from, to) = (entry.path(), target.join(&name));
        if from.is_symlink() {
            let link = std::fs::read_link(&from).expect("a link");
            std::os::unix::fs::symlink(link, to).expect("a link");
        } else if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a copy");
        }
    }
}

/// Replaces what differs from run to run: paths, hashes, times.
pub fn normalise(text: &str, directory: &Path) -> String {
    let mut text = text.replace(&directory.display().to_string(), "[DIRECTORY]");
    for (pattern, name) in [
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[UID]"),
        (r"\b[0-9a-f]{32}\b", "[ID]"),
        (r"\bterrane-[0-9a-f]{8}\b", "terrane-[LINEAGE]"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
        (r"\b\d+\.\d s\b", "[SECONDS]"),
        (r"127\.0\.0\.1:\d+", "[ADDRESS]"),
    ] {
        let pattern = regex::Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, name).into_owned();
    }
    text
}

/// Compares a text with a recorded one. `UPDATE_EXPECTATIONS=1` records it anew, to be reviewed in the diff.
pub fn expect_file(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_EXPECTATIONS").is_some() {
        std::fs::write(path, found).expect("the expectation is written");
        return;
    }
    let wanted = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(found, wanted, "differs from {}", path.display());
    let lines = wanted.lines().count();
    assert!(lines <= 160, "{} has {lines} lines: nobody reads that", path.display());
}
