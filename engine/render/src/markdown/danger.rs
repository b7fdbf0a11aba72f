//! What a reviewer must not miss.

use engine_core::object_ref::ObjectRef;
use engine_core::plan::{Action, ActionKind, Change};

use super::effect::Effect;
use super::inert::code;
use super::page::Section;

/// How many fields of a replaced object are named.
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
        if let Action::Update { force: true, .. } | Action::Import { force: true, .. } = change.action {
            found.push((Danger::Takes, line(Danger::Takes, change)));
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
            let paths = change.fields.iter().take(MAX_FIELDS);
            let paths: Vec<String> = paths.map(|field| code(&field.path.to_string())).collect();
            format!("- **replace** {name} on {place}, for {}", paths.join(", "))
        }
        Danger::Access => format!("- **access** {name} on {place}: who may do what is changed ({verb})"),
        Danger::Takes => format!("- **take** fields of {name} on {place} from another manager"),
        Danger::Restart => restart(change, &change.object_ref),
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
