//! The build: from an overlay's directory down to its bases, and up again through every layer.
//!
//! One layer reads its resources (files, and directories with their own layers), runs its generators, then its
//! components on what there is so far, then its transformations in a fixed order, whatever the order in the file. Hashes,
//! references and the order of objects come once, at the end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::{Map, Text, Value};

use crate::decode::Spanned;
use crate::generator::{self, Product};
use crate::kustomization::{self, Kustomization, KustomizationKind, PatchEntry};
use crate::order::SortOptions;
use crate::patch::{self, Patch};
use crate::resource::{Resource, text_of};
use crate::resource_set::ResourceSet;
use crate::source::{SourceBytes, SourceError, SourceTree, is_remote};
use crate::transform::{images, labels, names, namespace, replicas};
use crate::{Overlay, codes, objects, references};

/// How deep kustomizations may include each other.
const MAX_LAYERS: usize = 64;

/// The names of a kustomization file; a directory has exactly one.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Annotations by which Kustomize and its plugins keep their books; they never come out.
const BOOKKEEPING: [&str; 21] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "config.kubernetes.io/origin",
    "alpha.config.kubernetes.io/transformations",
    "kustomize.config.k8s.io/helm-generated",
];

/// An object with this annotation configures tools and is not given out, unless it says `false`.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Builds overlays of one repository.
pub(crate) struct Build {
    pub tree: SourceTree,
    pub warnings: Diagnostics,
}

/// The directories being built, outermost first.
type Layers = Vec<PathBuf>;

/// One kustomization with what its transformations read.
struct Layer {
    directory: PathBuf,
    kustomization: Kustomization,
}

impl Build {
    /// Builds an overlay.
    ///
    /// # Errors
    /// All faults of the first file, or the first step, that has any.
    pub(crate) fn run(&mut self, overlay: &Overlay) -> Result<Vec<Resource>, Diagnostics> {
        let written = overlay.path.to_string_lossy();
        let path = if overlay.path.is_absolute() {
            overlay.path.clone()
        } else {
            overlay.repository.join(&overlay.path)
        };
        let directory = self
            .tree
            .directory(&path, &written)
            .map_err(|error| Diagnostics::from(error.diagnostic(None)))?;
        let layer = self.load(directory, None)?;
        let sort_options = layer.kustomization.sort_options.clone().unwrap_or_default();
        let mut resources = self.accumulate(&layer, ResourceSet::default(), &mut Vec::new())?;
        put_on_top(&mut resources, overlay)?;
        generator::add_hashes(&mut resources)?;
        references::follow(&mut resources)?;
        let objects = resources.into_resources().into_iter().filter(|resource| !is_local(resource));
        finish(objects.collect(), &sort_options)
    }

    /// Reads the kustomization of a directory.
    fn load(&mut self, directory: PathBuf, from: Option<&SourceSpan>) -> Result<Layer, Diagnostics> {
        let mut found = Vec::new();
        for name in FILE_NAMES {
            match self.tree.read(&directory, name) {
                Ok(source) => found.push(source),
                Err(SourceError::NotFound(_)) => {}
                Err(error) => return Err(error.diagnostic(from.cloned()).into()),
            }
        }
        let summary = match found.len() {
            0 => "has no kustomization file",
            1 => {
                let file = source_file(found.remove(0))?;
                let kustomization = kustomization::read(&file, &mut self.warnings)?;
                return Ok(Layer { directory, kustomization });
            }
            _ => "has several kustomization files",
        };
        let directory = self.tree.relative(&directory);
        let summary = format!("`{}` {summary}", directory.display());
        let diagnostic = Diagnostic::error(codes::KUSTOMIZATION_FILE, summary).at(from.cloned());
        Err(diagnostic.hint(format!("the file is called {}", FILE_NAMES.join(", or "))).into())
    }

    /// Runs one layer on top of `resources`, which are empty unless it is a component.
    fn accumulate(
        &mut self,
        layer: &Layer,
        mut resources: ResourceSet,
        layers: &mut Layers,
    ) -> Result<ResourceSet, Diagnostics> {
        if layers.len() >= MAX_LAYERS {
            let summary = format!("kustomizations include each other more than {MAX_LAYERS} levels deep");
            return Err(Diagnostic::error(codes::TOO_MUCH_SOURCE, summary).into());
        }
        layers.push(layer.directory.clone());
        for entry in &layer.kustomization.resources {
            self.add_resource(layer, entry, &mut resources, layers)?;
        }
        self.generate(layer, &mut resources)?;
        for entry in &layer.kustomization.components {
            let component = self.enter(layer, entry, layers)?;
            check_kind(&component, KustomizationKind::Component, entry)?;
            resources = self.accumulate(&component, resources, layers)?;
        }
        self.transform(layer, &mut resources)?;
        layers.pop();
        Ok(resources)
    }

    /// Adds what one entry of `resources` names: a file, or a directory with a kustomization of its own.
    fn add_resource(
        &mut self,
        layer: &Layer,
        entry: &Spanned<Text>,
        resources: &mut ResourceSet,
        layers: &mut Layers,
    ) -> Result<(), Diagnostics> {
        if layer.directory.join(entry.value.as_str()).is_dir() && !entry.value.is_empty() {
            let base = self.enter(layer, entry, layers)?;
            check_kind(&base, KustomizationKind::Kustomization, entry)?;
            let base = self.accumulate(&base, ResourceSet::default(), layers)?;
            if resources.is_empty() {
                *resources = base;
                return resources.check_unique();
            }
            return resources.add_all(base);
        }
        let file = self.read_text(layer, entry)?;
        objects::read(&file)?.into_iter().try_for_each(|resource| resources.add(resource))
    }

    /// Reads the kustomization of a directory that another includes.
    fn enter(&mut self, layer: &Layer, entry: &Spanned<Text>, layers: &Layers) -> Result<Layer, Diagnostics> {
        let written = entry.value.as_str();
        let path = layer.directory.join(written);
        if !path.exists() && is_remote(written) {
            return Err(remote(entry));
        }
        if Path::new(written).is_absolute() || written.is_empty() {
            let summary = format!("`{written}` is no relative path");
            return Err(Diagnostic::error(codes::OUTSIDE, summary).at(entry.span.clone()).into());
        }
        let directory = self
            .tree
            .directory(&path, written)
            .map_err(|error| Diagnostics::from(error.diagnostic(Some(entry.span.clone()))))?;
        if layers.iter().any(|layer| layer.starts_with(&directory)) {
            let summary = format!("`{written}` leads back to a kustomization that includes this one");
            return Err(Diagnostic::error(codes::CYCLE, summary).at(entry.span.clone()).into());
        }
        self.load(directory, Some(&entry.span))
    }

    fn read_bytes(&mut self, layer: &Layer, entry: &Spanned<Text>) -> Result<SourceBytes, Diagnostics> {
        self.tree.read(&layer.directory, &entry.value).map_err(|error| {
            if matches!(error, SourceError::NotFound(_)) && is_remote(&entry.value) {
                return remote(entry);
            }
            error.diagnostic(Some(entry.span.clone())).into()
        })
    }

    fn read_text(&mut self, layer: &Layer, entry: &Spanned<Text>) -> Result<Arc<SourceFile>, Diagnostics> {
        source_file(self.read_bytes(layer, entry)?)
    }

    fn generate(&mut self, layer: &Layer, resources: &mut ResourceSet) -> Result<(), Diagnostics> {
        let kustomization = &layer.kustomization;
        let config_maps = kustomization.config_map_generator.iter().map(|entry| (entry, Product::ConfigMap));
        let secrets = kustomization.secret_generator.iter().map(|entry| (entry, Product::Secret));
        for (generator, product) in config_maps.chain(secrets) {
            let mut load = |path: &Spanned<Text>| Ok(self.read_bytes(layer, path)?.bytes);
            let generated = generator.generate(product, &kustomization.generator_options, &mut load)?;
            generator::absorb(resources, generated)?;
        }
        Ok(())
    }

    fn transform(&mut self, layer: &Layer, resources: &mut ResourceSet) -> Result<(), Diagnostics> {
        let kustomization = &layer.kustomization;
        for entry in &kustomization.patches_strategic_merge {
            for patch in &self.strategic_merge_patches(layer, entry)? {
                patch::apply_strategic_merge(resources, patch, &mut self.warnings)?;
            }
        }
        for entry in &kustomization.patches {
            let patch = self.patch(layer, entry)?;
            patch::apply_entry(resources, entry, &patch, &mut self.warnings)?;
        }
        if !kustomization.namespace.is_empty() {
            namespace::apply(resources, &kustomization.namespace)?;
        }
        if !kustomization.name_prefix.is_empty() {
            names::prefix(resources, &kustomization.name_prefix)?;
        }
        if !kustomization.name_suffix.is_empty() {
            names::suffix(resources, &kustomization.name_suffix)?;
        }
        for entry in &kustomization.labels {
            labels::labels(resources, entry)?;
        }
        labels::common_labels(resources, &kustomization.common_labels)?;
        labels::common_annotations(resources, &kustomization.common_annotations)?;
        for entry in &kustomization.patches_json6902 {
            let operations = self.json_operations(layer, entry)?;
            patch::apply_json6902(resources, entry, &operations, &mut self.warnings)?;
        }
        for replica in &kustomization.replicas {
            replicas::apply(resources, &replica.value, Some(&replica.span))?;
        }
        let images = kustomization.images.iter().map(|image| (&image.value, Some(&image.span)));
        images::apply(resources, images)
    }

    fn strategic_merge_patches(
        &mut self,
        layer: &Layer,
        entry: &Spanned<Text>,
    ) -> Result<Vec<Resource>, Diagnostics> {
        if patch::is_inline(&entry.value) {
            return objects::read(&inline(entry)).map_err(|faults| at_entry(faults, &entry.span));
        }
        objects::read(&self.read_text(layer, entry)?)
    }

    fn patch(&mut self, layer: &Layer, entry: &PatchEntry) -> Result<Patch, Diagnostics> {
        match self.patch_source(layer, entry)? {
            PatchSource::Inline(file) => {
                Patch::parse(&file).map_err(|faults| at_entry(faults, &entry.patch.span))
            }
            PatchSource::File(file) => Patch::parse(&file),
        }
    }

    fn json_operations(&mut self, layer: &Layer, entry: &PatchEntry) -> Result<Vec<Value>, Diagnostics> {
        let patch = match self.patch_source(layer, entry)? {
            PatchSource::Inline(file) => {
                Patch::parse_json(&file).map_err(|faults| at_entry(faults, &entry.patch.span))?
            }
            PatchSource::File(file) => Patch::parse_json(&file)?,
        };
        match patch {
            Patch::Json(operations) if !operations.is_empty() => Ok(operations),
            _ => {
                let summary = "the JSON patch is empty";
                Err(Diagnostic::error(codes::BAD_PATCH, summary).at(entry.span.clone()).into())
            }
        }
    }

    fn patch_source(&mut self, layer: &Layer, entry: &PatchEntry) -> Result<PatchSource, Diagnostics> {
        let text = entry.patch.value.trim();
        match (text.is_empty(), entry.path.value.is_empty()) {
            (false, true) => Ok(PatchSource::Inline(inline(&Spanned {
                value: text.into(),
                span: entry.patch.span.clone(),
            }))),
            (true, false) => Ok(PatchSource::File(self.read_text(layer, &entry.path)?)),
            _ => {
                let summary = "a patch has either a `path` or a `patch`";
                Err(Diagnostic::error(codes::BAD_PATCH, summary).at(entry.span.clone()).into())
            }
        }
    }
}

enum PatchSource {
    Inline(Arc<SourceFile>),
    File(Arc<SourceFile>),
}

fn check_kind(layer: &Layer, wanted: KustomizationKind, entry: &Spanned<Text>) -> Result<(), Diagnostics> {
    if layer.kustomization.kind == wanted {
        return Ok(());
    }
    let summary = match wanted {
        KustomizationKind::Kustomization => format!("`{}` is a Component", entry.value),
        KustomizationKind::Component => format!("`{}` is no Component", entry.value),
    };
    let hint = match wanted {
        KustomizationKind::Kustomization => "list it under `components`",
        KustomizationKind::Component => "list it under `resources`, or give it `kind: Component`",
    };
    let diagnostic = Diagnostic::error(codes::WRONG_KIND, summary).at(entry.span.clone());
    Err(diagnostic.hint(hint).into())
}

fn remote(entry: &Spanned<Text>) -> Diagnostics {
    Diagnostic::error(codes::REMOTE, format!("`{}` is a URL, and rendering fetches nothing", entry.value))
        .at(entry.span.clone())
        .hint("keep a copy in the repository, or pin the release with a `bundle` block")
        .into()
}

fn source_file(source: SourceBytes) -> Result<Arc<SourceFile>, Diagnostics> {
    let path = source.path.to_string_lossy().into_owned();
    match String::from_utf8(source.bytes) {
        Ok(text) => Ok(Arc::new(SourceFile { path, text })),
        Err(_) => Err(Diagnostic::error(codes::UNREADABLE, format!("`{path}` is not UTF-8 text")).into()),
    }
}

fn inline(entry: &Spanned<Text>) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: entry.span.file.path.clone(), text: entry.value.to_string() })
}

/// Moves faults of an inline patch to the place that holds it, keeping the place within.
fn at_entry(faults: Diagnostics, span: &SourceSpan) -> Diagnostics {
    faults
        .into_iter()
        .map(|mut fault| {
            if let Some((line, column)) = fault.span.as_ref().map(SourceSpan::line_column) {
                fault.detail = format!("At line {line}, column {column} of the inline patch.");
            }
            fault.labels.clear();
            fault.at(span.clone())
        })
        .collect()
}

/// Applies what the caller puts on top, in the order of a kustomization.
fn put_on_top(resources: &mut ResourceSet, overlay: &Overlay) -> Result<(), Diagnostics> {
    if let Some(namespace) = overlay.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
        namespace::apply(resources, namespace)?;
    }
    for replica in &overlay.replicas {
        replicas::apply(resources, replica, None)?;
    }
    images::apply(resources, overlay.images.iter().map(|image| (image, None)))
}

fn is_local(resource: &Resource) -> bool {
    let annotation = resource.metadata("annotations").and_then(|annotations| annotations.get(LOCAL_CONFIG));
    annotation.is_some_and(|value| text_of(Some(value)) != "false")
}

/// Orders the objects and takes the traces of tools off them.
fn finish(resources: Vec<Resource>, sort_options: &SortOptions) -> Result<Vec<Resource>, Diagnostics> {
    let sorted = ResourceSet::new(sort_options.sort(resources));
    sorted.check_unique()?;
    let mut resources = sorted.into_resources();
    for resource in &mut resources {
        let kept: Map = resource
            .metadata("annotations")
            .and_then(Value::as_map)
            .into_iter()
            .flat_map(Map::iter)
            .filter(|(key, _)| !BOOKKEEPING.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), Value::String(text_of(Some(value)))))
            .collect();
        if kept.is_empty() {
            resource.set_metadata("annotations", None);
        } else {
            resource.set_metadata("annotations", Some(Value::Map(kept)));
        }
    }
    Ok(resources)
}
