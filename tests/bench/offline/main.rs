//! How long loading a definition and an offline plan of it take, and how much memory: `cargo bench --bench offline`.
//!
//! Each measurement runs in a child process of its own, so that its peak of memory is its own, and three times,
//! of which the middle one counts.

mod workload;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use engine_config::{Definition, LoadOptions, load};
use engine_core::diagnostic::Diagnostics;
use engine_core::graph::ResourceGraph;
use engine_core::mark::Lineage;
use engine_core::object_ref::Uid;
use engine_core::plan::triage::{DesiredPrints, desired_prints};
use engine_core::plan::{Plan, PlanInput, plan};
use engine_core::ports::{ManifestSource, OverlayRequest, Rendered};
use engine_core::state::{ResourceRecord, State};
use engine_render::{Style, plan_text};

use crate::workload::Workload;

/// What is measured, with its sizes in objects or kilobytes.
const TASKS: [Task; 4] = [
    Task { workload: Workload::Flat, recorded: Recorded::Nothing, sizes: [1_000, 10_000, 100_000] },
    Task { workload: Workload::Flat, recorded: Recorded::Everything, sizes: [1_000, 10_000, 100_000] },
    Task { workload: Workload::Modules, recorded: Recorded::Nothing, sizes: [1_000, 10_000, 100_000] },
    Task { workload: Workload::Text, recorded: Recorded::Nothing, sizes: [500, 5_000, 50_000] },
];
const REPEATS: usize = 3;
/// First argument of a child process; the workload, the state and the size follow.
const CHILD: &str = "measure";

type Fault = Box<dyn Error>;

/// One row of the table for each size.
struct Task {
    workload: Workload,
    recorded: Recorded,
    sizes: [usize; 3],
}

/// What the state knows of the objects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Nothing,
    Everything,
}

impl Recorded {
    const ALL: [Self; 2] = [Self::Nothing, Self::Everything];

    fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "empty",
            Self::Everything => "recorded",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One measurement; as text, its four numbers in this order: microseconds, and MiB.
#[derive(Clone, Copy)]
struct Measured {
    load: Duration,
    plan: Duration,
    render: Duration,
    peak_mib: u64,
}

impl Measured {
    fn total(&self) -> Duration {
        self.load + self.plan + self.render
    }

    fn to_text(self) -> String {
        let times = [self.load, self.plan, self.render].map(|time| time.as_micros().to_string());
        format!("{} {}", times.join(" "), self.peak_mib)
    }

    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [load, plan, render, peak_mib] = numbers[..] else { return None };
        let [load, plan, render] = [load, plan, render].map(Duration::from_micros);
        Some(Self { load, plan, render, peak_mib })
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CHILD, workload, state, size] => child(workload, state, size),
        _ => table(),
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn table() -> Result<String, Fault> {
    let mut text = "| what | state | size | load s | plan s | render s | total s | peak MiB |\n".to_owned();
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|\n");
    let mut verdicts = String::new();
    for task in TASKS {
        let title = format!("{}, {}", task.workload.as_str(), task.recorded.as_str());
        let mut totals = Vec::new();
        for size in task.sizes {
            let found = middle(&task, size)?;
            let times = [found.load, found.plan, found.render, found.total()];
            let times = times.map(|time| format!("{:.3}", time.as_secs_f64())).join(" | ");
            let (what, state) = (task.workload.as_str(), task.recorded.as_str());
            writeln!(text, "| {what} | {state} | {size} | {times} | {} |", found.peak_mib)?;
            totals.push(found.total().as_secs_f64());
            if let Some((bar, is_met)) = bar(task.workload, size, &found) {
                writeln!(verdicts, "{title}, {size}: {bar}: {}", if is_met { "met" } else { "missed" })?;
            }
        }
        let growth = [totals[1] / totals[0], totals[2] / totals[1]];
        writeln!(
            verdicts,
            "{title}: ten times as much takes {:.1}, then {:.1} times as long",
            growth[0], growth[1]
        )?;
    }
    Ok(format!("{text}\n{}", verdicts.trim_end()))
}

/// What a measurement is held to, and whether it is met.
fn bar(workload: Workload, size: usize, found: &Measured) -> Option<(&'static str, bool)> {
    let seconds = |time: Duration| time.as_secs_f64();
    Some(match (workload, size) {
        (Workload::Flat, 100_000) => {
            ("at most 2 s in all and 1 GiB", seconds(found.total()) <= 2.0 && found.peak_mib <= 1024)
        }
        (Workload::Modules, 10_000) => {
            ("loads in at most 1 s and 400 MiB", seconds(found.load) <= 1.0 && found.peak_mib <= 400)
        }
        (Workload::Text, 50_000) => ("loads in at most 5 s", seconds(found.load) <= 5.0),
        _ => return None,
    })
}

/// Measures several times; the middle one by total time.
fn middle(task: &Task, size: usize) -> Result<Measured, Fault> {
    let mut found = Vec::new();
    for _ in 0..REPEATS {
        let mut child = Command::new(std::env::current_exe()?);
        child.args([CHILD, task.workload.as_str(), task.recorded.as_str(), &size.to_string()]);
        let output = child.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let text = String::from_utf8(output.stdout)?;
        found.push(Measured::parse(&text).ok_or("a measurement printed no numbers")?);
    }
    found.sort_by_key(Measured::total);
    Ok(found[REPEATS / 2])
}

fn child(workload: &str, state: &str, size: &str) -> Result<String, Fault> {
    let workload = Workload::parse(workload).ok_or("no such workload")?;
    let state = Recorded::parse(state).ok_or("no such state")?;
    Ok(measure(workload, state, size.parse()?)?.to_text())
}

fn measure(workload: Workload, recorded: Recorded, size: usize) -> Result<Measured, Fault> {
    let directory = tempfile::tempdir()?;
    workload.write(size, directory.path())?;
    let options = options(directory.path().to_owned())?;

    let since = Instant::now();
    let definition = load(&options, &NoOverlays, &BTreeMap::new())
        .map_err(|faults| format!("the definition does not load: {faults:?}"))?;
    let load = since.elapsed();

    let graph: &ResourceGraph = &definition.graph;
    let state = state(&definition, graph, recorded);
    let since = Instant::now();
    let made = offline(graph, &state, &desired_prints(graph, None));
    let plan = since.elapsed();

    let since = Instant::now();
    let text = plan_text(&made, Style::PLAIN);
    let render = since.elapsed();

    let changes = made.effective().count();
    let expected = if recorded == Recorded::Nothing { workload.objects(size) } else { 0 };
    if changes != expected || text.is_empty() {
        return Err(format!("{changes} changes are planned where {expected} are expected").into());
    }
    Ok(Measured { load, plan, render, peak_mib: peak_mib()? })
}

fn options(directory: PathBuf) -> Result<LoadOptions, Fault> {
    Ok(LoadOptions {
        repository: directory.clone(),
        directory,
        variables: Vec::new(),
        clock: "2026-01-01T00:00:00Z".parse()?,
        contexts: BTreeMap::new(),
        origin: None,
    })
}

/// The state as an apply of the definition would have left it.
fn state(definition: &Definition, graph: &ResourceGraph, recorded: Recorded) -> State {
    let mut state = State::empty(definition.environment.clone(), Lineage::new([7; 16]));
    if recorded == Recorded::Nothing {
        return state;
    }
    let prints = desired_prints(graph, None);
    let records = graph.resources().iter().filter_map(|resource| {
        let manifest = resource.manifest()?;
        let desired = *prints.get(manifest.object_ref())?;
        let record = ResourceRecord {
            address: resource.address.clone(),
            api_version: manifest.api_version().clone(),
            uid: Uid::new(format!("uid-of-{}", manifest.object_ref().name)),
            dependencies: graph.dependencies(resource),
            prevent_destroy: false,
            desired,
            settled: Some(desired),
            fields: Vec::new(),
        };
        Some((manifest.object_ref().clone(), record))
    });
    state.records = records.collect();
    (state.epoch, state.serial) = (1, 1);
    state
}

fn offline(graph: &ResourceGraph, state: &State, desired: &DesiredPrints) -> Plan {
    plan(&PlanInput {
        graph,
        whole: graph,
        state,
        observed: None,
        predictions: &HashMap::new(),
        desired,
        adopt: engine_core::plan::AdoptPolicy::Never,
        accepted: &BTreeSet::new(),
        outputs: &BTreeMap::new(),
        rollouts: &[],
        replace: &BTreeSet::new(),
        left_out: &BTreeMap::new(),
    })
}

/// Returns the most memory that this process has held, in MiB.
///
/// # Source
/// proc(5): `VmHWM` of `/proc/self/status`, in kB.
fn peak_mib() -> Result<u64, Fault> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim_end().parse()?;
    Ok(kib / 1024)
}

/// The definition has no overlays.
struct NoOverlays;

impl ManifestSource for NoOverlays {
    fn overlay(&self, _request: &OverlayRequest) -> Result<Rendered, Diagnostics> {
        Ok(Rendered::default())
    }
}
