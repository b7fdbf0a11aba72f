//! `precondition`, `postcondition`, `check` and `replace_triggered_by`.

use std::collections::BTreeMap;

use engine_core::address::Address;
use engine_core::ports::Resolver;
use engine_core::value::Value;

use super::bad_input::{check, config};
use super::harness::Repository;
use crate::fill::Moment;

/// A `ConfigMap` called `a` whose `lifecycle` is given.
fn guarded(lifecycle: &str) -> String {
    config("a", "1").replacen("\n", &format!("\n  lifecycle {{\n{lifecycle}  }}\n"), 1)
}

fn rule(kind: &str, condition: &str, message: &str) -> String {
    format!("    {kind} {{\n      condition     = {condition}\n      error_message = {message}\n    }}\n")
}

fn parse(address: &str) -> Address {
    address.parse().unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A read that depends on a planned object, and is so answered at apply.
const LATE: &str = "read \"ConfigMap\" \"late\" {\n  name = \"x\"\n  namespace = manifest.b.namespace\n}\n";

const SECRET: &str = "variable \"s\" {\n  default = \"pw\"\n  sensitive = true\n}\n";

#[test]
fn what_does_not_hold_is_a_fault_of_its_resource() {
    let pre = |condition: &str, message: &str| guarded(&rule("precondition", condition, message));
    let cases: [(String, &[&str]); 9] = [
        (pre("1 > 2", "\"no ${1 + 1}\""), &["TRN0183 11:23: precondition of manifest.a: no 2"]),
        (pre("1", "\"no\""), &["TRN0133 11:23: a condition must be true or false"]),
        (
            SECRET.to_owned() + &pre("var.s == \"\"", "var.s"),
            &["TRN0152 16:23: an error message holds a sensitive value"],
        ),
        (
            guarded(&rule("postcondition", "1 > 2", "\"never\"")),
            &["TRN0183 11:23: postcondition of manifest.a: never"],
        ),
        (pre("self.x == 1", "\"no\""), &["TRN0121 11:23: self cannot be used here"]),
        (
            guarded("    precondition {\n      condition = true\n    }\n"),
            &["TRN0112 10:5: precondition needs the argument error_message"],
        ),
        (pre("var.missing == 1", "\"no\""), &["TRN0120 11:23: there is no variable \"missing\""]),
        (
            format!(
                "namespace \"n\" {{\n  lifecycle {{\n{}  }}\n}}\n",
                rule("precondition", "false", "\"no\"")
            ),
            &["TRN0183 11:23: precondition of namespace.n: no"],
        ),
        (
            format!(
                "namespace \"n\" {{\n  lifecycle {{\n{}  }}\n}}\n",
                rule("postcondition", "true", "\"no\"")
            ),
            &["TRN0117 11:23: postcondition belongs to a primitive, not to a module"],
        ),
    ];
    for (text, want) in cases {
        check(&text, want);
    }
}

#[test]
fn what_a_precondition_rules_out_is_no_fault_of_its_own() {
    let text = "variable \"n\" {\n  default = null\n}\n".to_owned()
        + &config("a", "var.n + 1").replacen(
            "\n",
            &format!("\n  lifecycle {{\n{}  }}\n", rule("precondition", "var.n != null", "\"n is needed\"")),
            1,
        )
        + "output \"x\" {\n  value = manifest.a.object.data.x\n}\n";
    check(&text, &["TRN0183 14:23: precondition of manifest.a: n is needed"]);
}

#[test]
fn checks_and_triggers_can_be_wrong_too() {
    let assert = |condition: &str| format!("check \"c\" {{\n{}}}\n", rule("assert", condition, "\"no\""));
    let cases: [(String, &[&str]); 9] = [
        ("check \"c\" {\n}\n".into(), &["TRN0112 8:1: check \"c\" asserts nothing"]),
        (assert("true") + &assert("true"), &["TRN0114 14:1: check \"c\" is declared twice"]),
        (assert("local.x"), &["TRN0120 10:23: there is no local \"x\""]),
        (assert("each.key == 1"), &["TRN0121 10:23: each cannot be used here"]),
        (
            "check \"c\" {\n  read \"ConfigMap\" \"m\" {\n    name = \"x\"\n    namespace = \"y\"\n  }\n"
                .to_owned()
                + &rule("assert", "true", "\"no\"")
                + "}\noutput \"x\" {\n  value = read.ConfigMap.m.data\n}\n",
            &["TRN0121 19:11: read.ConfigMap.m cannot be used here: it belongs to check \"c\""],
        ),
        (
            guarded("    replace_triggered_by = manifest.b\n"),
            &["TRN0117 10:28: replace_triggered_by must be a list of references to resources"],
        ),
        (
            guarded("    replace_triggered_by = [manifest.b]\n"),
            &["TRN0120 10:29: there is no block manifest \"b\""],
        ),
        (guarded("    replace_triggered_by = [manifest.a.data]\n"), &["TRN0502 10:29: "]),
        (
            guarded("    create_before_destroy = true\n"),
            &["TRN0115 10:29: create_before_destroy of lifecycle"],
        ),
    ];
    for (text, want) in cases {
        check(&text, want);
    }
}

#[test]
fn a_condition_that_is_not_known_is_left_to_the_apply() {
    let lifecycle = rule(
        "precondition",
        "read.ConfigMap.late.data.x == \"y\"",
        "\"it is ${read.ConfigMap.late.data.x}\"",
    );
    let text = config("b", "1") + LATE + &guarded(&lifecycle);
    let repository = Repository::main(&text);
    let definition = repository.definition();
    let guards =
        |address: &str| definition.graph.at(&parse(address)).unwrap().lifecycle.preconditions.clone();
    assert_eq!(guards("manifest.a"), [parse("manifest.a")]);
    assert!(guards("manifest.b").is_empty());
    let require = |x: &str| {
        let found = json(&format!(r#"{{"metadata":{{"name":"x"}},"data":{{"x":"{x}"}}}}"#));
        let reads = BTreeMap::from([(parse("read.ConfigMap.late"), found)]);
        let held = definition.filler.require(&parse("manifest.a"), None, &reads);
        held.map_err(|faults| faults.iter().map(|it| it.summary.clone()).collect::<Vec<_>>())
    };
    assert_eq!(require("y"), Ok(()));
    assert_eq!(require("z"), Err(vec!["precondition of manifest.a: it is z".to_owned()]));
    let unread = definition.filler.require(&parse("manifest.a"), None, &BTreeMap::new());
    assert!(unread.is_err(), "what is still not known does not hold");
}

#[test]
fn in_a_postcondition_self_is_the_object() {
    let message = "\"${self.metadata.name} has ${self.status.n}\"";
    let text = guarded(&rule("postcondition", "self.status.n == 3", message));
    let repository = Repository::main(&text);
    let definition = repository.definition();
    assert!(definition.graph.at(&parse("manifest.a")).unwrap().lifecycle.postcondition);
    let require = |status: &str| {
        let live = json(&format!(r#"{{"metadata":{{"name":"a"}},"status":{status}}}"#));
        definition.filler.require(&parse("manifest.a"), Some(&live), &BTreeMap::new())
    };
    assert!(require(r#"{"n":3}"#).is_ok());
    let faults = require(r#"{"n":2}"#).unwrap_err();
    assert_eq!(faults.iter().next().unwrap().summary, "postcondition of manifest.a: a has 2");
    assert!(require("{}").is_err());
}

#[test]
fn an_error_message_does_not_show_the_payload_of_a_secret() {
    let text = "manifest \"a\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"Secret\"\n    metadata = { name = \"a\", \
                namespace = \"team\" }\n  }\n  lifecycle {\n"
        .to_owned()
        + &rule("postcondition", "self.data.p == \"\"", "\"it is ${self.data.p}\"")
        + "  }\n}\n";
    let repository = Repository::main(&text);
    let definition = repository.definition();
    let live = json(r#"{"metadata":{"name":"a"},"data":{"p":"aHVudGVyMg=="}}"#);
    let faults = definition.filler.require(&parse("manifest.a"), Some(&live), &BTreeMap::new()).unwrap_err();
    let said = format!("{faults:?}");
    assert!(
        said.contains("an error message holds a sensitive value") && !said.contains("aHVudGVyMg"),
        "{said}"
    );
}

#[test]
fn checks_warn_and_ask_for_what_they_read() {
    let check = |name: &str, namespace: &str| {
        format!(
            "check \"{name}\" {{\n  read \"ConfigMap\" \"{name}\" {{\n    name = \"x\"\n    namespace = {namespace}\n  }}\n"
        ) + &rule("assert", &format!("read.ConfigMap.{name}.data.x == \"1\""), "\"not one\"")
            + "}\n"
    };
    let text = config("b", "1") + &check("now", "\"team\"") + &check("late", "manifest.b.namespace");
    let repository = Repository::main(&text);
    let definition = repository.definition();
    assert!(definition.reads.is_empty(), "a check holds nothing up");
    let said = |reads: &[(&str, &str)], moment| {
        let reads = reads.iter().map(|(address, found)| (parse(address), json(found))).collect();
        let checks = definition.filler.checks(&reads, moment).unwrap();
        let warnings = checks.found.iter().map(|(_, it)| it.summary.clone());
        warnings.chain(checks.asked.iter().map(|it| format!("asks {}", it.address))).collect::<Vec<_>>()
    };
    let open = ["check.late is known only after apply", "check.now is known only after apply"];
    assert_eq!(said(&[], Moment::Planned), [&open[..], &["asks read.ConfigMap.now"]].concat());
    assert_eq!(said(&[], Moment::Applied).len(), 4, "after an apply both are read");
    let found = [("read.ConfigMap.now", r#"{"data":{"x":"2"}}"#), ("read.ConfigMap.late", "null")];
    assert_eq!(
        said(&found, Moment::Applied),
        [
            "check.late failed: the object of read.ConfigMap.late does not exist or cannot be read",
            "check.now failed: not one",
        ]
    );
    let broken = [("read.ConfigMap.now", "{}"), ("read.ConfigMap.late", r#"{"data":{"x":"1"}}"#)];
    let said = said(&broken, Moment::Applied);
    assert!(said.len() == 1 && said[0].starts_with("check.now cannot be judged: "), "{said:?}");
}

#[test]
fn triggers_are_addresses_and_fields() {
    let text = config("b", "1").replacen("\n", "\n  for_each = toset([\"k\"])\n", 1)
        + &guarded("    replace_triggered_by = [manifest.b, manifest.b[\"k\"].object.data.x]\n");
    let repository = Repository::main(&text);
    let definition = repository.definition();
    let lifecycle = &definition.graph.at(&parse("manifest.a")).unwrap().lifecycle;
    let triggers = lifecycle.replace_triggered_by.iter().map(|(address, field)| format!("{address} {field}"));
    assert_eq!(triggers.collect::<Vec<_>>(), ["manifest.b ", "manifest.b[\"k\"] data.x"]);
    assert_eq!(definition.declared_edges(), ["manifest.a -> manifest.b", "manifest.a -> manifest.b[\"k\"]"]);
}

#[test]
fn a_read_has_postconditions_too() {
    let read = "read \"ConfigMap\" \"x\" {\n  name = \"x\"\n  namespace = \"team\"\n  lifecycle {\n"
        .to_owned()
        + &rule("postcondition", "self.data.n == \"1\"", "\"it is ${self.data.n}\"")
        + "  }\n}\n";
    let repository = Repository::main(&read);
    let broken = |n: &str| {
        let found = json(&format!(r#"{{"metadata":{{"name":"x"}},"data":{{"n":"{n}"}}}}"#));
        let reads = BTreeMap::from([(parse("read.ConfigMap.x"), found)]);
        let definition = repository.load_with(&reads).unwrap_or_else(|faults| panic!("{faults:?}"));
        definition.broken.iter().map(|fault| fault.summary.clone()).collect::<Vec<_>>()
    };
    assert_eq!(broken("1"), [""; 0]);
    assert_eq!(broken("2"), ["postcondition of read.ConfigMap.x: it is 2"]);
}

#[test]
fn a_precondition_of_a_module_guards_all_inside() {
    let text = config("b", "1")
        + LATE
        + "namespace \"n\" {\n  lifecycle {\n"
        + &rule("precondition", "read.ConfigMap.late.data.x == \"y\"", "\"no\"")
        + "  }\n}\n";
    let repository = Repository::main(&text);
    let definition = repository.definition();
    let inside = definition.graph.at(&parse("namespace.n.manifest.namespace")).unwrap();
    assert_eq!(inside.lifecycle.preconditions, [parse("namespace.n")]);
    assert!(definition.declared_edges().contains(&"namespace.n -> read.ConfigMap.late".to_owned()));
}
