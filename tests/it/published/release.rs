//! A case: what a project publishes, and the definition that holds it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use go_program::required_module;
use serde::Deserialize;

use crate::environment::root;

/// A file of `tests/published/cases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The page on which the project tells how it is installed.
    #[serde(rename = "source")]
    _source: String,
    /// Where namespaced objects without a namespace go. The definition declares it, unless it is `default`.
    pub namespace: Option<String>,
    /// Why apply cannot wait until all of it is current.
    endless: Option<String>,
    /// What is applied, one after the other, in the place of what was before.
    pub releases: Vec<Release>,
}

/// Manifests in a Go module.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// A module that `tests/control-plane/go.mod` requires.
    module: String,
    /// Files, and directories whose files are meant.
    #[serde(default)]
    files: Vec<String>,
    /// The directory of an overlay, instead of files.
    overlay: Option<String>,
    /// The directory above it that holds all that the overlay refers to.
    tree: Option<String>,
}

impl Case {
    /// Reads a case by its name.
    pub fn read(name: &str) -> Self {
        let path = root().join("tests/published/cases").join(name).with_extension("yaml");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Puts a release into an environment's directory, with a definition of it and nothing else.
    pub fn lay(&self, release: &Release, directory: &Path) {
        let published = directory.join(PUBLISHED);
        if published.exists() {
            std::fs::remove_dir_all(&published).expect("the former release is removed");
        }
        release.copy(&published);
        let mut text = String::from(HEAD);
        let (mut wait, mut namespace) = ("", String::new());
        if let Some(name) = &self.namespace {
            namespace = format!("  namespace = \"{name}\"\n");
            if name != OF_OTHERS {
                write!(text, "\nnamespace \"home\" {{\n  name = \"{name}\"\n}}\n").expect("text is written");
            }
        }
        if self.endless.is_some() {
            wait = "  wait = false\n";
        }
        let [kind, argument, value] = match &release.overlay {
            Some(overlay) => ["kustomization", "path", &format!("\"{PUBLISHED}/{overlay}\"")],
            None => ["manifests", "files", &format!("[\"{PUBLISHED}/*.yaml\"]")],
        };
        write!(text, "\n{kind} \"all\" {{\n  {argument} = {value}\n{namespace}{wait}}}\n")
            .expect("text is written");
        std::fs::write(directory.join("main.hcl"), text).expect("the definition is written");
    }
}

/// The namespace that no definition declares.
pub const OF_OTHERS: &str = "default";

/// Below an environment's directory.
const PUBLISHED: &str = "published";

const HEAD: &str = "terrane {\n  environment = \"published\"\n  state \"local\" {}\n}\n\n\
                    cluster \"main\" {\n  sandbox = true\n}\n";

impl Release {
    /// How kubectl is told to take what has been laid.
    pub fn kubectl(&self) -> [String; 2] {
        match &self.overlay {
            Some(overlay) => ["--kustomize".into(), format!("{PUBLISHED}/{overlay}")],
            None => ["--filename".into(), PUBLISHED.into()],
        }
    }

    fn copy(&self, target: &Path) {
        let module = required_module(&root().join("tests/control-plane"), &self.module);
        if let Some(overlay) = &self.overlay {
            let tree = self.tree.as_ref().unwrap_or(overlay);
            return copy_tree(&module.join(tree), &target.join(tree));
        }
        std::fs::create_dir_all(target).expect("a directory");
        for (idx, source) in self.files.iter().enumerate() {
            for path in manifests(&module.join(source)) {
                let name = path.file_name().expect("a file has a name").to_string_lossy();
                // Files of different directories may have one name.
                copy(&path, &target.join(format!("{idx:02}-{name}")));
            }
        }
    }
}

/// Returns a file, or the manifests in a directory.
fn manifests(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found = entries(path);
    found.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    found.retain(|path| !path.ends_with("kustomization.yaml"));
    assert!(!found.is_empty(), "{} holds no manifest", path.display());
    found
}

fn copy_tree(source: &Path, target: &Path) {
    std::fs::create_dir_all(target).expect("a directory");
    for path in entries(source) {
        let target = target.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            copy(&path, &target);
        }
    }
}

fn copy(source: &Path, target: &Path) {
    // What Go keeps is read-only, which a copy of the file would be as well.
    let content = std::fs::read(source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    std::fs::write(target, content).expect("a copy");
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let found =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found: Vec<PathBuf> = found.map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}
