//! `terrane validate`

use engine_config::Valid;
use engine_core::diagnostic::Diagnostics;
use engine_render::diagnostics_json;

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Workspace, warn};
use crate::terminal::line;

/// Checks the definition and says what is wrong with it. Touches no cluster and no state, and needs no values of
/// variables.
pub fn run(target: &Target, json: bool, context: Context) -> Result<Exit, CommandError> {
    let outcome = match Workspace::open(target)?.validate()? {
        Ok(Valid::Whole(definition)) if definition.broken.has_errors() => Err(definition.broken),
        outcome => outcome,
    };
    if json {
        let diagnostics = match &outcome {
            Ok(Valid::Whole(definition)) => &definition.warnings,
            Ok(Valid::Open { .. }) => &Diagnostics::default(),
            Err(faults) => faults,
        };
        line(diagnostics_json(diagnostics))?;
        return Ok(if outcome.is_ok() { Exit::Success } else { Exit::Incomplete });
    }
    match outcome? {
        Valid::Whole(definition) => {
            warn(&definition.warnings, context);
            let count = definition.graph.resources().len();
            let environment = &definition.environment;
            line(format_args!("The definition of environment {environment} is valid: {count} objects."))?;
        }
        Valid::Open { variables } => {
            let (noun, verb) = if variables == 1 { ("variable", "has") } else { ("variables", "have") };
            line(format_args!("The definition is valid; {variables} {noun} {verb} no value yet."))?;
        }
    }
    Ok(Exit::Success)
}
