//! `patches`, `patchesStrategicMerge` and `patchesJson6902`: their forms, and the objects they apply to.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/>

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::{Map, Text, Value};
use serde::de::IgnoredAny;

use crate::codes;
use crate::kustomization::PatchEntry;
use crate::resource::{Resource, text_of};
use crate::resource_set::ResourceSet;
use crate::selector::Target;
use crate::yaml::{self, Content, Dialect, Document};
use crate::{json_patch, objects, strategic_merge};

/// The content of a patch.
#[derive(Debug)]
pub(crate) enum Patch {
    /// Nothing: an empty file.
    Empty,
    /// Partial objects.
    StrategicMerge(Vec<Resource>),
    /// The operations of a JSON patch.
    Json(Vec<Value>),
}

/// What a strategic merge patch may change besides the fields.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    pub name_change: bool,
    pub kind_change: bool,
}

impl Patch {
    /// Reads a patch; a list is a JSON patch, maps are partial objects.
    ///
    /// # Errors
    /// The text is no YAML, or neither form.
    pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<Self, Diagnostics> {
        let documents = yaml::parse_as(file, Dialect::Kustomize)?;
        let is_json = documents.first().is_some_and(
            |document| matches!(&document.root.content, Content::List(items) if !items.is_empty()),
        );
        if is_json {
            return Self::parse_json(file);
        }
        let resources = objects::from_documents(documents)?;
        Ok(if resources.is_empty() { Self::Empty } else { Self::StrategicMerge(resources) })
    }

    /// Reads the operations of a JSON patch, which go through another reader than objects do.
    ///
    /// # Errors
    /// The text is no YAML, or no list of maps.
    pub(crate) fn parse_json(file: &Arc<SourceFile>) -> Result<Self, Diagnostics> {
        if file.text.starts_with('[')
            && let Err(error) = serde_json::from_str::<IgnoredAny>(&file.text)
        {
            let line_start: usize =
                file.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let at = line_start + error.column().saturating_sub(1);
            return Err(Diagnostic::error(codes::BAD_PATCH, "a patch that begins with `[` must be JSON")
                .at(SourceSpan::new(Arc::clone(file), at..at))
                .into());
        }
        let Some(Document { root, span }) = yaml::parse_as(file, Dialect::Kubernetes)?.into_iter().next()
        else {
            return Ok(Self::Empty);
        };
        match root.into_value() {
            Value::Null => Ok(Self::Empty),
            Value::List(items) if items.iter().all(|item| matches!(item, Value::Map(_))) => {
                Ok(Self::Json(items.to_vec()))
            }
            _ => {
                let summary = "a JSON patch is a list of operations";
                Err(Diagnostic::error(codes::BAD_PATCH, summary).at(span).into())
            }
        }
    }
}

/// Applies one entry of `patches`. A target that selects nothing is a warning.
///
/// # Errors
/// The patch has no object to apply to, or does not apply.
pub(crate) fn apply_entry(
    resources: &mut ResourceSet,
    entry: &PatchEntry,
    patch: &Patch,
    warnings: &mut Diagnostics,
) -> Result<(), Diagnostics> {
    let allowed = Allowed { name_change: entry.allow_name_change, kind_change: entry.allow_kind_change };
    match (patch, &entry.target) {
        (Patch::Empty, _) => Ok(()),
        (Patch::StrategicMerge(patches), None) => patches.iter().try_for_each(|patch| {
            let slot = only_object(resources, patch)?;
            merge_into(resources, slot, patch, allowed)
        }),
        (Patch::StrategicMerge(patches), Some(target)) => {
            let [patch] = patches.as_slice() else {
                let summary = "a patch with a target is a single document";
                return Err(Diagnostic::error(codes::BAD_PATCH, summary).at(entry.span.clone()).into());
            };
            let patch = with_text_metadata(patch, warnings);
            for slot in select(resources, target, warnings) {
                merge_into(resources, slot, &patch, allowed)?;
            }
            Ok(())
        }
        (Patch::Json(_), None) => Err(Diagnostic::error(codes::BAD_PATCH, "a JSON patch needs a `target`")
            .at(entry.span.clone())
            .into()),
        (Patch::Json(operations), Some(target)) => {
            for slot in select(resources, target, warnings) {
                resources.change(slot, |resource| {
                    resource.remember_id();
                    apply_json(resource, operations, &entry.span)
                })?;
            }
            Ok(())
        }
    }
}

/// Applies one entry of `patchesJson6902`.
///
/// # Errors
/// An operation does not apply.
pub(crate) fn apply_json6902(
    resources: &mut ResourceSet,
    entry: &PatchEntry,
    operations: &[Value],
    warnings: &mut Diagnostics,
) -> Result<(), Diagnostics> {
    let target = entry.target.as_ref().filter(|target| target.has_name());
    let Some(target) = target else {
        let summary = "an entry of `patchesJson6902` needs a `target` with a name";
        return Err(Diagnostic::error(codes::BAD_PATCH, summary).at(entry.span.clone()).into());
    };
    for slot in select(resources, target, warnings) {
        resources.change(slot, |resource| apply_json(resource, operations, &entry.span))?;
    }
    Ok(())
}

/// Applies one partial object of `patchesStrategicMerge`.
///
/// # Errors
/// No object, or several, have or had the patch's id; or the patch does not fit.
pub(crate) fn apply_strategic_merge(
    resources: &mut ResourceSet,
    patch: &Resource,
    warnings: &mut Diagnostics,
) -> Result<(), Diagnostics> {
    let slot = only_object(resources, patch)?;
    merge_into(resources, slot, &with_text_metadata(patch, warnings), Allowed::default())
}

fn select(resources: &ResourceSet, target: &Target, warnings: &mut Diagnostics) -> Vec<usize> {
    let slots: Vec<usize> = resources
        .slots()
        .into_iter()
        .filter(|slot| resources.get(*slot).is_some_and(|resource| target.matches(resource)))
        .collect();
    if slots.is_empty() {
        warnings.push(
            Diagnostic::warning(
                codes::NOTHING_SELECTED,
                "the target selects nothing: the patch has no effect",
            )
            .at(target.span.clone()),
        );
    }
    slots
}

fn only_object(resources: &mut ResourceSet, patch: &Resource) -> Result<usize, Diagnostics> {
    let id = patch.id();
    let summary = match resources.with_id_ever(id).as_slice() {
        [slot] => return Ok(*slot),
        [] => format!("the patch is for {id}, which is not there"),
        _ => format!("the patch is for {id}, and several objects have or had that id"),
    };
    Err(Diagnostic::error(codes::PATCH_TARGET, summary).at(patch.origin.clone()).into())
}

fn merge_into(
    resources: &mut ResourceSet,
    slot: usize,
    patch: &Resource,
    allowed: Allowed,
) -> Result<(), Diagnostics> {
    let mut is_deleted = false;
    resources.change(slot, |resource| {
        let (kind, name) = (resource.kind().clone(), resource.name().clone());
        let namespace = resource.namespace();
        if allowed.name_change || allowed.kind_change {
            resource.remember_id();
        }
        // The version is never the patch's: a target may select objects of several.
        let mut patch_value = patch.value.clone();
        patch_value.insert("apiVersion".into(), Value::string(resource.gvk().api_version()));
        // Taken out, so that it is changed in place.
        let value = std::mem::take(&mut resource.value);
        let merged = strategic_merge::apply(value, &patch_value).map_err(|error| {
            let summary = format!("patching {}: {error}", resource.id());
            Diagnostics::from(Diagnostic::error(codes::PATCH_FAILED, summary).at(patch.origin.clone()))
        })?;
        let Some(merged) = merged else {
            is_deleted = true;
            return Ok(());
        };
        resource.value = merged;
        resource.follow_shared(|_| true);
        if !allowed.kind_change {
            resource.value.insert("kind".into(), Value::String(kind));
        }
        if !allowed.name_change {
            resource.set_name(name);
        }
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        resource.set_metadata("namespace", namespace.map(Value::String));
        Ok(())
    })?;
    if is_deleted {
        resources.remove(slot);
    }
    Ok(())
}

/// Returns the patch with labels and annotations as text, null included: Kustomize does so for patches with a target
/// and for `patchesStrategicMerge`, so that a null sets the text `null` where its author wants the entry gone.
fn with_text_metadata(patch: &Resource, warnings: &mut Diagnostics) -> Resource {
    let mut patch = patch.clone();
    for field in ["labels", "annotations"] {
        let Some(Value::Map(map)) = patch.metadata(field) else { continue };
        let mut texts = Map::default();
        for (key, value) in map {
            let text = if *value == Value::Null { "null".into() } else { text_of(Some(value)) };
            if *value == Value::Null {
                let summary =
                    format!("null does not remove `{key}` from the {field}: it sets the text `null`");
                let warning = Diagnostic::warning(codes::NULL_AS_TEXT, summary).at(patch.origin.clone());
                warnings.push(warning.hint("remove it with a JSON patch"));
            }
            texts.insert(key.clone(), Value::String(text));
        }
        let texts = Some(texts).filter(|texts| !texts.is_empty());
        patch.set_metadata(field, texts.map(Value::Map));
    }
    patch
}

fn apply_json(resource: &mut Resource, operations: &[Value], span: &SourceSpan) -> Result<(), Diagnostics> {
    resource.shared.clear();
    // Taken out, so that it is changed in place.
    let value = std::mem::take(&mut resource.value);
    resource.value = json_patch::apply(value, operations).map_err(|error| {
        let summary = format!("patching {}: {error}", resource.id());
        Diagnostics::from(Diagnostic::error(codes::PATCH_FAILED, summary).at(span.clone()))
    })?;
    Ok(())
}

/// Tells whether an entry of `patchesStrategicMerge` is a patch itself rather than a path: paths hold no line breaks.
pub(crate) fn is_inline(entry: &Text) -> bool {
    entry.contains('\n') || entry.trim_start().starts_with('{')
}
