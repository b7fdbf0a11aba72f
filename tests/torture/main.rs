//! Many processes at one state, with the real `git`, while processes die, stall and leave files behind.
//!
//! This program starts itself again as every participant. What it all means is in `README.md`.

mod account;
mod chain;
mod dice;
mod faults;
mod holders;
mod participant;
mod process;
mod script;
mod server;
mod transport;
mod trial;

use std::error::Error;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use crate::server::RefFormat;
use crate::transport::Kind;
use crate::trial::Plan;

/// Anything that ends a trial.
type Fault = Box<dyn Error + Send + Sync>;

/// The trials: how the participants reach the server, how it keeps refs, how many count, how often each, and how many
/// others take the lock in turn. Those that take longest come first.
const PLANS: [Plan; 6] = [
    Plan { name: "file_64", kind: Kind::File, refs: RefFormat::Files, counters: 64, times: 1, holders: 0 },
    Plan { name: "ssh_4", kind: Kind::Ssh, refs: RefFormat::Files, counters: 4, times: 3, holders: 3 },
    Plan { name: "https_4", kind: Kind::Https, refs: RefFormat::Files, counters: 4, times: 3, holders: 3 },
    Plan { name: "file_16", kind: Kind::File, refs: RefFormat::Files, counters: 16, times: 4, holders: 0 },
    Plan {
        name: "reftable_16",
        kind: Kind::File,
        refs: RefFormat::Reftable,
        counters: 16,
        times: 2,
        holders: 0,
    },
    Plan { name: "file_2", kind: Kind::File, refs: RefFormat::Files, counters: 2, times: 10, holders: 3 },
];

fn main() -> ExitCode {
    if let Some(task) = participant::Task::of_process() {
        return participant::run(&task);
    }
    let mut arguments = Arguments::from_args();
    // A trial has up to 64 processes of its own.
    arguments.test_threads.get_or_insert(1);
    let trials = PLANS.map(|plan| {
        let obstacle = plan.obstacle();
        let name = match &obstacle {
            Some(obstacle) => format!("{} ({obstacle})", plan.name),
            None => plan.name.to_owned(),
        };
        Trial::test(name, move || Ok(trial::run(&plan)?)).with_ignored_flag(obstacle.is_some())
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}
