//! What runs leave behind, and what they ask for: saved plans, states, locks, variables.

use crate::environment::{Environment, Ran, root};

const CREDENTIALS: &str = "/api/v1/namespaces/dev/secrets/credentials";

fn variables() -> Environment {
    Environment::copy_of(&root().join("tests/clusters/variables"))
}

fn succeeded(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    &ran.stdout
}

fn refused<'a>(ran: &'a Ran, why: &str) -> &'a str {
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(why), "{}", ran.stderr);
    &ran.stderr
}

#[test]
fn a_saved_plan_holds_only_for_what_it_was_made_from() {
    let environment = variables();
    let apply = |arguments: &[&str]| environment.terrane(&[&["apply", "a.plan"], arguments].concat());
    let (level, same) = ("level=a", ["--var", "level=a"]);
    for applied_before in [false, true] {
        let planned = environment.terrane(&["plan", "--var", level, "--out", "a.plan"]);
        succeeded(&planned);
        let differ = "the definition, its variables or what it reads differ";
        refused(&apply(&["--var", "level=b"]), differ);
        // A digest of something sensitive says whether it is the same, too.
        refused(&apply(&["--var", level, "--var", "password=second"]), differ);
        assert_eq!(environment.get(CREDENTIALS).is_some(), applied_before, "nothing is written");
        let text = std::fs::read_to_string(environment.directory.join("a.plan")).expect("a plan");
        assert!(!text.contains("first"), "the file holds nothing secret");
        // The file knows where the definition lies.
        let file = environment.directory.join("a.plan");
        let mut command = environment.command(&["apply", file.to_str().expect("a path"), same[0], same[1]]);
        let output = command.current_dir("/").output().expect("terrane runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn nothing_to_do_and_nothing_approved_write_nothing() {
    let environment = variables();
    let apply = ["apply", "--var", "level=a"];
    refused(&environment.terrane(&apply), "approval is needed");
    let list = ["state", "list", "--var", "level=a"];
    refused(&environment.terrane(&list), "nothing has been applied yet");
    succeeded(&environment.terrane(&["destroy", "--auto-approve", "--var", "level=a"]));
    refused(&environment.terrane(&list), "nothing has been applied yet");

    let (apply, history) =
        ([&apply[..], &["--auto-approve"]].concat(), ["state", "history", "--var", "level=a"]);
    succeeded(&environment.terrane(&apply));
    let before = environment.terrane(&history);
    succeeded(&environment.terrane(&apply));
    assert_eq!(environment.terrane(&history).stdout, before.stdout, "an apply of nothing leaves no trace");
}

#[test]
fn commands_on_the_state_take_variables() {
    let environment = variables();
    let level = "level=a";
    succeeded(&environment.terrane(&["apply", "--auto-approve", "--var", level]));
    refused(&environment.terrane(&["state", "list"]), "level");
    for (arguments, says) in [
        (&["state", "list"][..], "manifest.settings"),
        (&["state", "show", "manifest.settings"], "ConfigMap"),
        (&["state", "history"], "apply"),
        (&["show"], "manifest.settings"),
        (&["output", "level"], "a"),
    ] {
        let ran = environment.terrane(&[arguments, &["--var", level]].concat());
        assert!(succeeded(&ran).contains(says), "{arguments:?}: {}", ran.stdout);
    }
    refused(
        &environment.terrane(&["state", "unlock", "--lock-id", "run", "--var", level]),
        "the state is not locked",
    );
}

#[test]
fn a_destroy_reads_nothing_for_the_definition() {
    let environment = Environment::copy_of(&root().join("tests/scenarios/preview-read"));
    succeeded(&environment.terrane(&["apply", "--auto-approve"]));
    let main = environment.directory.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("main.hcl");
    std::fs::write(&main, text.replacen("kube-root-ca.crt", "gone", 1)).expect("main.hcl");
    refused(&environment.terrane(&["plan"]), "does not exist");
    succeeded(&environment.terrane(&["destroy", "--auto-approve"]));
    assert_eq!(environment.get("/api/v1/namespaces/team"), None);
}

#[test]
fn writing_nothing_at_once_is_no_choice() {
    let ran = variables().terrane(&["apply", "--auto-approve", "--parallelism", "0"]);
    refused(&ran, "--parallelism");
    assert!(succeeded(&variables().terrane(&["apply", "--help"])).contains("plan --out"));
}

#[test]
fn a_work_directory_that_cannot_be_written_stops_a_run_before_the_lock() {
    let environment = Environment::of_files(&[(
        "main.hcl",
        "terrane {\n  environment = \"full\"\n  state \"local\" {}\n}\ncluster \"main\" {\n  sandbox = true\n}\nnamespace \"dev\" {\n}\n",
    )]);
    assert_eq!(environment.run("git", &["init", "-q"]).code, Some(0));
    assert_eq!(environment.terrane(&["apply", "--auto-approve"]).code, Some(0));
    let serial = |environment: &Environment| environment.terrane(&["state", "list", "--json"]).stdout;
    let before = serial(&environment);
    // No log can be begun where a directory lies.
    std::fs::create_dir(environment.directory.join(".terrane/run-full.jsonl")).expect("a directory");
    let main = environment.directory.join("main.hcl");
    let text = std::fs::read_to_string(&main).expect("main.hcl") + "namespace \"more\" {\n}\n";
    std::fs::write(&main, text).expect("main.hcl");
    let ran = environment.terrane(&["apply", "--auto-approve"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("run-full.jsonl"), "{}", ran.stderr);
    assert_eq!(serial(&environment), before, "the lock is not taken");
    assert_eq!(environment.get("/api/v1/namespaces/more"), None);
}
