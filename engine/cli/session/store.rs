//! Where a definition's state is kept.

use std::sync::Arc;

use engine_config::StateChoice;
use engine_core::digest::SealKey;
use engine_core::mark::{EnvironmentName, Lineage};
use engine_core::ports::{RevisionStore, StateError};
use engine_state::{GitLocation, GitStore};
use providers_sources::Repository;

use super::Workspace;
use crate::error::CommandError;

/// Returns where the state that the definition chooses lies. Local refs lie in the definition's repository; outside of
/// any repository a private one is kept beside the definition.
fn location(workspace: &Workspace, state: &StateChoice) -> Result<GitLocation, CommandError> {
    let inside = Repository::discover(&workspace.home);
    let inside = inside.map_err(CommandError::while_("look for the Git repository"))?.is_some();
    let repository = workspace.home.clone();
    match (state, inside) {
        (StateChoice::Git { remote, .. }, true) => {
            Ok(GitLocation::Remote { repository, remote: remote.to_string() })
        }
        (StateChoice::Git { .. }, false) => {
            let nowhere = "the definition is in no repository, which would have a remote";
            Err(CommandError::while_("open the state")(StateError::Unusable(nowhere.into()))
                .hint("run `git init` and add the remote, or choose `state \"local\" {}`"))
        }
        (StateChoice::Local { .. } | StateChoice::Unset, true) => Ok(GitLocation::Local { repository }),
        (StateChoice::Local { .. } | StateChoice::Unset, false) => {
            Ok(GitLocation::Private { directory: workspace.work_directory().join("state.git") })
        }
    }
}

/// Tells whether the state can be read without making or fetching anything first.
pub(super) fn is_at_hand(workspace: &Workspace, state: &StateChoice) -> bool {
    location(workspace, state).is_ok_and(|location| match location {
        GitLocation::Local { .. } => true,
        GitLocation::Private { directory } => directory.exists(),
        GitLocation::Remote { .. } => false,
    })
}

/// Opens the store that the definition chooses, making a private one that is not there.
pub(super) fn open(
    workspace: &Workspace,
    (environment, state): (&EnvironmentName, &StateChoice),
) -> Result<Arc<dyn RevisionStore>, CommandError> {
    let location = location(workspace, state)?;
    let store = GitStore::open(&location, environment);
    let store = store.and_then(|store| match state {
        StateChoice::Git { branch: Some(branch), .. } | StateChoice::Local { branch: Some(branch) } => {
            store.in_branch(branch)
        }
        _ => Ok(store),
    });
    let store = store.map_err(CommandError::while_("open the state"))?;
    let high_water = workspace.work_directory().join(format!("high-water-{environment}"));
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
