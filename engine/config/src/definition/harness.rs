//! A repository in a temporary directory, and overlays that are what the test says.

use std::collections::BTreeMap;
use std::path::Path;

use engine_core::address::Address;
use engine_core::diagnostic::Diagnostics;
use engine_core::graph::EdgeReason;
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use engine_core::value::Value;
use tempfile::TempDir;

use super::{Definition, LoadOptions, load};

/// A repository whose environment lies in its root.
pub(crate) struct Repository {
    directory: TempDir,
    pub(crate) options: LoadOptions,
}

/// The head of a definition that has nothing wrong: 7 lines.
pub(crate) const HEAD: &str = "terrane {
  environment = \"test\"
}

cluster \"main\" {
  sandbox = true
}
";

impl Repository {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let options = LoadOptions {
            directory: directory.path().to_owned(),
            repository: directory.path().to_owned(),
            variables: Vec::new(),
            clock: "2024-05-06T07:08:09Z".parse().unwrap(),
            contexts: BTreeMap::new(),
            origin: None,
        };
        let repository = Self { directory, options };
        for (path, text) in files {
            repository.write(path, text);
        }
        repository
    }

    /// A definition in one file behind [`HEAD`].
    pub(crate) fn main(text: &str) -> Self {
        Self::new(&[("main.hcl", &format!("{HEAD}{text}"))])
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn load(&self) -> Result<Definition, Diagnostics> {
        load(&self.options, &Overlays, &BTreeMap::new())
    }

    pub(crate) fn validate(&self) -> Result<crate::Valid, Diagnostics> {
        crate::validate(&self.options, &Overlays)
    }

    pub(crate) fn load_with(&self, reads: &BTreeMap<Address, Value>) -> Result<Definition, Diagnostics> {
        load(&self.options, &Overlays, reads)
    }

    /// Loads a definition that is right; prints its faults otherwise.
    pub(crate) fn definition(&self) -> Definition {
        self.load().unwrap_or_else(|faults| panic!("{}", self.print(&faults)))
    }

    /// Loads a definition that is wrong; returns its faults, one a line. Each must say what to do next.
    pub(crate) fn faults(&self) -> String {
        match self.load() {
            Ok(definition) if definition.broken.is_empty() => panic!("the definition has no faults"),
            found => {
                let faults = found.map_or_else(|faults| faults, |definition| definition.broken);
                let printed = self.print(&faults);
                assert!(faults.iter().all(|fault| fault.hint.is_some()), "a fault has no hint:\n{printed}");
                printed
            }
        }
    }

    pub(crate) fn print(&self, faults: &Diagnostics) -> String {
        let root = format!("{}/", self.path().display());
        let mut text = String::new();
        for fault in faults.iter() {
            let place = fault.span.as_ref().map_or_else(String::new, ToString::to_string);
            let hint = fault.hint.as_deref().unwrap_or_default().replace('\n', " ");
            text.push_str(&format!("{} {place}: {} ({hint})\n", fault.code, fault.summary));
        }
        text.replace(&root, "")
    }
}

/// Renders every overlay as one `ConfigMap` that tells the request.
struct Overlays;

impl ManifestSource for Overlays {
    fn overlay(&self, request: &OverlayRequest) -> Result<Rendered, Diagnostics> {
        let images = request.images.iter().map(|(name, image)| (name.clone(), Value::String(image.clone())));
        let namespace = request.namespace.clone().unwrap_or_else(|| "from-overlay".into());
        let mut object = Value::map([("apiVersion", Value::from("v1")), ("kind", Value::from("ConfigMap"))]);
        object.set_at(&["metadata", "name"], "rendered".into());
        object.set_at(&["metadata", "namespace"], Value::String(namespace));
        object.set_at(&["data", "path"], Value::string(&request.path));
        object.set_at(&["images"], Value::map(images));
        Ok(Rendered { objects: vec![(object, None)], ..Rendered::default() })
    }
}

impl Definition {
    /// Returns the addresses in order of dependency.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.graph.in_order().map(|resource| resource.address.to_string()).collect()
    }

    /// Returns the body of the object at an address.
    pub(crate) fn body(&self, address: &str) -> &Value {
        let address: Address = address.parse().unwrap();
        let resource = self.graph.at(&address);
        resource
            .unwrap_or_else(|| panic!("no {address} in {:?}", self.addresses()))
            .manifest()
            .unwrap()
            .body()
    }

    /// Returns the declared edges between blocks as `dependent -> dependency`, sorted.
    pub(crate) fn declared_edges(&self) -> Vec<String> {
        let name = |node| match self.graph.node(node) {
            engine_core::graph::Node::Start(address) | engine_core::graph::Node::Done(address) => {
                address.to_string()
            }
            engine_core::graph::Node::Resource(idx) => self.graph.resources()[*idx].address.to_string(),
        };
        let mut edges: Vec<String> = self
            .graph
            .edges()
            .filter(|(_, _, reason)| matches!(reason, EdgeReason::Reference(_) | EdgeReason::DependsOn(_)))
            .map(|(from, to, _)| format!("{} -> {}", name(to), name(from)))
            .collect();
        edges.sort();
        edges
    }
}
