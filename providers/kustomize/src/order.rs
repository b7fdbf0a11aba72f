//! The order in which objects are given out.
//!
//! # Source
//! <https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/sortoptions/>

use std::cmp::Ordering;
use std::collections::HashMap;

use engine_core::value::Text;

use crate::codes;
use crate::decode::Decoder;
use crate::kustomization::refuse;
use crate::resource::{Gvk, Resource};
use crate::yaml::Node;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// How to order the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SortOptions {
    /// As they were read.
    Fifo,
    /// By kind, what others build on first, then by name.
    Legacy { first: Vec<Text>, last: Vec<Text> },
}

impl Default for SortOptions {
    fn default() -> Self {
        let texts = |kinds: &[&'static str]| kinds.iter().map(|kind| Text::new_static(kind)).collect();
        Self::Legacy { first: texts(&FIRST), last: texts(&LAST) }
    }
}

impl SortOptions {
    pub(crate) fn decode(decoder: &mut Decoder<'_>, node: &Node) -> Option<Self> {
        let mut order = Text::default();
        let mut legacy = None;
        for entry in decoder.fields(node) {
            match entry.key.to_ascii_lowercase().as_str() {
                "order" => order = decoder.text(&entry.value),
                "legacysortoptions" if entry.value.is_null() => {}
                "legacysortoptions" => legacy = Some(decode_legacy(decoder, &entry.value)),
                _ => refuse(decoder, entry, "`sortOptions`"),
            }
        }
        match (order.as_str(), legacy) {
            ("fifo", None) => Some(Self::Fifo),
            ("legacy", None) => Some(Self::default()),
            ("legacy", legacy) => legacy,
            ("fifo", Some(_)) => {
                let summary = "`legacySortOptions` needs `order: legacy`";
                decoder.fault(codes::BAD_VALUE, &node.range, summary);
                None
            }
            _ => {
                decoder.fault(codes::BAD_VALUE, &node.range, "`order` must be fifo or legacy");
                None
            }
        }
    }

    /// Orders the objects.
    pub(crate) fn sort(&self, resources: Vec<Resource>) -> Vec<Resource> {
        let Self::Legacy { first, last } = self else {
            return resources;
        };
        let ranks = ranks(first, last);
        let mut keys: Vec<(Key, usize)> =
            resources.iter().enumerate().map(|(at, resource)| (Key::new(resource, &ranks), at)).collect();
        keys.sort_by(|(a, _), (b, _)| a.compare(b));
        let mut places: Vec<Option<Resource>> = resources.into_iter().map(Some).collect();
        keys.into_iter().filter_map(|(_, at)| places[at].take()).collect()
    }
}

fn decode_legacy(decoder: &mut Decoder<'_>, node: &Node) -> SortOptions {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for entry in decoder.fields(node) {
        let kinds = match entry.key.to_ascii_lowercase().as_str() {
            "orderfirst" => &mut first,
            "orderlast" => &mut last,
            _ => {
                refuse(decoder, entry, "`legacySortOptions`");
                continue;
            }
        };
        *kinds = decoder.texts(&entry.value).into_iter().map(|kind| kind.value).collect();
    }
    SortOptions::Legacy { first, last }
}

/// Kinds named first rank below zero, those named last above, all others at zero.
fn ranks<'a>(first: &'a [Text], last: &'a [Text]) -> HashMap<&'a str, isize> {
    let count = first.len() as isize;
    let first = first.iter().zip(-count..);
    let last = last.iter().zip(1..);
    first.chain(last).map(|(kind, rank)| (kind.as_str(), rank)).collect()
}

struct Key {
    rank: isize,
    gvk: Gvk,
    gvk_text: String,
    place: String,
}

impl Key {
    fn new(resource: &Resource, ranks: &HashMap<&str, isize>) -> Self {
        let gvk = resource.gvk().clone();
        let or =
            |text: Text, empty: &'static str| if text.is_empty() { Text::new_static(empty) } else { text };
        // An empty part sorts behind all others, hence the tilde.
        let gvk_text = format!(
            "{}_{}_{}",
            or(gvk.group.clone(), "~G"),
            or(gvk.version.clone(), "~V"),
            or(gvk.kind.clone(), "~K")
        );
        let place = format!("{}|{}", or(resource.namespace(), "~X"), or(resource.name().clone(), "~N"));
        Self { rank: ranks.get(gvk.kind.as_str()).copied().unwrap_or(0), gvk, gvk_text, place }
    }

    fn compare(&self, other: &Self) -> Ordering {
        if self.gvk == other.gvk {
            return self.place.cmp(&other.place);
        }
        let by_text = self.gvk_text.cmp(&other.gvk_text);
        let are_namespaces = self.gvk.kind == "Namespace" && other.gvk.kind == "Namespace";
        let by_gvk = if are_namespaces && (self.gvk.group.is_empty() || other.gvk.group.is_empty()) {
            // Kubernetes' own Namespaces come before other kinds of that name.
            by_text.reverse()
        } else {
            by_text
        };
        self.rank.cmp(&other.rank).then(by_gvk)
    }
}
