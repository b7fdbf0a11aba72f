//! The command line's arguments.

mod state;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};
use engine_core::digest::Digest;
use serde::{Deserialize, Serialize};

pub use state::{Approving, History, StateCommand};

/// Declarative provisioner of Kubernetes environments.
///
/// Describe an environment in HCL, see exactly what would change, and converge its clusters in order.
#[derive(Debug, Parser)]
#[command(name = "terrane", disable_version_flag = true, max_term_width = 100)]
pub struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub command: Command,

    /// Print without colours; `NO_COLOR` does the same
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fetch modules, prepare the state and check that the clusters answer
    ///
    /// Fetches the modules of other repositories that the definition uses, at the commits of terrane.lock.hcl, and adds
    /// to that file what is new. Creates the environment's state if there is none yet. Safe to run again; deletes no
    /// object and no state.
    Init {
        #[command(flatten)]
        target: Target,
        /// Look up every ref again instead of taking the commit of the lock file
        #[arg(long)]
        upgrade: bool,
    },
    /// Check a definition without touching any cluster or state
    ///
    /// Variables need no values: what depends on them is checked as far as it can be.
    Validate {
        #[command(flatten)]
        target: Target,
        /// Print the findings as JSON
        #[arg(long)]
        json: bool,
    },
    /// Rewrite definitions in the canonical style
    Fmt {
        /// Files or directories; `-` for standard input
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// Change nothing; exit with 3 if a file is not in the canonical style
        #[arg(long)]
        check: bool,
        /// Print what differs from the canonical style
        #[arg(long)]
        diff: bool,
        /// Go into directories below as well
        #[arg(long)]
        recursive: bool,
    },
    /// Print the reference of a module as Markdown
    Docs {
        /// The module's directory
        #[arg(default_value = ".")]
        directory: PathBuf,
    },
    /// Say what the code of a message means and what to do
    Explain {
        /// The code, such as TRN0105; without it, all codes are listed
        code: Option<String>,
    },
    /// Evaluate expressions
    ///
    /// Reads one expression a line from standard input and prints its value; on a terminal it asks for them. Exits with 1
    /// if an expression had a fault. Asks no cluster.
    Console {
        /// The environment whose names can be used; none needs to be given
        directory: Option<PathBuf>,
        #[command(flatten)]
        variables: Variables,
    },
    /// Show what an apply would change
    ///
    /// Never writes to a cluster and needs no lock.
    Plan {
        #[command(flatten)]
        target: Target,
        /// Write the plan to this file as well, for `terrane apply FILE`
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print the plan as JSON
        #[arg(long)]
        json: bool,
        /// Exit with 0 if nothing changes, 2 if something does, 1 on an error
        #[arg(long)]
        detailed_exitcode: bool,
        /// Ask no cluster: compare the definition with the state's digests
        #[arg(long, conflicts_with_all = ["verify", "refresh_only"])]
        offline: bool,
        /// Show what `terrane destroy` would delete
        #[arg(long, conflicts_with_all = ["out", "replace", "refresh_only"])]
        destroy: bool,
        #[command(flatten)]
        planning: Planning,
    },
    /// Bring the clusters to what the definition says
    ///
    /// Shows the plan, asks, and carries it out in order of dependency. Ctrl-C finishes what is in flight,
    /// records it and exits with 130. The file of `terrane plan --out` in place of the directory carries out that
    /// plan without asking, or refuses if it no longer holds; pass the same --var and --var-file with it.
    Apply {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        planning: Planning,
        #[command(flatten)]
        running: Running,
    },
    /// Agree to what a plan decides
    ///
    /// Records it beside the state, for waves of a rollout that wait for it, with your name from Git's configuration.
    Approve {
        /// The digest in the plan's last line
        decision: Digest,
        #[command(flatten)]
        target: Target,
    },
    /// Delete everything that the environment has created, in reverse order
    Destroy {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        part: Part,
        #[command(flatten)]
        running: Running,
    },
    /// Show a saved plan, or what the state records
    Show {
        /// A saved plan or an environment's directory
        #[arg(default_value = ".")]
        path: PathBuf,
        #[command(flatten)]
        variables: Variables,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show who changed the environment, when, by which plan, and who approved it
    ///
    /// One line for each revision of the state, the newest first.
    History(History),
    /// Look into the state, and mend it
    #[command(subcommand)]
    State(StateCommand),
    /// Draw the resource graph
    Graph {
        #[command(flatten)]
        target: Target,
        /// Language of the drawing
        #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
        format: GraphFormat,
    },
    /// Print the outputs of the last apply
    Output {
        /// Only this output, as plain text if it is text
        name: Option<String>,
        /// The environment's directory
        #[arg(long, default_value = ".")]
        directory: PathBuf,
        #[command(flatten)]
        variables: Variables,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what merging a branch would change, as a pull request comment
    ///
    /// Plans the head and the merge base, and shows the difference. Clusters, variables and settings come from
    /// the base.
    Preview {
        #[command(flatten)]
        target: Target,
        /// The branch to merge into
        #[arg(long, default_value = "origin/main")]
        base: String,
        /// The branch to merge
        #[arg(long, default_value = "HEAD")]
        head: String,
        /// Write the comment to this file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print the plan of the merge as JSON
        #[arg(long)]
        json: bool,
    },
    /// The embedded API server
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Print the version
    Version,
}

/// Which definition, with which variables.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The environment's directory
    #[arg(default_value = ".")]
    pub directory: PathBuf,
    /// What its variables are.
    #[command(flatten)]
    pub variables: Variables,
}

/// What variables are set to, in the order of the command line.
#[derive(Debug, Clone, Default)]
pub struct Variables(pub Vec<Setting>);

/// One argument that sets variables.
#[derive(Debug, Clone)]
pub enum Setting {
    /// `--var NAME=VALUE`.
    Assignment(String),
    /// `--var-file FILE`.
    File(PathBuf),
}

// Written out because a derived parser forgets in which order two options were given, and the last one counts.
impl FromArgMatches for Variables {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let assignments = matches.get_many::<String>("var").unwrap_or_default().cloned();
        let files = matches.get_many::<PathBuf>("var-file").unwrap_or_default().cloned();
        let places = |name| matches.indices_of(name).into_iter().flatten();
        let mut found: Vec<(usize, Setting)> =
            places("var").zip(assignments.map(Setting::Assignment)).collect();
        found.extend(places("var-file").zip(files.map(Setting::File)));
        found.sort_by_key(|(place, _)| *place);
        Ok(Self(found.into_iter().map(|(_, setting)| setting).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Variables {
    fn augment_args(command: clap::Command) -> clap::Command {
        let option = |name| Arg::new(name).long(name).action(ArgAction::Append);
        let help = "Set variables from a file; may be repeated, of several values the last one counts";
        command
            .arg(option("var").value_name("NAME=VALUE").help("Set a variable"))
            .arg(option("var-file").value_name("FILE").help(help).value_parser(clap::value_parser!(PathBuf)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// Which part of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct Part {
    /// Only this block, instance or object with what it depends on; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub target: Vec<String>,
    /// Only this cluster, such as `main` or `prod["eu"]`; may be repeated
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
}

impl Part {
    /// Tells whether it is everything.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What to plan, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct Planning {
    /// Which part.
    #[command(flatten)]
    #[serde(flatten)]
    pub part: Part,
    /// Delete and create this object again although nothing of it changes; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub replace: Vec<String>,
    /// Change nothing on the clusters: show what was changed outside of Terrane, and drop records of what is gone
    #[arg(long, conflicts_with = "replace")]
    #[serde(default)]
    pub refresh_only: bool,
    /// Which objects to ask the server about
    #[arg(long, value_enum, default_value_t = Verify::Records)]
    pub verify: Verify,
}

impl Planning {
    /// Tells whether nothing was said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which objects a plan asks the server about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Those that their records do not prove unchanged
    #[default]
    Records,
    /// All
    Full,
}

/// How to carry out a plan.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("approved").args(["auto_approve", "expect"]).multiple(true))]
pub struct Running {
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Do not ask, and refuse unless this is what the plan decides: the digest in its last line
    #[arg(long, value_name = "DIGEST")]
    pub expect: Option<Digest>,
    /// How many objects are written at once
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: u16,
    /// How long to wait for a lock that another run holds, such as 15m. A run that gives no sign of life for ten
    /// minutes meanwhile counts as dead
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Print what happens as JSON, an event a line; needs --auto-approve or --expect
    #[arg(long, requires = "approved")]
    pub json: bool,
}

/// Commands on the sandbox.
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serve an environment's sandbox over HTTP until Ctrl-C
    ///
    /// Writes a kubeconfig and prints how to use it with kubectl. Plans and applies go through it meanwhile.
    Serve {
        /// The environment's directory
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// The cluster, if the environment has several sandboxes
        #[arg(long, default_value = "main")]
        cluster: String,
        /// Port on the loopback interface; 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Delete all that is in an environment's sandbox
    ///
    /// It stays the same cluster: the next plan shows the environment's objects as gone.
    Reset {
        /// The environment's directory
        #[arg(default_value = ".")]
        directory: PathBuf,
        /// The cluster, if the environment has several sandboxes
        #[arg(long, default_value = "main")]
        cluster: String,
    },
}

/// Languages of a drawn graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Graphviz
    Dot,
    /// Mermaid, which forges render
    Mermaid,
}

/// Reads a duration such as `90s` or `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(duration).map_err(|_| "it must not be negative".into())
}
