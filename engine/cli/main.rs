//! The `terrane` command: joins the crates, decides nothing.

// The macros panic when nobody reads: `terminal` knows what to do then.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod checks;
mod commands;
mod error;
mod files;
mod lock;
mod progress;
mod saved_plan;
mod session;
mod subject;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::args::{Arguments, Command, Target};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Refs};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => return usage(&message),
    };
    log_to_stderr();
    let context = Context { no_color: arguments.no_color };
    match run(arguments.command, context) {
        Ok(exit) => exit.into(),
        Err(error) => {
            terminal::say(&session::failure_text(&error, context));
            ExitCode::FAILURE
        }
    }
}

/// Prints help, or what is wrong with the command line: exit code 1, because 2 means "there are changes".
fn usage(message: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail in another way.
    message.print().unwrap_or_default();
    if message.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// `TERRANE_LOG=debug` shows spans per phase and object.
fn log_to_stderr() {
    let Ok(filter) = EnvFilter::try_from_env("TERRANE_LOG") else { return };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.log_internal_errors(false).init();
}

fn run(command: Command, context: Context) -> Result<Exit, CommandError> {
    match command {
        Command::Version => commands::version::run(),
        Command::Fmt { paths, check, diff, recursive } => {
            commands::fmt::run(&paths, commands::fmt::Wish { check, diff, recursive }, context)
        }
        Command::Docs { directory } => commands::docs::run(&directory),
        Command::Explain { code } => commands::explain::run(code.as_deref()),
        Command::Console { directory, variables } => commands::console::run(directory, variables, context),
        Command::Approve { decision, target } => commands::approve::run(&decision, &target, context),
        Command::Validate { target, json } => commands::validate::run(&target, json, context),
        Command::Graph { target, format } => commands::graph::run(&target, format, context),
        Command::History(wish) => commands::history::run(&wish, context),
        Command::State(command) => wait(commands::state::run(command, context)),
        Command::Output { name, directory, variables, json } => {
            commands::output::run(name.as_deref(), &Target { directory, variables }, json, context)
        }
        Command::Show { path, variables, json } => {
            commands::show::run(&Target { directory: path, variables }, json, context)
        }
        Command::Init { target, upgrade } => {
            let refs = if upgrade { Refs::LookedUp } else { Refs::AsLocked };
            wait(commands::init::run(&target, refs, context))
        }
        Command::Plan { target, out, json, detailed_exitcode, offline, destroy, planning } => {
            let wish = commands::plan::Wish { out, json, detailed_exitcode, offline, destroy, planning };
            wait(commands::plan::run(&target, wish, context))
        }
        Command::Apply { target, planning, running } => {
            wait(commands::apply::run(&target, &planning, &running, context))
        }
        Command::Destroy { target, part, running } => {
            wait(commands::destroy::run(&target, &part, &running, context))
        }
        Command::Preview { target, base, head, out, json } => {
            let wish = commands::preview::Wish { base, head, out, json };
            wait(commands::preview::run(&target, wish, context))
        }
        Command::Sandbox(command) => wait(commands::sandbox::run(command)),
    }
}

/// Runs a command that talks to clusters.
fn wait(command: impl Future<Output = Result<Exit, CommandError>>) -> Result<Exit, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(CommandError::while_("start the runtime"))?.block_on(command)
}
