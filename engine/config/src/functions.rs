//! The functions of the language.
//!
//! Each is a row of a table: a signature that is both its documentation and what calls are checked against,
//! a sentence, an example that a test runs, and the code.
//!
//! # Source
//! Documentation of `OpenTofu`, "Functions".

mod call;
mod charset;
mod collections;
mod context;
mod conversions;
mod csv;
mod encodings;
mod faults;
mod files;
mod format;
mod hashes;
mod kubernetes;
mod network;
mod numbers;
mod reference;
pub(crate) mod refused;
mod regexes;
mod sets;
mod signature;
mod strings;
mod templating;
mod time;
mod yaml_text;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use engine_core::diagnostic::{Code, Diagnostics};

pub(crate) use self::call::Call;
pub use self::context::FunctionContext;
pub(crate) use self::encodings::write_yaml;
pub use self::reference::functions_markdown;
use self::signature::Signature;
use crate::eval::{Budget, Exhausted, Scope};
use crate::expr_value::ExprValue;
use crate::types::Type;

/// There is no such function.
pub const UNKNOWN_FUNCTION: Code = Code(300);
/// Too few or too many arguments.
pub const ARGUMENT_COUNT: Code = Code(301);
/// An argument that the function does not take.
pub const ARGUMENT: Code = Code(302);
/// The function has no result for these arguments.
pub const CALL_FAILED: Code = Code(303);
/// A template file refers to a variable that it is not given.
pub const UNKNOWN_NAME: Code = Code(305);
/// A template file is no template.
pub const TEMPLATE_SYNTAX: Code = Code(304);

/// A function of Terraform or `OpenTofu` that this language leaves out on purpose.
pub const REFUSED_FUNCTION: Code = Code(306);

/// A function of the language.
pub struct Function {
    signature: Signature,
    row: &'static Row,
}

/// A function as its table tells it.
struct Row {
    /// `name(parameter: type, optional?: type, rest...: type) -> type`; `|null` behind a type admits null.
    signature: &'static str,
    /// What it returns, in one sentence.
    about: &'static str,
    /// An expression that is true.
    example: &'static str,
    body: Body,
}

/// Builds the row of a function that sees neither unknown nor sensitive values.
const fn plain(signature: &'static str, about: &'static str, example: &'static str, body: Run) -> Row {
    let body = Body::Plain(body);
    Row { signature, about, example, body }
}

/// Builds the row of a function that keeps unknown and sensitive values where they are.
const fn marked(signature: &'static str, about: &'static str, example: &'static str, body: Run) -> Row {
    let body = Body::Marked(body);
    Row { signature, about, example, body }
}

/// The code of a function.
type Run = fn(&Call<'_>) -> Result<ExprValue, FunctionError>;

/// The code of a function, by how it treats unknown and sensitive values.
#[derive(Clone, Copy)]
enum Body {
    /// Sees neither: with an unknown argument the result is unknown, with a sensitive one it is sensitive.
    Plain(Run),
    /// Sees both and keeps them where they are.
    Marked(Run),
}

/// A call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The number of arguments is wrong.
    #[error("{0}")]
    Count(String),
    /// An argument is wrong.
    #[error("{message}")]
    Argument {
        /// Position of the argument, from 0.
        idx: usize,
        /// What is wrong with it; may quote the argument.
        message: String,
    },
    /// An argument names a file that is not there, or must not be read.
    #[error("{message}")]
    Path {
        /// Position of the argument, from 0.
        idx: usize,
        /// What is wrong with it; quotes the argument.
        message: String,
    },
    /// The function has no result for these arguments. The message may quote them.
    #[error("{0}")]
    Failed(String),
    /// The result would be too large, or take too long.
    #[error(transparent)]
    Budget(#[from] Exhausted),
    /// A template file has faults of its own.
    #[error("the template has faults")]
    Template(Diagnostics),
}

impl FunctionError {
    fn argument(idx: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Argument { idx, message }
    }

    fn path(idx: usize, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Path { idx, message }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }
}

impl Function {
    /// Returns the name.
    pub fn name(&self) -> &'static str {
        self.signature.name
    }

    /// Returns the signature: `replace(text: string, search: string, with: string) -> string`. A `?` marks
    /// what may be left out, `...` what may be given any number of times, `|null` what may be null.
    pub fn signature(&self) -> &'static str {
        self.row.signature
    }

    /// Returns what the function returns, in one sentence.
    pub fn about(&self) -> &'static str {
        self.row.about
    }

    /// Returns an expression that shows the function and is true.
    pub fn example(&self) -> &'static str {
        self.row.example
    }

    /// Returns the type of the result; [`Type::Any`] when it depends on the arguments.
    pub fn returns(&self) -> &Type {
        &self.signature.returns
    }

    /// Calls the function.
    ///
    /// # Errors
    /// [`FunctionError`] when the arguments do not fit or there is no result for them.
    pub fn invoke(
        &self,
        arguments: Vec<ExprValue>,
        scope: &dyn Scope,
        budget: &Budget,
    ) -> Result<ExprValue, FunctionError> {
        arguments.iter().try_for_each(|argument| budget.work(argument))?;
        let given = self.signature.check(arguments)?;
        let (body, arguments, sensitive) = match self.row.body {
            Body::Marked(body) => (body, given, false),
            Body::Plain(body) => {
                let sensitive = given.iter().any(ExprValue::contains_sensitive);
                if !given.iter().all(ExprValue::is_wholly_known) {
                    let unknown = ExprValue::unknown(self.returns().clone());
                    return Ok(unknown.with_sensitivity_of(sensitive));
                }
                let plain = given.iter().map(ExprValue::without_marks).collect();
                (body, plain, sensitive)
            }
        };
        let call = Call { arguments, context: scope.functions(), templates: scope.templates(), budget };
        let result = body(&call)?;
        Budget::admit(&result)?;
        budget.bytes(result.as_str().map_or(0, str::len) as u64)?;
        Ok(result.with_sensitivity_of(sensitive))
    }
}

static FUNCTIONS: LazyLock<BTreeMap<&'static str, Function>> = LazyLock::new(|| {
    tables()
        .filter_map(|row| {
            let signature = Signature::parse(row.signature)?;
            Some((signature.name, Function { signature, row }))
        })
        .collect()
});

/// The functions by what they are about, in the order of the reference.
static GROUPS: &[(&str, &[Row])] = &[
    ("Text", strings::TABLE),
    ("Regular expressions", regexes::TABLE),
    ("Numbers", numbers::TABLE),
    ("Collections", collections::TABLE),
    ("Sets", sets::TABLE),
    ("Types", conversions::TABLE),
    ("Encodings", encodings::TABLE),
    ("Digests", hashes::TABLE),
    ("Files", files::TABLE),
    ("Templates", templating::TABLE),
    ("Time", time::TABLE),
    ("Networks", network::TABLE),
    ("Kubernetes", kubernetes::TABLE),
];

fn tables() -> impl Iterator<Item = &'static Row> {
    GROUPS.iter().flat_map(|(_, table)| table.iter())
}

/// Returns the function of this name, which may stand behind `core::`. Those that are part of evaluation are not
/// among them: `can`, `convert`, `ephemeralasnull` and `try`.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name.strip_prefix("core::").unwrap_or(name))
}

/// Returns the names that can be called, in order; those that are part of evaluation included.
pub fn names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<_> =
        FUNCTIONS.keys().copied().chain(["can", "convert", "ephemeralasnull", "try"]).collect();
    names.sort_unstable();
    names.into_iter()
}

#[cfg(test)]
mod tests;
