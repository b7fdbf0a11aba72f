//! kubectl as a client of the sandbox: runs the sequences of `kubectl/` against both servers, and compares what each
//! command prints and how it ends. Each sequence is a test of its own, named after its file and its sentence.

// A comparison that cannot be made fails.
#![allow(clippy::panic)]

#[path = "kubectl/clusters.rs"]
mod clusters;
#[path = "kubectl/output.rs"]
mod output;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clusters::{Clusters, Workplace};
use conformance::settled;
use libtest_mimic::{Arguments, Failed, Trial};
use output::Output;
use serde::Deserialize;
use similar::TextDiff;

/// How long controllers may take until both servers show the same.
const SETTLING: Duration = Duration::from_secs(20);

/// Commands that one user types, one after the other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sequence {
    /// What the user does, as a sentence; unique in its file.
    sequence: String,
    /// Files in the directory where the commands run, by name. `$NS` in them is the namespace.
    #[serde(default)]
    files: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// A line for the shell. Each sequence has a namespace of its own, which is the current one and `$NS`.
    run: String,
    /// The exit code wanted, so that a sequence cannot pass by failing alike.
    #[serde(default)]
    exit: i32,
    /// Run it again until both servers show the same: controllers have to act first. Only for commands that read.
    #[serde(default)]
    settle: bool,
    /// Patterns of lines that are not compared. Say why in a comment.
    #[serde(default)]
    without: Vec<String>,
    /// Why the outputs differ. A difference that is gone fails, too.
    differs: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("kubectl");
    let entries = std::fs::read_dir(directory).expect("the directory of sequences is readable");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the entry is readable").path()).collect();
    paths.sort();
    let mut trials = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (idx, sequence) in read(path).into_iter().enumerate() {
            let (title, namespace) = (format!("{name}: {}", sequence.sequence), format!("{name}-{idx}"));
            let play = move || settled(&namespace, |namespace| sequence.play(namespace));
            trials.push(Trial::test(title, move || play().map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn read(path: &Path) -> Vec<Sequence> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Sequence {
    /// Runs the commands on both servers. An error tells all outputs that differ.
    fn play(&self, namespace: &str) -> Result<(), String> {
        let workplaces = Clusters::shared().workplaces(namespace, &self.files);
        let mut faults = String::new();
        for (idx, step) in self.steps.iter().enumerate() {
            if let Err(fault) = step.play(&workplaces) {
                faults.push_str(&format!("step {} ({}): {fault}\n", idx + 1, step.run.trim_end()));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl Step {
    fn play(&self, workplaces: &[Workplace; 2]) -> Result<(), String> {
        let since = Instant::now();
        loop {
            let [real, sandbox] = std::thread::scope(|scope| {
                let runs = [0, 1].map(|idx| scope.spawn(move || workplaces[idx].run(&self.run)));
                runs.map(|run| run.join().expect("a command can be started").without(&self.without))
            });
            let outcome = self.compare(&real, &sandbox);
            if outcome.is_ok() || !self.settle || since.elapsed() > SETTLING {
                return outcome;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn compare(&self, real: &Output, sandbox: &Output) -> Result<(), String> {
        if real.code != Some(self.exit) {
            return Err(format!("the exit code with the real server is not {}:\n{}", self.exit, real.text()));
        }
        match (&self.differs, real == sandbox) {
            (None, true) | (Some(_), false) => Ok(()),
            (Some(why), true) => Err(format!("the outputs no longer differ: {why}")),
            (None, false) => {
                let (real, sandbox) = (real.text(), sandbox.text());
                let diff = TextDiff::from_lines(real.as_str(), sandbox.as_str());
                Err(format!("\n{}", diff.unified_diff().context_radius(3).header("real", "sandbox")))
            }
        }
    }
}
