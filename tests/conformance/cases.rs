//! Runs every case of `cases/` as a test of its own, named after its file and its sentence.

use std::path::Path;
use std::process::ExitCode;

use conformance::servers::Servers;
use conformance::{case, settled};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"), "", &mut trials);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Finds the cases of a directory and of those below it.
fn collect(directory: &Path, prefix: &str, trials: &mut Vec<Trial>) {
    let entries = std::fs::read_dir(directory).expect("the directory of cases is readable");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the entry is readable").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}-"), trials);
            continue;
        }
        for (idx, case) in case::read(&path).into_iter().enumerate() {
            let (title, namespace) =
                (format!("{prefix}{name}: {}", case.case), format!("{prefix}{name}-{idx}"));
            trials.push(Trial::test(title, move || {
                let servers = Servers::shared();
                let play = |namespace: &str| servers.runtime.block_on(case.play(servers, namespace));
                settled(&namespace, play).map_err(Failed::from)
            }));
        }
    }
}
