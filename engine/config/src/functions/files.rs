//! Functions on files. No file outside the repository is read, whatever links point to.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::template::Template;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::{Call, FunctionContext, FunctionError, Row, TEMPLATE_SYNTAX, UNKNOWN_NAME, marked, plain};
use crate::eval::{Evaluator, Lines, Scope, Step, did_you_mean};
use crate::expr_value::{Entries, ExprValue};
use crate::types::Type;

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// How many files and directories `fileset` looks at.
const MAX_ENTRIES: usize = 100_000;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    plain("basename(path: string) -> string", "Returns the last part of a path.",
        r#"basename("a/b.yaml") == "b.yaml""#, |call| {
            let name = Path::new(call.text(0)?.as_str()).file_name();
            Ok(ExprValue::string(name.map(|name| name.to_string_lossy()).unwrap_or_default()))
        }),
    plain("dirname(path: string) -> string", "Returns a path without its last part.",
        r#"dirname("a/b.yaml") == "a""#, |call| {
            let parent = Path::new(call.text(0)?.as_str()).parent();
            let parent = parent.map(|parent| parent.to_string_lossy()).unwrap_or_default();
            Ok(ExprValue::string(if parent.is_empty() { ".".into() } else { parent }))
        }),
    plain("file(path: string) -> string", "Returns the text of a file of the repository.",
        r#"trimspace(file("hello.txt")) == "hello""#, |call| Ok(ExprValue::text(read_text(call)?.into()))),
    plain("filebase64(path: string) -> string", "Returns the contents of a file in Base64.",
        r#"filebase64("hello.txt") == base64encode(file("hello.txt"))"#,
        |call| Ok(ExprValue::string(BASE64_STANDARD.encode(read(call)?)))),
    plain("fileexists(path: string) -> bool", "Tells whether there is such a file in the repository.",
        r#"fileexists("hello.txt") && !fileexists("none.txt")"#, |call| {
            let path = call.context.repository().join(call.text(0)?.as_str());
            if !path.exists() {
                return Ok(false.into());
            }
            Ok(jailed(call, 0)?.is_file().into())
        }),
    plain("fileset(directory: string, pattern: string) -> set(string)",
        "Returns the files below a directory whose path matches the pattern: *, **, ?, {a,b}.",
        r#"fileset(".", "*.txt") == toset(["hello.txt"])"#, file_set),
    plain("filesha256(path: string) -> string", "Returns the SHA-256 digest of a file in hexadecimal.",
        r#"filesha256("hello.txt") == sha256(file("hello.txt"))"#,
        |call| Ok(ExprValue::string(hex::encode(Sha256::digest(read(call)?))))),
    marked("templatefile(path: string, variables: any) -> any", "Returns a file of the repository rendered as a template.",
        r#"templatefile("greet.tftpl", { name = "you" }) == "hello you\n""#, template_file),
    marked("tera(path: string, variables: any) -> string", "Returns a template of the module rendered by Tera. The path starts at the module's directory.",
        r#"tera("templates/greet.tera", { name = "you" }) == "hello you""#, tera),
];

/// Returns the real path of an argument, which must lie in the repository.
fn jailed(call: &Call<'_>, idx: usize) -> Result<PathBuf, FunctionError> {
    let written = call.text(idx)?;
    let repository = canonical(call.context.repository(), idx, written)?;
    let path = canonical(&call.context.repository().join(written.as_str()), idx, written)?;
    if path.starts_with(&repository) {
        Ok(path)
    } else {
        let message = format!("{written:?} lies outside the repository");
        Err(FunctionError::path(idx, message))
    }
}

fn canonical(path: &Path, idx: usize, written: &str) -> Result<PathBuf, FunctionError> {
    path.canonicalize().map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => error.to_string(),
        };
        FunctionError::path(idx, format!("cannot read {written:?}: {reason}"))
    })
}

fn read(call: &Call<'_>) -> Result<Vec<u8>, FunctionError> {
    let written = call.text(0)?;
    let refuse = |reason: &str| FunctionError::path(0, format!("cannot read {written:?}: {reason}"));
    let path = jailed(call, 0)?;
    // Looked at before it is opened: opening a pipe would wait for its other end.
    if !path.is_file() {
        return Err(refuse("it is no regular file"));
    }
    let file = File::open(&path).map_err(|error| refuse(&error.to_string()))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err(refuse("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| refuse(&error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse("it is larger than 4 MiB"));
    }
    let digest = hex::encode(Sha256::digest(&bytes));
    call.context.record(in_repository(call.context, &path), digest);
    call.budget.bytes(bytes.len() as u64)?;
    Ok(bytes)
}

/// Returns the path relative to the repository, under which a file is recorded.
fn in_repository(context: &FunctionContext, path: &Path) -> PathBuf {
    let repository = context.repository().canonicalize();
    let relative = repository.ok().and_then(|root| path.strip_prefix(root).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned())
}

fn read_text(call: &Call<'_>) -> Result<String, FunctionError> {
    String::from_utf8(read(call)?)
        .map_err(|_| FunctionError::argument(0, "the file is no text in UTF-8; filebase64 reads any file"))
}

fn file_set(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let root = jailed(call, 0)?;
    let pattern = call.text(1)?;
    let glob = glob(pattern).ok_or_else(|| FunctionError::argument(1, "invalid pattern"))?;
    let mut found = Vec::new();
    let mut seen = 0;
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        let entries = std::fs::read_dir(&directory)
            .map_err(|error| FunctionError::argument(0, format!("cannot list the directory: {error}")))?;
        for entry in entries.filter_map(Result::ok) {
            seen += 1;
            if seen > MAX_ENTRIES {
                let message = format!("there are more than {MAX_ENTRIES} files below the directory");
                return Err(FunctionError::argument(0, message));
            }
            // Links are not followed: the type is that of the entry itself.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file()
                && let Some(path) = relative(&entry.path(), &root)
                && glob.is_match(&path)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    let listing = in_repository(call.context, &root).join(pattern.as_str());
    call.context.record(listing, hex::encode(Sha256::digest(found.join("\n"))));
    Ok(ExprValue::set(Type::String, found.iter().map(ExprValue::string)))
}

/// Returns the path below `root` with slashes.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let parts = path.strip_prefix(root).ok()?.components();
    let parts: Option<Vec<_>> = parts
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect();
    parts.map(|parts| parts.join("/"))
}

/// Compiles a pattern of paths.
fn glob(pattern: &str) -> Option<Regex> {
    let mut regex = String::from("^");
    let mut rest = pattern;
    let mut braces = 0;
    while let Some(char) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("**/") {
            regex.push_str("(?:[^/]+/)*");
            rest = tail;
            continue;
        }
        if let Some(tail) = rest.strip_prefix("**") {
            regex.push_str(".*");
            rest = tail;
            continue;
        }
        match char {
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            char => regex.push_str(&regex::escape(char.encode_utf8(&mut [0; 4]))),
        }
        rest = &rest[char.len_utf8()..];
    }
    regex.push('$');
    Regex::new(&regex).ok()
}

fn template_file(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    if call.any_unknown() {
        let unknown = ExprValue::unknown(Type::String);
        return Ok(unknown.with_sensitivity_of(call.any_sensitive()));
    }
    if call.context.in_template.get() {
        return Err(FunctionError::failed("a template cannot call templatefile"));
    }
    // Checked before the file is read, so that the fault is that of the argument.
    call.entries(1)?;
    let scope = TemplateScope {
        file: Arc::new(SourceFile { path: call.text(0)?.to_string(), text: read_text(call)? }),
        variables: call.value(1)?,
        functions: call.context,
    };
    let template = scope.parse().map_err(FunctionError::Template)?;
    call.context.in_template.set(true);
    let whole = 0..scope.file.text.len();
    let rendered = Evaluator::new(&scope, call.budget).template(&template, Lines::Apart, &whole);
    call.context.in_template.set(false);
    let rendered = rendered.map_err(FunctionError::Template)?;
    Ok(rendered.with_sensitivity_of(call.any_sensitive()))
}

fn tera(call: &Call<'_>) -> Result<ExprValue, FunctionError> {
    let Some(templates) = call.templates else {
        return Err(FunctionError::failed("a template of a module cannot be rendered in this place"));
    };
    if call.any_unknown() {
        let sensitive = call.arguments.iter().any(ExprValue::contains_sensitive);
        return Ok(ExprValue::unknown(Type::String).with_sensitivity_of(sensitive));
    }
    call.entries(1)?;
    let rendered = templates.render(call.text(0)?, call.value(1)?).map_err(FunctionError::Template)?;
    Ok(rendered.with_sensitivity_of(call.any_sensitive()))
}

/// What names stand for in a template file: the variables given to it.
struct TemplateScope<'a> {
    file: Arc<SourceFile>,
    variables: &'a ExprValue,
    functions: &'a FunctionContext,
}

impl TemplateScope<'_> {
    fn parse(&self) -> Result<Template, Diagnostics> {
        self.file.text.parse().map_err(|error: hcl_edit::parser::Error| {
            let at = error.location().offset();
            let span = SourceSpan::new(Arc::clone(&self.file), at..at);
            let detail = error.message().to_owned();
            Diagnostic::error(TEMPLATE_SYNTAX, "invalid template").detail(detail).at(span).into()
        })
    }
}

impl Scope for TemplateScope<'_> {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if let Some(value) = self.variables.get(root) {
            return Ok((value, 0));
        }
        let known = self.variables.as_entries();
        let known = known.into_iter().flat_map(Entries::keys);
        let mut fault = Diagnostic::error(UNKNOWN_NAME, format!("no variable {root:?} in this template"))
            .detail("A template sees only the variables that its call gives it.")
            .at(span);
        fault.hint = did_you_mean(root, known.map(engine_core::value::Text::as_str));
        Err(fault.into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    fn functions(&self) -> &FunctionContext {
        self.functions
    }
}
