//! Where a definition's state is kept.

use std::sync::Arc;

use engine_config::{Definition, StateChoice};
use engine_core::digest::SealKey;
use engine_core::mark::Lineage;
use engine_core::ports::{RevisionStore, StateError};
use engine_state::{GitLocation, GitStore};
use providers_sources::Repository;

use super::Workspace;
use crate::error::CommandError;

/// Opens the store that the definition chooses. Local refs lie in the definition's repository; outside of any
/// repository a private one is kept beside the definition.
pub(super) fn open(
    workspace: &Workspace,
    definition: &Definition,
) -> Result<Arc<dyn RevisionStore>, CommandError> {
    let inside = Repository::discover(&workspace.home);
    let inside = inside.map_err(CommandError::while_("look for the Git repository"))?.is_some();
    let repository = workspace.home.clone();
    let location = match (&definition.state, inside) {
        (StateChoice::Git { remote, .. }, true) => {
            GitLocation::Remote { repository, remote: remote.to_string() }
        }
        (StateChoice::Git { .. }, false) => {
            let nowhere = "the definition is in no repository, which would have a remote";
            return Err(CommandError::while_("open the state")(StateError::Unusable(nowhere.into()))
                .hint("run `git init` and add the remote, or choose `state \"local\" {}`"));
        }
        (StateChoice::Local { .. } | StateChoice::Unset, true) => GitLocation::Local { repository },
        (StateChoice::Local { .. } | StateChoice::Unset, false) => {
            GitLocation::Private { directory: workspace.work_directory().join("state.git") }
        }
    };
    let store = GitStore::open(&location, &definition.environment);
    let store = store.and_then(|store| match &definition.state {
        StateChoice::Git { branch: Some(branch), .. } | StateChoice::Local { branch: Some(branch) } => {
            store.in_branch(branch)
        }
        _ => Ok(store),
    });
    let store = store.map_err(CommandError::while_("open the state"))?;
    let high_water = workspace.work_directory().join(format!("high-water-{}", definition.environment));
    Ok(Arc::new(store.with_high_water(high_water)))
}

/// Returns the key of the sensitive digests, if this work copy has it.
pub(super) fn key(workspace: &Workspace, lineage: &Lineage) -> Result<Option<SealKey>, CommandError> {
    engine_state::seal_key(&workspace.work_directory(), lineage)
        .map_err(CommandError::while_("read the digest key"))
}

/// Returns the key of the sensitive digests, creating it where there is none.
pub(super) fn create_key(workspace: &Workspace, lineage: &Lineage) -> Result<SealKey, CommandError> {
    engine_state::create_seal_key(&workspace.work_directory(), lineage)
        .map_err(CommandError::while_("create the digest key"))
}
