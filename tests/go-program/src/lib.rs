//! Builds the Go programs that tests run: a real Kubernetes, and what Terrane is compared with; and finds the modules
//! they are built from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

/// A Go module of this repository whose main package is needed as a program.
pub struct GoProgram<'a> {
    /// The program's name, and that of its directory in Cargo's target directory.
    pub name: &'a str,
    /// The module's directory. Its `*.go`, `go.mod` and `go.sum` are the sources.
    pub module: &'a Path,
    /// A directory inside it whose files are all sources, because the program embeds them.
    pub embedded: Option<&'a str>,
    /// What is given to the linker.
    pub linker_flags: &'a str,
    /// What is said before it is built, if that takes long.
    pub notice: Option<&'a str>,
}

impl GoProgram<'_> {
    /// Returns the program's path, and builds it first unless that has been done with the same sources. It is kept in
    /// Cargo's target directory; test programs that run at the same time wait for one build.
    ///
    /// # Panics
    /// If Go is missing, or the build fails.
    pub fn path(&self) -> PathBuf {
        let directory = target().join(self.name);
        fs::create_dir_all(&directory).expect("the target directory is writable");
        let program = directory.join(format!("{}-{}", self.name, self.digest()));
        let lock = File::create(directory.join("lock")).expect("the target directory is writable");
        lock.lock().expect("the lock file can be locked");
        if !program.exists() {
            self.build(&program);
        }
        program
    }

    fn build(&self, program: &Path) {
        if let Some(notice) = self.notice {
            eprintln!("{notice}");
        }
        let unfinished = program.with_extension("unfinished");
        let output = Command::new(go(self.name))
            .args(["build", "-trimpath", "-ldflags", self.linker_flags, "-o"])
            .arg(&unfinished)
            .arg(".")
            .current_dir(self.module)
            .stdin(Stdio::null())
            .output()
            .expect("Go can be executed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "building {} failed\n{said}", self.name);
        fs::rename(&unfinished, program).expect("the target directory is writable");
    }

    /// Returns 16 hexadecimal digits that change with the sources.
    fn digest(&self) -> String {
        let is_source = |path: &Path| {
            path.extension().is_some_and(|it| it == "go" || it == "mod" || it == "sum") && path.is_file()
        };
        let mut paths = files(self.module);
        paths.retain(|path| is_source(path));
        paths.extend(self.embedded.into_iter().flat_map(|directory| files(&self.module.join(directory))));
        paths.sort();
        let mut digest = Sha256::new();
        for path in paths {
            let content = fs::read(&path).expect("the module is readable");
            digest.update(path.file_name().expect("a file has a name").as_encoded_bytes());
            digest.update(content.len().to_le_bytes());
            digest.update(content);
        }
        digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the directory of a module that a go.mod requires, with the content that go.sum pins. Go has it already when a
/// program of that go.mod has been built, and downloads it otherwise.
///
/// # Panics
/// If Go is missing, or the module is none of go.mod's, cannot be had, or is not what go.sum says.
pub fn required_module(manifest: &Path, module: &str) -> PathBuf {
    // With any other argument than a required module, Go would look for its newest version.
    let text = fs::read_to_string(manifest.join("go.mod")).expect("go.mod is readable");
    let is_required = text.lines().any(|line| line.split_whitespace().next() == Some(module));
    assert!(is_required, "{module} is not required by {}", manifest.display());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(go(module));
        let output = command.args(arguments).arg(module).current_dir(manifest).stdin(Stdio::null()).output();
        let output = output.expect("Go can be executed");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "go {} {module} failed\n{said}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("Go prints text")
    };
    run(&["mod", "download"]);
    PathBuf::from(run(&["list", "-mod=readonly", "-m", "-f", "{{.Dir}}"]).trim_end())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the module is readable");
    entries.map(|entry| entry.expect("the module is readable").path()).collect()
}

/// Cargo's target directory: the nearest above this program that Cargo has tagged as its own.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("a program has a path");
    let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    target.expect("the program lies in Cargo's target directory").to_owned()
}

fn go(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/local/go/bin")]);
    let found = directories.map(|directory| directory.join("go")).find(|candidate| candidate.is_file());
    found
        .ok_or_else(|| format!("{program} needs Go: install Go 1.26 or newer (https://go.dev/doc/install)"))
        .expect("Go is missing")
}
