//! Loads an environment definition written in HCL into a resource graph.
//!
//! The way of a definition: files are read and parsed, their blocks become modules, modules are linked to the
//! modules they use, and one walk evaluates them in the order of their references into a graph. [`load`] does
//! all of it; [`format()`] rewrites a file in the canonical style.

pub mod codes;
mod definition;
mod environment;
mod fill;
mod format;
mod hints;
mod variables;

mod expand;
mod module;
mod source;
mod syntax;
mod yaml;

mod convert;
mod eval;
mod expr_value;
mod functions;
mod templates;
mod types;

pub use self::definition::{Definition, LoadOptions, Origin, OutputValue, load};
pub use self::environment::StateChoice;
pub use self::fill::{Checks, Filler, Moment};
pub use self::format::format;
pub use self::variables::{VariableInput, variable_files};
