//! The ways to the server: a path, an `sshd` of our own, and a web server of our own.

mod https;
mod ssh;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Fault;
use crate::server;

/// A kind of way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `file://`: the participant's `git` starts the server's.
    File,
    /// `ssh://`: `sshd` does.
    Ssh,
    /// `https://`: `git http-backend` does.
    Https,
}

impl Kind {
    /// Returns why it cannot be tried on this machine.
    pub fn obstacle(self) -> Option<String> {
        match self {
            Self::File => None,
            Self::Ssh => ssh::obstacle(),
            Self::Https => https::obstacle(),
        }
    }
}

/// A way that is open. It is closed with this value.
pub struct Transport {
    /// Where the repository is found.
    pub url: String,
    /// What the participants' environment has besides.
    pub variables: Vec<(&'static str, String)>,
    /// What the participants' copies are configured with.
    pub settings: Vec<(&'static str, String)>,
    /// What serves.
    _service: Option<Service>,
}

enum Service {
    Ssh { _daemon: ssh::Daemon },
    Https { _site: https::Site },
}

impl Transport {
    /// Opens a way to a repository.
    ///
    /// # Errors
    /// Its server does not start.
    pub fn open(kind: Kind, repository: &Path, directory: &Path) -> Result<Self, Fault> {
        let (variables, settings) = (Vec::new(), Vec::new());
        match kind {
            Kind::File => {
                let url = format!("file://{}", repository.display());
                Ok(Self { url, variables, settings, _service: None })
            }
            Kind::Ssh => {
                let daemon = ssh::Daemon::start(directory)?;
                let url = format!("{}{}", daemon.base, repository.display());
                let variables = vec![("GIT_SSH_COMMAND", daemon.command.clone())];
                Ok(Self { url, variables, settings, _service: Some(Service::Ssh { _daemon: daemon }) })
            }
            Kind::Https => {
                let site = https::Site::start(repository, directory)?;
                let settings = vec![("http.sslCAInfo", site.certificate.display().to_string())];
                let url = site.url.clone();
                Ok(Self { url, variables, settings, _service: Some(Service::Https { _site: site }) })
            }
        }
    }
}

/// Returns where a program is.
fn program(name: &str, beside: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(beside.iter().map(PathBuf::from));
    directories.map(|directory| directory.join(name)).find(|found| found.is_file())
}

/// Returns the directory of the programs that `git` itself starts.
fn programs_of_git() -> Option<PathBuf> {
    let path = server::run(Command::new("git").arg("--exec-path")).ok()?;
    Some(PathBuf::from(path.trim()))
}
