//! Starts a control plane by hand, and says how to look into it.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use control_plane::{ControlPlane, Extent, binary};

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Some(first) = arguments.first()
        && first == "kubectl"
    {
        let status = control_plane::kubectl().args(&arguments[1..]).status()?;
        return Ok(ExitCode::from(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1)));
    }
    let plane = ControlPlane::start(Extent::Full);
    writeln!(
        io::stdout(),
        "Kubernetes answers at {}. In another terminal:\n\n    export KUBECONFIG={}\n    alias kubectl='{} kubectl'\n\n\
         Contexts: admin, reader, tenant, nobody. It ends with Ctrl-C, or when its standard input ends.",
        plane.address(),
        plane.kubeconfig().display(),
        binary().display(),
    )?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(ExitCode::SUCCESS)
}
