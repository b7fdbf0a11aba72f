//! Ways by which secrets came out of other tools: none of them leads out of this one.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use engine_core::digest::Seal;
use http::Method;
use serde_json::{Value as Json, json};

use crate::canary::forms::Forms;
use crate::crash::chain;
use crate::environment::Environment;

const SECRET: &str = "l1-canary-40b7d9e2c6";
const OTHER: &str = "l2-canary-e51f8a3370";

/// Every test needs these, and the environment is called what the reader of chains expects.
const SETTINGS: &str = r#"
terrane {
  environment = "crash"
  state "local" {}
}

cluster "main" {
  sandbox = true
}

variable "password" {
  type      = string
  sensitive = true
  default   = "l1-canary-40b7d9e2c6"
}
"#;

fn secret(name: &str, body: &str) -> String {
    let metadata = format!("metadata = {{ name = \"{name}\", namespace = \"default\" }}");
    let object = format!("object = {{\n apiVersion = \"v1\"\n kind = \"Secret\"\n {metadata}\n {body}\n }}");
    format!("manifest \"{name}\" {{\n {object}\n}}\n")
}

fn environment(blocks: &str) -> Environment {
    Environment::of_files(&[("main.hcl", &format!("{SETTINGS}{blocks}"))])
}

/// Writes other blocks.
fn rewrite(environment: &Environment, blocks: &str) {
    std::fs::write(environment.directory.join("main.hcl"), format!("{SETTINGS}{blocks}")).unwrap();
}

/// Runs a command that ends with this code, and insists that it shows no secret; returns what it says.
fn run(environment: &Environment, (arguments, code): (&[&str], i32)) -> String {
    let ran = environment.terrane(arguments);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {said}");
    let forms = Forms::of(&[("secret", SECRET), ("other", OTHER)]);
    assert_eq!(forms.found(said.as_bytes()).join(", "), "", "{arguments:?}: {said}");
    said
}

/// Looks at a change in every way, and makes it.
fn change(environment: &Environment) -> String {
    run(environment, (&["plan", "--json"], 0));
    run(environment, (&["plan", "--verify", "full"], 0));
    let said = run(environment, (&["plan"], 0));
    run(environment, (&["apply", "--auto-approve"], 0));
    said
}

fn edit(environment: &Environment, fields: &Json) {
    let path = "/api/v1/namespaces/default/secrets/a?fieldManager=kubectl-client-side-apply";
    environment.write(&Method::PATCH, path, "application/merge-patch+json", fields);
}

#[test]
fn an_annotation_of_client_side_apply_is_not_repeated() {
    let environment = environment(&secret("a", &format!("stringData = {{ key = \"{SECRET}\" }}")));
    change(&environment);
    let whole = json!({ "kind": "Secret", "stringData": { "key": OTHER } }).to_string();
    for annotation in [whole, format!("{{\"data\": \"{OTHER}")] {
        let annotations = json!({ "kubectl.kubernetes.io/last-applied-configuration": annotation });
        let data = json!({ "key": "bDItY2FuYXJ5LWU1MWY4YTMzNzA=" });
        edit(&environment, &json!({ "metadata": { "annotations": annotations }, "data": data }));
        let said = change(&environment);
        assert!(said.contains("(sensitive value, changed)"), "{said}");
    }
}

#[test]
fn secrets_that_go_or_are_renamed_are_masked() {
    let two = format!("stringData = {{ key = \"{SECRET}\", other = \"{OTHER}\" }}");
    let environment = environment(&secret("a", &two));
    change(&environment);
    rewrite(&environment, &secret("a", &format!("stringData = {{ renamed = \"{SECRET}\" }}")));
    let said = change(&environment);
    assert!(said.contains("(sensitive value, changed)"), "{said}");
    rewrite(&environment, &secret("b", &format!("stringData = {{ renamed = \"{SECRET}\" }}")));
    let said = change(&environment);
    assert!(said.contains("Secret/default/a will be deleted"), "{said}");
    run(&environment, (&["plan", "--destroy"], 0));
    run(&environment, (&["destroy", "--auto-approve"], 0));
}

#[test]
fn a_secret_is_known_by_its_own_kind_wherever_it_stands() {
    let encoded = "bDItY2FuYXJ5LWU1MWY4YTMzNzA=";
    let metadata = |name: &str| format!("{{name: {name}, namespace: default}}");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Secret, metadata: {}, data: {{k: {encoded}}}}}\n",
        metadata("listed")
    );
    let blocks = "manifests \"m\" {\n files = [\"list.yaml\"]\n}\n";
    let environment =
        Environment::of_files(&[("main.hcl", &format!("{SETTINGS}{blocks}")), ("list.yaml", &list)]);
    let ran = environment.terrane(&["plan"]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!said.contains("canary") && !said.contains(encoded), "{said}");
    let odd =
        format!("apiVersion: v1\nkind: secret\nmetadata: {}\ndata: {{k: {encoded}}}\n", metadata("odd"));
    std::fs::write(environment.directory.join("list.yaml"), odd).unwrap();
    run(&environment, (&["plan"], 1));
}

#[test]
fn what_is_derived_from_a_secret_is_as_secret() {
    for expression in [
        "var.password",
        "base64encode(var.password)",
        "sha256(var.password)",
        "substr(var.password, 0, 20)",
        "upper(var.password)",
        "join(\",\", [\"a\", var.password])",
        "format(\"%s!\", var.password)",
        "jsonencode({ k = var.password })",
        "var.password == \"x\" ? \"derived-yes\" : \"derived-no\"",
        "length(var.password) > 5 ? \"derived-long\" : \"derived-short\"",
        "{ a = \"derived-a\", l1-canary-40b7d9e2c6 = \"derived-b\" }[var.password]",
        "contains([\"a\"], var.password) ? \"derived-in\" : \"derived-out\"",
    ] {
        let metadata = "metadata = { name = \"a\", namespace = \"default\" }";
        let data = format!("data = {{ k = {expression} }}");
        let object =
            format!("object = {{\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n {metadata}\n {data}\n }}");
        let environment = environment(&format!("manifest \"a\" {{\n {object}\n}}\n"));
        let mut said = change(&environment);
        said += &run(&environment, (&["state", "show", "manifest.a"], 0));
        assert!(said.contains("(sensitive value)"), "{expression}: {said}");
        assert!(!said.contains("derived-"), "{expression}: {said}");
    }
}

#[test]
fn a_secret_names_nothing() {
    for block in [
        "metadata = { name = var.password, namespace = \"default\" }",
        "metadata = { name = \"a\", namespace = var.password }",
    ] {
        let object = format!("object = {{\n apiVersion = \"v1\"\n kind = \"ConfigMap\"\n {block}\n }}");
        let environment = environment(&format!("manifest \"a\" {{\n {object}\n}}\n"));
        let said = run(&environment, (&["plan"], 1));
        assert!(said.contains("[TRN0"), "{block}: {said}");
    }
}

#[test]
fn equal_secrets_have_unequal_digests() {
    let body = "stringData = { key = var.password }";
    let environment = environment(&format!("{}{}", secret("a", body), secret("b", body)));
    run(&environment, (&["apply", "--auto-approve"], 0));
    let chain = chain::read(&environment.directory.join(".terrane/state.git"));
    let state = &chain.last().unwrap().state;
    let seals: Vec<&Seal> = state.records.values().map(|record| &record.desired.seal).collect();
    let [Seal::Keyed(one), Seal::Keyed(other)] = seals[..] else { panic!("{seals:?}") };
    assert_ne!(one, other, "a reader of the state must not see that two secrets are the same");
}
