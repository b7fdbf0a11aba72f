//! The lines of `objects.jsonl` and `intents.jsonl`.

use std::borrow::Cow;

use engine_core::address::Address;
use engine_core::digest::{Digest, Fingerprint, Seal};
use engine_core::graph::Dependencies;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::ActionKind;
use engine_core::state::{Deed, Intent, ResourceRecord};
use engine_core::value::Text;
use serde::{Deserialize, Serialize};

/// A line of `objects.jsonl`. Fields stand in the order of their names: canonical JSON sorts its keys.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ObjectLine<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<String>,
    cluster: Text,
    #[serde(borrow)]
    desired: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    fields: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Text>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<ReferenceEntry<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    prevent_destroy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settled: Option<String>,
    uid: Text,
}

/// A line of `intents.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntentLine<'a> {
    action: Text,
    address: String,
    api_version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    blocks: Vec<String>,
    cluster: Text,
    kind: String,
    name: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<Text>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    objects: Vec<ReferenceEntry<'a>>,
}

/// A line of the log of a run.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeedLine<'a> {
    #[serde(borrow)]
    Applied(Box<ObjectLine<'a>>),
    Removed(ReferenceEntry<'a>),
}

/// A reference to an object: `["main","Namespace",null,"dev"]`.
#[derive(Serialize, Deserialize)]
pub(crate) struct ReferenceEntry<'a>(Text, #[serde(borrow)] Cow<'a, str>, Option<Text>, Text);

impl From<(&ObjectRef, &ResourceRecord)> for ObjectLine<'_> {
    fn from((object_ref, record): (&ObjectRef, &ResourceRecord)) -> Self {
        let Dependencies { blocks, objects } = &record.dependencies;
        Self {
            address: record.address.to_string().into(),
            api_version: record.api_version.to_string().into(),
            blocks: blocks.iter().map(Address::to_string).collect(),
            cluster: object_ref.cluster.as_str().into(),
            desired: fingerprint_text(&record.desired).into(),
            fields: record.fields.iter().map(|hash| format!("{hash:08x}")).collect(),
            kind: object_ref.kind.to_string().into(),
            name: object_ref.name.clone(),
            namespace: object_ref.namespace.clone(),
            objects: objects.iter().map(ReferenceEntry::from).collect(),
            prevent_destroy: record.prevent_destroy,
            settled: record.settled.as_ref().map(fingerprint_text),
            uid: record.uid.as_str().into(),
        }
    }
}

impl TryFrom<ObjectLine<'_>> for (ObjectRef, ResourceRecord) {
    type Error = String;

    fn try_from(line: ObjectLine<'_>) -> Result<Self, String> {
        let object_ref = ObjectRef {
            cluster: ClusterRef::new(line.cluster),
            kind: group_kind(&line.kind)?,
            namespace: line.namespace,
            name: line.name,
        };
        let record = ResourceRecord {
            address: address(&line.address)?,
            api_version: api_version(&line.api_version)?,
            uid: Uid::new(line.uid),
            dependencies: dependencies(&line.blocks, line.objects)?,
            prevent_destroy: line.prevent_destroy,
            desired: fingerprint(&line.desired)?,
            settled: line.settled.as_deref().map(fingerprint).transpose()?,
            fields: hashes(&line.fields)?,
        };
        Ok((object_ref, record))
    }
}

impl From<&Deed> for DeedLine<'_> {
    fn from(deed: &Deed) -> Self {
        match deed {
            Deed::Applied(object_ref, record) => {
                Self::Applied(Box::new((object_ref, record.as_ref()).into()))
            }
            Deed::Removed(object_ref) => Self::Removed(object_ref.into()),
        }
    }
}

impl TryFrom<DeedLine<'_>> for Deed {
    type Error = String;

    fn try_from(line: DeedLine<'_>) -> Result<Self, String> {
        Ok(match line {
            DeedLine::Removed(entry) => Self::Removed(entry.try_into()?),
            DeedLine::Applied(line) => {
                let (object_ref, record) = (*line).try_into()?;
                Self::Applied(object_ref, Box::new(record))
            }
        })
    }
}

impl From<&Intent> for IntentLine<'_> {
    fn from(intent: &Intent) -> Self {
        let Dependencies { blocks, objects } = &intent.dependencies;
        Self {
            action: intent.action.as_str().into(),
            address: intent.address.to_string(),
            api_version: intent.api_version.to_string(),
            blocks: blocks.iter().map(Address::to_string).collect(),
            cluster: intent.object_ref.cluster.as_str().into(),
            kind: intent.object_ref.kind.to_string(),
            name: intent.object_ref.name.clone(),
            namespace: intent.object_ref.namespace.clone(),
            objects: objects.iter().map(ReferenceEntry::from).collect(),
        }
    }
}

impl TryFrom<IntentLine<'_>> for Intent {
    type Error = String;

    fn try_from(line: IntentLine<'_>) -> Result<Self, String> {
        Ok(Self {
            object_ref: ObjectRef {
                cluster: ClusterRef::new(line.cluster),
                kind: group_kind(&line.kind)?,
                namespace: line.namespace,
                name: line.name,
            },
            address: address(&line.address)?,
            action: ActionKind::parse(&line.action)
                .ok_or_else(|| format!("`{}` is no action", line.action))?,
            api_version: api_version(&line.api_version)?,
            dependencies: dependencies(&line.blocks, line.objects)?,
        })
    }
}

fn dependencies<T: AsRef<str>>(
    blocks: &[T],
    objects: Vec<ReferenceEntry<'_>>,
) -> Result<Dependencies, String> {
    Ok(Dependencies {
        blocks: blocks.iter().map(|text| address(text.as_ref())).collect::<Result<_, _>>()?,
        objects: objects.into_iter().map(ObjectRef::try_from).collect::<Result<_, _>>()?,
    })
}

impl From<&ObjectRef> for ReferenceEntry<'_> {
    fn from(object_ref: &ObjectRef) -> Self {
        Self(
            object_ref.cluster.as_str().into(),
            object_ref.kind.to_string().into(),
            object_ref.namespace.clone(),
            object_ref.name.clone(),
        )
    }
}

impl TryFrom<ReferenceEntry<'_>> for ObjectRef {
    type Error = String;

    fn try_from(entry: ReferenceEntry<'_>) -> Result<Self, String> {
        Ok(Self {
            cluster: ClusterRef::new(entry.0),
            kind: group_kind(&entry.1)?,
            namespace: entry.2,
            name: entry.3,
        })
    }
}

/// `OPEN` when nothing is sensitive, `OPEN+SEAL` with a keyed seal, `OPEN+?` with an unknown one.
fn fingerprint_text(fingerprint: &Fingerprint) -> String {
    match &fingerprint.seal {
        Seal::Empty => fingerprint.open.to_string(),
        Seal::Keyed(seal) => format!("{}+{seal}", fingerprint.open),
        Seal::Unknown => format!("{}+?", fingerprint.open),
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    let (open, seal) = match text.split_once('+') {
        None => (text, Seal::Empty),
        Some((open, "?")) => (open, Seal::Unknown),
        Some((open, seal)) => (open, Seal::Keyed(digest(seal)?)),
    };
    Ok(Fingerprint { open: digest(open)?, seal })
}

fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

fn api_version(text: &str) -> Result<ApiVersion, String> {
    text.parse().map_err(|error| format!("`{text}`: {error}"))
}

/// Reads `Deployment.apps`: a kind has no dot, a group has at least none at its start.
fn group_kind(text: &str) -> Result<GroupKind, String> {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    if kind.is_empty() || text.ends_with('.') {
        return Err(format!("`{text}` is no kind"));
    }
    Ok(GroupKind::new(group, kind))
}

/// Reads hashes of eight hexadecimal digits each, without separators.
fn hashes(text: &str) -> Result<Vec<u32>, String> {
    let bytes = hex::decode(text).map_err(|error| format!("fields: {error}"))?;
    let (words, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() {
        Ok(words.iter().copied().map(u32::from_be_bytes).collect())
    } else {
        Err("fields: the last hash is cut off".into())
    }
}
