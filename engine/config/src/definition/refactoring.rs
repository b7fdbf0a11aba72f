//! `moved`, `removed` and `import`: what they give and what they can have wrong.

use engine_core::address::Address;

use super::bad_input::{check, config};
use super::harness::Repository;

/// A definition of one module `pair` and what the root says.
fn with_module(module: &str, root: &str) -> Repository {
    let repository = Repository::main(root);
    repository.write("modules/pair/main.hcl", module);
    repository
}

fn removed(from: &str, rest: &str) -> String {
    format!("removed {{\n  from = {from}\n{rest}}}\n")
}

const KEEP: &str = "  lifecycle {\n    destroy = false\n  }\n";

#[test]
fn addresses_in_modules_are_those_of_the_environment() {
    let module = format!(
        "{}moved {{\n  from = manifest.a\n  to = manifest.b\n}}\n{}",
        config("b", "1"),
        removed("manifest.c", KEEP)
    );
    let root = "pair \"x\" {\n  for_each = toset([\"k\"])\n}\nmoved {\n  from = pair.w\n  to = pair.x\n}\n\
                import {\n  for_each = pair.x\n  to = pair.x[each.key].manifest.b\n}\n";
    let definition = with_module(&module, root).definition();
    let refactoring = definition.graph.refactoring();
    let parse = |text: &str| text.parse::<Address>().unwrap();
    assert_eq!(
        refactoring.current(&parse("pair.w[\"k\"].manifest.a")),
        parse("pair.x[\"k\"].manifest.b"),
        "first the module, then the block in it"
    );
    assert!(refactoring.forgets(&parse("pair.w[\"k\"].manifest.c")));
    let imported: Vec<String> = refactoring.imports.keys().map(ToString::to_string).collect();
    assert_eq!(imported, ["pair.x[\"k\"].manifest.b"]);
}

#[test]
fn moves_that_hold_are_accepted() {
    let keyed = config("a", "1").replacen("\n", "\n  for_each = toset([\"k\"])\n", 1);
    for text in [
        format!("{}moved {{\n  from = manifest.old\n  to = manifest.a\n}}\n", config("a", "1")),
        format!("{keyed}moved {{\n  from = manifest.a\n  to = manifest.a[\"k\"]\n}}\n"),
        format!("{keyed}moved {{\n  from = manifest.a[0]\n  to = manifest.a[\"k\"]\n}}\n"),
        format!("{}moved {{\n  from = manifest.a[0]\n  to = manifest.a\n}}\n", config("a", "1")),
        format!("moved {{\n  from = manifest.a\n  to = manifest.b\n}}\n{}", removed("manifest.b", KEEP)),
    ] {
        Repository::main(&text).definition();
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat table")]
fn what_contradicts_the_definition_is_refused() {
    let moved = |from: &str, to: &str| format!("moved {{\n  from = {from}\n  to = {to}\n}}\n");
    let a = config("a", "1");
    let cases: [(String, &[&str]); 19] = [
        (
            moved("manifest.a", "manifest.b") + &a,
            &[
                "TRN0180 9:10: manifest.a is moved and still declared",
                "TRN0180 10:8: manifest.a is moved to manifest.b, which is not declared",
            ],
        ),
        (
            moved("manifest.x", "manifest.a[\"k\"]") + &a,
            &["TRN0180 10:8: manifest.x is moved to manifest.a[\"k\"], which is not declared"],
        ),
        (moved("manifest.a", "manifest.a") + &a, &["TRN0180 9:10: manifest.a is moved in a circle"]),
        (
            moved("manifest.x", "manifest.y") + &moved("manifest.y", "manifest.x"),
            &[
                "TRN0180 9:10: manifest.x is moved in a circle",
                "TRN0180 13:10: manifest.y is moved in a circle",
            ],
        ),
        (
            moved("manifest.x", "manifest.a") + &moved("manifest.y", "manifest.a") + &a,
            &["TRN0180 14:8: two blocks move to manifest.a"],
        ),
        (
            moved("manifest.x", "manifest.a") + &moved("manifest.x", "manifest.b") + &a + &config("b", "1"),
            &["TRN0180 13:10: manifest.x is moved twice"],
        ),
        (
            moved("\"manifest.x\"", "manifest.a") + &a,
            &["TRN0117 9:10: this is no address that moved can name"],
        ),
        (
            moved("manifest.x[*]", "manifest.a") + &a,
            &["TRN0117 9:10: this is no address that moved can name"],
        ),
        (
            moved("read.ConfigMap.x", "manifest.a") + &a,
            &["TRN0117 9:10: this is no address that moved can name"],
        ),
        (moved("manifest.x[var.y]", "manifest.a") + &a, &["TRN0121 9:21: var cannot be used here"]),
        (
            moved("manifest.x[1.5]", "manifest.a") + &a,
            &["TRN0117 9:21: an instance key is text or a whole number"],
        ),
        ("moved {\n  from = manifest.x\n}\n".into(), &["TRN0112 8:1: moved needs the argument to"]),
        (removed("manifest.a", KEEP) + &a, &["TRN0181 9:10: manifest.a is removed and still declared"]),
        (removed("manifest.x", ""), &["TRN0112 8:1: removed does not say what becomes of the objects"]),
        (
            removed("manifest.x", "  lifecycle {\n    prevent_destroy = true\n  }\n"),
            &[
                "TRN0112 8:1: removed does not say what becomes of the objects",
                "TRN0111 11:5: lifecycle of removed has no argument prevent_destroy",
            ],
        ),
        (
            "import {\n  to = manifest.x\n}\n".into(),
            &["TRN0182 9:8: manifest.x does not declare an object to import"],
        ),
        (
            "namespace \"n\" {}\nimport {\n  to = namespace.n\n}\n".into(),
            &[
                "TRN0182 10:8: namespace.n does not declare an object to import (name one object: `to = namespace.n.manifest.namespace`",
            ],
        ),
        (
            format!("import {{\n  to = manifest.a\n  id = \"v1/Secret/team/a\"\n}}\n{a}"),
            &[
                "TRN0182 9:8: manifest.a declares another object than \"v1/Secret/team/a\" (write `id = \"v1/ConfigMap/team/a\"`, or leave id out)",
            ],
        ),
        (
            format!("import {{\n  to = manifest.a\n  count = 2\n}}\n{a}"),
            &["TRN0117 10:11: import has no argument count"],
        ),
    ];
    for (text, want) in cases {
        check(&text, want);
    }
}

#[test]
fn imports_belong_to_the_root() {
    let faults = with_module("import {\n  to = manifest.a\n}\n", "pair \"x\" {}\n").faults();
    assert!(faults.starts_with("TRN0116 modules/pair/main.hcl:1:1: block import in a module"), "{faults}");
}
