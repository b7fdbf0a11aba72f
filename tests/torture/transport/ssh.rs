//! An `sshd` on loopback, with keys of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::program;
use crate::Fault;
use crate::process::Group;
use crate::server::run;

/// Where `sshd` gives up its rights when root starts it.
const PRIVILEGE_SEPARATION: &str = "/run/sshd";

/// No trial lasts longer: after that the daemon ends, even if this program was killed.
const LONGEST: &str = "900";

/// Returns what is missing.
pub fn obstacle() -> Option<String> {
    let missing = |name: &str| program(name, &["/usr/sbin"]).is_none().then(|| format!("no {name}"));
    let places = || {
        let is_root = rustix::process::geteuid().is_root();
        (is_root && !Path::new(PRIVILEGE_SEPARATION).is_dir()).then(|| format!("no {PRIVILEGE_SEPARATION}"))
    };
    ["sshd", "ssh", "ssh-keygen", "timeout"].into_iter().find_map(missing).or_else(places)
}

/// A running daemon.
pub struct Daemon {
    /// What URLs begin with.
    pub base: String,
    /// How `git` connects.
    pub command: String,
    _group: Group,
}

impl Daemon {
    /// Starts it on a free port, and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub fn start(directory: &Path) -> Result<Self, Fault> {
        let directory = directory.join("ssh");
        fs::create_dir_all(&directory)?;
        for name in ["host", "user"] {
            let mut keygen = Command::new("ssh-keygen");
            run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(directory.join(name)))?;
        }
        fs::copy(directory.join("user.pub"), directory.join("authorized_keys"))?;
        // Somebody else may take the port before the daemon does.
        let mut tries = 0;
        loop {
            tries += 1;
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            match Self::listen(&directory, port) {
                Err(_) if tries < 3 => {}
                other => return other,
            }
        }
    }

    fn listen(directory: &Path, port: u16) -> Result<Self, Fault> {
        let shown = directory.display();
        let configuration = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {shown}/host\nPidFile none\n\
             AuthorizedKeysFile {shown}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin prohibit-password\n\
             MaxStartups 200\nX11Forwarding no\nPrintMotd no\n"
        );
        fs::write(directory.join("sshd_config"), configuration)?;
        let host = fs::read_to_string(directory.join("host.pub"))?;
        fs::write(directory.join("known_hosts"), format!("[127.0.0.1]:{port} {host}"))?;
        let log = fs::File::create(directory.join("log"))?;
        let sshd = program("sshd", &["/usr/sbin"]).ok_or("no sshd")?;
        let mut command = Command::new("timeout");
        command.arg(LONGEST).arg(sshd).args(["-D", "-e", "-f"]).arg(directory.join("sshd_config"));
        command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut group = Group::start(&mut command)?;
        for _ in 0..100 {
            if group.ended()?.is_some() {
                break;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                let user = run(Command::new("id").arg("-un"))?;
                return Ok(Self {
                    base: format!("ssh://{}@127.0.0.1:{port}", user.trim()),
                    command: format!(
                        "ssh -F none -i {shown}/user -o IdentitiesOnly=yes -o BatchMode=yes \
                         -o UserKnownHostsFile={shown}/known_hosts -o StrictHostKeyChecking=yes"
                    ),
                    _group: group,
                });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(format!("sshd does not answer: {}", fs::read_to_string(directory.join("log"))?).into())
    }
}
