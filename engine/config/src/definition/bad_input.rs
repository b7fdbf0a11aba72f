//! What a definition can have wrong: every fault has a code, a place and a way out.

use proptest::prelude::*;

use super::harness::{HEAD, Repository};

/// Text behind [`HEAD`], whose first line is line 8, and the faults that it must give: `CODE LINE:COLUMN: …`.
pub(super) fn check(text: &str, want: &[&str]) {
    let faults = Repository::main(text).faults();
    let lines: Vec<&str> = faults.lines().collect();
    assert_eq!(lines.len(), want.len(), "{text}\n{faults}");
    for (line, want) in lines.iter().zip(want) {
        let line = line.replace(" main.hcl:", " ");
        assert!(line.starts_with(want), "{text}\nfound {line}\nwant  {want}");
    }
}

/// A `ConfigMap` whose data is `data`.
pub(super) fn config(name: &str, data: &str) -> String {
    format!(
        "manifest \"{name}\" {{\n  object = {{\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = {{ name = \"{name}\", \
         namespace = \"team\" }}\n    data = {{ x = {data} }}\n  }}\n}}\n"
    )
}

#[test]
fn blocks_and_arguments() {
    check(
        "namespce \"a\" {}\n",
        &["TRN0110 8:1: there is no block type namespce (did you mean \"namespace\"?)"],
    );
    check(
        "namespace \"a\" {\n  lables = {}\n}\n",
        &["TRN0111 9:3: namespace \"a\" has no argument lables (did you mean \"labels\"?)"],
    );
    check(
        "namespace \"a\" {\n  timeouts = {}\n}\n",
        &["TRN0111 9:3: timeouts of namespace \"a\" is a block, not an argument (write `timeouts { … }`)"],
    );
    check(
        "manifest \"a\" {\n  objet = {}\n}\n",
        &[
            "TRN0112 8:1: manifest \"a\" needs the argument object",
            "TRN0111 9:3: manifest \"a\" has no argument objet (did you mean \"object\"?)",
        ],
    );
    check(
        "argocd \"a\" {}\n",
        &["TRN0112 8:1: argocd \"a\" needs the argument version (add `version = …` of type string)"],
    );
    check(
        "manifest {\n}\n",
        &["TRN0113 8:1: block manifest has 0 labels, 1 expected (write `manifest \"NAME\" { … }`)"],
    );
    check("read \"ConfigMap\" {\n}\n", &["TRN0113 8:1: block read has 1 labels, 2 expected"]);
    check("namespace \"прод\" {}\n", &["TRN0113 8:11: \"прод\" is not a valid name"]);
    check("namespace \"a\" {}\nnamespace \"a\" {}\n", &["TRN0114 9:1: namespace \"a\" is declared twice"]);
    check("locals {\n  a = 1\n}\nlocals {\n  a = 2\n}\n", &["TRN0114 12:3: local a is declared twice"]);
    check("namespace \"a\" {\n  name = \"x\"\n  name = \"y\"\n}\n", &["TRN0114 10:3: argument is set twice"]);
    check("chart \"a\" {}\n", &["TRN0115 8:1: block chart is not supported yet"]);
    check(
        "kustomization \"a\" {\n  path = \".\"\n  patches = []\n}\n",
        &["TRN0115 10:13: patches of kustomization \"a\" are not supported yet"],
    );
    check("stray = 1\n", &["TRN0111 8:1: argument stray stands outside of any block"]);
    check("namespace \"a\" {\n  wait = \"maybe\"\n}\n", &["TRN0117 9:10: wait must be true or false"]);
    check(
        "namespace \"a\" {\n  timeouts {\n    apply = \"soon\"\n  }\n}\n",
        &["TRN0117 9:3: \"soon\" is not a duration"],
    );
    check("terrane {\n}\n", &["TRN0114 8:1: block terrane is declared twice"]);
}

#[test]
fn references() {
    check(&config("a", "var.tgа"), &["TRN0120 13:18: there is no variable \"tgа\""]);
    check(
        "variable \"tag\" {\n  default = 1\n}\noutput \"x\" {\n  value = var.tga\n}\n",
        &["TRN0120 12:11: there is no variable \"tga\" (did you mean \"tag\"?)"],
    );
    check(
        "output \"x\" {\n  value = tag\n}\nvariable \"tag\" {\n  default = 1\n}\n",
        &["TRN0120 9:11: tag stands for nothing (did you mean var.tag?)"],
    );
    check(
        "namespace \"dev\" {}\noutput \"x\" {\n  value = namespace.dve.name\n}\n",
        &["TRN0120 10:11: there is no block namespace \"dve\" (did you mean \"dev\"?)"],
    );
    check("namespace \"dev\" {}\noutput \"x\" {\n  value = namespace.dev.nmae\n}\n", &["TRN0205 10:24: "]);
    check(
        "namespace \"e\" {\n  for_each = toset([\"dev\"])\n}\noutput \"x\" {\n  value = namespace.e[\"dve\"].name\n}\n",
        &["TRN0122 12:11: there is no instance dve (did you mean \"dev\"?)"],
    );
    check(&config("a", "each.key"), &["TRN0121 13:18: each cannot be used here: the block has no for_each"]);
    check(&config("a", "path.modul"), &["TRN0120 13:18: path.modul stands for nothing"]);
    check(&config("a", "upcase(\"x\")"), &["TRN0300 13:18: "]);
    check(
        "namespace \"a\" {\n  depends_on = [namespace.b, \"x\"]\n}\n",
        &[
            "TRN0120 9:17: there is no block namespace \"b\"",
            "TRN0117 9:30: depends_on takes references to blocks",
        ],
    );
    check(
        "cluster \"x\" {\n  sandbox = local.a\n}\nlocals {\n  a = true\n}\nnamespace \"a\" {\n  cluster = cluster.x\n}\n",
        &["TRN0121 9:13: local cannot be used here: only variables can be used here"],
    );
}

#[test]
fn cycles_name_every_edge() {
    let text = [("a", "manifest.b.name"), ("b", "manifest.c.name"), ("c", "manifest.a.name")];
    let text: String = text.iter().map(|(name, data)| config(name, data)).collect();
    check(&text, &["TRN0502 29:18: dependency cycle: manifest.c, manifest.b, manifest.a"]);
    let Err(faults) = Repository::main(&text).load() else { panic!("a cycle") };
    let detail = &faults.iter().next().unwrap().detail;
    for edge in ["manifest.a needs manifest.b", "manifest.b needs manifest.c", "manifest.c needs manifest.a"]
    {
        assert!(detail.contains(edge), "{detail}");
    }
    check("locals {\n  a = local.b\n  b = local.a\n}\n", &["TRN0502 10:7: dependency cycle: "]);
    check(
        "namespace \"a\" {\n  depends_on = [namespace.b]\n}\nnamespace \"b\" {\n  name = namespace.a.name\n}\n",
        &["TRN0502 "],
    );
}

#[test]
fn variables() {
    check(
        "variable \"tag\" {\n  type = string\n}\n",
        &["TRN0130 8:1: variable tag has no value (set it with --var tag=…"],
    );
    check(
        "variable \"n\" {\n  type = number\n  default = \"x\"\n}\n",
        &["TRN0131 10:13: the default does not fit the type: a number is required"],
    );
    check(
        "namespace \"a\" {\n  quota = \"many\"\n}\n",
        &["TRN0131 9:11: invalid value for variable quota: "],
    );
    check("variable \"n\" {\n  type = nmber\n}\n", &["TRN0250 9:10: "]);
    check(
        "variable \"n\" {\n  default = 3\n  validation {\n    condition = var.n < 3\n    error_message = \"too many\"\n  }\n}\n",
        &["TRN0133 11:17: variable n: too many"],
    );
    check("variable \"count\" {\n  default = 1\n}\n", &["TRN0113 8:10: a variable cannot be called count"]);
}

#[test]
fn environments_clusters_and_state() {
    let alone = |text: &str| Repository::new(&[("main.hcl", text)]).faults();
    assert_eq!(
        alone("terrane {\n  environment = \"a\"\n}\n"),
        "TRN0140 main.hcl:1:1: the environment has no cluster (add: cluster \"main\" {   sandbox = true } or `context = \"NAME\"` of a kubeconfig)\n"
    );
    let state = alone("terrane {\n  environment = \"a\"\n}\ncluster \"main\" {\n  context = \"prod\"\n}\n");
    assert!(state.starts_with("TRN0142 main.hcl:1:1: the definition does not say where the state is kept (add to the terrane block:   state \"git\" {     remote = \"origin\"   }"), "{state}");
    let name = alone("terrane {\n  environment = \"Prod_1\"\n}\ncluster \"main\" {\n  sandbox = true\n}\n");
    assert!(name.starts_with("TRN0143 main.hcl:2:17: \"Prod_1\" is not an environment name"), "{name}");
    let nothing = alone("terrane {\n  environment = \"a\"\n}\ncluster \"main\" {\n}\n");
    assert!(
        nothing.starts_with("TRN0141 main.hcl:4:1: cluster main is not connected to anything"),
        "{nothing}"
    );
    let both = format!("{HEAD}cluster \"other\" {{\n  sandbox = true\n}}\nnamespace \"a\" {{}}\n");
    assert!(alone(&both).starts_with("TRN0141 main.hcl:11:1: namespace.a does not say which cluster it belongs to (add `cluster = …`, one of cluster.main, cluster.other)"));
    assert!(Repository::new(&[]).faults().contains("holds no definition"));
}

#[test]
fn instances() {
    check(
        "namespace \"a\" {\n  for_each = [\"x\"]\n}\n",
        &["TRN0150 9:14: for_each must be a map or a set of strings (turn the list into a set: toset(…))"],
    );
    check("namespace \"a\" {\n  count = -1\n}\n", &["TRN0150 9:11: count must be a whole number"]);
    check("namespace \"a\" {\n  count = 9999999\n}\n", &["TRN0150 9:11: count must be a whole number"]);
    check(
        "namespace \"a\" {\n  count = 1\n  for_each = {}\n}\n",
        &["TRN0117 9:11: for_each and count exclude each other"],
    );
    let late = "namespace \"late\" {}\nread \"ConfigMap\" \"c\" {\n  name = \"c\"\n  namespace = namespace.late.name\n}\n\
                namespace \"a\" {\n  for_each = toset(read.ConfigMap.c.data.names)\n}\n";
    check(late, &["TRN0151 14:14: for_each depends on a value that is known only after apply"]);
    let late = late.replace("for_each = toset(", "name = tostring(");
    check(&late, &["TRN0402 "]);
}

#[test]
fn objects() {
    let object = |fields: &str| format!("manifest \"a\" {{\n  object = {{ {fields} }}\n}}\n");
    check(
        &object("apiVersion = \"v1\", metadata = { name = \"a\" }"),
        &["TRN0400 9:12: a manifest needs a text in `kind`"],
    );
    check(
        &object("apiVersion = \"a/b/c\", kind = \"X\", metadata = { name = \"a\" }"),
        &["TRN0400 9:27: `a/b/c` is not an apiVersion"],
    );
    check(
        &object("apiVersion = \"v1\", kind = \"Pod\", metadata = { name = \"../x\", namespace = \"a\" }"),
        &["TRN0400 9:67: `../x` is not a valid `metadata.name`"],
    );
    check(
        &object("apiVersion = \"v1\", kind = \"Pod\", metadata = { name = \"a\" }"),
        &["TRN0401 9:58: Pod/a has no namespace, but Pod is namespaced"],
    );
    check(
        &object("apiVersion = \"v1\", kind = \"Namespace\", metadata = { name = \"a\", namespace = \"b\" }"),
        &["TRN0401 9:64: Namespace/b/a has a namespace, but Namespace is not namespaced"],
    );
    let twice = format!("{}{}", config("a", "1"), config("b", "1").replace("name = \"b\"", "name = \"a\""));
    check(&twice, &["TRN0501 16:1: object ConfigMap/team/a is declared twice on cluster main"]);
    // The same mistake in many instances is told a few times only.
    let many = object("apiVersion = \"v1\", metadata = { name = each.key }")
        .replace("  object", "  for_each = toset([for i in range(100) : tostring(i)])\n  object");
    let faults = Repository::main(&many).faults();
    assert!((1..=3).contains(&faults.lines().count()), "{faults}");
}

#[test]
fn files_and_paths() {
    let overlay = |path: &str| format!("kustomization \"a\" {{\n  path = \"{path}\"\n}}\n");
    check(&overlay("../other"), &["TRN0103 9:10: path \"../other\" leads out of the repository"]);
    check(&overlay("/etc"), &["TRN0103 9:10: path \"/etc\" leads out of the repository"]);
    check(&overlay("apps/nothing"), &["TRN0403 9:10: there is no directory \"apps/nothing\""]);
    check(
        "manifests \"a\" {\n  files = [\"rbac/*.yaml\"]\n}\n",
        &["TRN0403 9:11: no file matches \"rbac/*.yaml\""],
    );

    let repository = Repository::main("manifests \"a\" {\n  files = [\"a.yaml\"]\n}\n");
    repository.write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nkind: Secret\n");
    assert!(repository.faults().starts_with("TRN0406 a.yaml:3:1: invalid YAML: "), "{}", repository.faults());
    repository.write("a.yaml", "a: [b\n");
    assert!(repository.faults().starts_with("TRN0406 a.yaml:"));
    repository.write("a.yaml", "apiVersion: v1\nmetadata: {name: x}\n");
    assert!(repository.faults().starts_with("TRN0400 a.yaml:1:1: a manifest needs a text in `kind`"));
    repository.write("a.yaml", "- 1\n");
    assert!(repository.faults().starts_with("TRN0400 a.yaml:1:1: a manifest must be an object, found array"));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_repository_are_refused() {
    use std::os::unix::fs::symlink;
    let outside = Repository::main("");
    outside.write("dir/kustomization.yaml", "");
    let repository = Repository::main("kustomization \"a\" {\n  path = \"link\"\n}\n");
    symlink(outside.path().join("dir"), repository.path().join("link")).unwrap();
    let faults = repository.faults();
    assert!(faults.starts_with("TRN0103 main.hcl:9:10: link lies outside"), "{faults}");
    symlink(outside.path().join("main.hcl"), repository.path().join("more.hcl")).unwrap();
    let faults = repository.faults();
    assert!(faults.contains("TRN0103 more.hcl:1:1: more.hcl lies outside"), "{faults}");
    std::fs::remove_file(repository.path().join("more.hcl")).unwrap();
    symlink("/dev/zero", repository.path().join("more.hcl")).unwrap();
    assert!(repository.faults().contains("TRN0103 more.hcl:1:1: "));
}

#[test]
fn files_that_are_no_text() {
    let repository = Repository::main("");
    std::fs::write(repository.path().join("b.hcl"), b"locals {\n  a = \"\xff\"\n}\n").unwrap();
    assert!(
        repository.faults().starts_with("TRN0101 b.hcl:2:8: b.hcl is not valid UTF-8"),
        "{}",
        repository.faults()
    );
    std::fs::write(repository.path().join("b.hcl"), vec![b' '; (4 << 20) + 1]).unwrap();
    assert!(repository.faults().starts_with("TRN0102 b.hcl:1:1: b.hcl is larger than 4 MiB"));
    std::fs::remove_file(repository.path().join("b.hcl")).unwrap();
    std::fs::create_dir(repository.path().join("b.hcl")).unwrap();
    assert!(repository.faults().starts_with("TRN0100 b.hcl:1:1: b.hcl is not a regular file"));
}

/// Runs what must not take more stack than this.
fn on_a_small_stack(work: fn()) {
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap();
    thread.join().unwrap();
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    on_a_small_stack(|| {
        deep_nesting();
        nesting_as_deep_as_it_may_be();
    });
}

fn nesting_as_deep_as_it_may_be() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{ a = ", "}"),
        ("upper(", ")"),
        ("-", ""),
        ("true ? ", " : 0"),
        ("\"${", "}\""),
        ("[for x in ", " : x]"),
    ] {
        let leaf = if open.starts_with("[for") { "[]" } else { "1" };
        let text = format!(
            "locals {{\n  a = {}{leaf}{}\n}}\noutput \"a\" {{\n  value = local.a\n}}\n",
            open.repeat(60),
            close.repeat(60)
        );
        Repository::main(&text).definition();
        let expression = format!("{}{leaf}{}", open.repeat(60), close.repeat(60));
        crate::answer(&expression, &crate::Names::new(std::path::Path::new("."))).unwrap();
    }
    let yaml = format!("locals {{\n  a = yamldecode(\"{}{}\")\n}}\n", "[".repeat(60), "]".repeat(60));
    Repository::main(&yaml).definition();
}

fn deep_nesting() {
    for (open, close) in
        [("[", "]"), ("(", ")"), ("{ a = ", "}"), ("f(", ")"), ("!", ""), ("a ? b : ", "c"), ("\"${", "}\"")]
    {
        let deep = format!("locals {{\n  a = {}1{}\n}}\n", open.repeat(100_000), close.repeat(100_000));
        let faults = Repository::main(&deep).faults();
        assert!(faults.starts_with("TRN0105 main.hcl:"), "{open}: {}", faults.lines().next().unwrap());
    }
    let deep = format!("{}{}", "a {\n".repeat(100_000), "}\n".repeat(100_000));
    assert!(Repository::main(&deep).faults().starts_with("TRN0105 main.hcl:"));
    let chain = format!("locals {{\n  a = 1{}\n}}\n", "+1".repeat(100_000));
    assert!(Repository::main(&chain).faults().starts_with("TRN0105 main.hcl:"));
}

#[test]
fn names_that_look_alike_are_one() {
    check(
        "locals {\n  caf\u{e9} = 1\n}\nlocals {\n  cafe\u{301} = 2\n}\n",
        &["TRN0114 12:3: local caf\u{e9} is declared twice"],
    );
    Repository::main("locals {\n  caf\u{e9} = 1\n}\noutput \"x\" {\n  value = local.cafe\u{301}\n}\n")
        .definition();
}

#[test]
fn what_no_server_takes_is_refused_with_the_definition() {
    let annotated = |name: &str, value: &str| {
        format!(
            "manifest \"a\" {{\n  object = {{\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = {{\n      name = \"a\"\n      \
             namespace = \"b\"\n      annotations = {{ \"{name}\" = {value} }}\n    }}\n  }}\n}}\n"
        )
    };
    check(
        &annotated("terrane.dev/lineage", "\"x\""),
        &["TRN0400 15:47: metadata.annotations[\"terrane.dev/lineage\"] of ConfigMap/b/a belongs to Terrane"],
    );
    check(
        &annotated("big", "join(\"\", [for x in range(30000) : \"0123456789\"])"),
        &[
            "TRN0400 15:21: metadata.annotations of ConfigMap/b/a has 300003 bytes, and an API server takes 262144",
        ],
    );
}

#[test]
fn long_chains_of_locals_do_not_nest() {
    let mut text = "locals {\n  l0 = 1\n".to_owned();
    for idx in 1..20_000 {
        text.push_str(&format!("  l{idx} = local.l{}\n", idx - 1));
    }
    text.push_str("}\noutput \"x\" {\n  value = local.l19999\n}\n");
    Repository::main(&text).definition();
}

#[test]
fn a_module_that_uses_itself_is_an_error() {
    let repository = Repository::main("loop \"a\" {}\n");
    repository.write("modules/loop/main.hcl", "loop \"b\" {}\n");
    assert!(repository.faults().contains("TRN0161 modules/loop/main.hcl:1:1: module loop uses itself"));
    repository.write("modules/loop/main.hcl", "cluster \"b\" {\n  sandbox = true\n}\n");
    assert!(repository.faults().contains("TRN0116 modules/loop/main.hcl:1:1: block cluster in a module"));
}

#[test]
fn expressions() {
    for (expression, code) in [
        ("true + 1", 200),
        ("1 / 0", 201),
        ("\"x\" ? 1 : 2", 203),
        ("true ? [1] : { a = 1 }", 204),
        ("{ a = 1 }.b", 205),
        ("[1][3]", 206),
        ("null.a", 207),
        ("\"a${[1]}\"", 208),
        ("[for x in 3 : x]", 209),
        ("{ (null) = 1 }", 210),
        ("{ for x in [1, 2] : \"a\" => x }", 211),
        ("[for i in range(1000) : [for j in range(1000) : [for k in range(1000) : k]]]", 213),
        ("upcase(\"a\")", 300),
        ("upper()", 301),
        ("upper([])", 302),
        ("file(\"none.txt\")", 302),
        ("file(\"/etc/hostname\")", 302),
        ("regex(\"a\", \"b\")", 303),
        ("try(1 / 0)", 303),
        ("templatefile(\"bad.tftpl\", {})", 304),
        ("templatefile(\"name.tftpl\", {})", 305),
        ("k8s::tera(\"templates/none.tera\", {})", 260),
        ("k8s::tera(\"templates/name.tera\", {})", 261),
        ("k8s::tera(\"templates/name.tera\", { name = { a = 1 } })", 262),
    ] {
        let repository = Repository::main(&format!("output \"x\" {{\n  value = {expression}\n}}\n"));
        repository.write("bad.tftpl", "${");
        repository.write("name.tftpl", "${name}");
        repository.write("templates/name.tera", "{{ name + 1 }}");
        let faults = repository.faults();
        assert!(faults.starts_with(&format!("TRN0{code} ")), "{expression}: {faults}");
        assert_eq!(faults.lines().count(), 1, "{expression}: {faults}");
    }
}

#[test]
fn faults_of_variables_do_not_hide_others() {
    check(
        "variable \"n\" {\n  type = number\n  default = \"x\"\n}\nvariable \"m\" {}\nnamespace \"a\" {\n  labels = [var.n]\n}\n",
        &[
            "TRN0131 10:13: the default does not fit the type",
            "TRN0130 12:1: variable m has no value",
            "TRN0131 14:12: invalid value for variable labels",
        ],
    );
    // What only follows from the fault is not told.
    check(
        "variable \"n\" {\n  type = number\n  default = \"x\"\n}\nnamespace \"a\" {\n  count = var.n\n  cluster = cluster.main\n}\ncluster \"b\" {\n  context = var.n\n}\n",
        &["TRN0131 10:13: the default does not fit the type"],
    );
}

proptest! {
    #[test]
    fn any_text_is_loaded_or_refused(words in prop::collection::vec(
        prop::sample::select(&[
            "namespace", "manifest", "\"a\"", "\"é", "{", "}", "\n", "=", "[", "]", "object", "for_each", "${", "each.key", "var.x",
            "local.a", "locals", "variable", "1", "toset([\"a\"])", "depends_on", "namespace.a", "#", "<<E", "E", ".", "?", "null",
            "cluster", "terrane", "read", "count", "name", "é", "\u{feff}",
        ][..]),
        0..40,
    )) {
        let text = words.join(" ").replace(" \n ", "\n");
        if let Err(faults) = Repository::main(&text).load() {
            for fault in faults.iter() {
                let span = fault.span.as_ref().expect("every fault has a place");
                prop_assert!(span.file.text.get(span.start..span.end).is_some());
                prop_assert!(fault.hint.is_some(), "{fault:?}");
            }
        }
    }
}
