//! `terrane validate`

use engine_core::diagnostic::Diagnostics;
use engine_render::diagnostics_json;

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Reads, Workspace};
use crate::terminal::line;

/// Loads the definition and says what is wrong with it. Touches no cluster and no state.
pub fn run(target: &Target, json: bool, context: Context) -> Result<Exit, CommandError> {
    let loaded = Workspace::open(target)?.load(&Reads::new(), context);
    let (diagnostics, outcome) = match loaded {
        Ok(definition) if definition.broken.has_errors() => {
            (definition.broken.clone(), Err(definition.broken))
        }
        Ok(definition) => (definition.warnings.clone(), Ok(definition)),
        Err(CommandError::Definition(diagnostics)) => (diagnostics.clone(), Err(diagnostics)),
        Err(other) => return Err(other),
    };
    if json {
        line(diagnostics_json(&diagnostics))?;
        return Ok(if outcome.is_ok() { Exit::Success } else { Exit::Incomplete });
    }
    let definition = outcome.map_err(|diagnostics: Diagnostics| CommandError::Definition(diagnostics))?;
    let count = definition.graph.resources().len();
    line(format_args!(
        "The definition of environment {} is valid: {count} objects.",
        definition.environment
    ))?;
    Ok(Exit::Success)
}
