//! Function calls.

use std::ops::Range;

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use hcl_edit::Span;
use hcl_edit::expr::FuncCall;

use super::{Evaluator, Outcome, call_result, did_you_mean, given, range_of};
use crate::convert::convert;
use crate::expr_value::{ExprValue, Kind};
use crate::functions::{
    self, ARGUMENT, ARGUMENT_COUNT, CALL_FAILED, Function, FunctionError, REFUSED_FUNCTION, UNKNOWN_FUNCTION,
};
use crate::types;
use crate::types::Type;

/// The arguments of a call, each with the bytes of the file that it comes from.
type Arguments = Vec<(ExprValue, Range<usize>)>;

impl Evaluator<'_> {
    pub(super) fn call(&self, call: &FuncCall, range: &Range<usize>) -> Outcome {
        let name: String = call
            .name
            .namespace
            .iter()
            .flat_map(|part| [part.as_str(), "::"])
            .chain([call.name.name.as_str()])
            .collect();
        match name.strip_prefix("core::").unwrap_or(&name) {
            "try" => return self.attempt(call, range),
            "can" => return self.can(call, range),
            "convert" => return self.convert(call, range),
            "ephemeralasnull" => return self.ephemeral_as_null(call, range),
            _ => {}
        }
        let Some(function) = functions::find(&name) else {
            if let Some(refused) = functions::refused::find(&name) {
                let summary = format!("there is no function {name:?}: {}", refused.why);
                return Err(self.fault(REFUSED_FUNCTION, range, summary).hint(refused.instead).into());
            }
            let mut fault = self.fault(UNKNOWN_FUNCTION, range, format!("no function {name:?}"));
            fault.hint = did_you_mean(&name, functions::names());
            return Err(fault.into());
        };
        let Some(arguments) = self.arguments(call)? else {
            return Ok(ExprValue::unknown(Type::Any));
        };
        let values: Vec<_> = arguments.iter().map(|(value, _)| value.clone()).collect();
        self.typed(function, &arguments)?;
        let result = function
            .invoke(values.clone(), self.scope, self.budget)
            .map_err(|error| self.failed(function, error, &arguments, range))?;
        let secret_keys = values.iter().any(ExprValue::has_secret_keys);
        Ok(call_result::known(function.name(), &values, result).with_secret_keys_of(secret_keys))
    }

    /// Refuses arguments of types that the function never takes, before all of them are known.
    fn typed(&self, function: &Function, arguments: &Arguments) -> Outcome<()> {
        let unknown = |value: &ExprValue| value.is_unknown() && value.ty() != Type::Any;
        let is_open = |value: &ExprValue| value.is_unknown() && value.ty() == Type::Any;
        let mut values = arguments.iter().map(|(value, _)| value);
        if !values.clone().any(unknown) || values.any(is_open) {
            return Ok(());
        }
        let checked = if function.name() == "merge" { arguments.len() } else { 1 };
        let wrong = arguments
            .iter()
            .take(checked)
            .find(|(value, _)| !call_result::takes(function.name(), &value.ty()));
        let Some((value, range)) = wrong else { return Ok(()) };
        let message = format!("{} is no argument of it", value.ty().friendly());
        Err(self.bad_argument(function, message, Some(&(value.clone(), range.clone())), range).into())
    }

    /// Evaluates the arguments; `None` when it is known after apply how many there are.
    fn arguments(&self, call: &FuncCall) -> Outcome<Option<Arguments>> {
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            arguments.push((self.value(argument)?, range_of(argument)));
        }
        if !call.args.expand_final() {
            return Ok(Some(arguments));
        }
        let Some((last, range)) = arguments.pop() else {
            return Ok(Some(arguments));
        };
        match last.kind() {
            Kind::List(items) | Kind::Set(items) | Kind::Tuple(items) => {
                let sensitive = last.is_sensitive();
                arguments.extend(items.iter().map(|item| {
                    let item = item.clone().with_sensitivity_of(sensitive);
                    (item, range.clone())
                }));
                Ok(Some(arguments))
            }
            Kind::Unknown(unknown)
                if matches!(unknown.ty, Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) =>
            {
                Ok(None)
            }
            _ => Err(self
                .fault(ARGUMENT, &range, "only a list, a set or a tuple can be expanded with ...")
                .detail(given(&last))
                .into()),
        }
    }

    fn failed(
        &self,
        function: &Function,
        error: FunctionError,
        arguments: &Arguments,
        range: &Range<usize>,
    ) -> Diagnostics {
        match error {
            FunctionError::Template(diagnostics) => self.called_here(diagnostics, range),
            FunctionError::Budget(exhausted) => self.exhausted(range, exhausted),
            FunctionError::Count(message) => self
                .fault(ARGUMENT_COUNT, range, message)
                .detail(documentation(function))
                .hint(example(function))
                .into(),
            FunctionError::Argument { idx, message } => {
                self.bad_argument(function, message, arguments.get(idx), range).hint(example(function)).into()
            }
            FunctionError::Path { idx, message } => self
                .bad_argument(function, message, arguments.get(idx), range)
                .hint("paths start at the repository's root, and nothing outside of it is read")
                .into(),
            FunctionError::Failed(message) => {
                let sensitive = arguments.iter().any(|(value, _)| value.contains_sensitive());
                let summary = if sensitive {
                    "the call failed; an argument is sensitive, so the reason is not shown"
                } else {
                    message.as_str()
                };
                self.fault(CALL_FAILED, range, format!("{}: {summary}", function.name())).into()
            }
        }
    }

    fn bad_argument(
        &self,
        function: &Function,
        message: String,
        argument: Option<&(ExprValue, Range<usize>)>,
        range: &Range<usize>,
    ) -> Diagnostic {
        let (value, range) = argument.map_or((None, range), |(value, range)| (Some(value), range));
        let given = value.map(given).unwrap_or_default();
        let summary = match value {
            // The message of an argument may quote it.
            Some(value) if value.contains_sensitive() => "invalid argument".to_owned(),
            _ => message,
        };
        self.fault(ARGUMENT, range, format!("{}: {summary}", function.name()))
            .detail(format!("{} {given}", documentation(function)).trim_end())
    }

    /// Adds the place of the call to the faults of a template.
    fn called_here(&self, faults: Diagnostics, range: &Range<usize>) -> Diagnostics {
        let call = self.span(range);
        let faults = faults.into_iter().map(|fault| match fault.span {
            Some(_) => fault.label(call.clone(), "rendered here"),
            None => fault.at(call.clone()),
        });
        faults.collect()
    }

    /// `try(…)`: the first argument that evaluates without a fault.
    fn attempt(&self, call: &FuncCall, range: &Range<usize>) -> Outcome {
        let mut faults: Vec<Diagnostic> = Vec::new();
        for argument in &call.args {
            match self.value(argument) {
                Ok(value) if value.is_wholly_known() => return Ok(value),
                // Once it is known it may have a fault, and another argument be the one.
                Ok(value) => {
                    let sensitive = value.contains_sensitive();
                    return Ok(ExprValue::unknown(Type::Any).with_sensitivity_of(sensitive));
                }
                Err(found) if self.budget.is_exhausted() => return Err(found),
                Err(found) => faults.extend(found),
            }
        }
        let mut fault = self.fault(CALL_FAILED, range, "try: no argument evaluates without a fault");
        for found in faults {
            if let Some(span) = found.span {
                fault = fault.label(span, found.summary);
            }
        }
        Err(fault.into())
    }

    /// `convert(…)`: the first argument as the type that the second one names.
    fn convert(&self, call: &FuncCall, range: &Range<usize>) -> Outcome {
        let [value, ty] = &call.args.iter().collect::<Vec<_>>()[..] else {
            let summary = "convert: exactly 2 arguments are required, a value and a type";
            return Err(self.fault(ARGUMENT_COUNT, range, summary).into());
        };
        let target = types::parse(ty, self.scope.file())?;
        let given_value = self.value(value)?;
        convert(&given_value, &target).map_err(|error| {
            self.fault(ARGUMENT, &range_of(value), format!("convert: invalid value: {error}"))
                .detail(given(&given_value))
                .into()
        })
    }

    /// `ephemeralasnull(…)`: the argument with null wherever it is ephemeral, which the result then is not.
    fn ephemeral_as_null(&self, call: &FuncCall, range: &Range<usize>) -> Outcome {
        let mut arguments = call.args.iter();
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            let summary = "ephemeralasnull: exactly 1 argument is required";
            return Err(self.fault(ARGUMENT_COUNT, range, summary).into());
        };
        let before = self.budget.ephemeral();
        let value = self.value(argument)?;
        self.budget.forget_ephemeral(before);
        Ok(value.ephemeral_as_null())
    }

    /// `can(…)`: whether the argument evaluates without a fault.
    fn can(&self, call: &FuncCall, range: &Range<usize>) -> Outcome {
        let mut arguments = call.args.iter();
        let (Some(argument), None) = (arguments.next(), arguments.next()) else {
            let summary = "can: exactly 1 argument is required";
            return Err(self
                .fault(ARGUMENT_COUNT, &call.args.span().unwrap_or_else(|| range.clone()), summary)
                .into());
        };
        match self.value(argument) {
            Err(found) if self.budget.is_exhausted() => Err(found),
            Ok(value) if !value.is_wholly_known() => Ok(ExprValue::unknown(Type::Bool)),
            result => Ok(ExprValue::bool(result.is_ok())),
        }
    }
}

fn documentation(function: &Function) -> String {
    format!("The function is {}. {}", function.signature(), function.about())
}

fn example(function: &Function) -> String {
    format!("for example: {}", function.example())
}
