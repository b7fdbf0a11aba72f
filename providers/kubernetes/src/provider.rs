//! The provider: the port of the core, put together from the modules around it.

use std::path::Path;
use std::time::SystemTime;

use engine_core::kind_info::Discovery;
use engine_core::object::Object;
use engine_core::object_ref::Uid;
use engine_core::ports::{
    Applied, ApplyRequest, BoxFuture, ClusterProvider, DeleteRequest, ListQuery, PageSink, ProviderError,
    Target, WatchSink,
};
use engine_core::status::{Evidence, Status, Trouble};
use engine_core::wait_rule::WaitRule;
use kube::Client;

use crate::connect::{self, ConnectError};
use crate::discovery::DiscoveryCache;
use crate::status::Rules;
use crate::transport::Transport;
use crate::{evidence, list, objects, status, watch};

/// One cluster, reached through its API server.
///
/// Calls may run at the same time; how many requests are in flight adapts to what the server bears.
pub struct KubernetesProvider {
    transport: Transport,
    discovery: DiscoveryCache,
    rules: Rules,
    is_unverified: bool,
}

impl KubernetesProvider {
    /// Builds a provider over a client.
    ///
    /// Must be called inside a Tokio runtime with its timer on.
    pub fn new(client: Client) -> Self {
        Self {
            transport: Transport::new(client),
            discovery: DiscoveryCache::default(),
            rules: Rules::default(),
            is_unverified: false,
        }
    }

    /// Tells whether whoever answers is taken for the cluster: the kubeconfig says that the certificate of the server is
    /// not to be looked at.
    ///
    /// # Source
    /// <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>, `insecure-skip-tls-verify`.
    pub fn is_unverified(&self) -> bool {
        self.is_unverified
    }

    /// Judges objects of some kinds by the rules of a definition.
    #[must_use]
    pub fn with_wait_rules(self, rules: &[WaitRule]) -> Self {
        Self { rules: Rules::new(rules), ..self }
    }

    /// Tells whether [`connect`](Self::connect) runs a credential plugin, which may ask its user something and takes its
    /// time. A kubeconfig that cannot be read may name one.
    pub fn runs_program(context: &str, kubeconfig: Option<&Path>, repository: &Path) -> bool {
        connect::runs_program(context, kubeconfig, repository)
    }

    /// Connects to a context of a kubeconfig; `None` means kubectl's default (`KUBECONFIG`, then
    /// `~/.kube/config`). No request is sent to the cluster yet.
    ///
    /// Credential plugins run as kubectl runs them, but only for a minute where nobody can answer them, and never for a
    /// kubeconfig inside `repository`: whoever may change the repository must not thereby run programs, or send files,
    /// of the one who plans it.
    ///
    /// # Errors
    /// The kubeconfig cannot be read, lacks the context, is inside the repository and wants more than it may,
    /// or its certificates, keys or plugin do not work.
    ///
    /// # Source
    /// <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/>
    pub async fn connect(
        context: &str,
        kubeconfig: Option<&Path>,
        repository: &Path,
    ) -> Result<Self, ConnectError> {
        let connected = connect::client(context, kubeconfig, repository).await?;
        Ok(Self { is_unverified: connected.is_unverified, ..Self::new(connected.client) })
    }
}

impl ClusterProvider for KubernetesProvider {
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ProviderError>> {
        Box::pin(self.discovery.discover(&self.transport))
    }

    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
        sink: PageSink<'a>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(list::list(&self.transport, query, sink))
    }

    fn get<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Option<Object>, ProviderError>> {
        Box::pin(objects::get(&self.transport, target))
    }

    fn apply<'a>(&'a self, request: &'a ApplyRequest) -> BoxFuture<'a, Result<Applied, ProviderError>> {
        Box::pin(objects::apply(&self.transport, request))
    }

    fn delete<'a>(
        &'a self,
        request: &'a DeleteRequest,
    ) -> BoxFuture<'a, Result<Option<Object>, ProviderError>> {
        Box::pin(objects::delete(&self.transport, request))
    }

    fn watch<'a>(
        &'a self,
        query: &'a ListQuery,
        sink: WatchSink<'a>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(watch::watch(&self.transport, query, sink))
    }

    fn status(&self, object: &Object) -> Option<Status> {
        self.rules.status(object).or_else(|| status::status(object, SystemTime::now()))
    }

    fn trouble(&self, pod: &Object) -> Option<Trouble> {
        status::trouble(pod)
    }

    fn evidence<'a>(
        &'a self,
        about: &'a Target,
        uid: &'a Uid,
        evidence: &'a Evidence,
    ) -> BoxFuture<'a, Result<Option<String>, ProviderError>> {
        Box::pin(evidence::evidence(&self.transport, (about, uid), evidence))
    }

    fn requests(&self) -> u64 {
        self.transport.requests()
    }
}
