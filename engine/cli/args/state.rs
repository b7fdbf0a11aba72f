//! Arguments of the commands on the state.

use clap::{Args, Subcommand};
use engine_core::mark::Lineage;

use super::{Running, Target, Variables};

/// What to show of the history.
#[derive(Debug, Clone, Args)]
pub struct History {
    /// Of which definition.
    #[command(flatten)]
    pub target: Target,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How many revisions
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
}

/// How to confirm what changes the state.
#[derive(Debug, Clone, Copy, Args)]
pub struct Approving {
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Print the newest revision as JSON; needs --auto-approve
    #[arg(long, requires = "auto_approve")]
    pub json: bool,
}

/// Commands on the state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the recorded objects
    List {
        #[command(flatten)]
        target: Target,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the record of one resource
    Show {
        /// The resource's address
        address: String,
        #[command(flatten)]
        target: Target,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The same as `terrane history`
    History(History),
    /// Print the newest state as one JSON document
    ///
    /// It holds what the state's files hold: no manifests and no secrets.
    Pull {
        #[command(flatten)]
        target: Target,
    },
    /// Show what changed between two revisions
    ///
    /// Between the newest and the one before it, if no revisions are named.
    #[command(override_usage = "terrane state diff [OPTIONS] [A B] [DIR]")]
    Diff {
        /// The earlier and the later revision, each by its serial or the start of its commit, if not the two newest; then
        /// the environment's directory
        #[arg(value_name = "A B DIR", num_args = 0..=3)]
        words: Vec<String>,
        #[command(flatten)]
        variables: Variables,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check every revision of the state
    ///
    /// Exits with 1 if something is wrong, and names each commit that it is wrong with. Asks no cluster.
    Verify {
        #[command(flatten)]
        target: Target,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring back an older revision of the state, or one that was lost
    ///
    /// Its content becomes the newest revision; nothing is taken out of the chain. A state that is gone begins again at
    /// the revision. Where another revision was seen before, the newest one itself is gone on with. Shows what changes
    /// and asks. Writes to no cluster: plan afterwards.
    Restore {
        /// The revision, by its serial or the start of its commit
        revision: String,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        approving: Approving,
    },
    /// Make a new state from the marks of the objects on the clusters
    ///
    /// For a state that is lost. Lists every kind of every cluster of the definition. What an object was made from and
    /// what the server made of it is not known afterwards: the next plan asks.
    Rebuild {
        #[command(flatten)]
        target: Target,
        /// Which lineage, if the marks of several are found
        #[arg(long)]
        lineage: Option<Lineage>,
        #[command(flatten)]
        approving: Approving,
    },
    /// Begin the chain of revisions anew, and keep the old one apart
    ///
    /// The old chain stays under refs/terrane/archive, and stays part of the history. Asks.
    Compact {
        #[command(flatten)]
        target: Target,
        /// How many revisions to keep in the new chain
        #[arg(long, default_value_t = 0, value_name = "N")]
        keep: usize,
        #[command(flatten)]
        approving: Approving,
    },
    /// Record what is at one address under another
    ///
    /// As a `moved` block does it with the next apply, without an apply. No cluster is asked; the next apply writes the
    /// new address into the marks of the objects.
    Mv {
        /// The address of a block, an instance or an object, as recorded
        from: String,
        /// The address that the definition has for it now
        to: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let objects go: they leave the state and stay on their cluster
    ///
    /// Shows what it does and asks. The marks are taken off the objects, so that no later run takes them for ours.
    Rm {
        /// The address of a block, an instance or an object, as recorded
        address: String,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        running: Running,
    },
    /// Release the lock that a dead run left behind
    ///
    /// What it noted in this work directory is recorded. A run that is alive is refused with its next revision.
    Unlock {
        /// The run that holds the lock, as the error names it
        #[arg(long, value_name = "RUN")]
        lock_id: String,
        #[command(flatten)]
        target: Target,
    },
}
