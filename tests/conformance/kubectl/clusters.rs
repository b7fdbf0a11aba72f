//! The two clusters, and where commands for them run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use control_plane::ControlPlane;
use providers_sandbox::Sandbox;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::output::Output;

/// No command takes longer, in seconds.
const PATIENCE: &str = "60";

/// The clusters that all sequences share.
pub(crate) struct Clusters {
    /// The kubeconfigs, the real cluster's first.
    kubeconfigs: [String; 2],
    /// Serves the sandbox.
    _runtime: Runtime,
}

impl Clusters {
    /// Starts both clusters, once in a process.
    pub(crate) fn shared() -> &'static Self {
        static CLUSTERS: OnceLock<Clusters> = OnceLock::new();
        CLUSTERS.get_or_init(|| {
            let real = ControlPlane::shared().kubeconfig();
            let real = std::fs::read_to_string(real).expect("the kubeconfig is readable");
            let runtime = Runtime::new().expect("threads can be started");
            let sandbox = Sandbox::in_memory();
            let listener = runtime
                .block_on(TcpListener::bind("127.0.0.1:0"))
                .expect("the loopback interface has a port");
            let address = listener.local_addr().expect("a listener has an address");
            let kubeconfig = sandbox.kubeconfig(address);
            runtime.spawn(async move { sandbox.serve(listener, std::future::pending()).await });
            Self { kubeconfigs: [real, kubeconfig], _runtime: runtime }
        })
    }

    /// Makes a namespace in both clusters, and a directory with these files for the commands on each.
    pub(crate) fn workplaces(&self, namespace: &str, files: &BTreeMap<String, String>) -> [Workplace; 2] {
        let [real, sandbox] = &self.kubeconfigs;
        [real, sandbox].map(|kubeconfig| Workplace::new(kubeconfig, namespace, files))
    }
}

/// Where the commands of one sequence run for one cluster: a directory, a home, a namespace.
pub(crate) struct Workplace {
    directory: TempDir,
    namespace: String,
}

impl Workplace {
    fn new(kubeconfig: &str, namespace: &str, files: &BTreeMap<String, String>) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let workplace = Self { directory, namespace: namespace.to_owned() };
        write(&workplace.path("bin/kubectl"), &format!("#!/bin/sh\nexec {} kubectl \"$@\"\n", program()));
        write(&workplace.path("home/.kube/config"), kubeconfig);
        for (name, text) in files {
            write(&workplace.path("work").join(name), &text.replace("$NS", namespace));
        }
        std::fs::create_dir_all(workplace.path("work")).expect("the directory is writable");
        let made = workplace.run(
            "chmod +x ../bin/kubectl && kubectl create -f - <<EOF\n\
             {\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"'$NS'\"}}\nEOF\n\
             kubectl config set-context --current --namespace=$NS"
                .replace("'$NS'", namespace)
                .as_str(),
        );
        assert_eq!(made.code, Some(0), "{}", made.text());
        workplace
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Runs a line of the shell.
    pub(crate) fn run(&self, line: &str) -> Output {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("timeout");
        command
            .args([PATIENCE, "sh", "-c", line])
            .current_dir(self.path("work"))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("KUBECACHEDIR", self.path("cache"))
            .env("TMPDIR", self.path("work"))
            .env("LANG", "C")
            .env("TZ", "UTC")
            .env("NS", &self.namespace);
        let output = command.output().expect("a shell can be started");
        Output::new(&output, &self.directory.path().display().to_string())
    }
}

fn program() -> String {
    control_plane::binary().display().to_string()
}

fn write(path: &Path, text: &str) {
    let parent = path.parent().expect("a file lies in a directory");
    std::fs::create_dir_all(parent).expect("the directory is writable");
    std::fs::write(path, text).expect("the directory is writable");
}
