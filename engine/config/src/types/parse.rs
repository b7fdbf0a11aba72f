//! Type expressions: the `type` argument of a variable.

use std::ops::Range;
use std::sync::Arc;

use engine_core::diagnostic::{Code, Diagnostic, SourceFile, SourceSpan};
use engine_core::value::Text;
use hcl_edit::Span;
use hcl_edit::expr::{Expression, FuncCall, Object, ObjectKey};

use super::{Attribute, ObjectType, Presence, Type};
use crate::convert::convert;
use crate::eval::{self, Scope, Step};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;

/// A type expression is no type.
pub const TYPE_EXPRESSION: Code = Code(250);

/// Reads a type expression: `map(object({ port = number, host = optional(string, "localhost") }))`.
///
/// # Source
/// Documentation of `OpenTofu`, "Type Constraints".
///
/// # Errors
/// A [`Diagnostic`] with the span of the part that is no type.
#[expect(clippy::result_large_err, reason = "the one fault of a type is kept as it is")]
pub fn parse(expression: &Expression, file: &Arc<SourceFile>) -> Result<Type, Diagnostic> {
    read(expression).map_err(|fault| {
        let mut diagnostic = Diagnostic::error(TYPE_EXPRESSION, fault.summary)
            .at(SourceSpan::new(Arc::clone(file), fault.range));
        diagnostic.hint = fault.hint;
        diagnostic
    })
}

/// A fault in a type expression whose file is not known yet.
pub(crate) struct Fault {
    range: Range<usize>,
    summary: String,
    hint: Option<String>,
}

impl Fault {
    fn at(expression: &impl Span, summary: impl Into<String>) -> Self {
        Self { range: expression.span().unwrap_or_default(), summary: summary.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The names of types that take no argument.
const PRIMITIVES: [(&str, Type); 4] =
    [("any", Type::Any), ("bool", Type::Bool), ("number", Type::Number), ("string", Type::String)];

/// Reads a type expression of no particular file.
pub(crate) fn read(expression: &Expression) -> Result<Type, Fault> {
    match expression {
        Expression::Variable(name) => {
            let known = PRIMITIVES.iter().find(|(known, _)| *known == name.as_str());
            known.map(|(_, ty)| ty.clone()).ok_or_else(|| unknown_name(expression, name.as_str()))
        }
        Expression::String(text) if PRIMITIVES.iter().any(|(name, _)| *name == text.as_str()) => {
            let summary = "a type is written without quotes";
            Err(Fault::at(expression, summary).hint(format!("write {}", text.as_str())))
        }
        Expression::Parenthesis(inner) => read(inner.inner()),
        Expression::FuncCall(call) => constructor(call),
        _ => Err(Fault::at(expression, "not a type").hint(
            "types are string, number, bool, any, list(…), set(…), map(…), tuple([…]) and object({…})",
        )),
    }
}

fn unknown_name(at: &impl Span, name: &str) -> Fault {
    let mut fault = Fault::at(at, format!("no type {name:?}"));
    if ["list", "set", "map", "tuple", "object"].contains(&name) {
        fault.hint = Some(format!("{name} needs to say of what: {name}(…)"));
    } else {
        let names = PRIMITIVES.iter().map(|(name, _)| *name);
        let names = names.chain(["list", "set", "map", "tuple", "object"]);
        fault.hint = eval::did_you_mean(name, names);
    }
    fault
}

fn constructor(call: &FuncCall) -> Result<Type, Fault> {
    let name = call.name.name.as_str();
    let mut arguments = call.args.iter();
    let (argument, more) = (arguments.next(), arguments.next());
    if name == "optional" {
        let summary = "optional(…) is only for attributes of an object type";
        return Err(Fault::at(call, summary));
    }
    let (Some(argument), None, false) = (argument, more, call.name.is_namespaced()) else {
        return Err(Fault::at(call, format!("{name}(…) takes one argument")));
    };
    match (name, argument) {
        ("list", element) => Ok(Type::list(read(element)?)),
        ("set", element) => Ok(Type::set(read(element)?)),
        ("map", element) => Ok(Type::map(read(element)?)),
        ("tuple", Expression::Array(elements)) => {
            let elements: Result<Vec<_>, _> = elements.iter().map(read).collect();
            Ok(Type::Tuple(elements?.into()))
        }
        ("tuple", _) => Err(Fault::at(argument, "tuple(…) takes a list of types: tuple([string, number])")),
        ("object", Expression::Object(attributes)) => object(attributes),
        ("object", _) => Err(Fault::at(argument, "object(…) takes attributes: object({ name = string })")),
        _ => Err(unknown_name(call, name)),
    }
}

fn object(attributes: &Object) -> Result<Type, Fault> {
    let mut found: Vec<(Text, Attribute)> = Vec::new();
    for (key, value) in attributes {
        let name: Text = match key {
            ObjectKey::Ident(name) => name.as_str().into(),
            ObjectKey::Expression(Expression::String(name)) => name.as_str().into(),
            ObjectKey::Expression(other) => return Err(Fault::at(other, "not a name of an attribute")),
        };
        if found.iter().any(|(known, _)| *known == name) {
            return Err(Fault::at(value.expr(), format!("attribute {name:?} twice in one object type")));
        }
        found.push((name, attribute(value.expr())?));
    }
    Ok(Type::Object(Arc::new(ObjectType::new(found))))
}

fn attribute(expression: &Expression) -> Result<Attribute, Fault> {
    let call = match expression {
        Expression::FuncCall(call) if call.name.name.as_str() == "optional" => call,
        _ => {
            let presence = Presence::Required;
            return Ok(Attribute { ty: read(expression)?, presence });
        }
    };
    let mut arguments = call.args.iter();
    let (ty, default) = (arguments.next(), arguments.next());
    let (Some(ty), None) = (ty, arguments.next()) else {
        return Err(Fault::at(expression, "optional(…) takes a type and, if wanted, a default"));
    };
    let ty = read(ty)?;
    let presence = match default {
        None => Presence::Optional,
        Some(default) => {
            let value = constant(default)?;
            let value = convert(&value, &ty)
                .map_err(|error| Fault::at(default, format!("invalid default: {error}")))?;
            Presence::Default(value)
        }
    };
    Ok(Attribute { ty, presence })
}

/// Evaluates a default, which may refer to nothing.
fn constant(expression: &Expression) -> Result<ExprValue, Fault> {
    if let Some(reference) = eval::references(expression).first() {
        let summary = format!("a default cannot refer to {:?}", reference.root.as_str());
        let mut fault = Fault::at(expression, summary);
        fault.range = reference.range.clone();
        return Err(fault);
    }
    let scope = Constant::default();
    eval::evaluate(expression, &scope).map_err(|faults| {
        let summary = faults.iter().next().map(|fault| fault.summary.clone());
        Fault::at(expression, format!("invalid default: {}", summary.unwrap_or_default()))
    })
}

/// A scope in which no name stands for anything.
struct Constant {
    file: Arc<SourceFile>,
    functions: FunctionContext,
}

impl Default for Constant {
    fn default() -> Self {
        let (path, text) = Default::default();
        Self { file: Arc::new(SourceFile { path, text }), functions: FunctionContext::default() }
    }
}

impl Scope for Constant {
    fn resolve(
        &self,
        root: &str,
        _: &[Step],
        span: SourceSpan,
    ) -> Result<(ExprValue, usize), engine_core::diagnostic::Diagnostics> {
        let summary = format!("a default cannot refer to {root:?}");
        Err(Diagnostic::error(TYPE_EXPRESSION, summary).at(span).into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.functions
    }
}
