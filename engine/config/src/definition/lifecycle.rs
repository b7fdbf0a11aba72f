//! `lifecycle`: fields that are left to others.

use engine_core::resource::FieldPolicy;

use super::bad_input::{check, config};
use super::harness::Repository;

/// A `ConfigMap` called `a` whose `lifecycle` is given.
fn guarded(lifecycle: &str) -> String {
    config("a", "1").replacen("\n", &format!("\n  lifecycle {{\n{lifecycle}  }}\n"), 1)
}

fn conflicts(body: &str) -> String {
    guarded(&format!("    conflicts {{\n      {body}\n    }}\n"))
}

#[test]
fn lists_of_fields_can_be_wrong() {
    let cases: [(String, &[&str]); 9] = [
        (
            guarded("    ignore_changes = data.x\n"),
            &["TRN0117 10:22: ignore_changes must be a list of fields"],
        ),
        (
            guarded("    ignore_changes = [\"data.x\"]\n"),
            &["TRN0117 10:23: ignore_changes must be a list of fields"],
        ),
        (
            guarded("    ignore_changes = [data[*].x]\n"),
            &["TRN0117 10:23: ignore_changes must be a list of fields"],
        ),
        (conflicts("take = data"), &["TRN0117 11:14: take must be a list of fields"]),
        (conflicts("yield = [data.x, 3]"), &["TRN0117 11:24: yield must be a list of fields"]),
        (conflicts("fail = [data[local.x]]"), &["TRN0117 11:15: fail must be a list of fields"]),
        (
            conflicts("force = [data.x]"),
            &[
                "TRN0111 11:7: conflicts of lifecycle of manifest \"a\" has no argument force (it takes fail, take, yield)",
            ],
        ),
        (
            conflicts("take = [data.x]\n      yield = [data[\"x\"]]"),
            &["TRN0114 12:16: field data.x of conflicts is declared twice"],
        ),
        (
            "namespace \"n\" {\n  lifecycle {\n    conflicts {\n      take = [spec]\n    }\n  }\n}\n".into(),
            &["TRN0117 11:15: conflicts belongs to a primitive, not to a module"],
        ),
    ];
    for (text, want) in cases {
        check(&text, want);
    }
}

#[test]
fn who_keeps_a_field_is_said_in_the_notation_of_ignore_changes() {
    let text = conflicts(
        "take = [data, metadata.labels[\"a.b/c\"]]\n      yield = [data.x, spec.containers[\"app\"].ports[0]]",
    );
    let definition = Repository::main(&text).definition();
    let lifecycle = &definition.graph.resources()[0].lifecycle;
    let said = lifecycle.conflicts.iter().map(|(path, policy)| format!("{} {path}", policy.as_str()));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "take data",
            "take metadata.labels[\"a.b/c\"]",
            "yield data.x",
            "yield spec.containers.app.ports[0]",
        ]
    );
    assert_eq!(lifecycle.conflicts[0].1, FieldPolicy::Take);
}
