//! `terrane output`

use engine_core::state::Output;
use engine_core::value::Value;
use engine_render::{outputs_json, outputs_text};

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::terminal::{line, print};

/// Prints the outputs of the last apply, or one of them.
pub fn run(name: Option<&str>, target: &Target, json: bool, context: Context) -> Result<Exit, CommandError> {
    let session = Session::offline(Workspace::open(target)?, context)?;
    let outputs = session.stored.map(|stored| stored.state.outputs).unwrap_or_default();
    let Some(name) = name else {
        if json {
            line(outputs_json(&outputs))?;
        } else {
            print(&outputs_text(&outputs))?;
        }
        return Ok(Exit::Success);
    };
    match outputs.get(name) {
        Some(Output::Value(Value::String(text))) if !json => line(text)?,
        Some(Output::Value(value)) => line(value)?,
        Some(Output::Sensitive) => {
            return Err(CommandError::new(format!("output {name} is sensitive and is not kept"))
                .hint("read it where it is used, for example from the Secret"));
        }
        None => {
            return Err(CommandError::new(format!("there is no output {name}"))
                .hint("outputs are recorded by `terrane apply`"));
        }
    }
    Ok(Exit::Success)
}
