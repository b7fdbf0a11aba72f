//! From a value to a declared object.

use engine_core::address::Address;
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::field_path::FieldPath;
use engine_core::kind_info::{Scope, builtin_scope};
use engine_core::manifest::{Hole, Manifest, ManifestError};
use engine_core::object_check::{
    TooLarge, invalid_quantity, kind_instead, not_text, reserved_mark, too_large,
};
use engine_core::object_ref::{ClusterRef, ObjectRef};
use engine_core::resource::{Body, Lifecycle, Resource};
use engine_core::sensitive::SensitivePaths;
use engine_core::value::Value;

use super::Walk;
use super::block::Site;
use crate::codes::{CLUSTER_CHOICE, EPHEMERAL, MANIFEST, NAMESPACE, SENSITIVE, UNKNOWN_IDENTITY};
use crate::expr_value::Plain;
use crate::module::{Body as Declared, place};

/// The fields that say which object it is.
const IDENTITY: [&[&str]; 4] =
    [&["apiVersion"], &["kind"], &["metadata", "name"], &["metadata", "namespace"]];

impl Walk<'_> {
    /// Adds an object of a block to the graph.
    pub(super) fn add_object(
        &mut self,
        site: &Site<'_>,
        address: Address,
        manifest: Manifest,
        span: Option<SourceSpan>,
    ) {
        let Some(stage) = site.stage else { return };
        let inherited = &site.inherited;
        let resource = Resource {
            address,
            body: Body::Object(Box::new(manifest)),
            lifecycle: Lifecycle {
                prevent_destroy: inherited.prevent_destroy,
                ignore_changes: site.declaration.ignore_changes.clone(),
                conflicts: site.declaration.conflicts.clone(),
                replace_triggered_by: site.triggers.clone(),
                preconditions: inherited.guards.clone(),
                postcondition: site.postcondition,
            },
            wait: inherited.wait,
            timeouts: inherited.timeouts,
            span: span.or_else(|| Some(site.declaration.span.clone())),
        };
        self.builder.resource(stage, resource);
    }

    /// Makes a manifest of a value of the language. `None` when its identity is not known yet and that is no
    /// fault of its own.
    pub(super) fn manifest(
        &self,
        site: &Site<'_>,
        plain: Plain,
        span: &SourceSpan,
    ) -> Result<Option<Manifest>, Diagnostics> {
        let identity = |paths: &[FieldPath]| {
            IDENTITY
                .iter()
                .find(|names| {
                    let field = FieldPath::fields(names.iter().copied());
                    paths.iter().any(|path| field.starts_with(path))
                })
                .map(|names| names.join("."))
        };
        if let Some(field) = identity(&plain.unknown) {
            if self.is_provisional() {
                return Ok(None);
            }
            let summary = format!("{field} of {} is known only after apply", site.address);
            return Err(Diagnostic::error(UNKNOWN_IDENTITY, summary)
                .detail("A plan must be able to say which object it is.")
                .at(span.clone())
                .about(site.address.clone())
                .into());
        }
        if let Some(field) = identity(&plain.sensitive) {
            let summary = format!("{field} of {} is sensitive", site.address);
            return Err(Diagnostic::error(SENSITIVE, summary)
                .detail("What identifies an object is shown in plans and kept in the state.")
                .at(span.clone())
                .about(site.address.clone())
                .into());
        }
        if let Some(path) = plain.secret_keys.first() {
            return Err(secret_key(&path.to_string(), site, &written(site, path, span)));
        }
        if let Some(path) = plain.ephemeral.first() {
            return Err(kept(&path.to_string(), site, span));
        }
        let mut sensitive = SensitivePaths::default();
        plain.sensitive.iter().for_each(|path| sensitive.insert(path));
        let holes = plain.unknown.into_iter().map(|path| Hole { path }).collect();
        checked_manifest(site, plain.value, (sensitive, holes), span).map(Some)
    }
}

/// Makes a manifest of plain data and checks its namespace.
pub(super) fn checked_manifest(
    site: &Site<'_>,
    body: Value,
    (sensitive, holes): (SensitivePaths, Vec<Hole>),
    span: &SourceSpan,
) -> Result<Manifest, Diagnostics> {
    let cluster = cluster(site, span)?;
    let manifest = Manifest::new(cluster, body, sensitive, holes).map_err(|error| {
        let (field, hint) = match &error {
            ManifestError::ApiVersion(_) => {
                ("apiVersion", "write VERSION or GROUP/VERSION in small letters, such as v1 or apps/v1")
            }
            ManifestError::Name { field, .. } => (*field, "use small letters, digits, `-` and `.`"),
            ManifestError::Missing(field) => (*field, "an object needs apiVersion, kind and metadata.name"),
            _ => ("", "an object needs apiVersion, kind and metadata.name"),
        };
        let path = FieldPath::fields(field.split('.'));
        Diagnostic::error(MANIFEST, error.to_string())
            .at(written(site, &path, span))
            .about(site.address.clone())
            .hint(hint)
    })?;
    check_namespace(manifest.object_ref(), site, span)?;
    check_object(&manifest, site, span)?;
    Ok(manifest)
}

/// Builds the error for a map that has a secret among its keys.
pub(super) fn secret_key(field: &str, site: &Site<'_>, span: &SourceSpan) -> Diagnostics {
    let field = if field.is_empty() { "the object" } else { field };
    Diagnostic::error(SENSITIVE, format!("a key of {field} of {} is sensitive", site.address))
        .detail("The server shows the names of fields to all who may read the object, and records them in its managed fields.")
        .at(span.clone())
        .about(site.address.clone())
        .hint("put the secret into a value; if the key may be shown: nonsensitive(…)")
        .into()
}

/// Builds the error for an ephemeral value in what an object keeps.
pub(super) fn kept(what: &str, site: &Site<'_>, span: &SourceSpan) -> Diagnostics {
    Diagnostic::error(EPHEMERAL, format!("{what} of {} is ephemeral", site.address))
        .detail("An object keeps what it is declared with.")
        .at(span.clone())
        .about(site.address.clone())
        .hint("only `data` of a secret block takes what is ephemeral")
        .into()
}

/// Returns the cluster of an instance; every instance has one once its block has been checked.
pub(super) fn cluster(site: &Site<'_>, span: &SourceSpan) -> Result<ClusterRef, Diagnostics> {
    site.inherited.cluster.clone().ok_or_else(|| {
        Diagnostic::error(CLUSTER_CHOICE, format!("{} belongs to no cluster", site.address))
            .at(span.clone())
            .into()
    })
}

/// # Source
/// Kubernetes, Namespaces: not all objects are in a namespace.
fn check_namespace(object_ref: &ObjectRef, site: &Site<'_>, span: &SourceSpan) -> Result<(), Diagnostics> {
    let (summary, hint) = match (builtin_scope(&object_ref.kind), &object_ref.namespace) {
        (Some(Scope::Namespaced), None) => (
            format!("{object_ref} has no namespace, but {} is namespaced", object_ref.kind),
            "set metadata.namespace, or `namespace` of the block",
        ),
        (Some(Scope::Cluster), Some(_)) => (
            format!("{object_ref} has a namespace, but {} is not namespaced", object_ref.kind),
            "remove metadata.namespace",
        ),
        _ => return Ok(()),
    };
    let span = written(site, &FieldPath::fields(["metadata"]), span);
    Err(Diagnostic::error(NAMESPACE, summary).at(span).about(site.address.clone()).hint(hint).into())
}

/// Finds what every server would refuse: a kind that Kubernetes does not have, an amount that is no quantity, a value
/// of a Secret that is no text, what is too large; and marks that are not for definitions to set.
fn check_object(manifest: &Manifest, site: &Site<'_>, span: &SourceSpan) -> Result<(), Diagnostics> {
    let fault = |path: FieldPath, summary: String, hint: String| {
        let fault = Diagnostic::error(MANIFEST, summary).at(written(site, &path, span));
        Err(fault.about(site.address.clone()).hint(hint).into())
    };
    let object_ref = manifest.object_ref();
    if let Some(meant) = kind_instead(&object_ref.kind) {
        let summary = format!("there is no kind {} in {}", object_ref.kind.kind, manifest.api_version());
        return fault(FieldPath::fields(["kind"]), summary, format!("did you mean {meant}?"));
    }
    if let Some((path, amount)) = invalid_quantity(manifest) {
        let hint = "a quantity is a number with a suffix such as m, k, M, Gi: \"500m\", \"64Gi\"".to_owned();
        let summary = format!("{amount:?} in {path} of {object_ref} is no quantity");
        return fault(path, summary, hint);
    }
    if let Some((path, found)) = not_text(manifest) {
        let summary = format!("{path} of {object_ref} has to be a string, found {found}");
        return fault(path, summary, "write it in quotes".to_owned());
    }
    if let Some(path) = reserved_mark(manifest) {
        let hint = "remove it: Terrane sets it, and knows by it whose an object is".to_owned();
        return fault(path.clone(), format!("{path} of {object_ref} belongs to Terrane"), hint);
    }
    if let Some(TooLarge { path, bytes, limit }) = too_large(manifest) {
        let what = if path.elements().is_empty() {
            object_ref.to_string()
        } else {
            format!("{path} of {object_ref}")
        };
        let summary = format!("{what} has {bytes} bytes, and an API server takes {limit}");
        return fault(path, summary, "split it, or keep the contents elsewhere".to_owned());
    }
    Ok(())
}

/// Returns where a field of the object is written: of a manifest in HCL, the field; of others, the whole.
fn written(site: &Site<'_>, path: &FieldPath, span: &SourceSpan) -> SourceSpan {
    match &site.declaration.body {
        Declared::Manifest { object } => place(object, path.elements()),
        _ => span.clone(),
    }
}
