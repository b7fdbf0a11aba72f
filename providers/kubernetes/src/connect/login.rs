//! Credential plugins: programs that a kubeconfig names, and that print a credential.
//!
//! They run as kubectl runs them, but not for ever: their time and what they may print have limits. Nothing that one
//! prints is shown, since it may hold a token.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::env;
use std::io::{self, IsTerminal, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tower::BoxError;
use tower::filter::AsyncPredicate;

/// How long a plugin may take where nobody can answer it, and where somebody sits at a terminal.
const UNATTENDED: Duration = Duration::from_secs(60);
const ATTENDED: Duration = Duration::from_secs(300);
/// The most bytes that a plugin may print.
const OUTPUT: u64 = 1024 * 1024;
/// A token is asked for anew so long before it ends.
const AHEAD: Duration = Duration::from_secs(60);

/// Why a credential plugin gives no credential.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The program cannot be started.
    #[error("the credential plugin {program:?} cannot be started: {reason}")]
    NotStarted {
        /// The program.
        program: String,
        /// Why, and what its author says how to install it.
        reason: String,
    },
    /// It asks its user, and nobody is there.
    #[error("the credential plugin {program:?} works on a terminal only")]
    Unattended {
        /// The program.
        program: String,
    },
    /// It took longer than it may, and was ended.
    #[error("the credential plugin {program:?} did not end within {} seconds and was killed", limit.as_secs())]
    Slow {
        /// The program.
        program: String,
        /// How long it might have taken.
        limit: Duration,
    },
    /// It says itself that it failed.
    #[error("the credential plugin {program:?} failed with {status}")]
    Failed {
        /// The program.
        program: String,
        /// Its end.
        status: ExitStatus,
    },
    /// What it printed is no credential.
    #[error("the credential plugin {program:?} printed no credentials")]
    NoCredential {
        /// The program.
        program: String,
    },
}

/// The plugin of a context.
#[derive(Clone)]
pub(super) struct LoginProgram {
    exec: ExecConfig,
    limit: Option<Duration>,
}

/// What a plugin prints. Not to be shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    token: Option<String>,
    expiration_timestamp: Option<Timestamp>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl LoginProgram {
    pub(super) fn new(exec: ExecConfig) -> Self {
        Self { exec, limit: None }
    }

    #[cfg(test)]
    pub(super) fn within(exec: ExecConfig, limit: Duration) -> Self {
        Self { exec, limit: Some(limit) }
    }

    fn name(&self) -> String {
        self.exec.command.clone().unwrap_or_default()
    }

    /// Runs the plugin, and puts its certificate, if it has one, into what the client logs in with; returns what adds
    /// its token to requests, if it has one.
    pub(super) fn log_in(&self, auth: &mut AuthInfo) -> Result<Option<Login>, LoginError> {
        let credential = self.run()?;
        let none = || LoginError::NoCredential { program: self.name() };
        if let (Some(certificate), Some(key)) =
            (&credential.client_certificate_data, &credential.client_key_data)
        {
            let given = json!({
                "client-certificate-data": STANDARD.encode(certificate),
                "client-key-data": STANDARD.encode(key),
            });
            let given: AuthInfo = serde_json::from_value(given).map_err(|_| none())?;
            auth.client_certificate_data = given.client_certificate_data;
            auth.client_key_data = given.client_key_data;
        } else if credential.token.is_none() {
            return Err(none());
        }
        let Some(token) = credential.token else { return Ok(None) };
        let held = Held { header: bearer(&token).ok_or_else(none)?, ends: credential.expiration_timestamp };
        Ok(Some(Login { program: self.clone(), held: Arc::new(Mutex::new(held)) }))
    }

    fn run(&self) -> Result<Credential, LoginError> {
        let program = self.name();
        let wish = &self.exec.interactive_mode;
        let is_attended = *wish != Some(ExecInteractiveMode::Never) && io::stdin().is_terminal();
        if *wish == Some(ExecInteractiveMode::Always) && !is_attended {
            return Err(LoginError::Unattended { program });
        }
        let limit = self.limit.unwrap_or(if is_attended { ATTENDED } else { UNATTENDED });
        let (start, mut child) = (Instant::now(), self.start(is_attended)?);
        let output = read(&mut child);
        let slow = || LoginError::Slow { program: program.clone(), limit };
        let Some(status) = wait(&mut child, start + limit) else { return Err(slow()) };
        if !status.success() {
            return Err(LoginError::Failed { program, status });
        }
        // Whatever it has started may hold its output open.
        let output = output.recv_timeout(limit.saturating_sub(start.elapsed())).map_err(|_| slow())?;
        #[derive(Deserialize)]
        struct Printed {
            status: Credential,
        }
        let printed: Result<Printed, _> = serde_saphyr::from_slice(&output);
        printed.map(|printed| printed.status).map_err(|_| LoginError::NoCredential { program })
    }

    fn start(&self, is_attended: bool) -> Result<Child, LoginError> {
        let program = self.name();
        let not_started = |reason: String| {
            let hint = self.exec.install_hint.as_deref().map(|hint| format!("; {}", hint.trim()));
            LoginError::NotStarted {
                program: program.clone(),
                reason: format!("{reason}{}", hint.unwrap_or_default()),
            }
        };
        let mut command = Command::new(&program);
        command.args(self.exec.args.iter().flatten());
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        let cluster = self.exec.cluster.as_ref().filter(|_| self.exec.provide_cluster_info);
        let mut spec = json!({ "interactive": is_attended });
        if let Some(cluster) = cluster {
            spec["cluster"] =
                serde_json::to_value(cluster).map_err(|error| not_started(error.to_string()))?;
        }
        let info = json!({ "apiVersion": self.exec.api_version, "kind": "ExecCredential", "spec": spec });
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
        // What sets variables of definitions may be secret, and a plugin has no use for it.
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("TERRANE_VAR_")) {
                command.env_remove(name);
            }
        }
        let stdin = if is_attended { Stdio::inherit() } else { Stdio::null() };
        let started = command.stdin(stdin).stdout(Stdio::piped()).spawn();
        started.map_err(|error| not_started(error.to_string()))
    }
}

/// Reads what a child prints, on a thread of its own. What prints more than it may is cut off, and no credential then.
fn read(child: &mut Child) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(stdout) = stdout
            && stdout.take(OUTPUT).read_to_end(&mut output).is_ok()
        {
            // Nobody waits any more for one that took too long.
            sender.send(output).unwrap_or_default();
        }
    });
    receiver
}

/// Waits for a child; kills it when its time is over.
fn wait(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    while let Ok(ended) = child.try_wait() {
        if ended.is_some() || Instant::now() >= end {
            if ended.is_none() {
                child.kill().and_then(|()| child.wait()).map(drop).unwrap_or_default();
            }
            return ended;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    None
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Adds the token of a plugin to requests, and runs the plugin again before the token ends.
#[derive(Clone)]
pub(super) struct Login {
    program: LoginProgram,
    held: Arc<Mutex<Held>>,
}

struct Held {
    header: HeaderValue,
    ends: Option<Timestamp>,
}

impl Login {
    async fn header(&self) -> Result<HeaderValue, BoxError> {
        let mut held = self.held.lock().await;
        if held.ends.is_some_and(|ends| Timestamp::now() + AHEAD >= ends) {
            let program = self.program.clone();
            let credential = tokio::task::spawn_blocking(move || program.run()).await??;
            let header = credential.token.as_deref().and_then(bearer);
            let none = || LoginError::NoCredential { program: self.program.name() };
            *held = Held { header: header.ok_or_else(none)?, ends: credential.expiration_timestamp };
        }
        Ok(held.header.clone())
    }
}

impl<B: Send + 'static> AsyncPredicate<Request<B>> for Login {
    type Future = BoxFuture<'static, Result<Request<B>, BoxError>>;
    type Request = Request<B>;

    fn check(&mut self, mut request: Request<B>) -> Self::Future {
        let login = self.clone();
        Box::pin(async move {
            request.headers_mut().insert(AUTHORIZATION, login.header().await?);
            Ok(request)
        })
    }
}

#[cfg(test)]
mod tests;
