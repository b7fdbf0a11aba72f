//! `terrane init`

use crate::args::Target;
use crate::error::{CommandError, Exit};
use crate::session::{Context, Refs, Session, Workspace};
use crate::terminal::line;

/// Fetches modules, loads the definition, connects its clusters and creates the state if there is none.
pub async fn run(target: &Target, refs: Refs, context: Context) -> Result<Exit, CommandError> {
    let workspace = Workspace::open(target)?;
    for done in workspace.fetch_modules(refs)? {
        line(done)?;
    }
    let mut session = Session::open(workspace, context).await?;
    for (cluster, provider) in session.providers.iter() {
        let discovery = provider.discover().await;
        let discovery =
            discovery.map_err(CommandError::while_(format!("ask cluster {cluster} what it serves")))?;
        line(format_args!("cluster {cluster}: {} kinds", discovery.iter().count()))?;
    }
    let existed = session.stored.is_some();
    let stored = session.create_state()?;
    let what = if existed { "found" } else { "created" };
    line(format_args!(
        "state of environment {}: {what}, serial {}",
        stored.state.environment, stored.state.serial
    ))?;
    Ok(Exit::Success)
}
