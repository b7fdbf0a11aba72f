//! Scenarios: a definition, steps, and what each step is expected to print.
//!
//! `tests/scenarios/<name>/steps.yaml` lists the steps; outputs are compared with the `*.out` files beside it. Each
//! scenario runs on the sandbox and on a real control plane, with the same expectations.

use std::collections::BTreeMap;
use std::path::Path;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::Server;
use crate::environment::{Environment, Ran, expect_file, normalise, root};

/// A scenario's `steps.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The definition, from the repository's root; the scenario's own directory if left out.
    environment: Option<String>,
    /// Left out if it runs on both servers.
    only: Option<Only>,
    /// The steps.
    steps: Vec<Step>,
}

/// The one server that can run it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Only {
    server: Server,
    /// Why the other cannot.
    why: String,
}

/// One step. Exactly one of the verbs is set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What the step shows, for the message of a failure.
    name: String,
    /// Arguments of `terrane`.
    run: Option<String>,
    /// The exit code wanted of `run`.
    #[serde(default)]
    exit: i32,
    /// Compare stdout with this file.
    stdout: Option<String>,
    /// Compare stderr with this file.
    stderr: Option<String>,
    /// Values of stdout, which is JSON, by the name that later steps use with a `$`, and by JSON pointer.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    /// Texts that stdout must hold.
    #[serde(default)]
    says: Vec<String>,
    /// Texts that stderr must hold.
    #[serde(default)]
    complains: Vec<String>,
    /// Somebody else writes to the cluster.
    request: Option<Outside>,
    /// Replace text in a file.
    edit: Option<Edit>,
    /// A program, with arguments, run in the environment's directory.
    program: Option<Vec<String>>,
    /// Objects, by API path, with the fields they must have; null for absent.
    #[serde(default)]
    objects: BTreeMap<String, Value>,
    /// Pairs of fields that must be the same, each written as API path, `#` and JSON pointer.
    #[serde(default)]
    same: Vec<[String; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outside {
    /// HTTP method.
    method: String,
    /// API path with query.
    path: String,
    /// Media type.
    #[serde(default = "json_media")]
    media: String,
    /// Body.
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    replace: String,
    with: String,
}

fn json_media() -> String {
    "application/json".into()
}

fn load(name: &str) -> Scenario {
    let path = root().join("tests/scenarios").join(name).join("steps.yaml");
    let text = std::fs::read_to_string(&path).expect("steps.yaml");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a scenario by the name of its directory.
fn scenario(server: Server, name: &str) {
    let directory = root().join("tests/scenarios").join(name);
    let scenario = load(name);
    if scenario.only.is_some_and(|only| only.server != server) {
        return;
    }
    let source = scenario.environment.as_ref().map_or(directory.clone(), |path| root().join(path));
    let environment = Environment::on(server.start(), &source);
    let mut kept = BTreeMap::new();
    for step in &scenario.steps {
        play(&environment, &directory, step, &mut kept);
    }
}

fn play(environment: &Environment, directory: &Path, step: &Step, kept: &mut BTreeMap<String, String>) {
    if let Some(arguments) = &step.run {
        let fill = |word: &'_ str| match word.strip_prefix('$') {
            Some(name) => {
                kept.get(name).unwrap_or_else(|| panic!("{}: {name} is not kept", step.name)).clone()
            }
            None => word.to_owned(),
        };
        let arguments: Vec<String> = arguments.split_whitespace().map(fill).collect();
        let ran = environment.terrane(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        check(environment, directory, step, &ran);
        for (name, pointer) in &step.keep {
            let value: Value = serde_json::from_str(&ran.stdout).expect("JSON on stdout");
            let value = value.pointer(pointer).and_then(Value::as_str).expect("a text to keep");
            kept.insert(name.clone(), value.to_owned());
        }
    }
    if let Some(outside) = &step.request {
        let method: Method = outside.method.parse().expect("a method");
        environment.write(&method, &outside.path, &outside.media, &outside.body);
    }
    if let Some(edit) = &step.edit {
        let path = environment.directory.join(&edit.file);
        let text = std::fs::read_to_string(&path).expect("the file to edit");
        assert!(text.contains(&edit.replace), "{}: `{}` is not in {}", step.name, edit.replace, edit.file);
        std::fs::write(&path, text.replacen(&edit.replace, &edit.with, 1)).expect("the edit");
    }
    if let Some([program, arguments @ ..]) = step.program.as_deref() {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ran = environment.run(program, &arguments);
        check(environment, directory, step, &ran);
    }
    for (path, wanted) in &step.objects {
        let found = environment.get(path).unwrap_or(Value::Null);
        assert_holds(&found, wanted, &format!("{}: {path}", step.name));
    }
    for [one, other] in &step.same {
        assert_eq!(field(environment, one), field(environment, other), "{}: {one} and {other}", step.name);
    }
}

/// Reads a field that is there.
fn field(environment: &Environment, at: &str) -> Value {
    let (path, pointer) = at.split_once('#').expect("API path, # and JSON pointer");
    let object = environment.get(path).unwrap_or_else(|| panic!("{path} is not there"));
    object.pointer(pointer).cloned().unwrap_or_else(|| panic!("{at} is not there"))
}

fn check(environment: &Environment, directory: &Path, step: &Step, ran: &Ran) {
    let (stdout, stderr) =
        (normalise(&ran.stdout, &environment.directory), normalise(&ran.stderr, &environment.directory));
    let name = &step.name;
    assert_eq!(ran.code, Some(step.exit), "{name}: exit code\nstdout:\n{stdout}\nstderr:\n{stderr}");
    for text in &step.says {
        assert!(stdout.contains(text), "{name}: stdout lacks `{text}`:\n{stdout}");
    }
    for text in &step.complains {
        assert!(stderr.contains(text), "{name}: stderr lacks `{text}`:\n{stderr}");
    }
    if let Some(file) = &step.stdout {
        expect_file(&directory.join(file), &stdout);
    }
    if let Some(file) = &step.stderr {
        expect_file(&directory.join(file), &stderr);
    }
}

/// Tells whether an object has all wanted fields with the wanted values.
fn assert_holds(found: &Value, wanted: &Value, what: &str) {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            for (name, wanted) in wanted {
                assert_holds(found.get(name).unwrap_or(&Value::Null), wanted, &format!("{what}.{name}"));
            }
        }
        (Value::Array(found), Value::Array(wanted)) => {
            assert_eq!(found.len(), wanted.len(), "{what}: {found:?}");
            for (idx, (found, wanted)) in found.iter().zip(wanted).enumerate() {
                assert_holds(found, wanted, &format!("{what}[{idx}]"));
            }
        }
        _ => assert_eq!(found, wanted, "{what}"),
    }
}

/// Makes two tests of each scenario. Every directory under `tests/scenarios` has them: one that is forgotten fails here.
macro_rules! scenarios {
    ($($test:ident = $directory:literal),* $(,)?) => {
        mod sandbox {
            $(
                #[test]
                fn $test() {
                    super::scenario(crate::cluster::Server::Sandbox, $directory);
                }
            )*
        }

        mod control_plane {
            $(
                #[test]
                fn $test() {
                    super::scenario(crate::cluster::Server::ControlPlane, $directory);
                }
            )*
        }

        #[test]
        fn every_scenario_is_run() {
            let mut found: Vec<String> = std::fs::read_dir(root().join("tests/scenarios"))
                .expect("tests/scenarios")
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect();
            found.sort();
            let mut run = vec![$($directory),*];
            run.sort_unstable();
            assert_eq!(found, run);
        }

        #[test]
        fn a_scenario_of_one_server_says_why() {
            for name in [$($directory),*] {
                let why = load(name).only.map(|only| only.why);
                assert!(why.is_none_or(|why| why.contains(' ') && !why.contains('\n')), "{name}: a line says why");
            }
        }
    };
}

scenarios! {
    quickstart = "quickstart",
    inputs = "inputs",
    remote_module = "remote-module",
    part = "part",
    rollout = "rollout",
    gates = "gates",
    secret = "secret",
    task_manager = "task-manager",
    foreign_object = "foreign-object",
    field_conflict = "field-conflict",
    exported = "exported",
    kind_grows = "kind-grows",
    takes_along = "takes-along",
    owned = "owned",
    state_moved = "state-moved",
    shared_branch = "shared-branch",
    expect = "expect",
    refresh = "refresh",
    state_mend = "state-mend",
    state_recover = "state-recover",
    saved_plan = "saved-plan",
    preview = "preview",
    preview_read = "preview-read",
    sandbox_reset = "sandbox-reset",
    read = "read",
    refactoring = "refactoring",
    conditions = "conditions",
    surroundings = "surroundings",
    workloads = "workloads",
    not_ready = "not-ready",
    quota_denied = "quota-denied",
    wait_rule = "wait-rule",
}
