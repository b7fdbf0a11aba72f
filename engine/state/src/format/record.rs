//! The lines of `objects.jsonl` and `intents.jsonl`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use engine_core::address::Address;
use engine_core::digest::{Digest, Fingerprint, Print, Seal};
use engine_core::graph::Dependencies;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::ActionKind;
use engine_core::state::{Deed, Intent, ResourceRecord};
use engine_core::value::Text;
use serde::{Deserialize, Serialize};

use super::Schema;

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
            fields: hashes_text(&record.fields).into(),
            kind: object_ref.kind.kind.as_str().to_owned().into(),
            name: object_ref.name.clone(),
            namespace: object_ref.namespace.clone(),
            objects: objects.iter().map(ReferenceEntry::from).collect(),
            prevent_destroy: record.prevent_destroy,
            settled: record.settled.as_ref().map(fingerprint_text),
            uid: record.uid.as_str().into(),
        }
    }
}

impl ObjectLine<'_> {
    /// Returns the record of a line that a state of this schema has.
    pub(crate) fn read(self, schema: Schema) -> Result<(ObjectRef, ResourceRecord), String> {
        let api_version = api_version(&self.api_version)?;
        let object_ref = ObjectRef {
            cluster: ClusterRef::new(self.cluster),
            kind: schema.kind(&self.kind, &api_version)?,
            namespace: self.namespace,
            name: self.name,
        };
        let record = ResourceRecord {
            address: address(&self.address)?,
            api_version,
            uid: Uid::new(self.uid),
            dependencies: dependencies(&object_ref, &self.blocks, self.objects)?,
            prevent_destroy: self.prevent_destroy,
            desired: schema.fingerprint(&self.desired)?,
            settled: self.settled.as_deref().map(|text| schema.fingerprint(text)).transpose()?,
            fields: schema.hashes(&self.fields)?,
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

impl DeedLine<'_> {
    /// Returns what a line tells that was written under this schema.
    pub(crate) fn read(self, schema: Schema) -> Result<Deed, String> {
        Ok(match self {
            Self::Removed(entry) => Deed::Removed(entry.try_into()?),
            Self::Applied(line) => {
                let (object_ref, record) = line.read(schema)?;
                Deed::Applied(object_ref, Box::new(record))
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
            kind: intent.object_ref.kind.kind.to_string(),
            name: intent.object_ref.name.clone(),
            namespace: intent.object_ref.namespace.clone(),
            objects: objects.iter().map(ReferenceEntry::from).collect(),
        }
    }
}

impl IntentLine<'_> {
    /// Returns the intent of a line that a state of this schema has.
    pub(super) fn read(self, schema: Schema) -> Result<Intent, String> {
        let api_version = api_version(&self.api_version)?;
        let object_ref = ObjectRef {
            cluster: ClusterRef::new(self.cluster),
            kind: schema.kind(&self.kind, &api_version)?,
            namespace: self.namespace,
            name: self.name,
        };
        Ok(Intent {
            address: address(&self.address)?,
            action: ActionKind::parse(&self.action)
                .ok_or_else(|| format!("`{}` is no action", self.action))?,
            api_version,
            dependencies: dependencies(&object_ref, &self.blocks, self.objects)?,
            object_ref,
        })
    }
}

/// Schema 1 has the Namespace around the object among the others.
fn dependencies<T: AsRef<str>>(
    dependent: &ObjectRef,
    blocks: &[T],
    objects: Vec<ReferenceEntry<'_>>,
) -> Result<Dependencies, String> {
    let around = dependent.enclosing_namespace();
    let mut objects: Vec<_> = objects.into_iter().map(ObjectRef::try_from).collect::<Result<_, _>>()?;
    objects.retain(|object| Some(object) != around.as_ref());
    let blocks = blocks.iter().map(|text| address(text.as_ref())).collect::<Result<_, _>>()?;
    Ok(Dependencies { blocks, objects })
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

/// `OPEN` when nothing is sensitive, `OPEN+SEAL` with a keyed seal, `OPEN+?` with an unknown one. A `+` is no character
/// of either.
fn fingerprint_text(fingerprint: &Fingerprint) -> String {
    let open = BASE64.encode(fingerprint.open.as_bytes());
    match &fingerprint.seal {
        Seal::Empty => open,
        Seal::Keyed(seal) => format!("{open}+{}", BASE64.encode(seal.as_bytes())),
        Seal::Unknown => format!("{open}+?"),
    }
}

/// The bytes of all hashes, highest first.
fn hashes_text(hashes: &[u32]) -> String {
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_be_bytes()).collect();
    BASE64.encode(bytes)
}

impl Schema {
    fn fingerprint(self, text: &str) -> Result<Fingerprint, String> {
        let print = |text: &str| self.print(text).ok_or_else(|| format!("`{text}` is no fingerprint"));
        let (open, seal) = match text.split_once('+') {
            None => (text, Seal::Empty),
            Some((open, "?")) => (open, Seal::Unknown),
            Some((open, seal)) => (open, Seal::Keyed(print(seal)?)),
        };
        Ok(Fingerprint { open: print(open)?, seal })
    }

    fn print(self, text: &str) -> Option<Print> {
        match self {
            Self::One => Some(text.parse::<Digest>().ok()?.print()),
            Self::Two => Some(Print::from_bytes(BASE64.decode(text).ok()?.try_into().ok()?)),
        }
    }

    fn hashes(self, text: &str) -> Result<Vec<u32>, String> {
        let bytes = match self {
            Self::One => hex::decode(text).ok(),
            Self::Two => BASE64.decode(text).ok(),
        };
        let bytes = bytes.ok_or("fields: they are not written as this schema has them")?;
        let (words, rest) = bytes.as_chunks::<4>();
        if rest.is_empty() {
            Ok(words.iter().copied().map(u32::from_be_bytes).collect())
        } else {
            Err("fields: the last hash is cut off".into())
        }
    }

    fn kind(self, text: &str, api_version: &ApiVersion) -> Result<GroupKind, String> {
        match self {
            Self::One => group_kind(text),
            Self::Two if text.is_empty() || text.contains('.') => Err(format!("`{text}` is no kind")),
            Self::Two => Ok(GroupKind::new(api_version.group.clone(), text)),
        }
    }
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
