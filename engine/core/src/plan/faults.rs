//! What stands in the way of a plan, said to the user.

use crate::address::Address;
use crate::diagnostic::{Code, Diagnostic};
use crate::live::Live;
use crate::manifest::Manifest;
use crate::object::Object;
use crate::object_ref::ObjectRef;
use crate::plan::loss::TakenAlong;
use crate::plan::{Change, FieldChange, FieldConflict, Shown, redact};
use crate::ports::ProviderError;
use crate::resource::Resource;
use crate::value::Value;

/// A field is owned by another manager that will not be overruled.
pub(super) const CONFLICT: Code = Code(601);
/// An object to be created exists and is not ours.
pub(super) const FOREIGN_OBJECT: Code = Code(602);
/// The cluster serves no such kind.
pub(super) const UNKNOWN_KIND: Code = Code(603);
/// The API server forbids it.
pub(super) const FORBIDDEN: Code = Code(604);
/// The API server refuses the object.
pub(super) const INVALID_OBJECT: Code = Code(605);
/// The object is protected against deletion.
pub(super) const PROTECTED: Code = Code(606);
/// A kind could not be observed.
pub(super) const UNOBSERVED: Code = Code(607);
/// The outcome could not be predicted.
pub(super) const UNPREDICTED: Code = Code(608);
/// A field cannot be changed in place and the object must not be replaced.
pub(super) const IMMUTABLE: Code = Code(609);
/// A deletion takes along what is declared or protected.
pub(super) const TAKEN_ALONG: Code = Code(610);
/// An object of this environment was created while the plan was made.
pub(super) const APPEARED: Code = Code(611);

/// A moved block does not keep the object.
pub(super) const NOT_MOVED: Code = Code(612);
/// The object of an import block does not exist.
pub(super) const NOTHING_TO_IMPORT: Code = Code(613);

/// An object that is to be replaced with another one must not be.
pub(super) const NOT_REPLACED: Code = Code(614);

/// What is to be deleted holds objects of others.
pub(super) const HELD: Code = Code(615);

/// Objects that this environment has applied are not in its state.
pub(super) const UNRECORDED: Code = Code(616);

/// A declared object is being deleted.
pub(super) const TERMINATING: Code = Code(617);

/// Somebody has deleted it, and something keeps it for now.
pub(super) fn terminating(resource: &Resource, live: &Object) -> Diagnostic {
    let text = |names: &[&str]| live.body().str_at(names).unwrap_or("an unknown time").to_owned();
    let since = text(&["metadata", "deletionTimestamp"]);
    let finalizers = live.body().at(&["metadata", "finalizers"]).and_then(Value::as_list).unwrap_or_default();
    let finalizers: Vec<&str> = finalizers.iter().filter_map(Value::as_str).collect();
    let held = match finalizers.as_slice() {
        [] => "what it holds is deleted first".to_owned(),
        names => format!("it is held by finalizers: {}", names.join(", ")),
    };
    let summary = format!("{} is being deleted", resource.object_ref());
    about(resource, Diagnostic::warning(TERMINATING, summary))
        .detail(format!("Somebody deleted it, as of {since}; {held}."))
        .hint("once it is gone, plan again: it will be created anew")
}

/// The state knows less than the clusters.
pub(super) fn unrecorded(unrecorded: &[&ObjectRef]) -> Diagnostic {
    let count = unrecorded.len();
    let named: Vec<String> = unrecorded.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
    let objects = if count == 1 { "an object".into() } else { format!("{count} objects") };
    Diagnostic::warning(
        UNRECORDED,
        format!("the state does not know {objects} that this environment applied"),
    )
    .detail(format!(
        "They carry its mark and its fields, and no run meant to write them: {}{more}.",
        named.join(", ")
    ))
    .hint("the state may have been set back: compare `terrane history`, and see `terrane state restore`")
}

/// The credentials may read and not write: enough to show a plan, not to ask the server what comes of it.
pub(super) fn not_asked(resource: &Resource, why: &str) -> Diagnostic {
    let summary = format!("{} is planned without asking the server", resource.object_ref());
    about(resource, Diagnostic::warning(FORBIDDEN, summary))
        .detail(why)
        .hint("an apply needs the right to patch; a plan is surer with it")
}

/// The server refuses it as things are, but what it comes after changes in this plan.
pub(super) fn not_yet(resource: &Resource, error: &ProviderError) -> Diagnostic {
    let object_ref = resource.object_ref();
    let summary = format!("cluster {} refuses {object_ref} as things are now", object_ref.cluster);
    about(resource, Diagnostic::warning(INVALID_OBJECT, summary)).detail(said(resource, error)).hint(
        "the apply changes first what it depends on; if that is not what is missing here, correct the object",
    )
}

pub(super) fn unobserved(resource: &Resource, why: &str) -> Diagnostic {
    let summary = format!("{} could not be observed", resource.object_ref());
    about(resource, Diagnostic::warning(UNOBSERVED, summary)).detail(why)
}

pub(super) fn kept(object_ref: &ObjectRef, address: Address, why: &str) -> Diagnostic {
    let summary = format!("{object_ref} could not be observed and is kept");
    Diagnostic::warning(UNOBSERVED, summary).detail(why).about(address)
}

pub(super) fn protected(object_ref: &ObjectRef, address: Address) -> Diagnostic {
    Diagnostic::error(PROTECTED, format!("{object_ref} is protected and would be deleted"))
        .detail("Its record has prevent_destroy, so removing its block does not delete it.")
        .about(address)
        .hint("declare it again without prevent_destroy and apply, then remove it")
}

/// How many objects a message names.
const NAMED: usize = 5;

pub(super) fn taken_along(change: &Change, taken: &TakenAlong<'_>) -> Diagnostic {
    let object_ref = &change.object_ref;
    let named = "or first move or remove what is named above";
    let (takes, otherwise) = match (object_ref.kind.group.as_str(), object_ref.kind.kind.as_str()) {
        ("", "Namespace") => ("A Namespace is deleted with all that lies in it.", named),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            ("A CustomResourceDefinition is deleted with all objects of its kind.", named)
        }
        _ => (
            "The cluster deletes what names it as owner and has no other.",
            "or first take it out of the ownerReferences of what is named above, with an apply of its own",
        ),
    };
    let declared = taken.declared.iter().map(|resource| (&resource.address, resource.object_ref()));
    let protected = taken.protected.iter().map(|(object_ref, record)| (&record.address, *object_ref));
    let mut detail = takes.to_owned();
    let released = taken.released.iter().map(|(object_ref, record)| (&record.address, *object_ref));
    let left_out = taken.left_out.iter().map(|(object_ref, record)| (&record.address, *object_ref));
    for (what, named) in [
        ("Still declared", listed(declared)),
        ("Protected by prevent_destroy", listed(protected)),
        ("To stay by a removed block", listed(released)),
        ("No part of this plan", listed(left_out)),
    ] {
        if !named.is_empty() {
            detail.push_str(&format!(" {what}: {named}."));
        }
    }
    let summary = format!("{object_ref} would be deleted with what must stay");
    Diagnostic::error(TAKEN_ALONG, summary)
        .detail(detail)
        .at(taken.declared.first().and_then(|resource| resource.span.clone()))
        .about(change.address.clone())
        .hint(format!("declare {object_ref} again, {otherwise}"))
}

/// Apply looks again, and deletes nothing that holds objects of others.
pub(super) fn held(change: &Change, foreign: &[String]) -> Diagnostic {
    let object_ref = &change.object_ref;
    let more = foreign.len().saturating_sub(NAMED);
    let named = foreign.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let named = if more == 0 { named } else { format!("{named} and {more} more") };
    let summary = format!("{object_ref} holds objects that are not of this environment");
    Diagnostic::warning(HELD, summary)
        .detail(format!("An apply will not delete it while there are any: {named}."))
        .about(change.address.clone())
        .hint("delete or move them first, or let go of it with a `removed` block whose lifecycle has `destroy = false`")
}

fn listed<'a>(objects: impl ExactSizeIterator<Item = (&'a Address, &'a ObjectRef)>) -> String {
    let more = objects.len().saturating_sub(NAMED);
    let names = objects.take(NAMED).map(|(address, object_ref)| format!("{address} ({object_ref})"));
    let names = names.collect::<Vec<_>>().join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

pub(super) fn appeared(resource: &Resource) -> Diagnostic {
    let summary = format!("{} was created while this plan was made", resource.object_ref());
    about(resource, Diagnostic::error(APPEARED, summary))
        .detail("It was not there when the cluster was read, and now it is: another run of this environment has applied it.")
        .hint("plan again")
}

/// Names the fields that the server names, or else all that change.
pub(super) fn immutable(
    resource: &Resource,
    (fields, immutable): (&[FieldChange], &[String]),
    why: &str,
) -> Diagnostic {
    let summary = format!("{} cannot be changed in place", resource.object_ref());
    let changed = || fields.iter().map(|field| field.path.to_string()).collect();
    let paths: Vec<String> = if immutable.is_empty() { changed() } else { immutable.to_vec() };
    about(resource, Diagnostic::error(IMMUTABLE, summary))
        .detail(format!("Immutable: {}. {why}", paths.join(", ")))
        .hint("change the name, so that a new object is created beside the old one")
}

/// What to do with an object that could be adopted if it were like the definition.
pub(super) const UNLIKE: &str =
    "to adopt it, make its definition agree with the object; or give the object another name, or delete it";

pub(super) fn foreign(resource: &Resource, whose: String) -> Diagnostic {
    let summary = format!("{} exists and is not part of this environment", resource.object_ref());
    about(resource, Diagnostic::error(FOREIGN_OBJECT, summary)).detail(whose).hint(format!(
        "give the object another name, delete it, or take it over with `import {{ to = {} }}`",
        resource.address
    ))
}

/// What to do with an object of another environment.
pub(super) const LET_GO: &str = "give the object another name, or let the other environment go of it first, with a `removed` block whose lifecycle has `destroy = false`";

/// An object that has our mark, and that we neither recorded nor applied.
pub(super) fn copy(resource: &Resource) -> Diagnostic {
    let whose = "It has the mark of this environment, which has never applied it: it may be a copy of another object.";
    foreign(resource, whose.into()).hint(
        "give the object another name, delete it, or remove the label and annotations of terrane.dev from it",
    )
}

/// Names each field, who wrote it how and when, and both values.
pub(super) fn conflicts(
    resource: &Resource,
    manifest: &Manifest,
    conflicts: &[&FieldConflict],
) -> Diagnostic {
    let lines = conflicts.iter().map(|conflict| {
        let values = match (&conflict.theirs, &conflict.ours) {
            (Shown::Value(theirs), Shown::Value(ours)) => {
                format!(": {} there, {} here", brief(theirs), brief(ours))
            }
            _ => String::new(),
        };
        format!("{} is managed by {}{values}", conflict.path, conflict.holder())
    });
    let lines: Vec<String> = lines.collect();
    let summary = format!("{} has fields that another field manager keeps", resource.object_ref());
    let detail = redact(&lines.join("\n"), manifest);
    about(resource, Diagnostic::error(CONFLICT, summary)).detail(detail).hint(
        "remove these fields from the definition, say in `lifecycle { conflicts { … } }` who keeps them, or stop the other manager",
    )
}

/// Returns a value, or what it is if it would fill lines.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    match (value, text.chars().count() > 80) {
        (Value::List(items), true) => format!("(list of {} items)", items.len()),
        (Value::Map(map), true) => format!("(object of {} fields)", map.iter().count()),
        (Value::String(text), true) => format!("(text of {} characters)", text.chars().count()),
        _ => text,
    }
}

pub(super) fn not_replaced(resource: &Resource, cause: &str, why: &str) -> Diagnostic {
    let summary = format!("{} would be replaced because {cause}", resource.object_ref());
    about(resource, Diagnostic::error(NOT_REPLACED, summary))
        .detail(why)
        .hint("do not ask for it, by replace_triggered_by or --replace, or take the protection off")
}

/// What was moved is another object now: the move saves nothing.
pub(super) fn not_moved(object_ref: &ObjectRef, from: &Address, declared: &Resource) -> Diagnostic {
    let to = &declared.address;
    let summary = format!("the move from {from} to {to} does not keep {object_ref}");
    let detail = format!("{to} declares {}, so {object_ref} is deleted.", declared.object_ref());
    about(declared, Diagnostic::warning(NOT_MOVED, summary)).detail(detail).hint(
        "a move keeps an object whose kind, namespace and name stay the same; a name may follow from the block's \
         name or key",
    )
}

pub(super) fn nothing_to_import(resource: &Resource) -> Diagnostic {
    let object_ref = resource.object_ref();
    let summary =
        format!("{object_ref} does not exist on cluster {} and cannot be imported", object_ref.cluster);
    about(resource, Diagnostic::error(NOTHING_TO_IMPORT, summary))
        .hint("remove the import block to create the object, or correct its kind, namespace and name")
}

pub(super) fn unknown_kind(resource: &Resource, manifest: &Manifest, live: &Live) -> Diagnostic {
    let object_ref = manifest.object_ref();
    let cluster = live.clusters.get(&object_ref.cluster);
    let summary = format!(
        "cluster {} has no kind {} in {}",
        object_ref.cluster,
        object_ref.kind.kind,
        manifest.api_version()
    );
    let diagnostic = about(resource, Diagnostic::error(UNKNOWN_KIND, summary));
    let served = cluster.and_then(|cluster| cluster.discovery.preferred(&object_ref.kind));
    let similar = || {
        let kinds = cluster?.discovery.iter();
        kinds.map(|info| info.kind.clone()).find(|kind| kind.kind.eq_ignore_ascii_case(&object_ref.kind.kind))
    };
    match (served, similar()) {
        (Some(info), _) => diagnostic.hint(format!("the cluster serves it as {}", info.api_version())),
        (None, Some(kind)) => diagnostic.hint(format!("did you mean {kind}?")),
        (None, None) => {
            diagnostic.hint("declare its CustomResourceDefinition in the environment, or correct the kind")
        }
    }
}

pub(super) fn refused(resource: &Resource, error: &ProviderError) -> Diagnostic {
    let object_ref = resource.object_ref();
    let (code, what, hint) = match error {
        ProviderError::Forbidden(_) => {
            (FORBIDDEN, "forbids", "ask for the right, or use credentials that have it")
        }
        ProviderError::Invalid(_) => (INVALID_OBJECT, "refuses", "correct the fields named above"),
        _ => (UNPREDICTED, "cannot say what becomes of", "try again; if it persists, look at the API server"),
    };
    let summary = format!("cluster {} {what} {object_ref}", object_ref.cluster);
    about(resource, Diagnostic::error(code, summary)).detail(said(resource, error)).hint(hint)
}

/// Returns what the server said, without what is sensitive.
fn said(resource: &Resource, error: &ProviderError) -> String {
    let said = error.to_string();
    match resource.manifest() {
        Some(manifest) => redact(&said, manifest),
        None => said,
    }
}

fn about(resource: &Resource, diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.at(resource.span.clone()).about(resource.address.clone())
}
