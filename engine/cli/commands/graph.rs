//! `terrane graph`

use engine_render::{graph_dot, graph_mermaid};

use crate::args::{GraphFormat, Target};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Reads, Workspace};
use crate::terminal::print;

/// Prints the resource graph of a definition.
pub fn run(target: &Target, format: GraphFormat, context: Context) -> Result<Exit, CommandError> {
    let definition = Workspace::open(target)?.load(&Reads::new(), context)?;
    let drawing = match format {
        GraphFormat::Dot => graph_dot(&definition.graph),
        GraphFormat::Mermaid => graph_mermaid(&definition.graph),
    };
    print(&drawing)?;
    Ok(Exit::Success)
}
