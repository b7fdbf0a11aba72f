//! Whether the names of a definition are free.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/#CustomResourceDefinitionStatus>

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::resource;
use crate::cluster::Cluster;
use crate::meta;

/// The names that a definition gets, and what stands against the others: a reason and a message.
pub(super) fn accept(cluster: &Cluster, definition: &Value) -> (Value, Option<(&'static str, String)>) {
    let (wanted, had) = (&definition["spec"]["names"], &definition["status"]["acceptedNames"]);
    let taken = Taken::of(cluster, definition);
    let mut names = had.as_object().cloned().unwrap_or_default();
    let mut conflict = None;
    for (field, reason, others) in [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("shortNames", "ShortNamesConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ] {
        let clashes = clashes(&wanted[field], &had[field], others);
        if !clashes.is_empty() {
            conflict = Some((reason, joined(&clashes)));
        } else if wanted[field].is_null() {
            names.remove(field);
        } else {
            names.insert(field.to_owned(), wanted[field].clone());
        }
    }
    match wanted.get("categories") {
        Some(categories) => names.insert("categories".into(), categories.clone()),
        None => names.remove("categories"),
    };
    (json!(names), conflict)
}

/// The names that the other definitions of a group have been given.
struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    fn of(cluster: &Cluster, definition: &Value) -> Self {
        let mut taken = Self { resources: BTreeSet::new(), kinds: BTreeSet::new() };
        for other in cluster.store.list(&resource(), "") {
            let names = &other["status"]["acceptedNames"];
            if meta::name(other) == meta::name(definition)
                || other["spec"]["group"] != definition["spec"]["group"]
            {
                continue;
            }
            let text = |field: &str| names[field].as_str().unwrap_or_default().to_owned();
            taken.resources.extend([text("plural"), text("singular")]);
            taken.resources.extend(meta::strings(&names["shortNames"]).into_iter().map(str::to_owned));
            taken.kinds.extend([text("kind"), text("listKind")]);
        }
        taken
    }
}

fn clashes(wanted: &Value, had: &Value, taken: &BTreeSet<String>) -> Vec<String> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        list => meta::strings(list).into_iter().map(str::to_owned).collect(),
    };
    let own = texts(had);
    let mut clashes = texts(wanted);
    clashes.retain(|name| !own.contains(name) && taken.contains(name));
    clashes
}

fn joined(names: &[String]) -> String {
    let texts: Vec<_> = names.iter().map(|name| format!("{name:?} is already in use")).collect();
    match texts.as_slice() {
        [only] => only.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}
