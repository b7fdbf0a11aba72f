//! A definition full of secrets, and everything that is left behind by commands that read it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::Repository;
use providers_sandbox::Sandbox;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::forms::Forms;
use crate::crash::wire::{Upstream, Wire};
use crate::crash::world::{every_object, git, objects};
use crate::environment::{files_below, root};

/// The secrets, by the way they come in.
pub const SECRETS: [(&str, &str); 11] = [
    ("by_file", "k1-canary-3f9a7c25-file"),
    ("by_environment", "k2-canary/8b1d?e06f-environment"),
    ("by_argument", "k3-canary-c7725e91-argument"),
    ("pem", PEM),
    ("pin", "73915"),
    ("json", r#"{"token":"k4-canary-\"quoted\"-51d0","more":["k5-canary-a94be"]}"#),
    ("passing", "k6-canary-0d64f8b3-ephemeral"),
    ("LITERAL", "k7-canary-e2957a1c-literal"),
    ("GENERATED", "k8-canary-66c0fd12-generated"),
    ("OVERLAY", "k9-canary-9a3ee710-overlay"),
    ("FILED", "ka-canary-17bb20c4-in-a-file"),
];

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFmGkb1x4u0z\nk0canaryQ9wFh2eYt7sLrVbNnXcPoIuA==\n-----END PRIVATE KEY-----\n";

/// A work copy, the remote of its state, and a cluster.
pub struct Place {
    pub wire: Wire,
    directory: TempDir,
    _sandbox: Sandbox,
}

/// What a command printed.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["home", "temporary"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let definition = root().join("tests/it/canary/definition");
        for (file, content) in files_below(&definition) {
            let target = path("work").join(file.strip_prefix(&definition).unwrap());
            let text = String::from_utf8(content).unwrap();
            let literals = SECRETS.iter().filter(|(name, _)| name.chars().all(char::is_uppercase));
            let text = literals.fold(text, |text, (name, secret)| text.replace(name, secret));
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::write(target, text).unwrap();
        }
        std::fs::write(path("vars.hcl"), format!("by_file = \"{}\"\n", secret("by_file"))).unwrap();
        Repository::init_bare(path("origin.git")).unwrap();
        let work = Repository::init(path("work")).unwrap();
        work.remote("origin", &format!("file://{}", path("origin.git").display())).unwrap();
        let sandbox = Sandbox::in_memory();
        let deployment = "/apis/apps/v1/namespaces/dev/deployments/none".to_owned();
        let wire = Wire::start(Upstream::Sandbox(sandbox.router()), path("origin.git"), deployment);
        std::fs::write(path("kubeconfig"), wire.kubeconfig()).unwrap();
        Self { wire, directory, _sandbox: sandbox }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `terrane`, with every log and trace that there is.
    pub fn terrane(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
        command.args(arguments);
        if !matches!(arguments[0], "fmt" | "version") {
            let file = self.path("vars.hcl");
            command
                .arg("--var-file")
                .arg(file)
                .arg("--var")
                .arg(format!("by_argument={}", secret("by_argument")));
        }
        self.confine(&mut command);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the user's own `git` in the work copy.
    pub fn git(&self, arguments: &[&str]) {
        let mut command = Command::new(git());
        command.args(["-c", "user.name=tester", "-c", "user.email=tester@localhost"]).args(arguments);
        let status = command.current_dir(self.path("work")).env("GIT_CONFIG_NOSYSTEM", "1").status().unwrap();
        assert!(status.success(), "{arguments:?}");
    }

    fn confine(&self, command: &mut Command) {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", root().join("tests/it/canary/bin").display());
        command.current_dir(self.path("work")).env_clear().env("PATH", path);
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("temporary"));
        command.env("USER", "tester").env("HOSTNAME", "localhost").env("KUBECONFIG", self.path("kubeconfig"));
        command.env("CANARY_GIT", git()).env("CANARY_NOTES", self.path("notes"));
        for name in ["by_environment", "pem", "pin", "json", "passing"] {
            command.env(format!("TERRANE_VAR_{name}"), secret(name));
        }
        for name in ["TERRANE_LOG", "RUST_LOG"] {
            command.env(name, "trace");
        }
        command.env("RUST_BACKTRACE", "full");
        for name in ["GIT_TRACE", "GIT_TRACE_PACKET", "GIT_TRACE_SETUP", "GIT_CURL_VERBOSE", "GIT_TRACE_CURL"]
        {
            command.env(name, "1");
        }
        command.env("GIT_TRACE2_EVENT", self.path("trace")).env("GIT_CONFIG_NOSYSTEM", "1");
    }

    /// The forms of all secrets, also of those that Terrane has made itself.
    pub fn forms(&self) -> Forms {
        let made = self.wire.get("/api/v1/namespaces/dev/secrets/block");
        let made = made.and_then(|secret| Some(decoded(secret["data"]["password"].as_str()?)));
        let mut secrets = SECRETS.to_vec();
        secrets.extend(made.as_deref().map(|made| ("made", made)));
        secrets.extend([
            ("a part of json", r#"k4-canary-"quoted"-51d0"#),
            ("a part of json", "k5-canary-a94be"),
        ]);
        Forms::of(&secrets)
    }

    /// Looks through all that the commands left behind, but for what their user wrote.
    pub fn check(&self, forms: &Forms) {
        for directory in ["work/.terrane", "plans", "home", "temporary"] {
            for (path, content) in files_below(&self.path(directory)) {
                clean(forms, &path.display().to_string(), &content);
            }
        }
        for file in ["notes", "trace"] {
            clean(forms, file, &std::fs::read(self.path(file)).unwrap_or_default());
        }
        for repository in ["origin.git", "work/.git/terrane/state.git"] {
            let content = every_object(&self.path(repository));
            assert!(content.len() > 1000, "{repository} is empty");
            clean(forms, repository, &content);
        }
        self.check_repository(forms);
        self.check_metadata(forms);
    }

    /// Looks through the user's repository, but for what is on its branches.
    fn check_repository(&self, forms: &Forms) {
        let repository = self.path("work/.git");
        let own: BTreeSet<String> =
            objects(&repository, &["rev-list", "--objects", "--branches", "--no-object-names"]);
        for oid in objects(&repository, &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]) {
            if !own.contains(&oid) {
                let mut command = Command::new(git());
                let content = command
                    .arg("--git-dir")
                    .arg(&repository)
                    .args(["cat-file", "-p", &oid])
                    .output()
                    .unwrap();
                clean(forms, &oid, &content.stdout);
            }
        }
    }

    /// Looks through labels, annotations and managed fields, and at the events.
    fn check_metadata(&self, forms: &Forms) {
        for path in
            ["namespaces", "secrets", "configmaps", "events"].map(|plural| format!("/api/v1/{plural}"))
        {
            let Some(list) = self.wire.get(&path) else { continue };
            for object in list["items"].as_array().unwrap() {
                clean(forms, &path, object["metadata"].to_string().as_bytes());
                let said: Vec<&Json> =
                    ["message", "reason", "note"].iter().map(|name| &object[*name]).collect();
                clean(forms, &path, serde_json::to_string(&said).unwrap().as_bytes());
            }
        }
    }
}

/// Insists that a text holds none of the secrets.
pub fn clean(forms: &Forms, what: &str, text: &[u8]) {
    let found = forms.found(text).join(", ");
    let shown = || String::from_utf8_lossy(&text[..text.len().min(20_000)]).into_owned();
    assert_eq!(found, "", "{what} holds a secret:\n{}", shown());
}

/// Returns a secret by its name.
pub fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(it, _)| *it == name).unwrap().1
}

fn decoded(base64: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(base64).unwrap()).unwrap()
}

/// Whether a directory is there and has files.
pub fn has_files(directory: &Path) -> bool {
    !files_below(directory).is_empty()
}
