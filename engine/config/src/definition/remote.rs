//! Modules of other repositories: pinned by the lock file, read from where `terrane init` puts them.

use std::path::PathBuf;

use super::harness::{HEAD, Repository};
use crate::{Lock, LockedModule, ModuleSource, module_directory, remote_modules, tree_digest};

const MAIN: &str = "module \"web\" {\n  for_each = toset([\"a\", \"b\"])\n  source = \"git::https://git.example.com/mods.git//site?ref=v1\"\n  title = \
                    each.key\n}\noutput \"titles\" {\n  value = [for site in module.web : site.title]\n}\n";

const SITE: &str = "variable \"title\" {\n  type = string\n}\npage \"main\" {\n  text = \"${var.title} ${file(\"${path.module}/motto.txt\")}\"\n}\noutput \
                    \"title\" {\n  value = upper(var.title)\n}\n";

const PAGE: &str = "variable \"text\" {}\nmanifest \"page\" {\n  object = {\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = { name = \
                    sha256(var.text), namespace = \"n\" }\n    data = { text = var.text }\n  }\n}\n";

/// The files of the other repository.
const FILES: [(&str, &str); 3] =
    [("site/main.hcl", SITE), ("site/motto.txt", "hello"), ("modules/page/main.hcl", PAGE)];

/// A definition with a lock file and what `terrane init` would have fetched.
fn fetched(main: &str, files: &[(&str, &str)]) -> (Repository, PathBuf) {
    let repository = Repository::new(&[("main.hcl", &format!("{HEAD}{main}"))]);
    for (path, text) in files {
        repository.write(&format!("fetched/{path}"), text);
    }
    let sha256 = tree_digest(&repository.path().join("fetched")).unwrap();
    let tree = module_directory(repository.path(), &sha256);
    std::fs::create_dir_all(tree.parent().unwrap()).unwrap();
    std::fs::rename(repository.path().join("fetched"), &tree).unwrap();
    let mut lock = Lock::default();
    for source in remote_modules(&repository.options, &lock).unwrap() {
        lock.insert(&source, LockedModule { commit: "0".repeat(40).into(), sha256 });
    }
    repository.write("terrane.lock.hcl", &lock.to_text());
    (repository, tree)
}

#[test]
fn a_fetched_module_is_used_like_any_other() {
    let (repository, _) = fetched(MAIN, &FILES);
    let definition = repository.definition();
    assert_eq!(
        definition.addresses(),
        [r#"module.web["a"].page.main.manifest.page"#, r#"module.web["b"].page.main.manifest.page"#]
    );
    let body = definition.body(r#"module.web["b"].page.main.manifest.page"#);
    assert_eq!(body.str_at(&["data", "text"]), Some("b hello"));
    assert!(definition.files.keys().any(|path| path.ends_with("/site/main.hcl")), "{:?}", definition.files);
    let engine_core::plan::PlannedOutput::Value(titles) = &definition.outputs["titles"].value else {
        panic!()
    };
    assert_eq!(titles.to_string(), r#"["A","B"]"#);
}

#[test]
fn the_sources_of_a_definition_are_told() {
    let repository = Repository::main(MAIN);
    let sources = remote_modules(&repository.options, &Lock::default()).unwrap();
    let texts: Vec<String> = sources.iter().map(ModuleSource::to_string).collect();
    assert_eq!(texts, ["git::https://git.example.com/mods.git//site?ref=v1"]);
    let nested = "module \"inner\" {\n  source = \"git::https://git.example.com/other.git?ref=v2\"\n}\n";
    let (repository, _) = fetched(MAIN, &[("site/main.hcl", &format!("{SITE}{nested}")), FILES[1], FILES[2]]);
    let lock = Lock::read(repository.path()).unwrap();
    assert_eq!(remote_modules(&repository.options, &lock).unwrap().len(), 2, "modules use modules");
    assert!(repository.faults().contains("TRN0171"));
}

#[test]
fn what_is_not_pinned_or_not_there_is_refused() {
    let repository = Repository::main(MAIN);
    assert!(repository.faults().starts_with(
        "TRN0171 main.hcl:8:1: git::https://git.example.com/mods.git//site?ref=v1 is not in terrane.lock.hcl (run `terrane init`)"
    ));
    let (repository, tree) = fetched(MAIN, &FILES);
    repository.write(tree.join("site/motto.txt").to_str().unwrap(), "changed");
    assert!(repository.faults().starts_with("TRN0173 main.hcl:8:1: git::https"), "{}", repository.faults());
    std::fs::remove_dir_all(tree).unwrap();
    assert!(repository.faults().starts_with("TRN0172 main.hcl:8:1: git::https"));
    repository.write("terrane.lock.hcl", "module \"x\" {}\n");
    assert!(repository.faults().starts_with("TRN0174 terrane.lock.hcl:1:1"), "{}", repository.faults());
}

#[test]
fn faults() {
    let source = "git::https://git.example.com/mods.git//site?ref=v1";
    for (main, want) in [
        ("module \"a\" {}\n".to_owned(), "TRN0112 main.hcl:8:1: block module needs the argument source"),
        (
            "module \"a\" {\n  source = var.x\n}\n".to_owned(),
            "TRN0121 main.hcl:9:12: var cannot be used here",
        ),
        (
            "module \"a\" {\n  source = \"./x\"\n}\n".to_owned(),
            "TRN0170 main.hcl:9:12: a module of this repository",
        ),
        (
            "module \"a\" {\n  source = \"git::https://t0ken@git.example.com/x?ref=v1\"\n}\n".to_owned(),
            "TRN0170 main.hcl:9:12: the source holds credentials",
        ),
        (
            format!("module \"a\" {{\n  source = \"{source}\"\n}}\n"),
            "TRN0112 main.hcl:8:1: module \"a\" needs the argument title",
        ),
        (
            format!("module \"a\" {{\n  source = \"{source}\"\n  title = 1\n  version = \"1\"\n}}\n"),
            "TRN0111 main.hcl:11:3: module \"a\" has no argument version",
        ),
        (
            format!("module \"a\" {{\n  source = \"{}\"\n}}\n", source.replace("//site", "//none")),
            "TRN0104 main.hcl:8:1: git::https://git.example.com/mods.git//none?ref=v1 holds no definition",
        ),
    ] {
        let (repository, _) = fetched(&main, &FILES);
        let Err(faults) = repository.load() else { panic!("{main}") };
        let printed = repository.print(&faults);
        assert!(printed.starts_with(want), "{main}\nfound {printed}\nwant  {want}");
        assert_eq!(faults.len(), 1, "{printed}");
        let shown = faults
            .iter()
            .filter_map(|fault| fault.span.as_ref())
            .all(|span| !span.file.text.contains("t0ken"));
        assert!(shown, "an excerpt shows credentials");
    }
    let environment = [("site/main.hcl", "terrane {\n  environment = \"x\"\n}\n")];
    let (repository, _) = fetched(MAIN, &environment);
    assert!(repository.faults().contains("TRN0116"), "{}", repository.faults());
}
