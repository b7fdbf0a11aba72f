//! What to do next, by code: the hint of every fault that has none of its own.

use engine_core::diagnostic::{Code, Diagnostics};

use crate::functions::{
    ARGUMENT, ARGUMENT_COUNT, CALL_FAILED, TEMPLATE_SYNTAX, UNKNOWN_FUNCTION, UNKNOWN_NAME,
};
use crate::types::TYPE_EXPRESSION;
use crate::{codes, eval, templates};

/// Gives every finding without a hint the one of its code.
pub(crate) fn complete(faults: Diagnostics) -> Diagnostics {
    faults
        .into_iter()
        .map(|mut fault| {
            fault.hint = fault.hint.or_else(|| hint(fault.code).map(str::to_owned));
            fault
        })
        .collect()
}

/// Returns the hint of a code of this crate.
fn hint(code: Code) -> Option<&'static str> {
    files(code).or_else(|| blocks(code)).or_else(|| expressions(code)).or_else(|| calls(code))
}

/// Hints for files and what they hold.
fn files(code: Code) -> Option<&'static str> {
    Some(match code {
        codes::UNREADABLE => "check that it exists, and that you may read it",
        codes::TOO_LARGE => "split the file",
        codes::SYNTAX => {
            "arguments are written `name = value`; look for a missing brace, bracket or quote before this place"
        }
        codes::YAML => "correct the file; a key may stand in a mapping only once",
        codes::MANIFEST => "an object needs apiVersion, kind and metadata.name",
        codes::FILL => "plan again",
        codes::LOCK => "restore the file from Git, or remove it and run `terrane init`",
        codes::GENERATE => "see that the operating system gives random numbers, and apply again",
        codes::UNKNOWN_IDENTITY => "use what the definition itself knows",
        _ => return None,
    })
}

/// Hints for blocks, their arguments and instances.
fn blocks(code: Code) -> Option<&'static str> {
    Some(match code {
        codes::UNKNOWN_ARGUMENT => "move it into a block, such as `locals { … }`",
        codes::DUPLICATE => "remove one of the two, or give it another name",
        codes::UNSUPPORTED => "remove it",
        codes::ROOT_ONLY => "move the block to the files of the environment",
        codes::INVALID_ARGUMENT => "give the argument a value that it takes",
        codes::UNKNOWN_REFERENCE => "declare it, or correct the name",
        codes::MISPLACED_REFERENCE => "use a constant, or what is known at this place",
        codes::UNKNOWN_INSTANCE => "name an instance that the block has, or the block as a whole",
        codes::VARIABLE_TYPE => "give a value of the variable's type, or change the type",
        codes::UNDECLARED_VARIABLE => "declare it with a variable block, or remove the value",
        codes::DEPRECATED => "see what its module says to use instead",
        codes::EPHEMERAL => "only `data` of a secret block takes what is ephemeral",
        codes::VALIDATION => "give the variable a value that its rule allows",
        codes::VARIABLE_TEXT => "write only lines of the form `NAME = VALUE`",
        codes::CLUSTER_CHOICE => "set `cluster` on the block of the environment that uses the module",
        codes::INSTANCES => "use a map or a set of strings for `for_each`, a whole number for `count`",
        codes::SENSITIVE => "use a value that is not sensitive, or nonsensitive(…) if it may be shown",
        codes::RECURSION => "remove the block that uses the module within itself",
        codes::UNKNOWN_IDENTITY => {
            "use what the definition itself knows; values known after apply may fill other fields of an object"
        }
        _ => return None,
    })
}

/// Hints for expressions and types.
fn expressions(code: Code) -> Option<&'static str> {
    Some(match code {
        eval::OPERAND => "convert the operand, for example with tonumber(…), or test for null first",
        eval::DIVISION_BY_ZERO => "test the divisor first: `n == 0 ? 0 : x / n`",
        eval::NUMBER_RANGE => "use a smaller number, or text",
        eval::CONDITION => "write a comparison, such as `x != null`",
        eval::INCONSISTENT_RESULTS => "give both results the same type, for example with tostring(…)",
        eval::ATTRIBUTE => "use an attribute that there is, or give a default: try(…, DEFAULT)",
        eval::INDEX => "use a key or index that there is, or give a default: try(…, DEFAULT)",
        eval::NULL_VALUE => "test for null first, or give a default: try(…, DEFAULT)",
        eval::TEMPLATE_VALUE => "turn it into text, for example with jsonencode(…) or join(\", \", …)",
        eval::FOR_COLLECTION => "give a list, a set, a map or an object",
        eval::OBJECT_KEY => "a key is a name, text in quotes, or an expression in parentheses",
        eval::DUPLICATE_KEY => "use keys that differ, or group the values of a key with `...`",
        eval::SPLAT => "write it as `[for item in … : …]`",
        eval::STEP_BUDGET => "work on smaller collections",
        eval::SIZE_BUDGET => "make the value smaller",
        TYPE_EXPRESSION => {
            "types are string, number, bool, any, list(…), set(…), map(…), tuple([…]) and object({…})"
        }
        _ => return None,
    })
}

/// Hints for functions and templates.
fn calls(code: Code) -> Option<&'static str> {
    Some(match code {
        UNKNOWN_FUNCTION => "engine/docs/functions.md lists all functions",
        ARGUMENT_COUNT | ARGUMENT => "give what the function takes",
        CALL_FAILED => "change the arguments, or give a default: try(…, DEFAULT)",
        UNKNOWN_NAME | templates::TEMPLATE_VARIABLE => "add it to the variables of the call",
        TEMPLATE_SYNTAX => "correct the template; a literal `${` is written `$${`",
        templates::TEMPLATE => "correct the template; includes are paths from the module's directory",
        templates::TEMPLATE_RENDER => "correct the template, or what the call gives it",
        templates::TEMPLATE_BUDGET => "let the template repeat less",
        _ => return None,
    })
}
