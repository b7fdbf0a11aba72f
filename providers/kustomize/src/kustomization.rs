//! The kustomization file: its fields, and which of them this renderer supports.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/>

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::Text;

use crate::codes;
use crate::decode::{Decoder, Spanned};
use crate::generator::Generator;
use crate::order::SortOptions;
use crate::selector::Target;
use crate::yaml::{self, Content, Entry, Node};

/// Labels or annotations, by key.
pub(crate) type Pairs = BTreeMap<Text, Text>;

/// Changes the images of containers.
///
/// # Source
/// <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// The image to change, without tag or digest; a regular expression, as in Kustomize.
    pub name: Text,
    /// Its new name.
    pub new_name: Option<Text>,
    /// Its new tag. Drops a digest unless one is given too.
    pub new_tag: Option<Text>,
    /// Its new digest, `sha256:…`. Drops a tag unless one is given too.
    pub digest: Option<Text>,
}

/// Sets the replicas of a workload: `Deployment`, `ReplicaSet`, `ReplicationController` or `StatefulSet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// The workload's name, as before or after prefixes.
    pub name: Text,
    /// How many pods.
    pub count: i64,
}

/// What a kustomization file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum KustomizationKind {
    #[default]
    Kustomization,
    Component,
}

/// One entry of `labels`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub pairs: Pairs,
    pub include_selectors: bool,
    pub include_templates: bool,
}

/// One entry of `patches` or `patchesJson6902`.
#[derive(Debug, Clone)]
pub(crate) struct PatchEntry {
    pub path: Spanned<Text>,
    pub patch: Spanned<Text>,
    pub target: Option<Target>,
    pub allow_name_change: bool,
    pub allow_kind_change: bool,
    pub span: SourceSpan,
}

/// `generatorOptions`, or the `options` of one generator.
#[derive(Debug, Clone, Default)]
pub(crate) struct GeneratorOptions {
    pub labels: Pairs,
    pub annotations: Pairs,
    pub disable_name_suffix_hash: bool,
    pub immutable: bool,
}

/// A kustomization file.
#[derive(Debug, Default)]
pub(crate) struct Kustomization {
    pub kind: KustomizationKind,
    pub resources: Vec<Spanned<Text>>,
    pub components: Vec<Spanned<Text>>,
    pub namespace: Text,
    pub name_prefix: Text,
    pub name_suffix: Text,
    pub common_labels: Pairs,
    pub labels: Vec<Labels>,
    pub common_annotations: Pairs,
    pub patches_strategic_merge: Vec<Spanned<Text>>,
    pub patches: Vec<PatchEntry>,
    pub patches_json6902: Vec<PatchEntry>,
    pub images: Vec<Spanned<Image>>,
    pub replicas: Vec<Spanned<Replica>>,
    pub config_map_generator: Vec<Generator>,
    pub secret_generator: Vec<Generator>,
    pub generator_options: GeneratorOptions,
    pub sort_options: Option<SortOptions>,
}

/// Fields that Kustomize has and this renderer does not, lower case, with what to do instead.
const UNSUPPORTED: [(&str, &str); 14] = [
    ("replacements", "write the values as `patches`"),
    ("vars", "write the values as `patches`"),
    ("configurations", "write the changes as `patches`"),
    ("crds", "write the changes as `patches`"),
    ("openapi", "write the changes as JSON patches"),
    ("generators", "commit the generated objects and list them under `resources`"),
    ("transformers", "write the changes as `patches`"),
    ("validators", "check the plan instead"),
    ("helmcharts", "use a `chart` block"),
    ("helmglobals", "use a `chart` block"),
    ("helmchartinflationgenerator", "use a `chart` block"),
    ("buildmetadata", "remove it: the plan shows where each object comes from"),
    ("tagsuffix", "use `newTag`"),
    ("fields", "write the changes as `patches`"),
];

/// Reads a kustomization file; what it says about deprecated fields goes to `warnings`.
///
/// # Errors
/// All faults of the file: its YAML, unknown and unsupported fields, wrong types, a wrong kind or apiVersion.
pub(crate) fn read(file: &Arc<SourceFile>, warnings: &mut Diagnostics) -> Result<Kustomization, Diagnostics> {
    // The kustomization file goes through the reader of kubectl: `namespace: yes` is a boolean and refused.
    let documents = yaml::parse(file)?;
    let mut decoder = Decoder::new(file);
    let mut kustomization = Kustomization::default();
    if let [_, second, ..] = documents.as_slice() {
        decoder.fault(codes::BAD_VALUE, &second.root.range, "a kustomization file holds one document");
    }
    let Some(document) = documents.first() else {
        return Err(empty(file).into());
    };
    let mut header = Header::default();
    let mut given = 0;
    for entry in decoder.fields(&document.root) {
        if decode_header(&mut decoder, &mut header, entry) {
            continue;
        }
        if !entry.value.is_null() {
            given += 1;
            decode_field(&mut decoder, &mut kustomization, entry, warnings);
        }
    }
    check_header(&mut decoder, &header, &mut kustomization);
    if given == 0 && decoder.faults.is_empty() {
        return Err(empty(file).into());
    }
    if decoder.faults.is_empty() {
        return Ok(kustomization);
    }
    Err(decoder.faults)
}

fn empty(file: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_KUSTOMIZATION, "the kustomization is empty")
        .at(SourceSpan::new(Arc::clone(file), 0..0))
}

#[derive(Default)]
struct Header {
    kind: Option<Spanned<Text>>,
    api_version: Option<Spanned<Text>>,
}

fn decode_header(decoder: &mut Decoder<'_>, header: &mut Header, entry: &Entry) -> bool {
    match entry.key.to_ascii_lowercase().as_str() {
        "kind" => header.kind = Some(decoder.spanned_text(&entry.value)),
        "apiversion" => header.api_version = Some(decoder.spanned_text(&entry.value)),
        _ => return false,
    }
    true
}

fn check_header(decoder: &mut Decoder<'_>, header: &Header, kustomization: &mut Kustomization) {
    let kind = header.kind.as_ref().map_or("", |kind| kind.value.as_str());
    kustomization.kind = match kind {
        "" | "Kustomization" => KustomizationKind::Kustomization,
        "Component" => KustomizationKind::Component,
        _ => {
            if let Some(kind) = &header.kind {
                let summary = "kind must be Kustomization or Component";
                decoder.faults.push(Diagnostic::error(codes::BAD_VALUE, summary).at(kind.span.clone()));
            }
            return;
        }
    };
    let wanted = match kustomization.kind {
        KustomizationKind::Kustomization => "kustomize.config.k8s.io/v1beta1",
        KustomizationKind::Component => "kustomize.config.k8s.io/v1alpha1",
    };
    if let Some(version) = &header.api_version
        && !version.value.is_empty()
        && version.value != wanted
    {
        let summary = format!("apiVersion must be {wanted}");
        decoder.faults.push(Diagnostic::error(codes::BAD_VALUE, summary).at(version.span.clone()));
    }
}

/// Decodes one field. Keys are matched without regard to case, as Kustomize does.
fn decode_field(
    decoder: &mut Decoder<'_>,
    into: &mut Kustomization,
    entry: &Entry,
    warnings: &mut Diagnostics,
) {
    let node = &entry.value;
    let key = entry.key.to_ascii_lowercase();
    warn_deprecated(decoder, entry, &key, warnings);
    match key.as_str() {
        "metadata" => {
            decoder.fields(node);
        }
        "resources" => {
            // Bases come behind resources, whichever stands first in the file.
            let bases = std::mem::replace(&mut into.resources, decoder.texts(node));
            into.resources.extend(bases);
        }
        "bases" => into.resources.extend(decoder.texts(node)),
        "components" => into.components = decoder.texts(node),
        "namespace" => into.namespace = decoder.text(node),
        "nameprefix" => into.name_prefix = decoder.text(node),
        "namesuffix" => into.name_suffix = decoder.text(node),
        "commonlabels" => into.common_labels = decoder.pairs(node),
        "labels" => into.labels = each(decoder, node, decode_labels),
        "commonannotations" => into.common_annotations = decoder.pairs(node),
        "patchesstrategicmerge" => into.patches_strategic_merge = decoder.texts(node),
        "patches" => into.patches = each(decoder, node, decode_patch),
        "patchesjson6902" => into.patches_json6902 = each(decoder, node, decode_patch),
        "images" => {
            let tags = std::mem::replace(&mut into.images, each(decoder, node, decode_image));
            into.images.extend(tags);
        }
        "imagetags" => into.images.extend(each(decoder, node, decode_image)),
        "replicas" => into.replicas = each(decoder, node, decode_replica),
        "configmapgenerator" => into.config_map_generator = each(decoder, node, Generator::decode),
        "secretgenerator" => into.secret_generator = each(decoder, node, Generator::decode),
        "generatoroptions" => into.generator_options = decode_generator_options(decoder, node),
        "sortoptions" => into.sort_options = SortOptions::decode(decoder, node),
        _ => refuse(decoder, entry, "a kustomization"),
    }
}

fn warn_deprecated(decoder: &Decoder<'_>, entry: &Entry, key: &str, warnings: &mut Diagnostics) {
    let instead = match key {
        "bases" => "resources",
        "commonlabels" => "labels",
        "imagetags" => "images",
        "patchesstrategicmerge" | "patchesjson6902" => "patches",
        "vars" => "replacements",
        _ => return,
    };
    warnings.push(
        Diagnostic::warning(codes::DEPRECATED_FIELD, format!("`{}` is deprecated", entry.key))
            .at(decoder.span(&entry.key_range))
            .hint(format!("use `{instead}`")),
    );
}

/// Refuses a field: as unsupported where Kustomize has it, else as unknown. An empty one asks for nothing.
pub(crate) fn refuse(decoder: &mut Decoder<'_>, entry: &Entry, owner: &str) {
    let key = entry.key.to_ascii_lowercase();
    let Some((_, instead)) = UNSUPPORTED.iter().find(|(name, _)| *name == key) else {
        decoder.unknown_field(entry, owner);
        return;
    };
    let is_empty = match &entry.value.content {
        Content::Scalar(value, _) => value.as_str() == Some("") || entry.value.is_null(),
        Content::List(items) => items.is_empty(),
        Content::Map(entries) => entries.is_empty(),
    };
    if !is_empty {
        let span = decoder.span(&entry.key_range);
        decoder.faults.push(
            Diagnostic::error(codes::UNSUPPORTED_FIELD, format!("`{}` is not supported", entry.key))
                .at(span)
                .hint(*instead),
        );
    }
}

fn each<T>(decoder: &mut Decoder<'_>, node: &Node, decode: fn(&mut Decoder<'_>, &Node) -> T) -> Vec<T> {
    decoder.list(node).iter().map(|item| decode(decoder, item)).collect()
}

fn decode_labels(decoder: &mut Decoder<'_>, node: &Node) -> Labels {
    let mut labels = Labels::default();
    for entry in decoder.fields(node) {
        match entry.key.to_ascii_lowercase().as_str() {
            "pairs" => labels.pairs = decoder.pairs(&entry.value),
            "includeselectors" => labels.include_selectors = decoder.flag(&entry.value),
            "includetemplates" => labels.include_templates = decoder.flag(&entry.value),
            _ => refuse(decoder, entry, "an entry of `labels`"),
        }
    }
    labels
}

fn decode_patch(decoder: &mut Decoder<'_>, node: &Node) -> PatchEntry {
    let mut patch = PatchEntry {
        path: decoder.spanned(node, Text::default()),
        patch: decoder.spanned(node, Text::default()),
        target: None,
        allow_name_change: false,
        allow_kind_change: false,
        span: decoder.span(&node.range),
    };
    for entry in decoder.fields(node) {
        match entry.key.to_ascii_lowercase().as_str() {
            "path" => patch.path = decoder.spanned_text(&entry.value),
            "patch" => patch.patch = decoder.spanned_text(&entry.value),
            "target" if !entry.value.is_null() => patch.target = Some(Target::decode(decoder, &entry.value)),
            "target" => {}
            "options" => decode_patch_options(decoder, &entry.value, &mut patch),
            _ => refuse(decoder, entry, "a patch"),
        }
    }
    patch
}

fn decode_patch_options(decoder: &mut Decoder<'_>, node: &Node, patch: &mut PatchEntry) {
    for entry in decoder.fields(node) {
        match entry.key.to_ascii_lowercase().as_str() {
            "allownamechange" => patch.allow_name_change = decoder.flag(&entry.value),
            "allowkindchange" => patch.allow_kind_change = decoder.flag(&entry.value),
            _ => refuse(decoder, entry, "the options of a patch"),
        }
    }
}

fn decode_image(decoder: &mut Decoder<'_>, node: &Node) -> Spanned<Image> {
    let mut image = Image::default();
    for entry in decoder.fields(node) {
        let value = &entry.value;
        match entry.key.to_ascii_lowercase().as_str() {
            "name" => image.name = decoder.text(value),
            "newname" => image.new_name = Some(decoder.text(value)),
            "newtag" => image.new_tag = Some(decoder.text(value)),
            "digest" => image.digest = Some(decoder.text(value)),
            _ => refuse(decoder, entry, "an image"),
        }
    }
    decoder.spanned(node, image)
}

fn decode_replica(decoder: &mut Decoder<'_>, node: &Node) -> Spanned<Replica> {
    let mut replica = Replica { name: Text::default(), count: 0 };
    for entry in decoder.fields(node) {
        match entry.key.to_ascii_lowercase().as_str() {
            "name" => replica.name = decoder.text(&entry.value),
            "count" => replica.count = decoder.integer(&entry.value),
            _ => refuse(decoder, entry, "an entry of `replicas`"),
        }
    }
    decoder.spanned(node, replica)
}

pub(crate) fn decode_generator_options(decoder: &mut Decoder<'_>, node: &Node) -> GeneratorOptions {
    let mut options = GeneratorOptions::default();
    for entry in decoder.fields(node) {
        let value = &entry.value;
        match entry.key.to_ascii_lowercase().as_str() {
            "labels" => options.labels = decoder.pairs(value),
            "annotations" => options.annotations = decoder.pairs(value),
            "disablenamesuffixhash" => options.disable_name_suffix_hash = decoder.flag(value),
            "immutable" => options.immutable = decoder.flag(value),
            _ => refuse(decoder, entry, "generator options"),
        }
    }
    options
}
