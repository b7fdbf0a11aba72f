//! Definitions to measure.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Fault;

/// What a definition is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// `ConfigMap`s of one block with `for_each`.
    Flat,
    /// Blocks of 100 `ConfigMap`s in a module, which is used with `for_each`.
    Modules,
    /// Text: locals that nothing refers to, a kilobyte for each object of another workload.
    Text,
}

/// The largest file that is read, in bytes, with room to spare.
const FILE: usize = 4_000_000;

impl Workload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flat, Self::Modules, Self::Text];

    /// Its name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "for_each",
            Self::Modules => "modules",
            Self::Text => "text",
        }
    }

    /// Reads the name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == word)
    }

    /// How many objects a definition of this size has.
    pub fn objects(self, size: usize) -> usize {
        if self == Self::Text { 0 } else { size }
    }

    /// Writes a definition of `size` objects, or kilobytes.
    pub fn write(self, size: usize, directory: &Path) -> Result<(), Fault> {
        let main = |body: &str| fs::write(directory.join("main.hcl"), format!("{SETTINGS}\n{body}"));
        match self {
            Self::Flat => main(&format!(
                "manifest \"settings\" {{\n  for_each = toset([for number in range({size}) : \"settings-${{number}}\"])\n\
                 {OBJECT}}}\n"
            ))?,
            Self::Modules => {
                let module = directory.join("modules/team");
                fs::create_dir_all(&module)?;
                fs::write(module.join("main.hcl"), MODULE.replace("OBJECT", OBJECT))?;
                let modules = size / 100;
                main(&format!(
                    "team \"t\" {{\n  for_each = toset([for number in range({modules}) : \"team-${{number}}\"])\n  \
                     name     = each.key\n}}\n"
                ))?;
            }
            Self::Text => {
                main("")?;
                for (idx, text) in texts(size).iter().enumerate() {
                    fs::write(directory.join(format!("text-{idx:03}.hcl")), text)?;
                }
            }
        }
        Ok(())
    }
}

/// Files of locals, `kilobytes` in all.
fn texts(kilobytes: usize) -> Vec<String> {
    let (mut texts, mut written) = (vec![String::new()], 0);
    for number in 0.. {
        if written >= kilobytes * 1000 {
            break;
        }
        let mut text = String::new();
        let _ = write!(
            text,
            "locals {{\n  service_{number} = {{\n    name  = \"service-{number}\"\n    url   = \
             \"http://service-{number}.${{local.domain_{number}}}:8080/\"\n    ports = [8080, 9090]\n    labels = {{\n      \
             \"app.kubernetes.io/name\" = \"service-{number}\"\n    }}\n  }}\n  domain_{number} = \"default.svc\"\n}}\n"
        );
        written += text.len();
        if texts.last().is_some_and(|last| last.len() + text.len() > FILE) {
            texts.push(String::new());
        }
        texts.extend(texts.pop().map(|last| last + &text));
    }
    texts
}

const SETTINGS: &str = r#"terrane {
  environment = "bench"
}

cluster "main" {
  sandbox = true
}
"#;

const MODULE: &str = r#"variable "name" {
  type = string
}

manifest "settings" {
  for_each = toset([for number in range(100) : "${var.name}-${number}"])
OBJECT}
"#;

const OBJECT: &str = r#"  object = {
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = each.key
      namespace = "default"
      labels = {
        "app.kubernetes.io/name"    = each.key
        "app.kubernetes.io/part-of" = "bench"
      }
    }
    data = {
      name  = each.key
      url   = "http://${each.key}.default.svc:8080"
      level = "info"
    }
  }
"#;
