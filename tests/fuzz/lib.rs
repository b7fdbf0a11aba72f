//! What the targets share: a directory with a definition, and what reading it may end in.

use std::collections::BTreeMap;
use std::path::Path;

use engine_config::{LoadOptions, load};
use engine_core::diagnostic::Diagnostics;
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use tempfile::TempDir;

/// The definition's blocks that are not made up.
pub const SETTINGS: &str =
    "terrane {\n  environment = \"fuzz\"\n}\n\ncluster \"main\" {\n  sandbox = true\n}\n";

/// A directory that is the same for all inputs of a process: only files change.
pub struct Definition(TempDir);

impl Definition {
    /// Makes an empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &[u8]) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("directories can be made");
        std::fs::write(path, text).expect("files can be written");
    }

    /// Loads it. Diagnostics are an answer like another; each must have its place within its file.
    pub fn load(&self) {
        let directory = self.0.path().to_owned();
        let options = LoadOptions {
            repository: directory.clone(),
            directory,
            variables: Vec::new(),
            clock: jiff::Timestamp::UNIX_EPOCH,
            contexts: BTreeMap::new(),
            origin: None,
        };
        if let Err(faults) = load(&options, &NoOverlays, &BTreeMap::new()) {
            check(&faults);
        }
    }
}

/// Loads a definition that has this file beside its settings.
pub fn load_with(path: &str, text: &[u8]) {
    thread_local! {
        static DEFINITION: Definition = {
            let definition = Definition::new();
            definition.write("main.hcl", SETTINGS.as_bytes());
            definition
        };
    }
    DEFINITION.with(|definition| {
        definition.write(path, text);
        definition.load();
    });
}

impl Default for Definition {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks that diagnostics can be shown.
pub fn check(faults: &Diagnostics) {
    for fault in faults.iter() {
        assert!(!fault.summary.is_empty());
        if let Some(span) = &fault.span {
            assert!(span.file.text.get(span.start..span.end).is_some(), "{}", fault.summary);
        }
    }
}

/// There are no overlays.
struct NoOverlays;

impl ManifestSource for NoOverlays {
    fn overlay(&self, _: &OverlayRequest) -> Result<Rendered, Diagnostics> {
        Ok(Rendered::default())
    }
}
