//! `dynamic` blocks: as many blocks as a collection has items.

use super::harness::{HEAD, Repository};

/// A module whose variable `b` is printed as JSON.
const SHOW: &str =
    "variable \"b\" {\n  default = \"none\"\n}\noutput \"json\" {\n  value = jsonencode(var.b)\n}\n";

fn repository(body: &str) -> Repository {
    let main = format!("{HEAD}show \"s\" {{\n{body}}}\noutput \"o\" {{\n  value = show.s.json\n}}\n");
    Repository::new(&[("modules/show/main.hcl", SHOW), ("main.hcl", &main)])
}

#[test]
fn blocks_mean_what_they_would_mean_written_out() {
    for (body, want) in [
        ("dynamic \"b\" {\n for_each = []\n content {\n x = 1\n }\n}\n", "\"none\""),
        (
            "dynamic \"b\" {\n for_each = [7]\n content {\n x = b.value\n k = b.key\n }\n}\n",
            r#"{"k":0,"x":7}"#,
        ),
        (
            "dynamic \"b\" {\n for_each = { p = 1, q = 2 }\n labels = [b.key]\n content {\n x = b.value\n }\n}\n",
            r#"{"p":{"x":1},"q":{"x":2}}"#,
        ),
        (
            "dynamic \"b\" {\n for_each = toset([\"p\"])\n iterator = it\n labels = [it.key, \"v-${it.value}\"]\n content {\n x = it.key == \
             it.value\n }\n}\n",
            r#"{"p":{"v-p":{"x":true}}}"#,
        ),
        (
            "b \"w\" {\n x = 0\n}\ndynamic \"b\" {\n for_each = [\"p\"]\n labels = [b.value]\n content {\n x = 1\n }\n}\n",
            r#"{"p":{"x":1},"w":{"x":0}}"#,
        ),
        (
            "dynamic \"b\" {\n for_each = true ? [1] : []\n content {\n x = 1\n }\n}\ndynamic \"b\" {\n for_each = false ? [1] : []\n content {\n x \
             = 2\n }\n}\n",
            r#"{"x":1}"#,
        ),
        (
            "b {\n dynamic \"c\" {\n for_each = { p = [1, 2] }\n labels = [c.key]\n content {\n dynamic \"d\" {\n for_each = c.value\n \
             labels = [c.key, d.value]\n content {\n x = \"${c.key}${d.value}\"\n }\n }\n }\n }\n}\n",
            r#"{"c":{"p":{"d":{"p":{"1":{"x":"p1"}}}}}}"#,
        ),
        ("b {\n dynamic \"c\" {\n for_each = []\n content {}\n }\n y = 1\n}\n", r#"{"y":1}"#),
    ] {
        let repository = repository(body);
        if body.contains("labels = [c.key, d.value]") {
            // Two blocks with the same first label are one too many, as they are when written out.
            assert!(repository.faults().contains("TRN0114"), "{body}");
            continue;
        }
        let definition = repository.definition();
        let engine_core::plan::PlannedOutput::Value(value) = &definition.outputs["o"].value else { panic!() };
        assert_eq!(value.as_str(), Some(want), "{body}");
    }
}

#[test]
fn a_manifest_is_written_with_them() {
    let repository = Repository::main(
        "manifest \"m\" {\n  object {\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata {\n      name = \"m\"\n      namespace = \
         \"n\"\n      dynamic \"labels\" {\n        for_each = [{ team = \"a\" }]\n        content {\n          team = labels.value.team\n        \
         }\n      }\n    }\n  }\n}\n",
    );
    assert_eq!(repository.definition().body("manifest.m").str_at(&["metadata", "labels", "team"]), Some("a"));
}

/// Blocks, and how the one fault they have must begin.
const FAULTS: &[(&str, &str)] = &[
    ("dynamic \"b\" {\n content {}\n}\n", "TRN0112 main.hcl:9:1: dynamic \"b\" needs the argument for_each"),
    ("dynamic {\n}\n", "TRN0113 main.hcl:9:1: block dynamic has 0 labels, 1 expected"),
    ("dynamic \"b\" {\n for_each = []\n}\n", "TRN0113 main.hcl:9:1: dynamic \"b\" needs a block content"),
    (
        "dynamic \"b\" {\n for_each = []\n content {}\n content {}\n}\n",
        "TRN0114 main.hcl:12:2: block content is declared",
    ),
    (
        "dynamic \"b\" {\n for_each = []\n iterator = \"x\"\n content {}\n}\n",
        "TRN0117 main.hcl:11:13: iterator of",
    ),
    (
        "dynamic \"b\" {\n for_each = []\n labels = \"x\"\n content {}\n}\n",
        "TRN0117 main.hcl:11:11: labels of",
    ),
    (
        "dynamic \"b\" {\n for_each = []\n x = 1\n content {}\n}\n",
        "TRN0111 main.hcl:11:2: dynamic \"b\" has no argument x",
    ),
    (
        "dynamic \"c\" {\n for_each = []\n content {}\n}\n",
        "TRN0111 main.hcl:9:9: show \"s\" has no argument c",
    ),
    (
        "dynamic \"lifecycle\" {\n for_each = []\n content {}\n}\n",
        "TRN0111 main.hcl:9:9: lifecycle of show \"s\" is a block",
    ),
    (
        "dynamic \"b\" {\n for_each = null\n content {}\n}\n",
        "TRN0150 main.hcl:10:13: for_each of dynamic \"b\" must be",
    ),
    (
        "dynamic \"b\" {\n for_each = \"x\"\n content {}\n}\n",
        "TRN0150 main.hcl:10:13: for_each of dynamic \"b\" must be",
    ),
    (
        "dynamic \"b\" {\n for_each = [1, 2]\n content {}\n}\n",
        "TRN0114 main.hcl:9:9: 2 blocks without labels",
    ),
    (
        "dynamic \"b\" {\n for_each = [1, 2]\n labels = [\"x\"]\n content {}\n}\n",
        "TRN0114 main.hcl:9:9: two blocks have",
    ),
    (
        "dynamic \"b\" {\n for_each = [1]\n labels = [null]\n content {}\n}\n",
        "TRN0150 main.hcl:11:12: a label of a dynamic",
    ),
    (
        "dynamic \"b\" {\n for_each = [1]\n labels = [sensitive(\"x\")]\n content {}\n}\n",
        "TRN0152 main.hcl:11:12: a label",
    ),
    (
        "dynamic \"b\" {\n for_each = [1]\n content {\n x = c.value\n }\n}\n",
        "TRN0120 main.hcl:12:6: there is no block",
    ),
    (
        "dynamic \"b\" {\n for_each = [1]\n content {\n x = b.valu\n }\n}\n",
        "TRN0205 main.hcl:12:7: no attribute \"valu\"",
    ),
    ("dynamic \"b\" {\n for_each = b.value\n content {}\n}\n", "TRN0120 main.hcl:10:13: there is no block"),
    (
        "b = 1\ndynamic \"b\" {\n for_each = [1]\n content {}\n}\n",
        "TRN0114 main.hcl:10:9: argument b is declared twice",
    ),
    (
        "dynamic \"b\" {\n for_each = range(100001)\n labels = [b.key]\n content {}\n}\n",
        "TRN0150 main.hcl:10:13: dynamic blocks",
    ),
];

#[test]
fn faults() {
    for (body, want) in FAULTS {
        let faults = repository(body).faults();
        assert!(faults.starts_with(want), "{body}\nfound {faults}\nwant  {want}");
        assert_eq!(faults.lines().count(), 1, "{body}\n{faults}");
    }
}

#[test]
fn what_an_argument_must_have_it_must_have_at_least_once() {
    let repository = repository("dynamic \"b\" {\n for_each = []\n content {}\n}\n");
    repository.write("modules/show/main.hcl", &SHOW.replace("  default = \"none\"\n", ""));
    assert!(repository.faults().starts_with("TRN0112 main.hcl:8:1: show.s needs the argument b"));
}

#[test]
fn blocks_of_a_secret_collection_are_secret() {
    let body = "dynamic \"b\" {\n for_each = sensitive([1])\n content {\n x = b.value\n }\n}\n";
    assert!(repository(body).faults().starts_with("TRN0152"), "the output shows it");
}
