//! One object on its way through the layers: its value, and every name it has had.
//!
//! Kustomize keeps this history as annotations inside the object; here it stands beside it.

use std::fmt;
use std::hash::{Hash, Hasher};

use engine_core::diagnostic::SourceSpan;
use engine_core::value::{Map, Text, Value};

use crate::kinds;
use crate::transform::shared::SharedPair;

/// The namespace that all cluster-scoped objects share: none that Kubernetes allows.
const NO_NAMESPACE: &str = "_";
const DEFAULT_NAMESPACE: &str = "default";

/// An API group, version and kind. In a selector, an empty part means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Gvk {
    pub group: Text,
    pub version: Text,
    pub kind: Text,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: Text) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind }
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.to_string();
        }
        format!("{}/{}", self.group, self.version)
    }

    pub(crate) fn is_cluster_scoped(&self) -> bool {
        kinds::is_cluster_scoped(&self.group, &self.version, &self.kind)
    }
}

/// What makes an object itself: kind, name, and the namespace it is in effect in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Id {
    pub gvk: Gvk,
    pub name: Text,
    pub namespace: Text,
}

impl Id {
    /// Returns what stands for the namespace of cluster-scoped objects.
    pub(crate) fn no_namespace() -> Text {
        Text::new_static(NO_NAMESPACE)
    }

    /// Reads the id of an object.
    pub(crate) fn of(object: &Map) -> Self {
        let gvk = Gvk::new(&text_of(object.get("apiVersion")), text_of(object.get("kind")));
        let metadata = object.get("metadata");
        let field = |name| text_of(metadata.and_then(|metadata| metadata.get(name)));
        Self { name: field("name"), namespace: effective_namespace(&gvk, field("namespace")), gvk }
    }

    pub(crate) fn is_cluster_scoped(&self) -> bool {
        self.namespace == NO_NAMESPACE
    }
}

/// Group and version seldom tell apart what kind, name and namespace do not: hashing them would not pay.
impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.gvk.kind.hash(state);
        self.name.hash(state);
        self.namespace.hash(state);
    }
}

/// Prints `Kind.group/namespace/name`.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.gvk.kind)?;
        if !self.gvk.group.is_empty() {
            write!(f, ".{}", self.gvk.group)?;
        }
        if !self.is_cluster_scoped() {
            write!(f, "/{}", self.namespace)?;
        }
        write!(f, "/{}", self.name)
    }
}

/// An id that an object had before; its group and version are always the present ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreviousId {
    pub kind: Text,
    pub name: Text,
    pub namespace: Text,
}

/// How a generated object meets one of the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Behavior {
    #[default]
    Create,
    Merge,
    Replace,
}

/// An object with its history.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub value: Map,
    /// The id that the value gives: see [`Resource::refresh_id`].
    id: Id,
    pub previous: Vec<PreviousId>,
    pub prefixes: Vec<Text>,
    pub suffixes: Vec<Text>,
    pub needs_hash: bool,
    pub behavior: Behavior,
    /// Labels and annotations that change together.
    pub shared: Vec<SharedPair>,
    /// The document or the generator it comes from.
    pub origin: SourceSpan,
}

impl Resource {
    pub(crate) fn new(value: Map, origin: SourceSpan) -> Self {
        Self {
            id: Id::of(&value),
            value,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behavior: Behavior::default(),
            shared: Vec::new(),
            origin,
        }
    }

    /// Reads the id anew. [`ResourceSet::change`] does so after every change, so this is for changes in two steps.
    ///
    /// [`ResourceSet::change`]: crate::resource_set::ResourceSet::change
    pub(crate) fn refresh_id(&mut self) {
        self.id = Id::of(&self.value);
    }

    pub(crate) fn kind(&self) -> &Text {
        &self.id.gvk.kind
    }

    pub(crate) fn name(&self) -> &Text {
        &self.id.name
    }

    /// Returns the namespace as written, empty if none is.
    pub(crate) fn namespace(&self) -> Text {
        text_of(self.metadata("namespace"))
    }

    /// Returns a field of the metadata.
    pub(crate) fn metadata(&self, field: &str) -> Option<&Value> {
        self.value.get("metadata")?.get(field)
    }

    /// Sets a field of the metadata, `None` removes it.
    pub(crate) fn set_metadata(&mut self, field: &str, value: Option<Value>) {
        if !matches!(self.value.get("metadata"), Some(Value::Map(_))) {
            self.value.insert("metadata".into(), Value::Map(Map::default()));
        }
        if let Some(Value::Map(metadata)) = self.value.get_mut("metadata") {
            match value {
                Some(value) => metadata.insert(field.into(), value),
                None => metadata.remove(field),
            };
        }
    }

    pub(crate) fn set_name(&mut self, name: Text) {
        self.set_metadata("name", Some(Value::String(name)));
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    pub(crate) fn gvk(&self) -> &Gvk {
        &self.id.gvk
    }

    /// Returns the ids it had before, oldest first.
    pub(crate) fn previous_ids(&self) -> impl Iterator<Item = Id> {
        self.previous.iter().map(|previous| Id {
            gvk: Gvk { kind: previous.kind.clone(), ..self.id.gvk.clone() },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
        })
    }

    /// Returns the kind, the name and the namespace it was written with.
    pub(crate) fn original(&self) -> (&Text, &Text, &Text) {
        match self.previous.first() {
            Some(first) => (&first.kind, &first.name, &first.namespace),
            None => (&self.id.gvk.kind, &self.id.name, &self.id.namespace),
        }
    }

    /// Lets the places of shared labels and annotations follow the one that has changed.
    pub(crate) fn follow_shared(&mut self, is_meant: impl Fn(&str) -> bool) {
        for pair in self.shared.iter_mut().filter(|pair| is_meant(&pair.key)) {
            pair.follow(&mut self.value);
        }
    }

    /// Remembers the present id; called before a step that may change it.
    pub(crate) fn remember_id(&mut self) {
        self.previous.push(PreviousId {
            kind: self.id.gvk.kind.clone(),
            name: self.id.name.clone(),
            namespace: self.id.namespace.clone(),
        });
    }
}

/// Returns the namespace an object is in: none for cluster-scoped kinds, `default` where none is written.
fn effective_namespace(gvk: &Gvk, namespace: Text) -> Text {
    if gvk.is_cluster_scoped() {
        return Text::new_static(NO_NAMESPACE);
    }
    if namespace.is_empty() {
        return Text::new_static(DEFAULT_NAMESPACE);
    }
    namespace
}

/// Returns the text of a scalar, empty for anything else.
pub(crate) fn text_of(value: Option<&Value>) -> Text {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => Text::new_static("true"),
        Some(Value::Bool(false)) => Text::new_static("false"),
        Some(number @ Value::Number(_)) => number.to_string().into(),
        _ => Text::default(),
    }
}
