//! `terrane preview`

use std::path::PathBuf;

use engine_converge::predict::Purpose;
use engine_core::plan::Plan;
use engine_render::{PreviewOptions, plan_json, plan_markdown};
use providers_sources::{Commit, Repository};

use crate::args::Target;
use crate::commands::plan::{make, settle_reads};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Session, Workspace};
use crate::subject::Subject;
use crate::terminal::{line, print};

/// Which commits to compare, and what to print.
pub struct Wish {
    /// The branch to merge into.
    pub base: String,
    /// The branch to merge.
    pub head: String,
    /// Write the comment here.
    pub out: Option<PathBuf>,
    /// Print JSON.
    pub json: bool,
}

/// Plans head and merge base against the same clusters and prints what the merge adds.
pub async fn run(target: &Target, wish: Wish, context: Context) -> Result<Exit, CommandError> {
    let repository =
        Repository::discover(&target.directory).map_err(CommandError::while_("look for the repository"))?;
    let repository = repository.ok_or_else(|| {
        CommandError::new(format!("{} is in no Git repository", target.directory.display()))
            .hint("a preview compares two commits; commit the definition first")
    })?;
    let commit =
        |revision: &str| repository.commit(revision).map_err(CommandError::while_("find the commits"));
    let (base, head) = (commit(&wish.base)?, commit(&wish.head)?);
    let fork = repository.merge_base(base, head).map_err(CommandError::while_("find the merge base"))?;
    let workspace = Workspace::open(target)?;
    let (base_tree, head_tree) = (export(&repository, fork)?, export(&repository, head)?);
    // Clusters, variables and settings come from the base: a pull request cannot redirect its own preview.
    let on_base = workspace.in_tree(base_tree.path(), base_tree.path())?;
    let on_head = workspace.in_tree(head_tree.path(), base_tree.path())?;
    if !on_base.exists() {
        let what =
            format!("the environment does not exist on {}: there is nothing to compare with", wish.base);
        return Err(CommandError::new(what).hint("a new environment is shown by `terrane plan`"));
    }
    if !on_head.exists() {
        let what =
            format!("the environment does not exist on {}: merging deletes none of its objects", wish.head);
        return Err(CommandError::new(what).hint("run `terrane destroy` before the definition goes"));
    }
    let mut base = Session::open(on_base, context).await?;
    settle_reads(&mut base, context).await?;
    let pending = make(&base, &Subject::of(&base.definition, &base), Purpose::Show).await?.plan;
    let mut head = base.beside(on_head, context).await?;
    settle_reads(&mut head, context).await?;
    let merged = make(&base, &Subject::of(&head.definition, &base), Purpose::Show).await?.plan;
    show(&merged.without(&pending), &pending, &wish)
}

fn export(repository: &Repository, commit: Commit) -> Result<tempfile::TempDir, CommandError> {
    let directory = tempfile::tempdir().map_err(CommandError::while_("make a temporary directory"))?;
    repository
        .export(commit, directory.path())
        .map_err(CommandError::while_(format!("export commit {commit}")))?;
    Ok(directory)
}

fn show(effect: &Plan, pending: &Plan, wish: &Wish) -> Result<Exit, CommandError> {
    let comment =
        plan_markdown(effect, &PreviewOptions { pending: Some(pending), ..PreviewOptions::default() });
    if let Some(path) = &wish.out {
        std::fs::write(path, &comment).map_err(CommandError::while_(format!("write {}", path.display())))?;
    }
    if wish.json {
        line(plan_json(effect))?;
    } else if wish.out.is_none() {
        print(&comment)?;
    }
    Ok(if effect.diagnostics.has_errors() { Exit::Incomplete } else { Exit::Success })
}
