//! What a reviewer must not miss.

use std::collections::BTreeMap;

use engine_core::object_ref::ObjectRef;
use engine_core::plan::{Action, ActionKind, Change};
use engine_core::resource::FieldPolicy;

use super::effect::Effect;
use super::inert::code;
use super::page::Section;

/// How many fields of an object are named.
const MAX_FIELDS: usize = 3;

/// Dangers, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Danger {
    LosesMuch,
    Delete,
    Replace,
    Access,
    Takes,
    Restart,
}

pub(super) fn section(effect: &Effect<'_>) -> Section {
    let mut found: Vec<(Danger, String)> = Vec::new();
    for change in &effect.changes {
        if let Some(danger) = danger(change) {
            found.push((danger, line(danger, change)));
        }
        if let Action::Update { .. } | Action::Import { .. } = change.action {
            found.extend(takes(change, effect).map(|line| (Danger::Takes, line)));
        }
        for workload in &change.restarts {
            found.push((Danger::Restart, restart(change, workload)));
        }
    }
    found
        .sort_by_key(|(danger, _)| std::mem::discriminant(danger) != std::mem::discriminant(&Danger::Delete));
    found.sort_by_key(|(danger, _)| *danger);
    Section::list("**Look at these**", found.into_iter().map(|(_, line)| line))
}

fn danger(change: &Change) -> Option<Danger> {
    let kind = &change.object_ref.kind;
    let action = change.action.kind();
    match action {
        ActionKind::Delete | ActionKind::Replace if loss(&change.object_ref).is_some() => {
            Some(Danger::LosesMuch)
        }
        ActionKind::Delete => Some(Danger::Delete),
        ActionKind::Replace => Some(Danger::Replace),
        ActionKind::Create | ActionKind::Update | ActionKind::Adopt | ActionKind::Import
            if kind.group == "rbac.authorization.k8s.io" =>
        {
            Some(Danger::Access)
        }
        _ => None,
    }
}

/// Returns what goes with an object when it is deleted.
fn loss(object_ref: &ObjectRef) -> Option<&'static str> {
    let kind = &object_ref.kind;
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Namespace") => Some("and all that is in it"),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            Some("and its data, unless the volume is retained")
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some("and all objects of its kind"),
        _ => None,
    }
}

fn line(danger: Danger, change: &Change) -> String {
    let verb = change.action.kind();
    let name = code(&change.object_ref.key());
    let place = code(change.object_ref.cluster.as_str());
    match danger {
        Danger::LosesMuch => {
            let what = loss(&change.object_ref).unwrap_or_default();
            format!("- **{verb}** {name} {what}, on {place}")
        }
        Danger::Delete => format!("- **delete** {name} on {place}"),
        Danger::Replace => {
            let changed = || change.fields.iter().map(|field| code(&field.path.to_string())).collect();
            let paths: Vec<String> = match change.immutable.as_slice() {
                [] => changed(),
                named => named.iter().map(|path| code(path)).collect(),
            };
            format!("- **replace** {name} on {place}, for {}", few(&paths))
        }
        Danger::Access => format!("- **access** {name} on {place}: who may do what is changed ({verb})"),
        Danger::Takes | Danger::Restart => restart(change, &change.object_ref),
    }
}

/// Returns one line for each manager that fields are taken from.
fn takes(change: &Change, effect: &Effect<'_>) -> impl Iterator<Item = String> {
    let mut managers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let conflicts = effect.conflicts_of(&change.object_ref).iter();
    for conflict in conflicts.filter(|it| it.decision == FieldPolicy::Take) {
        managers.entry(&conflict.manager).or_default().push(code(&conflict.path.to_string()));
    }
    let (name, place) = (code(&change.object_ref.key()), code(change.object_ref.cluster.as_str()));
    let line = move |(manager, paths): (&str, Vec<String>)| {
        format!("- **take** {} of {name} on {place} from {}", few(&paths), code(manager))
    };
    managers.into_iter().map(line)
}

/// Names the first of some fields.
fn few(paths: &[String]) -> String {
    let named = paths.iter().take(MAX_FIELDS).cloned().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(MAX_FIELDS) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn restart(change: &Change, workload: &ObjectRef) -> String {
    let place = code(workload.cluster.as_str());
    let name = code(&workload.key());
    if *workload == change.object_ref {
        format!("- **restart** the pods of {name} on {place}")
    } else {
        let cause = code(&change.object_ref.key());
        format!("- **restart** the pods of {name} on {place}, because of {cause}")
    }
}
