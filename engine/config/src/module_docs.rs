//! The reference of a module as Markdown: what its author wrote about variables and outputs.

use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use hcl_edit::Span;
use hcl_edit::structure::{Block, BlockLabel, Body, Structure};

use crate::codes::NO_DEFINITION;
use crate::hints;
use crate::source::Files;
use crate::syntax::parse;

/// Block types that are no resources.
const NO_RESOURCES: [&str; 9] =
    ["check", "cluster", "import", "locals", "moved", "output", "removed", "terrane", "variable"];

/// Returns the reference of the module in a directory as Markdown: its variables with types, defaults and
/// descriptions, its outputs, and its resources. Nothing is evaluated: types and defaults are shown as written.
///
/// # Errors
/// The directory holds no definition, or files with syntax errors.
pub fn module_docs(directory: &Path) -> Result<String, Diagnostics> {
    docs(directory).map_err(|faults| hints::complete(faults).sorted())
}

fn docs(directory: &Path) -> Result<String, Diagnostics> {
    let files = Files::open(directory)?;
    let mut parsed = Vec::new();
    let mut faults = Diagnostics::default();
    for name in files.definitions(directory)? {
        match files.text(&directory.join(name)).and_then(|file| Ok((parse(&file)?, file))) {
            Ok(found) => parsed.push(found),
            Err(found) => faults.extend(found),
        }
    }
    if parsed.is_empty() && faults.is_empty() {
        let summary = format!("{} holds no definition", directory.display());
        return Err(Diagnostic::error(NO_DEFINITION, summary).hint("name the directory of a module").into());
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let real = directory.canonicalize().ok();
    let name = real.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    Ok(Module::read(&parsed).markdown(&name.unwrap_or_default()))
}

/// What the files of a module declare.
#[derive(Default)]
struct Module {
    about: String,
    variables: Vec<Variable>,
    /// Name and description.
    outputs: Vec<(String, String)>,
    /// `TYPE.NAME`, and how many there are of it.
    resources: Vec<(String, &'static str)>,
}

struct Variable {
    name: String,
    ty: String,
    default: Option<String>,
    description: String,
    is_sensitive: bool,
}

impl Module {
    fn read(files: &[(Body, Arc<SourceFile>)]) -> Self {
        let mut module = Self {
            about: files.first().map(|(_, file)| about(&file.text)).unwrap_or_default(),
            ..Self::default()
        };
        for (body, file) in files {
            for block in body.blocks() {
                let name = block.labels.iter().map(BlockLabel::as_str).collect::<Vec<_>>().join(".");
                match block.ident.as_str() {
                    "variable" => module.variables.push(Variable {
                        name,
                        ty: source(block, "type", file).unwrap_or_else(|| "any".into()),
                        default: default(block, file),
                        description: text(block, "description"),
                        is_sensitive: source(block, "sensitive", file).is_some_and(|value| value == "true"),
                    }),
                    "output" => module.outputs.push((name, text(block, "description"))),
                    other if NO_RESOURCES.contains(&other) => {}
                    other => {
                        let many = match () {
                            () if block.body.has_attribute("for_each") => "one per entry of `for_each`",
                            () if block.body.has_attribute("count") => "as many as `count` says",
                            () => "one",
                        };
                        module.resources.push((format!("{other}.{name}"), many));
                    }
                }
            }
        }
        // What must be given comes first, then in the order of the files.
        module.variables.sort_by_key(|variable| variable.default.is_some());
        module
    }

    fn markdown(&self, name: &str) -> String {
        let mut text = format!("# {name}\n");
        if !self.about.is_empty() {
            text.push_str(&format!("\n{}\n", self.about));
        }
        if !self.variables.is_empty() {
            text.push_str("\n## Variables\n");
        }
        for variable in &self.variables {
            text.push_str(&variable.markdown());
        }
        if !self.outputs.is_empty() {
            text.push_str("\n## Outputs\n\n| Output | Is |\n|---|---|\n");
        }
        for (name, description) in &self.outputs {
            text.push_str(&format!("| `{name}` | {} |\n", cell(description)));
        }
        if !self.resources.is_empty() {
            text.push_str("\n## Resources\n\n| Resource | How many |\n|---|---|\n");
        }
        for (name, many) in &self.resources {
            text.push_str(&format!("| `{name}` | {many} |\n"));
        }
        text
    }
}

impl Variable {
    fn markdown(&self) -> String {
        let mut text = format!("\n### `{}`\n", self.name);
        if !self.description.is_empty() {
            text.push_str(&format!("\n{}\n", self.description.trim_end()));
        }
        let is_long = |value: &str| value.contains('\n') || value.contains('`');
        let mut line = match is_long(&self.ty) {
            true => "Type: see below.".to_owned(),
            false => format!("Type: `{}`.", self.ty),
        };
        match &self.default {
            None => line.push_str(" Required."),
            Some(default) if is_long(default) => line.push_str(" Default: see below."),
            Some(default) => line.push_str(&format!(" Default: `{default}`.")),
        }
        if self.is_sensitive {
            line.push_str(" Sensitive: it is never shown.");
        }
        text.push_str(&format!("\n{line}\n"));
        let values = [("type", Some(&self.ty)), ("default", self.default.as_ref())];
        let long = values
            .iter()
            .filter_map(|(name, value)| value.filter(|value| is_long(value)).map(|value| (name, value)));
        for (name, value) in long {
            text.push_str(&format!("\n```text\n{name} = {value}\n```\n"));
        }
        text
    }
}

/// Returns the comment that a file begins with.
fn about(text: &str) -> String {
    let comment =
        |line: &str| line.strip_prefix('#').or(line.strip_prefix("//")).map(|line| line.trim().to_owned());
    let lines: Vec<String> = text.lines().map_while(comment).collect();
    lines.join("\n").trim().to_owned()
}

/// Returns an argument as it is written, moved to the left.
fn source(block: &Block, name: &str, file: &SourceFile) -> Option<String> {
    let attribute = block.body.get_attribute(name)?;
    let written = file.text.get(attribute.value.span()?)?.trim();
    Some(moved_left(written))
}

/// Returns the default as it is written, or what a nested block means.
fn default(block: &Block, file: &SourceFile) -> Option<String> {
    source(block, "default", file).or_else(|| block.body.has_blocks("default").then(|| "{ … }".to_owned()))
}

/// Removes the indentation that all lines but the first have in common.
fn moved_left(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let rest = || text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let common = rest().map(indent).min().unwrap_or(0);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| {
        format!("{text}\n{}", line.get(common..).unwrap_or_default()).trim_end().to_owned()
    })
}

/// Returns a text argument that is a literal.
fn text(block: &Block, name: &str) -> String {
    let found =
        block.body.iter().filter_map(Structure::as_attribute).find(|attribute| attribute.has_key(name));
    let value = found.map(|attribute| &attribute.value);
    let heredoc = || {
        let template = &value?.as_heredoc_template()?.template;
        let elements = template.iter().filter_map(|element| element.as_literal());
        Some(elements.map(|literal| literal.as_str()).collect::<String>())
    };
    value.and_then(|value| value.as_str().map(str::to_owned)).or_else(heredoc).unwrap_or_default()
}

/// Returns text that fits a cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests;
