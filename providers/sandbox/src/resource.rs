//! What is served: built-in resources and those that `CustomResourceDefinitions` add.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use engine_kinds::builtin::{self, BuiltinKind, Scope};
use engine_kinds::schema::{self, Type};

use crate::crd::CustomVersion;
use crate::error::{GroupKind, GroupResource};

/// A resource in one version.
#[derive(Debug)]
pub(crate) struct Resource {
    pub group: String,
    pub version: String,
    /// `group/version`, or only the version for the core group.
    pub api_version: String,
    pub kind: String,
    pub list_kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub scope: Scope,
    /// The subresources `status`, `scale` and `finalize`, where they are served.
    pub subresources: Vec<&'static str>,
    /// Whether clients should prefer this version within its group.
    pub preferred: bool,
    /// How the fields merge.
    pub schema: Type,
    /// Set for custom resources.
    pub custom: Option<CustomVersion>,
}

impl Resource {
    /// The resource without its version.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource::new(&self.group, &self.plural)
    }

    /// The kind without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }

    /// Whether objects live in a namespace.
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Whether the subresource is served.
    pub fn has(&self, subresource: &str) -> bool {
        self.subresources.contains(&subresource)
    }

    /// Whether this is the built-in resource of that group and plural.
    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.custom.is_none() && self.group == group && self.plural == plural
    }

    fn builtin(kind: &'static BuiltinKind) -> Option<Self> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Some(Self {
            group: kind.group.to_owned(),
            version: kind.version.to_owned(),
            api_version: kind.api_version(),
            kind: kind.kind.to_owned(),
            list_kind: format!("{}List", kind.kind),
            plural: kind.plural.to_owned(),
            singular: kind.singular.clone(),
            short_names: owned(&kind.short_names),
            categories: owned(&kind.categories),
            scope: kind.scope,
            subresources: served_subresources(kind),
            preferred: kind.preferred,
            schema: schema::of(kind.group, kind.version, kind.kind)?,
            custom: None,
        })
    }
}

fn served_subresources(kind: &BuiltinKind) -> Vec<&'static str> {
    let finalize = (kind.group.is_empty() && kind.plural == "namespaces").then_some("finalize");
    let others = kind.subresources.iter().copied().filter(|name| matches!(*name, "status" | "scale"));
    finalize.into_iter().chain(others).collect()
}

// Kubernetes keeps these two as other views of one object; the sandbox keeps the view named first only.
const SECOND_VIEWS: [(&str, &str); 1] = [("events.k8s.io", "events")];

fn builtins() -> &'static [Arc<Resource>] {
    static ALL: OnceLock<Vec<Arc<Resource>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let served = builtin::all().iter().filter(|kind| !SECOND_VIEWS.contains(&(kind.group, kind.plural)));
        served.filter_map(Resource::builtin).map(Arc::new).collect()
    })
}

/// Every served resource.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    custom: BTreeMap<String, Vec<Arc<Resource>>>,
}

impl Catalog {
    /// Every resource in every served version: built-in ones first, then custom ones by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        builtins().iter().chain(self.custom.values().flatten())
    }

    /// The resource that a path names.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.all().find(|r| r.plural == plural && r.version == version && r.group == group)
    }

    /// A resource in its preferred version.
    pub fn preferred(&self, resource: &GroupResource) -> Option<&Arc<Resource>> {
        self.all().find(|r| r.preferred && r.plural == resource.resource && r.group == resource.group)
    }

    /// The resource of a kind.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.all().find(|r| r.kind == kind && r.api_version == api_version)
    }

    /// Serves the versions of a `CustomResourceDefinition` instead of those it had.
    pub fn set_custom(&mut self, definition: &str, versions: Vec<Resource>) {
        if versions.is_empty() {
            self.custom.remove(definition);
        } else {
            self.custom.insert(definition.to_owned(), versions.into_iter().map(Arc::new).collect());
        }
    }
}
