//! The tools: Terrane itself and kubectl, run as their users run them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, User};
use tempfile::TempDir;

use crate::Fault;
use crate::workload::Object;

/// Between two looks at the memory of a program.
const SAMPLE: Duration = Duration::from_millis(2);

/// How long a program ran, and the most memory it held.
#[derive(Debug, Clone, Copy)]
pub struct Ran {
    /// From start to end.
    pub time: Duration,
    /// Resident, in MiB.
    pub peak_mib: u64,
}

/// A directory with the workload, as Terrane and as kubectl read it, and a home that holds nothing else.
pub struct Workspace {
    directory: TempDir,
    kubeconfig: PathBuf,
}

impl Workspace {
    /// Writes the workload: one file of YAML for each namespace.
    pub fn new(plane: &ControlPlane, objects: &[Object]) -> Result<Self, Fault> {
        let workspace = Self { directory: tempfile::tempdir()?, kubeconfig: plane.kubeconfig().to_owned() };
        fs::create_dir_all(workspace.path("environment/objects"))?;
        fs::create_dir(workspace.path("home"))?;
        fs::write(workspace.path("environment/main.hcl"), DEFINITION)?;
        workspace.write(objects)?;
        Ok(workspace)
    }

    /// Writes the objects anew. The files are read in the order of their names: the namespaces are in the first.
    pub fn write(&self, objects: &[Object]) -> Result<(), Fault> {
        for (idx, part) in objects.chunks(objects.len().div_ceil(20).max(20)).enumerate() {
            let mut text = String::new();
            for object in part {
                writeln!(text, "---\n{}", object.body)?;
            }
            fs::write(self.path(&format!("environment/objects/{idx:02}.yaml")), text)?;
        }
        Ok(())
    }

    /// Runs Terrane; `exit` is the code that it must end with.
    pub fn terrane(&self, arguments: &[&str], exit: i32) -> Result<Ran, Fault> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terrane"));
        command.args(arguments);
        self.run(command, exit)
    }

    /// Runs kubectl on the directory of objects.
    pub fn kubectl(&self, plane: &ControlPlane, arguments: &[&str], exit: i32) -> Result<Ran, Fault> {
        let mut command = plane.kubectl(User::Admin);
        command.args(arguments).args(["-f", "objects"]);
        self.run(command, exit)
    }

    fn run(&self, mut command: Command, exit: i32) -> Result<Ran, Fault> {
        let (output, errors) =
            (fs::File::create(self.path("stdout"))?, fs::File::create(self.path("stderr"))?);
        command.current_dir(self.path("environment")).stdin(Stdio::null()).stdout(output).stderr(errors);
        command
            .env("HOME", self.path("home"))
            .env("KUBECONFIG", &self.kubeconfig)
            .env("GIT_CONFIG_NOSYSTEM", "1");
        let since = Instant::now();
        let mut child = command.spawn()?;
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let mut peak_mib = 0;
        let ended = loop {
            if let Some(ended) = child.try_wait()? {
                break ended;
            }
            peak_mib = peak_mib.max(held_mib(&status).unwrap_or(0));
            std::thread::sleep(SAMPLE);
        };
        let time = since.elapsed();
        if ended.code() != Some(exit) {
            let read = |name: &str| fs::read_to_string(self.path(name)).unwrap_or_default();
            let lines: Vec<String> = [read("stdout"), read("stderr")]
                .iter()
                .flat_map(|text| {
                    text.lines()
                        .rev()
                        .take(15)
                        .collect::<Vec<_>>()
                        .into_iter()
                        .rev()
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .collect();
            return Err(format!("{command:?} ended with {ended}:\n{}", lines.join("\n")).into());
        }
        Ok(Ran { time, peak_mib })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The most memory that a process has held so far.
///
/// # Source
/// proc(5): `VmHWM` of `/proc/PID/status`, in kB.
fn held_mib(status: &Path) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim_end().parse().ok()?;
    Some(kib / 1024)
}

const DEFINITION: &str = r#"terrane {
  environment = "bench"

  state "local" {}
}

cluster "main" {
  context = "admin"
}

manifests "all" {
  files = ["objects/*.yaml"]
}
"#;
