//! `secret` blocks: what a plan knows of them, and what an apply makes.

use std::collections::BTreeMap;

use engine_core::address::Address;
use engine_core::manifest::Manifest;
use engine_core::ports::Resolver;
use engine_core::value::Value;

use super::Definition;
use super::harness::Repository;
use crate::VariableInput;

const DATABASE: &str = "variable \"version\" {\n  default = \"1\"\n}\nsecret \"db\" {\n  namespace = \"team\"\n  type = \"Opaque\"\n  labels = { tier = \
                        \"data\" }\n  data = { user = \"app\" }\n  generate = {\n    password = { length = 20, special = false }\n    token = {}\n  }\n  \
                        keepers = { version = var.version }\n}\nmanifest \"url\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"Secret\"\n    \
                        metadata = { name = \"url\", namespace = \"team\" }\n    stringData = { url = \"postgres://app:${secret.db.data.password}@db\" \
                        }\n  }\n}\n";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn reads(live: &Value) -> BTreeMap<Address, Value> {
    BTreeMap::from([(address("secret.db"), live.clone())])
}

fn manifest(definition: &Definition, at: &str) -> Manifest {
    definition.graph.at(&address(at)).unwrap().manifest().unwrap().clone()
}

fn holes(definition: &Definition, at: &str) -> Vec<String> {
    manifest(definition, at).holes().iter().map(|hole| hole.path.to_string()).collect()
}

fn filled(definition: &Definition, at: &str) -> Value {
    let filled = definition.filler.fill(&address(at), &manifest(definition, at), &BTreeMap::new());
    filled.unwrap_or_else(|faults| panic!("{faults:?}")).body().clone()
}

fn text(body: &Value, key: &str) -> String {
    use base64::Engine as _;
    let encoded = body.str_at(&["data", key]).unwrap_or_else(|| panic!("no {key}"));
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn values_are_made_at_apply_and_are_the_same_wherever_they_are_used() {
    let repository = Repository::main(DATABASE);
    let asked = repository.definition();
    assert_eq!(asked.reads.len(), 1);
    assert_eq!(asked.reads[0].object_ref().to_string(), "Secret/team/db");
    let planned = repository.load_with(&reads(&Value::Null)).unwrap();
    assert!(planned.reads.is_empty());
    assert_eq!(holes(&planned, "secret.db"), ["data.password", "data.token"]);
    assert_eq!(holes(&planned, "manifest.url"), ["stringData.url"]);
    assert_eq!(text(manifest(&planned, "secret.db").body(), "user"), "app");
    let url = filled(&planned, "manifest.url");
    let made = filled(&planned, "secret.db");
    let password = text(&made, "password");
    assert_eq!(password.len(), 20);
    assert!(password.chars().all(|c| c.is_ascii_alphanumeric()), "{password}");
    assert_eq!(text(&made, "token").chars().count(), 32);
    assert_eq!(text(&url, "url"), format!("postgres://app:{password}@db"));
    let other = repository.load_with(&reads(&Value::Null)).unwrap();
    assert_ne!(text(&filled(&other, "secret.db"), "password"), password, "another apply draws again");
}

#[test]
fn values_are_reused_while_they_are_there_and_the_keepers_are_the_same() {
    let mut repository = Repository::main(DATABASE);
    let first = repository.load_with(&reads(&Value::Null)).unwrap();
    let mut live = filled(&first, "secret.db");
    let again = repository.load_with(&reads(&live)).unwrap();
    assert!(holes(&again, "secret.db").is_empty() && holes(&again, "manifest.url").is_empty());
    assert_eq!(*manifest(&again, "secret.db").body(), live, "nothing is left to do");
    let token = live.remove_at(&["data", "token"]).unwrap();
    let lost = repository.load_with(&reads(&live)).unwrap();
    assert_eq!(holes(&lost, "secret.db"), ["data.token"]);
    assert!(holes(&lost, "manifest.url").is_empty());
    let remade = filled(&lost, "secret.db");
    assert_eq!(remade.at(&["data", "password"]), live.at(&["data", "password"]));
    assert_ne!(remade.at(&["data", "token"]), Some(&token));
    repository.options.variables.push(VariableInput::Argument { name: "version".into(), text: "2".into() });
    let rotated = repository.load_with(&reads(&live)).unwrap();
    assert_eq!(holes(&rotated, "secret.db"), ["data.password", "data.token"]);
    assert_ne!(filled(&rotated, "secret.db").at(&["data", "password"]), live.at(&["data", "password"]));
}

#[test]
fn a_key_that_is_no_longer_generated_is_gone() {
    let repository = Repository::main(DATABASE);
    let live = filled(&repository.load_with(&reads(&Value::Null)).unwrap(), "secret.db");
    let without = Repository::main(&DATABASE.replace("    token = {}\n", ""));
    let definition = without.load_with(&reads(&live)).unwrap();
    assert_eq!(manifest(&definition, "secret.db").body().at(&["data", "token"]), None);
}

#[test]
fn a_secret_without_generated_values_asks_for_nothing() {
    let mut repository = Repository::main(
        "variable \"token\" {\n  ephemeral = true\n}\nsecret \"s\" {\n  for_each = toset([\"a\", \"b\"])\n  name = \"s-${each.key}\"\n  namespace = \
         \"n\"\n  immutable = true\n  data = { x = var.token, n = 1, gone = null }\n}\n",
    );
    repository.options.variables.push(VariableInput::Argument { name: "token".into(), text: "t".into() });
    let definition = repository.definition();
    assert!(definition.reads.is_empty());
    let body = definition.body("secret.s[\"b\"]");
    assert_eq!((text(body, "x"), text(body, "n")), ("t".into(), "1".into()));
    assert_eq!(body.at(&["data", "gone"]), None);
    assert_eq!(body.str_at(&["metadata", "name"]), Some("s-b"));
    assert_eq!(body.at(&["immutable"]).and_then(Value::as_bool), Some(true));
}

#[test]
fn faults() {
    for (arguments, want) in [
        ("data = {}", "TRN0112 main.hcl:8:1: secret \"s\" needs the argument namespace"),
        ("namespace = \"n\"\ngenrate = {}", "TRN0111 main.hcl:10:1: secret \"s\" has no argument genrate"),
        ("namespace = \"n\"\ndata = { a = [1] }", "TRN0117 main.hcl:10:8: invalid value for data"),
        (
            "namespace = \"n\"\ngenerate = { a = { lenght = 1 } }",
            "TRN0117 main.hcl:10:12: a cannot be generated: it has no",
        ),
        (
            "namespace = \"n\"\ngenerate = [1]",
            "TRN0117 main.hcl:10:12: generate of secret.s must be an object",
        ),
        (
            "namespace = \"n\"\ngenerate = { a = sensitive({}) }",
            "TRN0152 main.hcl:10:12: generate of secret.s is sensitive",
        ),
        (
            "namespace = \"n\"\ndata = { a = \"x\" }\ngenerate = { a = {} }",
            "TRN0114 main.hcl:8:1: a of secret.s is both",
        ),
        (
            "namespace = \"n\"\nkeepers = { a = sensitive(1) }",
            "TRN0152 main.hcl:10:11: keepers of secret.s are sensitive",
        ),
        ("namespace = sensitive(\"n\")", "TRN0152 main.hcl:8:1: metadata.namespace of secret.s is sensitive"),
        ("namespace = \"N\"", "TRN0400 main.hcl:8:1: `N` is not a valid `metadata.namespace`"),
    ] {
        let faults = Repository::main(&format!("secret \"s\" {{\n{arguments}\n}}\n")).faults();
        assert!(faults.starts_with(want), "{arguments}\nfound {faults}\nwant  {want}");
        assert_eq!(faults.lines().count(), 1, "{faults}");
    }
    let leak = "secret \"s\" {\n  namespace = \"n\"\n  generate = { a = {} }\n}\noutput \"o\" {\n  value = secret.s.data.a\n}\n";
    assert!(
        Repository::main(leak)
            .faults()
            .starts_with("TRN0152 main.hcl:13:11: output o holds a sensitive value")
    );
    let labelled = "variable \"e\" {\n  default = \"x\"\n  ephemeral = true\n}\nsecret \"s\" {\n  namespace = \"n\"\n  labels = { a = var.e }\n}\n";
    assert!(
        Repository::main(labelled)
            .faults()
            .starts_with("TRN0153 main.hcl:12:1: metadata.labels.a of secret.s is ephemeral")
    );
}
