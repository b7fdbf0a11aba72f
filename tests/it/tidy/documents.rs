//! Rules about the documents: links lead somewhere, examples load, commands exist.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::{files, read, relative};
use crate::environment::{Environment, root};

/// A Markdown file.
struct Document {
    path: PathBuf,
    text: String,
}

/// A fenced block: what stands behind the fence, and the text in it.
struct Fence<'a> {
    info: &'a str,
    body: &'a str,
}

impl Document {
    fn fences(&self) -> Vec<Fence<'_>> {
        let fence = Regex::new(r"(?ms)^```([^\n]*)\n(.*?)^```$").expect("a pattern");
        let found = fence
            .captures_iter(&self.text)
            .filter_map(|found| Some(Fence { info: found.get(1)?.as_str(), body: found.get(2)?.as_str() }));
        found.collect()
    }
}

fn documents() -> Vec<Document> {
    let document = |path: PathBuf| Document { text: read(&path), path };
    files(root(), &[".md"]).into_iter().map(document).collect()
}

/// The pages that users read. Those of codes have examples that are wrong.
fn pages() -> Vec<Document> {
    let docs = root().join("engine/docs");
    let of_users = |path: &Path| {
        path.ends_with("README.md") || path.starts_with(&docs) && !path.starts_with(docs.join("codes"))
    };
    documents().into_iter().filter(|document| of_users(&document.path)).collect()
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let mut broken = Vec::new();
    for document in documents() {
        let directory = document.path.parent().expect("a file lies in a directory");
        for found in link.captures_iter(&document.text) {
            let target = found[1].split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !directory.join(target).exists() {
                broken.push(format!("{}: {target}", relative(&document.path)));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A link whose text is the name of a function leads to a file that has it: so a document names tests.
#[test]
fn named_functions_exist() {
    let link = Regex::new(r"\[`([a-z0-9_]{12,})`\]\(([^)\s#]+\.rs)\)").expect("a pattern");
    let mut missing = Vec::new();
    for document in documents() {
        let directory = document.path.parent().expect("a file lies in a directory");
        for found in link.captures_iter(&document.text) {
            let (name, target) = (&found[1], &found[2]);
            let source = std::fs::read_to_string(directory.join(target)).unwrap_or_default();
            if !source.contains(&format!("fn {name}(")) {
                missing.push(format!("{}: {name} in {target}", relative(&document.path)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn lines_end_where_they_end_and_name_no_machine() {
    let machine = Regex::new(r"(?:^|[\s`(])/(?:home|root|Users|work|tmp|mnt)/").expect("a pattern");
    for document in documents() {
        for (idx, line) in document.text.lines().enumerate() {
            let place = format!("{}:{}", relative(&document.path), idx + 1);
            assert!(!line.ends_with([' ', '\t']), "{place}: a space at the end");
            assert!(!machine.is_match(line), "{place}: a path of one machine");
        }
        assert!(document.text.ends_with('\n'), "{}: the last line has no end", relative(&document.path));
    }
}

/// Every HCL block of a page is a definition or a part of one, and is loaded. What a part leaves out is added. A
/// block whose fence names a file is that file for the blocks behind it.
#[test]
fn examples_load() {
    let quickstart = root().join("environments/quickstart");
    let mut faults = Vec::new();
    let mut loaded = 0;
    for page in pages() {
        let mut beside: Vec<(&str, &str)> = Vec::new();
        let fences = page.fences();
        for fence in &fences {
            let main = match fence.info.split_once(' ').unwrap_or((fence.info, "")) {
                ("hcl", "") => completed(fence.body),
                ("hcl", file) => {
                    beside.push((file, fence.body));
                    continue;
                }
                ("json", file) if file.ends_with(".hcl.json") => completed(""),
                _ => continue,
            };
            // The overlays of the quick start are there for the examples.
            let environment = Environment::copy_of(&quickstart);
            write(&environment.directory, "main.hcl", &main);
            if let Some(file) = fence.info.strip_prefix("json ") {
                write(&environment.directory, file, fence.body);
            }
            beside.iter().for_each(|(file, text)| write(&environment.directory, file, text));
            let ran = environment.terrane(&["validate"]);
            if ran.code != Some(0) {
                faults.push(format!("{}\n{}\n{}", relative(&page.path), fence.body, ran.stderr));
            }
            loaded += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(loaded >= 10, "only {loaded} examples");
}

fn write(directory: &Path, file: &str, text: &str) {
    let path = directory.join(file);
    std::fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file");
}

/// Adds the `terrane` block and the cluster that every definition has.
fn completed(example: &str) -> String {
    let has = |start: &str| example.lines().any(|line| line.starts_with(start));
    let mut text = example.to_owned();
    if !has("terrane {") {
        text.push_str("\nterrane {\n  environment = \"example\"\n}\n");
    }
    if !has("cluster \"") {
        text.push_str("\ncluster \"main\" {\n  sandbox = true\n}\n");
    }
    text
}

/// Returns the arguments of `terrane` in the commands that a page shows.
fn commands(page: &Document) -> Vec<Vec<String>> {
    let consoles = page.fences().into_iter().filter(|fence| fence.info == "console");
    let lines = consoles.flat_map(|fence| fence.body.lines().filter_map(|line| line.strip_prefix("$ ")));
    let of_terrane =
        lines.filter_map(|line| line.strip_prefix("terrane ").or(line.strip_prefix("cargo run -- ")));
    of_terrane.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn commands_exist_with_their_options() {
    let environment = Environment::copy_of(&root().join("environments/quickstart"));
    let mut seen = 0;
    for page in pages() {
        for arguments in commands(&page) {
            let words = if ["sandbox", "state"].contains(&arguments[0].as_str()) { 2 } else { 1 };
            let mut asked: Vec<&str> = arguments.iter().take(words).map(String::as_str).collect();
            asked.push("--help");
            let help = environment.terrane(&asked);
            let line = arguments.join(" ");
            assert_eq!(help.code, Some(0), "{}: {line}\n{}", relative(&page.path), help.stderr);
            for option in arguments.iter().filter(|argument| argument.starts_with("--")) {
                assert!(
                    help.stdout.contains(option.as_str()),
                    "{}: {line}: no {option}",
                    relative(&page.path)
                );
            }
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} commands");
}

#[test]
fn every_command_and_module_has_its_row() {
    let page = |path: &str| read(&root().join(path));
    let (reference, modules) = (page("engine/docs/cli.md"), page("engine/docs/modules.md"));
    let environment = Environment::copy_of(&root().join("environments/quickstart"));
    let help = environment.terrane(&["--help"]).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names =
        listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.contains(&"plan"), "{help}");
    for name in names {
        assert!(reference.contains(&format!("| `{name}")), "cli.md has no row for {name}");
    }
    for entry in std::fs::read_dir(root().join("modules")).expect("modules") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(
            modules.contains(&format!("[`{name}`](../../modules/{name}/")),
            "modules.md has no row for {name}"
        );
    }
}

#[test]
fn the_build_server_runs_the_tests_of_the_readme() {
    let script = read(&root().join(".ci/run"));
    let readme = read(&root().join("README.md"));
    let command = script.lines().last().expect("a command");
    assert!(readme.contains(&format!("$ {command}\n")), "README.md does not say `{command}`");
}
