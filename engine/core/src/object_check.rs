//! What can be told of an object of a built-in kind without asking a server.

use crate::field_path::{FieldPath, PathElement};
use crate::kind_info::builtin_scope;
use crate::manifest::Manifest;
use crate::object_ref::GroupKind;
use crate::value::{Text, Value};

/// Returns the kind that was meant by one that Kubernetes does not have: `Deployment of apps/v1` for a `deployment`
/// of the group `apps`, or for a `Deployment` of the core group.
///
/// Only groups without a dot are looked at: nobody but Kubernetes may add kinds to these.
pub fn kind_instead(kind: &GroupKind) -> Option<String> {
    if kind.group.contains('.') || builtin_scope(kind).is_some() {
        return None;
    }
    let all = engine_kinds::builtin::all();
    let is_like = |name: &str| name.eq_ignore_ascii_case(&kind.kind);
    let same_group = all.iter().find(|known| known.group == kind.group && is_like(known.kind));
    let meant = same_group.or_else(|| all.iter().find(|known| known.preferred && is_like(known.kind)))?;
    Some(format!("{} of {}", meant.kind, meant.api_version()))
}

/// Where pods are described.
const POD_SPECS: [&[&str]; 3] =
    [&["spec"], &["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"]];

/// Returns the first amount of a resource that is no quantity: of a quota, a claim, or what containers request.
/// Sensitive values are passed over.
///
/// # Source
/// Kubernetes API conventions, "Quantities".
pub fn invalid_quantity(manifest: &Manifest) -> Option<(FieldPath, Text)> {
    builtin_scope(&manifest.object_ref().kind)?;
    let body = manifest.body();
    let mut places = vec![(FieldPath::fields(["spec", "hard"]), body.at(&["spec", "hard"]))];
    places.push((
        FieldPath::fields(["spec", "resources", "requests"]),
        body.at(&["spec", "resources", "requests"]),
    ));
    for (spec, list) in
        POD_SPECS.iter().flat_map(|spec| ["containers", "initContainers"].map(|list| (spec, list)))
    {
        let Some(Value::List(containers)) = body.at(spec).and_then(|spec| spec.get(list)) else { continue };
        for (idx, container) in containers.iter().enumerate() {
            for part in ["requests", "limits"] {
                let mut path = FieldPath::fields(spec.iter().copied().chain([list]));
                path.push(PathElement::Index(idx));
                path.push(PathElement::Field("resources".into()));
                path.push(PathElement::Field(part.into()));
                places.push((path, container.at(&["resources", part])));
            }
        }
    }
    let amounts = places.into_iter().filter_map(|(path, value)| Some((path, value?.as_map()?)));
    let mut wrong = amounts.flat_map(|(path, amounts)| {
        amounts.iter().filter_map(move |(name, amount)| {
            let text = amount.as_str().filter(|text| text.parse::<engine_kinds::Quantity>().is_err())?;
            Some((path.join(PathElement::Field(name.clone())), Text::from(text)))
        })
    });
    wrong.find(|(path, _)| !manifest.sensitive().touches(path))
}

#[cfg(test)]
mod tests;
