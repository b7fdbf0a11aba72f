//! Secrets: whatever way they come in and whatever goes wrong, none is found anywhere but on its cluster.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

pub mod forms;
mod place;

use http::StatusCode;

use self::place::{Place, clean, has_files, secret};
use crate::crash::wire::Refusal;

/// What the server refuses now and then.
const REFUSED: [&str; 5] =
    ["/secrets/typed", "/configmaps/derived", "/secrets/block", "/secrets/literal", "/secrets/overlay"];

/// Runs a command that ends with this code, and shows no secret.
fn run(place: &Place, (arguments, code): (&[&str], i32), says: &str) {
    run_with(place, (arguments, code), says, "");
}

fn run_with(place: &Place, (arguments, code): (&[&str], i32), says: &str, input: &str) {
    let ran = place.terrane(arguments, input);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    clean(&place.forms(), &arguments.join(" "), said.as_bytes());
    assert_eq!(ran.code, Some(code), "{arguments:?}: {said}");
    assert!(said.contains(says), "{arguments:?} lacks {says}: {said}");
}

#[test]
fn no_secret_leaves_its_cluster() {
    let place = Place::new();
    std::fs::create_dir(place.path("plans")).unwrap();
    let plan = place.path("plans/a.plan");
    let plan = plan.to_str().unwrap();
    run(&place, (&["validate"], 0), "is valid");
    run(&place, (&["plan"], 0), "(sensitive value)");
    run(&place, (&["plan", "--json"], 0), "\"sensitive\"");
    run(&place, (&["plan", "--out", plan], 0), "Decision");
    run(&place, (&["show", plan], 0), "Secret/dev/typed");
    run(&place, (&["show", plan, "--json"], 0), "typed");
    run(&place, (&["graph"], 0), "manifest.typed");

    // The server refuses, and repeats what it was sent.
    for code in [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST] {
        place.wire.refuse(Some(Refusal { ends: &REFUSED, code, dry: false }));
        run(&place, (&["apply", "--auto-approve"], 1), "Apply incomplete");
    }
    place.wire.refuse(None);
    run(&place, (&["apply", "--auto-approve"], 0), "Apply complete!");
    place.check(&place.forms());

    place.wire.refuse(Some(Refusal { ends: &REFUSED, code: StatusCode::UNPROCESSABLE_ENTITY, dry: true }));
    run(&place, (&["plan", "--verify", "full"], 0), "Secret/dev/typed");
    place.wire.refuse(None);
    drift(&place);
    run(&place, (&["plan"], 0), "(sensitive value, changed)");
    run(&place, (&["plan", "--refresh-only"], 0), "typed");
    run(&place, (&["apply", "--auto-approve", "--json"], 0), "finished");
    look(&place);
    preview(&place);
    run(&place, (&["destroy", "--auto-approve"], 0), "Destroy complete!");
    run(&place, (&["state", "history"], 0), "destroy");
    assert!(has_files(&place.path("work/.terrane")), "there was something to look through");
    let notes = std::fs::read_to_string(place.path("notes")).unwrap();
    assert!(notes.contains("push\n") && notes.contains("\nPATH="), "git was watched");
    place.check(&place.forms());
}

/// Somebody replaces secrets by others that nobody is to learn of either.
fn drift(place: &Place) {
    let metadata = serde_json::json!({ "name": "typed", "namespace": "dev" });
    let object = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": { "pin": secret("by_environment"), "key": secret("by_argument") },
    });
    place.wire.put("/api/v1/namespaces/dev/secrets/typed", &object);
}

/// Looks at all that can be looked at.
fn look(place: &Place) {
    for (arguments, says) in [
        (&["show"][..], "manifest.typed"),
        (&["show", "--json"], "manifest.typed"),
        (&["state", "list"], "manifest.typed"),
        (&["state", "list", "--json"], "manifest.typed"),
        (&["state", "show", "manifest.typed"], "Secret"),
        (&["state", "show", "manifest.typed", "--json"], "Secret"),
        (&["state", "history", "--json"], "apply"),
        (&["state", "mv", "manifest.typed", "manifest.moved"], "manifest.moved"),
        (&["state", "mv", "manifest.moved", "manifest.typed"], "manifest.typed"),
        (&["output"], "sensitive"),
        (&["output", "--json"], "url"),
        (&["graph", "--format", "mermaid"], "typed"),
    ] {
        run(place, (arguments, 0), says);
    }
    let lines = "var.pin\nlocal.joined\nupper(var.pem)\nvar.by_file.x\njsondecode(var.pem)\nparseint(var.by_argument, 10)\n\
                 {for k, v in var.json : k => v}\nsecret.block.data.password\nvar.by_file == \"x\"\nbase64encode(var.pin)\n\
                 var.json[0]\n\"${var.pin}\"\nformat(\"%d\", var.by_file)\ntobool(var.by_environment)\nregex(\"[0-9\", var.pin)\n";
    run_with(place, (&["console", "."], 1), "(sensitive value)", lines);
}

/// Merging a branch that changes what is made of the secrets.
fn preview(place: &Place) {
    place.git(&["add", "main.hcl", "overlay"]);
    place.git(&["commit", "--quiet", "-m", "base"]);
    place.git(&["branch", "base"]);
    let main = place.path("work/main.hcl");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("postgres://app:", "postgres://other:")).unwrap();
    let overlay = place.path("work/overlay/secret.yaml");
    let text = std::fs::read_to_string(&overlay).unwrap();
    std::fs::write(&overlay, text.replace("password:", "key:")).unwrap();
    place.git(&["commit", "--quiet", "-a", "-m", "change"]);
    let comment = place.path("plans/comment.md");
    let comment = comment.to_str().unwrap();
    run(place, (&["preview", "--base", "base", "--head", "HEAD"], 0), "sensitive");
    run(place, (&["preview", "--base", "base", "--out", comment], 0), "");
    run(place, (&["preview", "--base", "base", "--json"], 0), "derived");
}
