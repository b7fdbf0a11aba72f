//! Rendering of a module's text templates.
//!
//! Templates see the variables given to them and the other templates of their module, nothing else: no files,
//! no environment, no clock. Their names, in calls and includes, are paths from the module's directory. A name that is
//! not given is a fault, in conditions too. Their output is text; whoever takes YAML from it parses it.
//!
//! # Source
//! Tera documentation, version 2.

mod conditions;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Value;
use tera::{Context, Kwargs, State, Tera};

use self::conditions::Conditions;
use crate::eval::did_you_mean;
use crate::expr_value::ExprValue;
use crate::functions::write_yaml;
use crate::types::Type;

/// A template is not well formed, or includes what is not there.
pub(crate) const TEMPLATE: Code = Code(260);
/// A template refers to a variable that it is not given.
pub(crate) const TEMPLATE_VARIABLE: Code = Code(261);
/// A template cannot be rendered with these values.
pub(crate) const TEMPLATE_RENDER: Code = Code(262);
/// A template renders to too much text, or takes too long.
pub(crate) const TEMPLATE_BUDGET: Code = Code(263);

/// The most text that one template renders to, in bytes.
const MAX_OUTPUT_BYTES: usize = 4 << 20;
/// How long one template may take: templates have no bound on nested loops.
const DEADLINE: Duration = Duration::from_secs(10);
/// Tags that can make the work larger than the template.
const REPEATING: [&str; 3] = ["for", "include", "component"];

/// The templates of one module, ready to render. Cloning is O(1).
#[derive(Debug, Clone)]
pub(crate) struct Templates {
    tera: Arc<Tera>,
    files: Arc<BTreeMap<String, Arc<SourceFile>>>,
    conditions: Arc<BTreeMap<String, Conditions>>,
    repeating: bool,
}

impl Templates {
    /// Reads templates, by name.
    ///
    /// # Errors
    /// A fault of the first template that is not well formed, or includes one that is not there.
    pub(crate) fn new(files: BTreeMap<String, Arc<SourceFile>>) -> Result<Self, Diagnostics> {
        let mut tera = Tera::new();
        tera.autoescape_on(Vec::<&str>::new());
        tera.register_filter("to_json", to_json);
        tera.register_filter("to_yaml", to_yaml);
        let sources = files.iter().map(|(name, file)| (name.as_str(), file.text.as_str()));
        tera.add_raw_templates(sources)
            .map_err(|error| Report::read(&error, &files).into_fault(TEMPLATE, "invalid template"))?;
        let repeats = |file: &Arc<SourceFile>| REPEATING.iter().any(|tag| file.text.contains(tag));
        let repeating = files.values().any(repeats);
        let conditions = files.iter().map(|(name, file)| (name.clone(), Conditions::read(&file.text)));
        let conditions = Arc::new(conditions.collect());
        Ok(Self { tera: Arc::new(tera), files: Arc::new(files), conditions, repeating })
    }

    /// Renders a template with the entries of an object as its variables.
    ///
    /// The text is sensitive when a variable is, and known after apply when a variable is.
    ///
    /// # Errors
    /// A fault when there is no such template, it refers to a variable that is not given, or it
    /// cannot be rendered; without details when a variable is sensitive.
    pub(crate) fn render(&self, name: &str, variables: &ExprValue) -> Result<ExprValue, Diagnostics> {
        let sensitive = variables.contains_sensitive();
        self.check_names(name, variables)?;
        let Ok(plain) = variables.to_value() else {
            return Ok(ExprValue::unknown(Type::String).with_sensitivity_of(sensitive));
        };
        let context = Context::from_serialize(&plain)
            .map_err(|error| Report::read(&error, &self.files).into_fault(TEMPLATE_RENDER, CANNOT_RENDER))?;
        let rendered = self.run(name, context).map_err(|fault| match fault {
            Fault::Budget(what) => {
                let summary = format!("template {name:?} {what}");
                Diagnostic::error(TEMPLATE_BUDGET, summary).at(self.start_of(name)).into()
            }
            Fault::Tera(error) => {
                let mut report = Report::read(&error, &self.files);
                if sensitive {
                    report.message = "A variable is sensitive, so the reason is not shown.".to_owned();
                }
                report.into_fault(TEMPLATE_RENDER, CANNOT_RENDER)
            }
        })?;
        Ok(ExprValue::text(rendered.into()).with_sensitivity_of(sensitive))
    }

    /// Refuses a template that refers to what it is not given: in a condition that would only mean "no".
    fn check_names(&self, name: &str, variables: &ExprValue) -> Result<(), Diagnostics> {
        let wanted = self.tera.get_template_variables(name).map_err(|_| {
            let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
            let hint = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| match names[..] {
                [] => {
                    "templates are the files of the module's directory templates that end in .tera".to_owned()
                }
                _ => format!("there is {}", names.join(", ")),
            });
            let summary = format!("the module has no template {name:?}");
            Diagnostics::from(Diagnostic::error(TEMPLATE, summary).hint(hint))
        })?;
        let Some(entries) = variables.as_entries() else {
            return Ok(());
        };
        let missing = wanted.into_iter().filter(|wanted| entries.get(wanted).is_none()).min();
        let Some(missing) = missing else {
            return self.check_conditions(name, variables);
        };
        let summary = format!("template {name:?} refers to {missing:?}, which it is not given");
        let mut fault = Diagnostic::error(TEMPLATE_VARIABLE, summary).at(self.start_of(name));
        fault.hint = did_you_mean(missing, entries.keys().map(engine_core::value::Text::as_str));
        Err(fault.into())
    }

    /// Refuses a condition on an attribute that does not exist, in the template and in those that it takes in.
    fn check_conditions(&self, name: &str, variables: &ExprValue) -> Result<(), Diagnostics> {
        let mut reached = vec![name];
        let mut next = 0;
        while let Some(name) = reached.get(next).copied() {
            next += 1;
            let Some(conditions) = self.conditions.get(name) else { continue };
            for path in &conditions.paths {
                let Some(step) = first_missing(variables, &path.steps) else { continue };
                let written = path.steps[..=step].join(".");
                let span =
                    self.files.get(name).map(|file| SourceSpan::new(Arc::clone(file), path.range.clone()));
                let summary = format!("a condition refers to {written:?}, which the template is not given");
                let hint = format!("correct the name, or ask first: {written} is defined");
                return Err(Diagnostic::error(TEMPLATE_VARIABLE, summary).at(span).hint(hint).into());
            }
            for used in &conditions.uses {
                if !reached.contains(&used.as_str()) {
                    reached.push(used);
                }
            }
        }
        Ok(())
    }

    /// Renders here, or on a thread of its own that is given up when it takes too long.
    fn run(&self, name: &str, context: Context) -> Result<String, Fault> {
        if !self.repeating {
            return render(&self.tera, name, &context);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let (tera, name) = (Arc::clone(&self.tera), name.to_owned());
        std::thread::spawn(move || {
            // Nobody waits for the text of a thread that was given up.
            drop(sender.send(render(&tera, &name, &context)));
        });
        receiver.recv_timeout(DEADLINE).unwrap_or(Err(Fault::Budget("takes more than 10 seconds to render")))
    }

    fn start_of(&self, name: &str) -> Option<SourceSpan> {
        let file = self.files.get(name)?;
        Some(SourceSpan::new(Arc::clone(file), 0..0))
    }
}

/// Returns the first attribute of a path that an object on the way does not have.
fn first_missing(variables: &ExprValue, steps: &[String]) -> Option<usize> {
    let mut value = variables.clone();
    for (idx, step) in steps.iter().enumerate() {
        let next = value.as_entries()?.get(step).cloned();
        match next {
            Some(next) => value = next,
            // Names that are not given at all have been looked for before.
            None => return (idx > 0).then_some(idx),
        }
    }
    None
}

const CANNOT_RENDER: &str = "the template cannot be rendered";

enum Fault {
    Budget(&'static str),
    Tera(tera::Error),
}

fn render(tera: &Tera, name: &str, context: &Context) -> Result<String, Fault> {
    let mut output = Output::default();
    let result = tera.render_to(name, context, &mut output);
    if output.full {
        return Err(Fault::Budget("renders to more than 4 MiB"));
    }
    result.map_err(Fault::Tera)?;
    String::from_utf8(output.bytes).map_err(|error| Fault::Tera(error.into()))
}

/// Text up to a limit.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > MAX_OUTPUT_BYTES {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_json(value: &tera::Value, _: Kwargs, _: &State<'_>) -> tera::TeraResult<String> {
    serde_json::to_string(value).map_err(tera::Error::message)
}

fn to_yaml(value: &tera::Value, _: Kwargs, _: &State<'_>) -> tera::TeraResult<String> {
    let json = serde_json::to_string(value).map_err(tera::Error::message)?;
    let value: Value = serde_json::from_str(&json).map_err(tera::Error::message)?;
    let text = write_yaml(&value).map_err(tera::Error::message)?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// An error of the template engine, taken apart: it only gives out its finished report.
struct Report {
    message: String,
    span: Option<SourceSpan>,
}

impl Report {
    /// Reads `error: MESSAGE`, `--> NAME:LINE:COLUMN`, and lines that show the place.
    fn read(error: &tera::Error, files: &BTreeMap<String, Arc<SourceFile>>) -> Self {
        let report = error.to_string();
        let mut lines = report.lines();
        let message = lines.next().unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or(message).to_owned();
        let place = lines.next().and_then(|line| line.trim_start().strip_prefix("--> "));
        let span = place.and_then(|place| span(place, files));
        Self { message, span }
    }

    fn into_fault(self, code: Code, summary: &str) -> Diagnostics {
        Diagnostic::error(code, summary).detail(self.message).at(self.span).into()
    }
}

/// Returns the place that `NAME:LINE:COLUMN` names.
fn span(place: &str, files: &BTreeMap<String, Arc<SourceFile>>) -> Option<SourceSpan> {
    let (rest, column) = place.rsplit_once(':')?;
    let (name, line) = rest.rsplit_once(':')?;
    let (line, column): (usize, usize) = (line.parse().ok()?, column.parse().ok()?);
    let file = files.get(name)?;
    let line_start: usize = file.text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let text = file.text.get(line_start..)?;
    let within: usize = text.chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
    let start = line_start + within;
    let width = text[within..].chars().next().map_or(0, char::len_utf8);
    Some(SourceSpan::new(Arc::clone(file), start..start + width))
}

#[cfg(test)]
mod tests;
