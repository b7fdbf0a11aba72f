//! Terrane beside kubectl and beside bare requests, on a real control plane:
//! `cargo bench --bench cluster [-- [terrane] OBJECTS...]`. With the word `terrane` kubectl is left out: it needs most of
//! the time.
//!
//! Every tool gets a control plane of its own, empty at first, and the same objects. Compare ratios of one run only.

mod floor;
mod tools;
mod workload;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use control_plane::{ControlPlane, Extent};
use serde_json::json;

use crate::floor::Floor;
use crate::tools::{Ran, Workspace};
use crate::workload::{Object, objects};

/// How many objects, unless the command line says.
const SIZES: [usize; 2] = [1_000, 5_000];
/// Short measurements are repeated; the middle one counts.
const REPEATS: usize = 5;
/// So are first applies, each on a control plane of its own.
const APPLIES: usize = 3;

type Fault = Box<dyn Error>;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tools {
    /// Terrane and kubectl.
    All,
    /// Terrane.
    Terrane,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tools = if arguments.iter().any(|word| word == "terrane") { Tools::Terrane } else { Tools::All };
    let sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    println!("| objects | what | who | seconds | to the floor | peak MiB |\n|---:|---|---|---:|---:|---:|");
    for size in sizes {
        if let Err(error) = runtime.block_on(measure(size, tools)) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Prints rows of one task, each with its ratio to the floor of that task.
struct Task {
    size: usize,
    name: &'static str,
    floor: Duration,
}

impl Task {
    fn new(size: usize, name: &'static str, floor: Duration) -> Self {
        let task = Self { size, name, floor };
        task.row("bare requests", floor, None);
        task
    }

    fn row(&self, who: &str, time: Duration, peak_mib: Option<u64>) {
        let (size, name) = (self.size, self.name);
        let (seconds, ratio) = (time.as_secs_f64(), time.as_secs_f64() / self.floor.as_secs_f64());
        let peak = peak_mib.map_or_else(String::new, |peak| peak.to_string());
        println!("| {size} | {name} | {who} | {seconds:.2} | {ratio:.1} | {peak} |");
    }

    fn ran(&self, who: &str, ran: Ran) {
        self.row(who, ran.time, Some(ran.peak_mib));
    }
}

async fn measure(size: usize, tools: Tools) -> Result<(), Fault> {
    let objects = objects(size);
    let floors = Floors::measure(&objects).await?;
    terrane(size, &objects, &floors)?;
    if tools == Tools::Terrane {
        return Ok(());
    }
    kubectl(size, &objects, &floors, "kubectl", &[])?;
    kubectl(size, &objects, &floors, "kubectl --server-side", &["--server-side"])?;
    Ok(())
}

/// The bare requests of each task.
struct Floors {
    first_list: Duration,
    apply: Duration,
    list: Duration,
    delete: Duration,
}

impl Floors {
    async fn measure(objects: &[Object]) -> Result<Self, Fault> {
        let plane = ControlPlane::start(Extent::Full);
        let floor = Floor::new(&plane).await;
        let lists = async || -> Result<Duration, Fault> {
            let mut found = Vec::new();
            for _ in 0..REPEATS {
                found.push(floor.list().await?);
            }
            found.sort();
            Ok(found[REPEATS / 2])
        };
        let first_list = lists().await?;
        let mut applies = vec![floor.apply(objects).await?];
        while applies.len() < APPLIES {
            let plane = ControlPlane::start(Extent::Full);
            applies.push(Floor::new(&plane).await.apply(objects).await?);
        }
        applies.sort();
        let apply = applies[APPLIES / 2];
        let list = lists().await?;
        Ok(Self { first_list, apply, list, delete: floor.delete(objects).await? })
    }
}

fn terrane(size: usize, objects: &[Object], floors: &Floors) -> Result<(), Fault> {
    let plane = ControlPlane::start(Extent::Full);
    let workspace = Workspace::new(&plane, objects)?;
    let first = middle(REPEATS, || workspace.terrane(&["plan", "--out", "plan.json"], 0))?;
    Task::new(size, "first plan", floors.first_list).ran("terrane plan", first);
    let applied = middle(APPLIES, || {
        let plane = ControlPlane::start(Extent::Full);
        let workspace = Workspace::new(&plane, objects)?;
        workspace.terrane(&["plan", "--out", "plan.json"], 0)?;
        workspace.terrane(&["apply", "plan.json"], 0)
    })?;
    Task::new(size, "first apply", floors.apply).ran("terrane apply", applied);
    workspace.terrane(&["apply", "plan.json"], 0)?;
    let again = middle(REPEATS, || workspace.terrane(&["plan", "--detailed-exitcode"], 0))?;
    Task::new(size, "plan, nothing to do", floors.list).ran("terrane plan", again);
    workspace.write(&changed(objects))?;
    let one = middle(REPEATS, || workspace.terrane(&["plan", "--detailed-exitcode"], 2))?;
    Task::new(size, "plan, one change", floors.list).ran("terrane plan", one);
    let one = workspace.terrane(&["apply", "--auto-approve"], 0)?;
    Task::new(size, "apply, one change", floors.list).ran("terrane apply", one);
    let destroyed = workspace.terrane(&["destroy", "--auto-approve"], 0)?;
    Task::new(size, "destroy", floors.delete).ran("terrane destroy", destroyed);
    Ok(())
}

fn kubectl(size: usize, objects: &[Object], floors: &Floors, who: &str, mode: &[&str]) -> Result<(), Fault> {
    let plane = ControlPlane::start(Extent::Full);
    let workspace = Workspace::new(&plane, objects)?;
    let run = |verb: &str, exit: i32| workspace.kubectl(&plane, &[&[verb], mode].concat(), exit);
    let task = |name, floor| Task { size, name, floor };
    task("first apply", floors.apply).ran(&format!("{who}, apply"), run("apply", 0)?);
    task("plan, nothing to do", floors.list).ran(&format!("{who}, diff"), run("diff", 0)?);
    task("apply, nothing to do", floors.list).ran(&format!("{who}, apply"), run("apply", 0)?);
    workspace.write(&changed(objects))?;
    task("plan, one change", floors.list).ran(&format!("{who}, diff"), run("diff", 1)?);
    task("apply, one change", floors.list).ran(&format!("{who}, apply"), run("apply", 0)?);
    Ok(())
}

/// The objects with another value in one of them.
fn changed(objects: &[Object]) -> Vec<Object> {
    let mut objects = objects.to_vec();
    if let Some(object) = objects.iter_mut().find(|object| object.kind.kind == "ConfigMap") {
        object.body["data"]["level"] = json!("debug");
    }
    objects
}

/// Measures several times; the middle one by time.
fn middle(times: usize, run: impl Fn() -> Result<Ran, Fault>) -> Result<Ran, Fault> {
    let mut found = (0..times).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|ran| ran.time);
    Ok(found[times / 2])
}
