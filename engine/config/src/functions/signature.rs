//! Signatures of functions: read from their text, checked on every call.

use hcl_edit::expr::Expression;

use super::FunctionError;
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::types::{self, Type};

/// What a function takes and returns.
pub(super) struct Signature {
    pub(super) name: &'static str,
    parameters: Vec<Parameter>,
    /// How many of the parameters must be given.
    required: usize,
    /// What may follow the parameters any number of times.
    rest: Option<Parameter>,
    pub(super) returns: Type,
}

struct Parameter {
    name: &'static str,
    ty: Type,
    nullable: bool,
}

impl Signature {
    /// Reads `name(parameter: type, optional?: type, rest...: type) -> type`.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        let (head, returns) = text.split_once(" -> ")?;
        let (name, parameters) = head.strip_suffix(')')?.split_once('(')?;
        let mut signature =
            Self { name, parameters: Vec::new(), required: 0, rest: None, returns: parse_type(returns)? };
        for parameter in parameters.split(", ").filter(|text| !text.is_empty()) {
            let (name, ty) = parameter.split_once(": ")?;
            let (ty, nullable) = match ty.strip_suffix("|null") {
                Some(ty) => (ty, true),
                None => (ty, false),
            };
            let ty = parse_type(ty)?;
            if let Some(name) = name.strip_suffix("...") {
                signature.rest = Some(Parameter { name, ty, nullable });
                continue;
            }
            let optional = name.strip_suffix('?');
            signature.required += usize::from(optional.is_none());
            let name = optional.unwrap_or(name);
            signature.parameters.push(Parameter { name, ty, nullable });
        }
        Some(signature)
    }

    /// Checks and converts the arguments of a call.
    pub(super) fn check(&self, arguments: Vec<ExprValue>) -> Result<Vec<ExprValue>, FunctionError> {
        let count = arguments.len();
        let limit = self.parameters.len();
        if count < self.required || (count > limit && self.rest.is_none()) {
            return Err(FunctionError::Count(self.wrong_count(count)));
        }
        let parameters =
            self.parameters.iter().chain(std::iter::repeat_with(|| self.rest.as_ref()).flatten());
        arguments
            .into_iter()
            .zip(parameters)
            .enumerate()
            .map(|(idx, (argument, parameter))| parameter.check(idx, &argument))
            .collect()
    }

    fn wrong_count(&self, given: usize) -> String {
        let (least, most) = (self.required, self.parameters.len());
        let wanted = match &self.rest {
            Some(_) => format!("at least {least}"),
            None if least == most => format!("exactly {least}"),
            None => format!("{least} to {most}"),
        };
        let noun = if wanted.ends_with(" 1") { "argument" } else { "arguments" };
        format!("{}: {wanted} {noun} required, {given} given", self.name)
    }
}

impl Parameter {
    fn check(&self, idx: usize, argument: &ExprValue) -> Result<ExprValue, FunctionError> {
        if argument.is_null() && !self.nullable {
            return Err(FunctionError::argument(idx, format!("{} must not be null", self.name)));
        }
        convert(argument, &self.ty)
            .map_err(|error| FunctionError::argument(idx, format!("invalid {}: {error}", self.name)))
    }
}

fn parse_type(text: &str) -> Option<Type> {
    let expression: Expression = text.parse().ok()?;
    types::read(&expression).ok()
}
