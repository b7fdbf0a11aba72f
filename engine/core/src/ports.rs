//! What the core needs from the world. Implemented by the crates around it, joined in the command line.

mod chain;
mod state_error;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use crate::address::Address;
use crate::diagnostic::{Diagnostics, SourceSpan};
use crate::digest::Digest;
use crate::kind_info::{Discovery, KindInfo};
use crate::manifest::Manifest;
use crate::mark::FieldManager;
use crate::object::Object;
use crate::object_ref::Uid;
use crate::plan::PlannedOutput;
use crate::state::{Deed, State};
use crate::status::{Evidence, Status, Trouble};
use crate::value::{Text, Value};

pub use chain::{Compacted, HistoryEntry, RevisionFault, RevisionStore, Tip, Verified};
pub use state_error::StateError;

/// A boxed future: what an async method of a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One cluster. Implementations share nothing of their own between calls but connections and caches.
pub trait ClusterProvider: Send + Sync {
    /// Returns what the server serves. Cached by the server's `ETag`.
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ProviderError>>;

    /// Lists objects of a kind, page by page. After [`Page::Restart`] everything seen so far counts for nothing.
    fn list<'a>(
        &'a self,
        query: &'a ListQuery,
        sink: PageSink<'a>,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;

    /// Returns one object, `None` when it does not exist.
    fn get<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Option<Object>, ProviderError>>;

    /// Sends a server-side apply.
    fn apply<'a>(&'a self, request: &'a ApplyRequest) -> BoxFuture<'a, Result<Applied, ProviderError>>;

    /// Deletes the object with this uid. Returns the object if it lives on, `None` when it is gone at once.
    fn delete<'a>(
        &'a self,
        request: &'a DeleteRequest,
    ) -> BoxFuture<'a, Result<Option<Object>, ProviderError>>;

    /// Watches objects of a kind until the sink breaks or the connection ends. Begins with the objects that
    /// exist. An end without error means: watch again.
    fn watch<'a>(
        &'a self,
        query: &'a ListQuery,
        sink: WatchSink<'a>,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;

    /// Returns the readiness of an object, `None` when its kind has no known rule.
    fn status(&self, object: &Object) -> Option<Status>;

    /// Returns what keeps a pod from doing its work, `None` when nothing does.
    fn trouble(&self, pod: &Object) -> Option<Trouble>;

    /// Asks for more on an object in trouble; `None` when there is nothing. The text is as programs wrote it: it may
    /// hold secrets and control characters.
    fn evidence<'a>(
        &'a self,
        about: &'a Target,
        uid: &'a Uid,
        evidence: &'a Evidence,
    ) -> BoxFuture<'a, Result<Option<String>, ProviderError>>;

    /// Returns how many requests have been sent.
    fn requests(&self) -> u64;
}

/// Receives pages.
pub type PageSink<'a> = &'a mut (dyn FnMut(Page) + Send);

/// Receives watch events; returns whether to go on.
pub type WatchSink<'a> = &'a mut (dyn FnMut(WatchEvent) -> bool + Send);

/// A part of a list.
pub enum Page {
    /// Objects.
    Items(Vec<Object>),
    /// The list starts again from its beginning.
    Restart,
}

/// A change seen by a watch.
pub enum WatchEvent {
    /// The object exists like this.
    Applied(Object),
    /// The object is gone.
    Deleted(Object),
    /// All objects that exist have been delivered once.
    Synced,
}

/// Which objects to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Kind, in the version to read.
    pub kind: KindInfo,
    /// One namespace, or all.
    pub namespace: Option<Text>,
    /// Label selector in Kubernetes' syntax.
    pub labels: Option<String>,
}

/// Which object to address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Kind, in the version to use.
    pub kind: KindInfo,
    /// Namespace, for namespaced kinds.
    pub namespace: Option<Text>,
    /// Name.
    pub name: Text,
}

/// Whether a write is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The server answers as if, and keeps nothing.
    DryRun,
    /// The write is kept.
    Persist,
}

/// Whether to take the fields of other managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// A conflict is an error.
    No,
    /// Fields are taken.
    Yes,
}

/// A server-side apply. It may hold secrets, so it has no `Debug`.
pub struct ApplyRequest {
    /// The object.
    pub target: Target,
    /// The whole desired object, marks included.
    pub body: Value,
    /// Our field manager.
    pub manager: FieldManager,
    /// Dry run or not.
    pub mode: Mode,
    /// Force or not.
    pub force: Force,
    /// The object must exist with this uid.
    pub uid: Option<Uid>,
}

/// What an apply did.
pub struct Applied {
    /// The object as it is now.
    pub object: Object,
    /// Whether the object was there before: the status code is the only witness.
    pub witness: Witness,
    /// `Warning` headers, unquoted.
    pub warnings: Vec<String>,
}

/// Whether an apply met an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// 201: it was created.
    Created,
    /// 200: it existed.
    Existed,
}

/// A deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteRequest {
    /// The object.
    pub target: Target,
    /// It must have this uid.
    pub uid: Uid,
    /// Whether dependents are deleted first.
    pub propagation: Propagation,
}

/// In which order an object and its dependents are deleted.
///
/// # Source
/// Kubernetes, Garbage Collection: cascading deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// The object first.
    Background,
    /// Dependents first.
    Foreground,
}

/// A field that another manager owns with another value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The other manager.
    pub manager: Text,
    /// The subresource it wrote through.
    pub subresource: Option<Text>,
    /// The field in the server's notation: `.spec.replicas`.
    pub field: String,
}

/// Why a request to a cluster failed. Messages hold no request body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No answer: no connection, a broken one, a timeout. A write may have landed.
    #[error("the cluster does not answer: {0}")]
    Unreachable(String),
    /// 401.
    #[error("the cluster does not accept the credentials: {0}")]
    Unauthorized(String),
    /// 403.
    #[error("{0}")]
    Forbidden(String),
    /// 404: the kind, the namespace or the object is not there.
    #[error("{0}")]
    NotFound(String),
    /// 409 of a server-side apply.
    #[error("{} held by another field manager", count(.0.len(), "field"))]
    Conflict(Vec<Conflict>),
    /// 409 or 422 on a precondition: the object is another one than planned.
    #[error("the object is not the one that was planned: {0}")]
    Stale(String),
    /// 400, 422, or 500 "failed to create typed patch object": the object itself is wrong.
    #[error("{0}")]
    Invalid(Invalid),
    /// 5xx, 429 after all retries, or an answer that is none. A write may have landed.
    #[error("the cluster failed: {0}")]
    Server(String),
}

/// What is wrong with an object, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invalid {
    /// All that it says.
    pub message: String,
    /// The fields that it names, in its notation: `spec.selector`.
    pub fields: Vec<String>,
    /// Whether it does not fit the schema of its kind, so that only another schema can mend it: an unknown field, text
    /// in place of a number.
    pub is_untyped: bool,
}

impl From<String> for Invalid {
    fn from(message: String) -> Self {
        Self { message, fields: Vec::new(), is_untyped: false }
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl ProviderError {
    /// Tells whether a write that ended like this may have been kept.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Server(_))
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun} is") } else { format!("{n} {noun}s are") }
}

/// A version of the state in its store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(pub String);

/// The state as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it is in the chain.
    pub revision: Revision,
    /// The state.
    pub state: State,
}

/// That somebody agrees to what a plan decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub who: String,
    /// When, in RFC 3339.
    pub time: String,
}

/// Keeps the state as a linear chain of revisions.
pub trait StateStore: Send + Sync {
    /// Returns the newest state, `None` before the first.
    ///
    /// # Errors
    /// The store cannot be read, or what it holds is not a state of this environment.
    fn latest(&self) -> Result<Option<Stored>, StateError>;

    /// Appends a state to the chain if its tip is still `expected` (`None`: no chain yet).
    ///
    /// # Errors
    /// [`StateError::Moved`] when somebody else was first; nothing was changed then.
    fn advance(
        &self,
        expected: Option<&Revision>,
        next: &State,
        summary: &str,
    ) -> Result<Revision, StateError> {
        self.append(expected, next, summary, None)
    }

    /// The same, and says which plan the state comes of.
    ///
    /// # Errors
    /// As [`StateStore::advance`].
    fn append(
        &self,
        expected: Option<&Revision>,
        next: &State,
        summary: &str,
        plan: Option<&Digest>,
    ) -> Result<Revision, StateError>;

    /// Records that a decision is approved, by whoever runs this. An approval that is there already stays as it is. The
    /// chain does not move, so that a run that holds it is not disturbed.
    ///
    /// # Errors
    /// The store cannot be written.
    fn approve(&self, decision: &Digest) -> Result<Approval, StateError>;

    /// Returns the approval of a decision, `None` if nobody approved it.
    ///
    /// # Errors
    /// The store cannot be read.
    fn approval(&self, decision: &Digest) -> Result<Option<Approval>, StateError>;

    /// Returns the chain, newest first, at most `limit` entries.
    ///
    /// # Errors
    /// The store cannot be read.
    fn history(&self, limit: usize) -> Result<Vec<HistoryEntry>, StateError>;
}

/// Keeps on this machine what a run does between two revisions, so that the next run here need not find it out.
///
/// It only saves work: the chain's intents and the marks on the objects tell the same to any other machine.
pub trait RunLog: Send + Sync {
    /// Notes what became of an object. Returns at once; the note is on disk shortly after.
    fn note(&self, deed: &Deed);

    /// Ends the log: everything that it holds is in the chain.
    fn close(&self);
}

/// A declared overlay, to be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayRequest {
    /// Directory of the kustomization, as the definition writes it relative to the repository's root.
    pub path: String,
    /// Images put on top: name → new name and tag (`app` → `registry/app:v2`, or only a tag).
    pub images: BTreeMap<Text, Text>,
    /// Replicas put on top: workload → count.
    pub replicas: BTreeMap<Text, u64>,
    /// Namespace put on top.
    pub namespace: Option<Text>,
    /// Where the request is written, for errors that concern the path itself.
    pub span: Option<SourceSpan>,
}

/// What a source rendered.
#[derive(Clone, Default)]
pub struct Rendered {
    /// Objects in order, each with the place it comes from.
    pub objects: Vec<(Value, Option<SourceSpan>)>,
    /// Warnings.
    pub warnings: Diagnostics,
    /// Every file read, relative to the repository's root, with its SHA-256.
    pub files: BTreeMap<String, Digest>,
}

/// Turns a declared source into objects, without cluster, process or network.
pub trait ManifestSource: Send + Sync {
    /// Renders an overlay.
    ///
    /// # Errors
    /// The overlay is broken, or uses what is not supported.
    fn overlay(&self, request: &OverlayRequest) -> Result<Rendered, Diagnostics>;
}

/// Fills the holes of manifests at apply.
pub trait Resolver: Send + Sync {
    /// Returns the manifest with all holes filled from the objects read so far, by the address of the read.
    ///
    /// The result has the same identity: values are filled, nothing is added, removed or re-addressed.
    ///
    /// # Errors
    /// An expression fails with the values found.
    fn fill(
        &self,
        address: &Address,
        manifest: &Manifest,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<Manifest, Diagnostics>;

    /// Checks the conditions of an address that could not be told when the plan was made: without a live object
    /// those of an instance that must hold before it is written, with one those that must hold of a resource after.
    ///
    /// # Errors
    /// One does not hold, cannot be evaluated, or is still not known.
    fn require(
        &self,
        address: &Address,
        live: Option<&Value>,
        reads: &BTreeMap<Address, Value>,
    ) -> Result<(), Diagnostics>;

    /// Returns the environment's outputs with the objects read so far.
    ///
    /// # Errors
    /// An expression fails with the values found.
    fn outputs(&self, reads: &BTreeMap<Address, Value>)
    -> Result<BTreeMap<Text, PlannedOutput>, Diagnostics>;
}
