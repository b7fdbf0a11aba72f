//! `images`.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::value::{Map, Text, Value};
use regex::Regex;

use super::shape_fault;
use crate::codes;
use crate::field_path::{self, Missing, ShapeError};
use crate::kustomization::Image;
use crate::resource_set::ResourceSet;

/// Where Kustomize looks for images besides its search for lists of containers: image volumes, and for the sake of a
/// null list, which becomes an empty one, the lists of pods once more.
const PATHS: [&[&str]; 6] = [
    &["spec", "containers[]", "image"],
    &["spec", "initContainers[]", "image"],
    &["spec", "volumes[]", "image", "reference"],
    &["spec", "template", "spec", "containers[]", "image"],
    &["spec", "template", "spec", "initContainers[]", "image"],
    &["spec", "template", "spec", "volumes[]", "image", "reference"],
];

/// Changes images, one after the other, wherever a container uses them: in every list named `containers` or
/// `initContainers`, at any depth of any object but a custom resource definition, and in image volumes.
///
/// # Errors
/// A name is no regular expression, or an `image` is no text.
pub(crate) fn apply<'i>(
    resources: &mut ResourceSet,
    images: impl Iterator<Item = (&'i Image, Option<&'i SourceSpan>)>,
) -> Result<(), Diagnostics> {
    let images: Vec<(&Image, Regex)> =
        images.map(|(image, span)| Ok((image, pattern(image, span)?))).collect::<Result<_, Diagnostics>>()?;
    if images.is_empty() {
        return Ok(());
    }
    let mut change = |value: &mut Value| {
        images.iter().try_for_each(|(image, pattern)| change_image(value, image, pattern))
    };
    resources.change_each(|resource| {
        if resource.kind() == "CustomResourceDefinition" {
            return Ok(());
        }
        visit_containers(&mut resource.value, &mut change)
            .and_then(|()| {
                PATHS.iter().try_for_each(|path| {
                    field_path::visit(&mut resource.value, path, Missing::Skip, &mut change)
                })
            })
            .map_err(|error| shape_fault(resource, "changing the images of", &error))
    })
}

fn pattern(image: &Image, span: Option<&SourceSpan>) -> Result<Regex, Diagnostics> {
    let pattern = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name);
    Regex::new(&pattern).map_err(|_| {
        let summary = format!("image name `{}` is not a regular expression", image.name);
        Diagnostic::error(codes::BAD_VALUE, summary).at(span.cloned()).into()
    })
}

fn change_image(value: &mut Value, image: &Image, pattern: &Regex) -> Result<(), ShapeError> {
    match value {
        Value::String(text) => {
            if pattern.is_match(text) {
                *text = renamed(text, image);
            }
            Ok(())
        }
        Value::Map(_) | Value::List(_) => Err(ShapeError { field: "image".to_owned(), wanted: "text" }),
        _ => Ok(()),
    }
}

fn renamed(written: &str, image: &Image) -> Text {
    let (name, tag, digest) = split(written);
    let given = |text: &'_ Option<Text>| text.clone().filter(|text| !text.is_empty());
    let (tag, digest) = match (given(&image.new_tag), given(&image.digest)) {
        (None, None) => (tag.map(Text::from), digest.map(Text::from)),
        given => given,
    };
    let mut renamed = given(&image.new_name).unwrap_or_else(|| name.into()).to_string();
    for (separator, part) in [(':', tag), ('@', digest)] {
        if let Some(part) = part.filter(|part| !part.is_empty()) {
            renamed.push(separator);
            renamed.push_str(&part);
        }
    }
    renamed.into()
}

/// Splits `registry:5000/path/name:tag@digest`; a colon before the first slash belongs to the registry.
fn split(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let path = image.find('/').unwrap_or(0);
    let (rest, digest) = match image[path..].find('@') {
        Some(at) => (&image[..path + at], Some(&image[path + at + 1..])),
        None => (image, None),
    };
    match rest[path..].find(':') {
        Some(colon) => (&rest[..path + colon], Some(&rest[path + colon + 1..]), digest),
        None => (rest, None, digest),
    }
}

fn visit_containers(map: &mut Map, change: &mut field_path::Visitor<'_>) -> Result<(), ShapeError> {
    let mut result = Ok(());
    // `retain` is the one way to change all entries of a map in place; it keeps them all.
    map.retain(|key, value| {
        if result.is_ok() && matches!(value, Value::Map(_) | Value::List(_)) {
            result = visit_entry(key, value, change);
        }
        true
    });
    result
}

fn visit_entry(key: &str, value: &mut Value, change: &mut field_path::Visitor<'_>) -> Result<(), ShapeError> {
    visit_nested(value, change)?;
    match value {
        Value::List(items) if matches!(key, "containers" | "initContainers") => {
            Arc::make_mut(items).iter_mut().try_for_each(|container| change_container(container, change))
        }
        _ => Ok(()),
    }
}

fn visit_nested(value: &mut Value, change: &mut field_path::Visitor<'_>) -> Result<(), ShapeError> {
    match value {
        Value::Map(map) => visit_containers(map, change),
        Value::List(items) => Arc::make_mut(items).iter_mut().try_for_each(|item| visit_nested(item, change)),
        _ => Ok(()),
    }
}

fn change_container(container: &mut Value, change: &mut field_path::Visitor<'_>) -> Result<(), ShapeError> {
    match container {
        Value::Null => Ok(()),
        Value::Map(map) => map.get_mut("image").map_or(Ok(()), change),
        _ => Err(ShapeError { field: "containers".to_owned(), wanted: "a list of maps" }),
    }
}

#[cfg(test)]
mod tests;
