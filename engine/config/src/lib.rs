//! Loads an environment definition written in HCL into a resource graph.
//!
//! The way of a definition: files are read and parsed, their blocks become modules, modules are linked to the
//! modules they use, and one walk evaluates them in the order of their references into a graph. [`load`] does
//! all of it; [`format()`] rewrites a file in the canonical style.

pub mod codes;
mod console;
mod definition;
mod environment;
mod fill;
mod foreign;
mod format;
mod generate;
mod hints;
mod lock;
mod module_docs;
mod module_source;
mod validate;
mod variables;

mod expand;
mod json;
mod module;
mod nesting;
mod source;
mod syntax;
mod yaml;

mod convert;
mod eval;
mod expr_value;
mod functions;
mod templates;
mod types;

pub use self::console::{Names, answer, evaluate_expression, inspect, names_of};
pub use self::definition::{
    Definition, LoadOptions, Origin, Outline, OutputValue, load, outline, remote_modules,
};
pub use self::environment::StateChoice;
pub use self::expr_value::{Bound, Entries, ExprValue, Items, Kind, Refinement, Unknown};
pub use self::fill::{Checks, Filler, Moment};
pub use self::format::format;
pub use self::functions::{functions_markdown, names as function_names};
pub use self::lock::{LOCK_FILE, Lock, LockedModule, module_directory, tree_digest};
pub use self::module_docs::module_docs;
pub use self::module_source::ModuleSource;
pub use self::types::{Attribute, ObjectType, Presence, Type};
pub use self::validate::{Valid, validate};
pub use self::variables::{VariableInput, variable_files};
