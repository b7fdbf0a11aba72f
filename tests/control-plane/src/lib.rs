//! A real Kubernetes control plane for tests: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and KWOK
//! in the place of nodes. The programs are one Go binary, whose module lies beside this crate.
//!
//! A control plane lives as long as its [`ControlPlane`], and never longer than the process that started it.

// A test that has no control plane cannot go on: it fails.
#![allow(clippy::panic)]

mod audit;
mod build;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;

pub use crate::audit::{Moment, Request};
pub use crate::build::binary;

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything.
    Admin,
    /// May read everything.
    Reader,
    /// May do everything in the namespace `tenant`, and nothing elsewhere.
    Tenant,
    /// Is known, and may do what everybody may: look at the discovery documents.
    Nobody,
}

impl User {
    /// The user's name, which is also the name of the user's context in the kubeconfig.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reader => "reader",
            Self::Tenant => "tenant",
            Self::Nobody => "nobody",
        }
    }
}

/// What of a control plane runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it: a Deployment gets pods, and they run.
    Full,
    /// Only etcd and kube-apiserver: no controller ever writes.
    ApiOnly,
}

/// How often a start is tried: a port that was free may be taken before it is listened to.
const STARTS: usize = 3;

/// A control plane that runs.
#[derive(Debug)]
pub struct ControlPlane {
    // Its standard input is held open: when it closes, by drop or by death of this process, all of it ends.
    process: Child,
    access: Access,
}

/// What `control-plane up` prints.
#[derive(Debug, Deserialize)]
struct Access {
    address: String,
    kubeconfig: PathBuf,
    audit: PathBuf,
    etcd: String,
}

impl ControlPlane {
    /// Starts an empty control plane on free ports of the loopback interface, and waits until it is ready: some three
    /// seconds. The first start on a machine builds it, which takes minutes.
    ///
    /// # Panics
    /// If it cannot be built or does not start.
    pub fn start(extent: Extent) -> Self {
        let mut starts = (0..STARTS).map(|_| Self::try_start(extent));
        starts.find_map(|started| started).expect("a control plane starts; what it said is above")
    }

    fn try_start(extent: Extent) -> Option<Self> {
        let mut command = Command::new(binary());
        command.arg("up");
        if extent == Extent::ApiOnly {
            command.arg("--nodes=false");
        }
        // What it says goes to the output of the test.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the control plane can be executed");
        let stdout = process.stdout.take().expect("the output is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the control plane's output is text");
        let Ok(access) = serde_json::from_str(&line) else {
            let _ = process.wait();
            return None;
        };
        Some(Self { process, access })
    }

    /// The control plane that all tests of a process share, started by the first that asks. Each test keeps to
    /// namespaces of its own.
    ///
    /// # Panics
    /// As [`ControlPlane::start`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Extent::Full))
    }

    /// The URL of kube-apiserver.
    pub fn address(&self) -> &str {
        &self.access.address
    }

    /// The URL of etcd.
    pub fn etcd(&self) -> &str {
        &self.access.etcd
    }

    /// A kubeconfig with a context for each [`User`]; admin's is the current one.
    pub fn kubeconfig(&self) -> &Path {
        &self.access.kubeconfig
    }

    /// A client for a user.
    ///
    /// # Panics
    /// If the kubeconfig cannot be used.
    pub async fn client(&self, user: User) -> kube::Client {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).expect("the kubeconfig is readable");
        let options = KubeConfigOptions { context: Some(user.name().into()), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        kube::Client::try_from(config.expect("the kubeconfig is whole")).expect("a client")
    }

    /// A kubectl of the control plane's version, for a user.
    pub fn kubectl(&self, user: User) -> Command {
        let mut command = kubectl();
        command.env("KUBECONFIG", self.kubeconfig()).args(["--context", user.name()]);
        command
    }

    /// The end of the log of requests, to ask later what came after it.
    ///
    /// # Panics
    /// If the log is gone.
    pub fn moment(&self) -> Moment {
        audit::end(&self.access.audit)
    }

    /// The requests that were answered after a moment, in the order of their answers.
    ///
    /// # Panics
    /// If the log is gone or malformed.
    pub fn requests_since(&self, moment: Moment) -> Vec<Request> {
        audit::since(&self.access.audit, moment)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// A kubectl, without a cluster.
pub fn kubectl() -> Command {
    let mut command = Command::new(binary());
    command.arg("kubectl");
    command
}
