//! Connects the clusters of a definition and of its state.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_config::{Definition, Outline};
use engine_converge::Providers;
use engine_core::cluster::Connection;
use engine_core::diagnostic::{Code, Diagnostic, SourceSpan};
use engine_core::object_ref::ClusterRef;
use engine_core::ports::ClusterProvider;
use engine_core::state::State;
use engine_core::value::Text;
use engine_core::wait_rule::WaitRule;
use providers_kubernetes::{Client, ConnectError, KubernetesProvider};
use providers_sandbox::{Sandbox, SandboxError};
use tokio::task::JoinHandle;

use super::Workspace;
use crate::error::CommandError;

/// The credential plugin of a cluster gives no credential.
const NO_CREDENTIAL: Code = Code(630);
/// Whoever answers is taken for the cluster.
const UNVERIFIED: Code = Code(631);

/// The kubeconfig that a served sandbox leaves beside its data, and the context in it.
pub const SERVED_KUBECONFIG: &str = "kubeconfig";
/// The context of [`SERVED_KUBECONFIG`].
pub const SERVED_CONTEXT: &str = "terrane-sandbox";

/// Returns the directory in which a sandbox keeps its objects: another one for each cluster. What a file's name may
/// not hold everywhere is written as `%` and two hexadecimal digits a byte.
pub fn sandbox_directory(work_directory: &Path, cluster: &str) -> PathBuf {
    let mut name = String::new();
    for byte in cluster.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    work_directory.join("sandbox").join(name)
}

/// A cluster, and whether nobody looks whether it is the right one.
type Connected = (Arc<dyn ClusterProvider>, bool);

/// Clusters that are being connected.
pub(super) type Begun = BTreeMap<ClusterRef, JoinHandle<Result<Connected, ConnectError>>>;

/// Begins to connect the clusters of a definition while the rest of it is loaded, and asks what they serve: then the
/// connection is open when the first answer is needed. A sandbox needs no waiting for, and for a definition that turns
/// out to be wrong nobody is asked to log in.
pub(super) fn begin(workspace: &Workspace, outline: &Outline) -> Begun {
    let begun = outline.clusters().iter().filter_map(|(cluster, declared)| {
        let Connection::Context { context, kubeconfig } = &declared.connection else { return None };
        let path = path(workspace, kubeconfig.as_ref());
        if KubernetesProvider::runs_program(context, path.as_deref(), &workspace.repository) {
            return None;
        }
        let connecting = remote(workspace, context, kubeconfig.as_ref(), outline.wait_rules());
        let connecting = tokio::spawn(async move {
            let (provider, is_unverified) = connecting.await?;
            let asked = provider.clone();
            // What is wrong is said when the answer is needed.
            drop(tokio::spawn(async move { drop(asked.discover().await) }));
            Ok((provider, is_unverified))
        });
        Some((cluster.clone(), connecting))
    });
    begun.collect()
}

/// Connects every cluster that the definition declares or the state records, unless that has begun: one that left the
/// definition may still hold objects to delete. Returns also the clusters of which nobody looks whether they are the
/// right ones.
pub(super) async fn connect(
    workspace: &Workspace,
    definition: &Definition,
    state: Option<&State>,
    mut begun: Begun,
) -> Result<(Providers, BTreeSet<ClusterRef>), CommandError> {
    let recorded = state.into_iter().flat_map(|state| &state.clusters);
    let mut wanted: BTreeMap<&ClusterRef, &Connection> =
        recorded.map(|(cluster, record)| (cluster, &record.connection)).collect();
    wanted.extend(definition.clusters.iter().map(|(cluster, declared)| (cluster, &declared.connection)));
    let (mut providers, mut unverified) = (Providers::new(), BTreeSet::new());
    for (cluster, connection) in wanted {
        let (provider, is_unverified) = match connection {
            Connection::Sandbox => judged(sandbox(workspace, cluster).await?, &definition.wait_rules),
            Connection::Context { context, kubeconfig } => {
                let connected = match begun.remove(cluster) {
                    Some(connecting) => connecting
                        .await
                        .map_err(CommandError::while_(format!("connect to cluster {cluster}")))?,
                    None => remote(workspace, context, kubeconfig.as_ref(), &definition.wait_rules).await,
                };
                connected.map_err(|error| failed(error, cluster, context, span(definition, cluster)))?
            }
        };
        if is_unverified {
            unverified.insert(cluster.clone());
        }
        providers.insert(cluster.clone(), provider);
    }
    Ok((providers, unverified))
}

fn judged(provider: KubernetesProvider, rules: &[WaitRule]) -> Connected {
    let is_unverified = provider.is_unverified();
    (Arc::new(provider.with_wait_rules(rules)), is_unverified)
}

fn span(definition: &Definition, cluster: &ClusterRef) -> Option<SourceSpan> {
    definition.clusters.get(cluster).and_then(|declared| declared.span.clone())
}

/// Warns of a cluster that anybody between here and there could pass for.
pub(super) fn unverified(definition: &Definition, cluster: &ClusterRef) -> Diagnostic {
    Diagnostic::warning(UNVERIFIED, format!("cluster \"{cluster}\" is not verified"))
        .detail(
            "Its kubeconfig says insecure-skip-tls-verify: whoever answers is sent the credentials and all objects, \
             Secrets as well.",
        )
        .at(span(definition, cluster))
        .hint("put the server's certificate authority into the kubeconfig")
}

fn failed(
    error: ConnectError,
    cluster: &ClusterRef,
    context: &str,
    span: Option<SourceSpan>,
) -> CommandError {
    let ConnectError::Login(fault) = error else {
        return CommandError::while_(format!("connect to cluster {cluster} (context {context})"))(error);
    };
    let diagnostic = Diagnostic::error(NO_CREDENTIAL, format!("no credential for cluster \"{cluster}\""))
        .detail(fault.to_string())
        .at(span)
        .hint(format!("try it by hand with `kubectl --context {context} get ns`"));
    CommandError::Definition(diagnostic.into())
}

async fn sandbox(workspace: &Workspace, cluster: &ClusterRef) -> Result<KubernetesProvider, CommandError> {
    let directory = sandbox_directory(&workspace.work_directory(), cluster.as_str());
    match Sandbox::open(&directory) {
        Ok(sandbox) => Ok(KubernetesProvider::new(Client::new(sandbox.router(), "default"))),
        // Another process serves it: go through its door.
        Err(SandboxError::Locked(_)) if directory.join(SERVED_KUBECONFIG).exists() => {
            let kubeconfig = directory.join(SERVED_KUBECONFIG);
            let repository = &workspace.repository;
            let connected = KubernetesProvider::connect(SERVED_CONTEXT, Some(&kubeconfig), repository).await;
            connected.map_err(|error| failed(error, cluster, SERVED_CONTEXT, None))
        }
        Err(error) => Err(CommandError::while_(format!("open the sandbox of cluster {cluster}"))(error)),
    }
}

fn path(workspace: &Workspace, kubeconfig: Option<&Text>) -> Option<PathBuf> {
    kubeconfig.map(|path| workspace.directory.join(path.as_str()))
}

/// Connects a context, whatever happens to the definition meanwhile.
fn remote(
    workspace: &Workspace,
    context: &Text,
    kubeconfig: Option<&Text>,
    rules: &[WaitRule],
) -> impl Future<Output = Result<Connected, ConnectError>> + Send + use<> {
    let (context, rules) = (context.clone(), rules.to_vec());
    let kubeconfig = path(workspace, kubeconfig);
    let repository = workspace.repository.clone();
    async move {
        let provider = KubernetesProvider::connect(&context, kubeconfig.as_deref(), &repository).await?;
        Ok(judged(provider, &rules))
    }
}

#[cfg(test)]
mod tests;
