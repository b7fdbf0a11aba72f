//! Laws that hold for every definition.

mod histories;

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::cluster::{Cluster, Server, on_both_servers};
use crate::environment::{Environment, root};

const HEAD: &str = "terrane {\n  environment = \"law\"\n  state \"local\" {}\n}\n\ncluster \"main\" {\n  sandbox = true\n}\n\n";

/// A random part of a definition.
#[derive(Debug, Clone)]
enum Part {
    Namespace { quota: Option<u32>, deny: bool },
    Settings { data: BTreeMap<String, String>, secret: bool },
    Workload { replicas: u32, ports: Vec<u16>, memory: u32 },
}

fn part() -> impl Strategy<Value = Part> {
    let text = "[ -~]{0,12}";
    prop_oneof![
        (prop::option::of(1u32..50), any::<bool>()).prop_map(|(quota, deny)| Part::Namespace { quota, deny }),
        (prop::collection::btree_map("[a-z][a-z0-9.-]{0,8}", text, 0..4), any::<bool>())
            .prop_map(|(data, secret)| Part::Settings { data, secret }),
        (0u32..4, prop::collection::btree_set(1u16..9000, 0..3), 1u32..2048).prop_map(
            |(replicas, ports, memory)| {
                Part::Workload { replicas, ports: ports.into_iter().collect(), memory }
            }
        ),
    ]
}

fn write_part(idx: usize, part: &Part) -> String {
    let mut text = String::new();
    match part {
        Part::Namespace { quota, deny } => {
            let quota = quota.map_or_else(String::new, |pods| format!("  quota        = {{ pods = {pods} }}\n"));
            writeln!(text, "namespace \"n{idx}\" {{\n  default_deny = {deny}\n{quota}}}\n")
        }
        Part::Settings { data, secret } => {
            let entries: Vec<String> =
                data.iter().map(|(name, value)| format!("{} = {}", quoted(name), quoted(value))).collect();
            let (kind, field) = if *secret { ("Secret", "stringData") } else { ("ConfigMap", "data") };
            let object = format!("{field} = {{ {} }}", entries.join(", "));
            object_block(&mut text, &format!("s{idx}"), "v1", kind, &object)
        }
        Part::Workload { replicas, ports, memory } => {
            let ports: Vec<String> = ports.iter().map(|port| format!("{{ containerPort = {port} }}")).collect();
            let container = format!(
                "{{ name = \"c\", image = \"i:1\", ports = [{}], resources = {{ requests = {{ memory = \"{memory}Mi\" }} }} }}",
                ports.join(", ")
            );
            let object = format!(
                "spec = {{ replicas = {replicas}, selector = {{ matchLabels = {{ app = \"w{idx}\" }} }}, template = {{ metadata = {{ labels = {{ app = \"w{idx}\" }} }}, spec = {{ containers = [{container}] }} }} }}"
            );
            object_block(&mut text, &format!("w{idx}"), "apps/v1", "Deployment", &object)
        }
    }
    .expect("text is written");
    text
}

fn object_block(text: &mut String, name: &str, version: &str, kind: &str, fields: &str) -> std::fmt::Result {
    let metadata = format!("metadata = {{ name = \"{name}\", namespace = \"default\" }}");
    writeln!(
        text,
        "manifest \"{name}\" {{\n  object = {{ apiVersion = \"{version}\", kind = \"{kind}\", {metadata}, {fields} }}\n}}\n"
    )
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{escaped}\"")
}

/// An environment without any definition yet.
fn empty() -> Environment {
    Environment::copy_of(&root().join("tests/clusters/empty"))
}

/// Applies a definition, plans it again, and destroys it.
fn come_and_go(cluster: Cluster, parts: &[Part]) -> Result<(), TestCaseError> {
    let environment = Environment::on(cluster, &root().join("tests/clusters/empty"));
    let blocks: String = parts.iter().enumerate().map(|(idx, part)| write_part(idx, part)).collect();
    std::fs::write(environment.directory.join("main.hcl"), format!("{HEAD}{blocks}"))
        .expect("the definition is written");
    let applied = environment.terrane(&["apply", "--auto-approve"]);
    prop_assert_eq!(applied.code, Some(0), "{}{}\n{}", applied.stdout, applied.stderr, blocks);
    let again = environment.terrane(&["plan", "--detailed-exitcode"]);
    prop_assert_eq!(again.code, Some(0), "{}{}\n{}", again.stdout, again.stderr, blocks);
    let destroyed = environment.terrane(&["destroy", "--auto-approve"]);
    prop_assert_eq!(destroyed.code, Some(0), "{}{}\n{}", destroyed.stdout, destroyed.stderr, blocks);
    let state = environment.terrane(&["state", "list"]);
    prop_assert_eq!(state.stdout, "");
    Ok(())
}

fn a_plan_after_an_apply_is_empty_and_destroy_leaves_nothing(server: Server) {
    let cluster = server.start();
    // What a case leaves on a control plane when it fails is in the way of simpler ones.
    let max_shrink_iters = if server == Server::Sandbox { u32::MAX } else { 0 };
    let config = ProptestConfig {
        cases: 12,
        failure_persistence: None,
        max_shrink_iters,
        ..ProptestConfig::default()
    };
    let parts = prop::collection::vec(part(), 1..6);
    let held = TestRunner::new(config).run(&parts, |parts| come_and_go(cluster.clone(), &parts));
    held.unwrap_or_else(|fault| panic!("{fault}"));
}

on_both_servers! {
    a_plan_after_an_apply_is_empty_and_destroy_leaves_nothing,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_files_and_blocks_does_not_matter(
        parts in prop::collection::vec(part(), 2..6),
        order in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let blocks: Vec<String> = parts.iter().enumerate().map(|(idx, part)| write_part(idx, part)).collect();
        let one = empty();
        std::fs::write(one.directory.join("main.hcl"), format!("{HEAD}{}", blocks.concat())).unwrap();
        let many = empty();
        std::fs::write(many.directory.join("zz.hcl"), HEAD).unwrap();
        for (file, idx) in order.iter().filter(|idx| **idx < blocks.len()).enumerate() {
            std::fs::write(many.directory.join(format!("part-{file}.hcl")), &blocks[*idx]).unwrap();
        }
        let plan = |environment: &Environment| environment.terrane(&["plan", "--json"]).stdout;
        let (one, many) = (plan(&one), plan(&many));
        prop_assert!(one.contains("decision_digest"), "{}", one);
        prop_assert_eq!(one, many);
    }
}
