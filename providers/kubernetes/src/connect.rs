//! From a kubeconfig to a client.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::{failure, watch};

mod http;
mod login;
#[cfg(test)]
mod tests;

pub use login::LoginError;
use login::{Login, LoginProgram};

/// The time that a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);
/// The time that sending may stall.
const WRITE: Duration = Duration::from_secs(30);

/// Why a context cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be read, or what it points to cannot.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] Box<KubeconfigError>),
    /// The file is no kubeconfig. Its text is not quoted: it may hold credentials.
    #[error("{} is no kubeconfig, see line {line}", kubeconfig.display())]
    Malformed {
        /// The file.
        kubeconfig: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// There is no kubeconfig.
    #[error("there is no kubeconfig: {} does not exist", .0.display())]
    NoKubeconfig(PathBuf),
    /// The kubeconfig does not have the context.
    #[error("the kubeconfig has no context {context:?}")]
    UnknownContext {
        /// The context asked for.
        context: String,
        /// The contexts it has.
        available: Vec<String>,
    },
    /// The kubeconfig is inside the repository and asks for what only one outside may have.
    #[error("{} is inside the repository and must not use {what}", kubeconfig.display())]
    Untrusted {
        /// The kubeconfig.
        kubeconfig: PathBuf,
        /// What it asks for.
        what: &'static str,
    },
    /// The credential plugin gives no credential.
    #[error("the context cannot be used")]
    Login(#[from] LoginError),
    /// Certificates, keys or credentials do not work.
    #[error("the context cannot be used: {0}")]
    Client(String),
}

impl From<KubeconfigError> for ConnectError {
    fn from(error: KubeconfigError) -> Self {
        Self::Kubeconfig(Box::new(error))
    }
}

/// What a kubeconfig says of a context.
pub(crate) struct Connected {
    pub(crate) client: Client,
    /// Whether the certificate of the server is taken without being looked at.
    pub(crate) is_unverified: bool,
}

/// Builds a client for a context.
///
/// # Errors
/// See [`KubernetesProvider::connect`](crate::KubernetesProvider::connect).
pub(crate) async fn client(
    context: &str,
    kubeconfig: Option<&Path>,
    repository: &Path,
) -> Result<Connected, ConnectError> {
    let (kubeconfig, inside) = read(kubeconfig, repository)?;
    if let Some(path) = inside {
        refuse_untrusted(&kubeconfig, context, path)?;
    }
    if !kubeconfig.contexts.iter().any(|named| named.name == context) {
        return Err(ConnectError::UnknownContext {
            context: context.to_owned(),
            available: kubeconfig.contexts.into_iter().map(|named| named.name).collect(),
        });
    }
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    tune(&mut config);
    let is_unverified = config.accept_invalid_certs
        && config.cluster_url.scheme_str().is_some_and(|scheme| scheme == "https");
    // A credential plugin is waited for, and building reads files. The only cryptography compiled in is ring, which
    // makes it the default.
    let built = tokio::task::spawn_blocking(move || {
        let login = log_in(&mut config.auth_info)?;
        http::client(config, login).map_err(|error| ConnectError::Client(reason(&error)))
    });
    let client = built.await.map_err(|error| ConnectError::Client(error.to_string()))??;
    Ok(Connected { client, is_unverified })
}

/// Runs the credential plugin of a context, if it has one, and takes it out of what kube's client is given.
fn log_in(auth: &mut AuthInfo) -> Result<Option<Login>, LoginError> {
    let Some(exec) = auth.exec.take() else { return Ok(None) };
    LoginProgram::new(exec).log_in(auth)
}

/// Reads one kubeconfig, or merges those that kubectl would. Returns it with the first path that lies inside
/// the repository: what is merged from there cannot be told apart any more.
fn read(given: Option<&Path>, repository: &Path) -> Result<(Kubeconfig, Option<PathBuf>), ConnectError> {
    let paths = match given {
        Some(path) => vec![path.to_owned()],
        None => default_paths(),
    };
    let inside = paths.iter().find(|path| is_inside(path, repository)).cloned();
    if given.is_none() && !paths.iter().any(|path| path.exists()) {
        return Err(ConnectError::NoKubeconfig(paths.into_iter().next().unwrap_or_default()));
    }
    let mut merged = Kubeconfig::default();
    // As kubectl does, files of the list that are missing are passed over; one that was named is not.
    for path in paths.iter().filter(|path| given.is_some() || path.exists()) {
        merged = merged.merge(read_one(path)?)?;
    }
    Ok((merged, inside))
}

fn read_one(path: &Path) -> Result<Kubeconfig, ConnectError> {
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::Parse(fault) => ConnectError::Malformed {
            kubeconfig: path.to_owned(),
            line: fault.location().map_or(1, |location| location.line()),
        },
        other => other.into(),
    })
}

fn default_paths() -> Vec<PathBuf> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let listed: Vec<_> = env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    if listed.is_empty() {
        vec![env::home_dir().unwrap_or_default().join(".kube").join("config")]
    } else {
        listed
    }
}

/// Tells whether a file lies inside the repository, or is a link from there: what it names relative to
/// itself would be the repository's.
fn is_inside(file: &Path, repository: &Path) -> bool {
    let Ok(repository) = repository.canonicalize() else {
        return false;
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    [file, folder.unwrap_or(Path::new("."))]
        .iter()
        .any(|path| path.canonicalize().is_ok_and(|path| path.starts_with(&repository)))
}

/// Refuses what would run a program or read a file at the word of the repository's authors: a token file's
/// content is sent to the server that the same kubeconfig names.
fn refuse_untrusted(kubeconfig: &Kubeconfig, context: &str, path: PathBuf) -> Result<(), ConnectError> {
    let user = user(kubeconfig, context);
    let what = match user {
        Some(AuthInfo { exec: Some(_), .. }) => "a credential plugin",
        Some(AuthInfo { auth_provider: Some(_), .. }) => "an authentication provider",
        Some(AuthInfo { token_file: Some(_), .. }) => "a token file",
        _ => return Ok(()),
    };
    Err(ConnectError::Untrusted { kubeconfig: path, what })
}

/// Tells whether connecting a context runs a program, which may ask its user something and takes its time; also when that
/// cannot be told.
pub(crate) fn runs_program(context: &str, kubeconfig: Option<&Path>, repository: &Path) -> bool {
    let Ok((kubeconfig, _)) = read(kubeconfig, repository) else { return true };
    user(&kubeconfig, context).is_none_or(|user| user.exec.is_some() || user.auth_provider.is_some())
}

fn user<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a AuthInfo> {
    let named = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    let user = named.context.as_ref()?.user.as_ref()?;
    let named = kubeconfig.auth_infos.iter().find(|named| &named.name == user)?;
    named.auth_info.as_ref()
}

fn tune(config: &mut Config) {
    config.connect_timeout = Some(CONNECT);
    config.write_timeout = Some(WRITE);
    // The guard against dead connections. Requests have shorter limits of their own.
    config.read_timeout = Some(watch::IDLE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    // Compression pays on a network; on the machine itself it only costs both sides time.
    let host = config.cluster_url.host().unwrap_or_default();
    config.disable_compression |= matches!(host, "localhost" | "127.0.0.1" | "[::1]");
}

fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Auth(auth) => failure::without_plugin_output(auth),
        other => other.source().map_or_else(|| other.to_string(), ToString::to_string),
    }
}
