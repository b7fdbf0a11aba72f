//! Functions that render templates: files and texts with `${…}`, and those of Tera.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::template::Template;

use super::files::read_text;
use super::{Call, FunctionContext, FunctionError, Row, TEMPLATE_SYNTAX, UNKNOWN_NAME, marked};
use crate::eval::{Evaluator, Lines, Scope, Step, did_you_mean};
use crate::expr_value::{Entries, ExprValue};
use crate::types::Type;

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    marked("k8s::tera(path: string, variables: any) -> string",
        "Returns a template of the module rendered by Tera. The path starts at the module's directory.",
        r#"k8s::tera("templates/greet.tera", { name = "you" }) == "hello you""#, tera),
    marked("templatefile(path: string, variables: any) -> any", "Returns a file of the repository rendered as a template.",
        r#"templatefile("greet.tftpl", { name = "you" }) == "hello you\n""#, |call| {
            if let Some(unknown) = unknown(call) {
                return Ok(unknown);
            }
            // Checked before the file is read, so that the fault is that of the argument.
            call.entries(1)?;
            render(call, SourceFile { path: call.text(0)?.to_string(), text: read_text(call)? })
        }),
    marked("templatestring(text: string, variables: any) -> any", "Returns the text rendered as a template.",
        r#"templatestring("hello $${name}", { name = "you" }) == "hello you""#, |call| {
            if let Some(unknown) = unknown(call) {
                return Ok(unknown);
            }
            call.entries(1)?;
            render(call, SourceFile { path: "templatestring".to_owned(), text: call.text(0)?.to_string() })
        }),
];

/// Returns the result of a call of which an argument is known after apply.
fn unknown(call: &Call<'_>) -> Option<ExprValue> {
    let unknown = ExprValue::unknown(Type::String);
    call.any_unknown().then(|| unknown.with_sensitivity_of(call.any_sensitive()))
}

/// Returns the faults of a template. They quote its text and its path, so of a sensitive one nothing is said.
fn about_template(call: &Call<'_>, faults: Diagnostics) -> FunctionError {
    match call.get(0) {
        Some(template) if template.contains_sensitive() => FunctionError::failed("the template has faults"),
        _ => FunctionError::Template(faults),
    }
}

/// Renders a template with the second argument as its variables.
fn render(call: &Call<'_>, file: SourceFile) -> Result<ExprValue, FunctionError> {
    if call.context.in_template.get() {
        return Err(FunctionError::failed("a template cannot render another one"));
    }
    let scope = TemplateScope { file: Arc::new(file), variables: call.value(1)?, functions: call.context };
    let template = scope.parse().map_err(|faults| about_template(call, faults))?;
    call.context.in_template.set(true);
    let whole = 0..scope.file.text.len();
    let rendered = Evaluator::new(&scope, call.budget).template(&template, Lines::Apart, &whole);
    call.context.in_template.set(false);
    let rendered = rendered.map_err(|faults| about_template(call, faults))?;
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
    let rendered = templates.render(call.text(0)?, call.value(1)?);
    let rendered = rendered.map_err(|faults| about_template(call, faults))?;
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
