use crate::definition::harness::{HEAD, Repository};

/// Loads a definition whose second file is `json`, and prints what it declares.
fn graph(name: &str, text: &str) -> Vec<String> {
    let repository = Repository::new(&[("main.hcl", HEAD), (name, text)]);
    let definition = repository.definition();
    let mut found = definition.declared_edges();
    for resource in definition.graph.in_order() {
        let body = resource.manifest().map(|manifest| manifest.body().to_string());
        found.push(format!("{} {}", resource.address, body.unwrap_or_default()));
    }
    for (name, output) in &definition.outputs {
        found.push(format!("output {name} {:?}", output.value));
    }
    found
}

/// The same definition in both forms gives the same graph.
#[test]
fn both_forms_mean_the_same() {
    let cases = [
        (
            "namespace \"dev\" {\n  labels = { team = \"a\" }\n}\n",
            r#"{"namespace": {"dev": {"labels": {"team": "a"}}}}"#,
        ),
        (
            "variable \"n\" {\n  type = list(number)\n  default = [1, 2.50, -3e2]\n}\noutput \"n\" {\n  value = var.n\n}\n",
            r#"{"variable": {"n": {"type": "list(number)", "default": [1, 2.50, -3e2]}}, "output": {"n": {"value": "${var.n}"}}}"#,
        ),
        (
            "locals {\n  a = \"x\"\n  b = { \"k-x\" = [true, null], c = local.a }\n}\noutput \"b\" {\n  value = local.b\n}\n",
            r#"{"//": "ignored", "locals": {"//": {"x": [1]}, "a": "x", "b": {"k-${local.a}": [true, null], "c": "${local.a}"}}, "output": {"b": {"value": "${local.b}"}}}"#,
        ),
        (
            "output \"t\" {\n  value = \"a/\\\"\\\\ \\n é😀 $${x} ${upper(\"q\\\\\")}-%{ if true }yes%{ endif }\"\n}\n",
            r#"{"output": {"t": {"value": "a\/\"\\ \n \u00e9\ud83d\ude00 $${x} ${upper(\"q\\\\\")}-%{ if true }yes%{ endif }"}}}"#,
        ),
        (
            "namespace \"a\" {\n  for_each = toset([\"x\", \"y\"])\n  depends_on = [namespace.b]\n}\nnamespace \"b\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n  timeouts {\n    apply = \"5m\"\n  }\n}\n",
            r#"
            {
              "namespace": [
                {"a": {"for_each": "${toset([\"x\", \"y\"])}", "depends_on": ["namespace.b"]}},
                {"b": [{"lifecycle": {"prevent_destroy": true}, "timeouts": [{"apply": "5m"}]}]}
              ]
            }
            "#,
        ),
        (
            "manifest \"m\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = { name = \"m\", namespace = \"n\" }\n    data = { \"//\" = \"kept\", x = \"${1 + 1}\" }\n  }\n  lifecycle {\n    ignore_changes = [data.x]\n  }\n}\n",
            r#"{"manifest": {"m": {"object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "n"}, "data": {"//": "kept", "x": "${1 + 1}"}}, "lifecycle": {"ignore_changes": ["data.x"]}}}}"#,
        ),
    ];
    for (native, json) in cases {
        assert_eq!(graph("b.hcl", native), graph("b.hcl.json", json), "{json}");
    }
}

#[test]
fn faults_point_into_the_json() {
    for (json, want) in [
        (
            r#"{"namespace": {"dev": {"lables": {}}}}"#,
            "TRN0111 b.hcl.json:1:25: namespace \"dev\" has no argument lables",
        ),
        (r#"{"namespce": {"dev": {}}}"#, "TRN0110 b.hcl.json:1:3: there is no block type namespce"),
        (
            "\n {\"output\":\n  {\"x\": {\"value\": \"a ${upper(\\\"é\\\", var.nix)}\"}}}",
            "TRN0120 b.hcl.json:3:37: there is no variable \"nix\"",
        ),
        (
            r#"{"output": {"a": {"value": 1}, "a": {"value": 2}}}"#,
            "TRN0114 b.hcl.json:1:32: key \"a\" stands twice",
        ),
        (r#"{"output": {"a": {"value": "${1 +}"}}}"#, "TRN0105 b.hcl.json:1:34: syntax error: this template"),
        (r#"{"output": {"a": {"value": "${1"}}}"#, "TRN0105 b.hcl.json:1:3"),
        (
            r#"{"output": {"a${1}": {"value": 1}}}"#,
            "TRN0113 b.hcl.json:1:13: a label of block output is plain text",
        ),
        (
            r#"{"output": {"a": {"value": 1,}}}"#,
            "TRN0105 b.hcl.json:1:30: syntax error: a key in double quotes",
        ),
        (r#"{"output": {"a": {"value": 01}}}"#, "TRN0105 b.hcl.json:1:28: syntax error: 01 is no number"),
        (r#"{"output": {"a": {"value": yes}}}"#, "TRN0105 b.hcl.json:1:28: syntax error: yes is no value"),
        (r#"{"output": {"a": 1}}"#, "TRN0105 b.hcl.json:1:18: syntax error: a block is an object"),
        (
            r#"{"output": {"a": {"value": "x"#,
            "TRN0105 b.hcl.json:1:28: syntax error: this text has no closing quote",
        ),
        (r#"{"variable": {"a": {"type": "list(", "default": 1}}}"#, "TRN0105 b.hcl.json:1:29: "),
        (r#"{"locals": {"a b": 1}}"#, "TRN0105 b.hcl.json:1:13: syntax error: \"a b\" is no name"),
        ("[]", "TRN0105 b.hcl.json:1:1: syntax error: a definition is a JSON object"),
        ("", "TRN0105 b.hcl.json:1:1: syntax error: a definition is a JSON object"),
        ("{} x", "TRN0105 b.hcl.json:1:4: syntax error: nothing can stand behind"),
        (r#"{"locals": {"a": "\q"}}"#, "TRN0105 b.hcl.json:1:19: syntax error: this is no escape sequence"),
    ] {
        let repository = Repository::new(&[("main.hcl", HEAD), ("b.hcl.json", json)]);
        let faults = repository.faults();
        assert!(faults.starts_with(want), "{json}\nfound {faults}\nwant  {want}");
    }
    let deep = format!("{{\"locals\": {{\"a\": {}{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let repository = Repository::new(&[("main.hcl", HEAD), ("b.hcl.json", &deep)]);
    assert!(repository.faults().contains("levels of nesting"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(words in proptest::collection::vec(
        proptest::sample::select(&["{", "}", "[", "]", ",", ":", "\"a\"", "\"locals\"", "\"${\"", "\"${1}\"", "\"output\"", "1", "-", "é", "\"\\", "\"", "\n", "null", "\"\\u00", "\"//\""][..]),
        0..30,
    )) {
        let repository = Repository::new(&[("main.hcl", HEAD), ("b.hcl.json", &words.join(" "))]);
        if let Err(faults) = repository.load() {
            for fault in faults.iter() {
                let span = fault.span.as_ref().expect("every fault has a place");
                proptest::prop_assert!(span.file.text.get(span.start..span.end).is_some());
                proptest::prop_assert!(fault.hint.is_some(), "{:?}", fault);
            }
        }
    }
}
