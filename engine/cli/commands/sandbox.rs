//! `terrane sandbox`

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use providers_sandbox::{Sandbox, SandboxError};
use tokio::net::TcpListener;

use crate::args::SandboxCommand;
use crate::error::{CommandError, Exit};
use crate::files::write_private;
use crate::session::{SERVED_KUBECONFIG, sandbox_directory};
use crate::terminal::{interrupted, line};

/// Serves or empties the sandbox of an environment.
pub async fn run(command: SandboxCommand) -> Result<Exit, CommandError> {
    match command {
        SandboxCommand::Serve { directory, cluster, port } => serve(&at(&directory, &cluster)?, port).await,
        SandboxCommand::Reset { directory, cluster } => reset(&at(&directory, &cluster)?),
    }
}

fn at(directory: &Path, cluster: &str) -> Result<PathBuf, CommandError> {
    if !directory.is_dir() {
        return Err(CommandError::new(format!("{} is not a directory", directory.display())));
    }
    Ok(sandbox_directory(&directory.join(".terrane"), cluster))
}

async fn serve(directory: &Path, port: u16) -> Result<Exit, CommandError> {
    let sandbox = Sandbox::open(directory).map_err(CommandError::while_("open the sandbox"))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(CommandError::while_(format!("listen on port {port}")))?;
    let address = listener.local_addr().map_err(CommandError::while_("listen"))?;
    let kubeconfig = directory.join(SERVED_KUBECONFIG);
    write_private(&kubeconfig, sandbox.kubeconfig(address).as_bytes())
        .map_err(CommandError::while_("write the kubeconfig"))?;
    line(format_args!("The sandbox answers at http://{address}. Look at it with"))?;
    line(format_args!("  kubectl --kubeconfig {} get all --all-namespaces", kubeconfig.display()))?;
    line("Ctrl-C ends it; what it holds is kept.")?;
    let shutdown = async {
        // Without signals there is no other way to end than being killed.
        interrupted().await.unwrap_or_default();
    };
    let served = sandbox.serve(listener, shutdown).await;
    let removed = std::fs::remove_file(&kubeconfig);
    served.map_err(CommandError::while_("serve the sandbox"))?;
    removed.map_err(CommandError::while_("remove the kubeconfig"))?;
    Ok(Exit::Success)
}

fn reset(directory: &Path) -> Result<Exit, CommandError> {
    if !directory.exists() {
        line(format_args!("There is no sandbox in {}.", directory.display()))?;
        return Ok(Exit::Success);
    }
    match Sandbox::reset(directory) {
        Ok(()) => {
            line(
                "The sandbox is empty. The state still records its objects; the next plan shows them as gone.",
            )?;
        }
        // It stays a sandbox of its own, but nothing of it can be kept.
        Err(SandboxError::Corrupt { .. }) => {
            std::fs::remove_dir_all(directory).map_err(CommandError::while_("delete the sandbox"))?;
            line(
                "The sandbox could not be read and is deleted. A state that records objects of it is of no use any more.",
            )?;
        }
        Err(error) => return Err(CommandError::while_("reset the sandbox")(error)),
    }
    Ok(Exit::Success)
}
