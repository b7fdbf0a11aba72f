//! YAML as Kubernetes' tools read it, with the place of every node.
//!
//! Two readers of the Go world matter and differ in a few plain scalars; [`Dialect`] names them. In both, numbers follow
//! Go's `strconv` (`010` is 8, `0x10` is 16, `1_000` is 1000) and merge keys (`<<`) are expanded.
//!
//! The reader is bounded: nesting ([`MAX_DEPTH`]) and what aliases may add ([`MAX_ALIASED_NODES`]). Duplicate keys and
//! tags outside YAML's own are errors, because the tools behind it disagree about them.

mod scalar;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::value::{Text, Value};
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, Span, StrInput, Tag};

pub use self::scalar::resolve;
use self::scalar::{float, integer, timestamp};

/// Text that is not YAML.
pub const YAML_SYNTAX: Code = Code(700);
/// A key that stands twice in one map.
pub const DUPLICATE_KEY: Code = Code(701);
/// A tag that YAML itself does not define.
pub const CUSTOM_TAG: Code = Code(702);
/// Nesting or alias expansion beyond the reader's bounds.
pub const TOO_LARGE: Code = Code(703);
/// YAML that JSON, and so Kubernetes, cannot hold: infinities, a map as a key, an alias within its own anchor.
pub const NOT_JSON: Code = Code(704);

/// The deepest nesting that is read. Kubernetes' own objects stay below 60 levels.
pub const MAX_DEPTH: usize = 128;
/// How many nodes the aliases of one file may add.
pub const MAX_ALIASED_NODES: usize = 100_000;

/// Which reader's rules apply to plain (unquoted) scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// kubectl and the API server: `yes`, `no`, `on`, `off`, `y` and `n` are booleans, a date is text.
    Kubernetes,
    /// Kustomize's resource files: those words are text, a date is a timestamp (`2001-01-01T00:00:00Z`).
    Kustomize,
}

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its root; null for an empty document.
    pub root: Node,
    /// Where it stands.
    pub span: SourceSpan,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// The bytes it covers in its file.
    pub range: Range<usize>,
    /// What it is.
    pub content: Content,
}

/// The content of a [`Node`].
#[derive(Debug, Clone)]
pub enum Content {
    /// A scalar: what it means, and how it is written without quotes and escapes.
    Scalar(Value, Text),
    /// A list.
    List(Vec<Node>),
    /// A map in source order, keys unique.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Text,
    /// The bytes of the key.
    pub key_range: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Turns the node into the plain value, dropping places.
    pub fn into_value(self) -> Value {
        match self.content {
            Content::Scalar(value, _) => value,
            Content::List(items) => Value::list(items.into_iter().map(Self::into_value)),
            Content::Map(entries) => {
                Value::map(entries.into_iter().map(|entry| (entry.key, entry.value.into_value())))
            }
        }
    }

    /// Tells whether this is a null.
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar(Value::Null, _))
    }
}

/// Reads all documents of a file by the rules of kubectl and the API server.
///
/// # Errors
/// Text that is not YAML, and the faults listed at this module's codes: all that can be told apart, with their places.
pub fn parse(file: &Arc<SourceFile>) -> Result<Vec<Document>, Diagnostics> {
    parse_as(file, Dialect::Kubernetes)
}

/// Reads all documents of a file by the rules of one reader.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(file: &Arc<SourceFile>, dialect: Dialect) -> Result<Vec<Document>, Diagnostics> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut reader = Reader {
        events: Parser::new_from_str_with_options(&file.text, options),
        file,
        dialect,
        anchors: HashMap::new(),
        aliased: 0,
        faults: Diagnostics::default(),
    };
    match reader.documents() {
        Ok(documents) if reader.faults.is_empty() => Ok(documents),
        Ok(_) | Err(Stop) => Err(reader.faults),
    }
}

/// The reader stops here; the reason is in its faults.
struct Stop;

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    file: &'a Arc<SourceFile>,
    dialect: Dialect,
    /// Finished anchored nodes with their sizes, by the parser's anchor number.
    anchors: HashMap<usize, (Node, Size)>,
    aliased: usize,
    faults: Diagnostics,
}

/// How much a node holds.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn documents(&mut self) -> Result<Vec<Document>, Stop> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::DocumentStart(..), _) => {
                    let (event, span) = self.next()?;
                    let root = self.node(event, span, 0)?;
                    self.anchors.clear();
                    documents.push(Document {
                        span: SourceSpan::new(Arc::clone(self.file), root.range.clone()),
                        root,
                    });
                }
                (Event::StreamEnd, _) => return Ok(documents),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Stop> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, range(&span))),
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(self.file.text.len());
                let mut message = error.kind().to_string();
                if message.is_empty() {
                    message.push_str("the text is not YAML");
                }
                self.fault(YAML_SYNTAX, &(at..at), message);
                Err(Stop)
            }
            None => Ok((Event::StreamEnd, 0..0)),
        }
    }

    fn fault(&mut self, code: Code, range: &Range<usize>, summary: impl Into<String>) {
        let span = SourceSpan::new(Arc::clone(self.file), range.clone());
        self.faults.push(Diagnostic::error(code, summary).at(span));
    }

    fn node(&mut self, event: Event<'a>, range: Range<usize>, depth: usize) -> Result<Node, Stop> {
        if depth > MAX_DEPTH {
            self.fault(TOO_LARGE, &range, format!("nesting is deeper than {MAX_DEPTH} levels"));
            return Err(Stop);
        }
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), range), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), &range, "seq");
                (self.list(range, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), &range, "map");
                (self.map(range, depth)?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor, range, depth),
            _ => {
                self.fault(YAML_SYNTAX, &range, "a value is missing");
                return Err(Stop);
            }
        };
        if anchor != 0 {
            let size = measure(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn list(&mut self, mut range: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                range.end = at.end.max(range.end);
                let content = Content::List(items);
                return Ok(Node { range, content });
            }
            let item = self.node(event, at, depth + 1)?;
            range.end = item.range.end.max(range.end);
            items.push(item);
        }
    }

    fn map(&mut self, mut range: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merges: Vec<Node> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                range.end = at.end.max(range.end);
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, at, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            range.end = value.range.end.max(range.end);
            if is_merge {
                merges.push(value);
            } else if let Some(text) = self.key(&key) {
                entries.push(Entry { key: text, key_range: key.range, value });
            }
        }
        self.check_unique(&entries);
        for merge in merges {
            self.merge(&mut entries, merge);
        }
        let content = Content::Map(entries);
        Ok(Node { range, content })
    }

    /// Returns a key's text. JSON has only text as keys: kubectl writes other scalars out, Kustomize refuses them.
    fn key(&mut self, key: &Node) -> Option<Text> {
        match &key.content {
            Content::Scalar(Value::String(text), _) => Some(text.clone()),
            Content::Scalar(scalar @ (Value::Bool(_) | Value::Number(_)), _)
                if self.dialect == Dialect::Kubernetes =>
            {
                Some(scalar.to_string().into())
            }
            _ => {
                self.fault(NOT_JSON, &key.range, "a key must be text");
                None
            }
        }
    }

    fn check_unique(&mut self, entries: &[Entry]) {
        let mut order: Vec<&Entry> = entries.iter().collect();
        order.sort_by(|a, b| a.key.cmp(&b.key).then(a.key_range.start.cmp(&b.key_range.start)));
        for pair in order.windows(2) {
            if pair[0].key == pair[1].key {
                let first = SourceSpan::new(Arc::clone(self.file), pair[0].key_range.clone());
                let second = SourceSpan::new(Arc::clone(self.file), pair[1].key_range.clone());
                self.faults.push(
                    Diagnostic::error(
                        DUPLICATE_KEY,
                        format!("key `{}` stands twice in one map", pair[1].key),
                    )
                    .at(second)
                    .label(first, "first here"),
                );
            }
        }
    }

    /// Adds the entries of a merge key's value that the map does not have itself; of several maps the first counts.
    fn merge(&mut self, entries: &mut Vec<Entry>, merge: Node) {
        let maps = match merge.content {
            Content::List(items) => items,
            _ => vec![merge],
        };
        for map in maps {
            match map.content {
                Content::Map(more) => {
                    for entry in more {
                        if entries.iter().all(|own| own.key != entry.key) {
                            entries.push(entry);
                        }
                    }
                }
                _ => self.fault(YAML_SYNTAX, &map.range, "a merge key takes a map or a list of maps"),
            }
        }
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>, depth: usize) -> Result<Node, Stop> {
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            self.fault(NOT_JSON, &range, "an alias stands within its own anchor");
            return Err(Stop);
        };
        self.aliased += size.nodes;
        if self.aliased > MAX_ALIASED_NODES || depth + size.depth > MAX_DEPTH {
            self.fault(TOO_LARGE, &range, "aliases expand to more than is read");
            return Err(Stop);
        }
        Ok(node)
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, range: &Range<usize>, own: &str) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema_tag(own)
        {
            self.custom_tag(tag, range);
        }
    }

    fn custom_tag(&mut self, tag: &Tag, range: &Range<usize>) {
        let tag = format!("{}{}", tag.original_handle(), tag.suffix());
        self.fault(CUSTOM_TAG, range, format!("tag `{tag}` is not one of YAML's own"));
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, range: Range<usize>) -> Node {
        let value = match tag {
            None if style == ScalarStyle::Plain => {
                if is_special_float(text) {
                    self.fault(NOT_JSON, &range, format!("`{text}` is a number that JSON cannot hold"));
                }
                resolve(text, self.dialect)
            }
            None => Value::string(text),
            Some(tag) => self.tagged(text, tag, &range),
        };
        let written = match &value {
            Value::String(own) if own == text => own.clone(),
            _ => Text::from(text),
        };
        let content = Content::Scalar(value, written);
        Node { range, content }
    }

    fn tagged(&mut self, text: &str, tag: &Tag, range: &Range<usize>) -> Value {
        let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
        let value = match name.as_deref() {
            None if tag.handle().is_empty() && tag.suffix() == "!" => return Value::string(text),
            Some("str") => return Value::string(text),
            Some("binary") => decode_binary(text),
            Some("timestamp") => timestamp(text).map(Value::string),
            Some("null") => Some(resolve(text, self.dialect)).filter(|value| *value == Value::Null),
            Some("bool") => Some(resolve(text, self.dialect)).filter(|value| matches!(value, Value::Bool(_))),
            Some("int") => integer(&text.replace('_', "")).map(Value::Number),
            Some("float") => {
                let plain = text.replace('_', "");
                integer(&plain).or_else(|| float(&plain)).map(Value::Number)
            }
            _ => {
                self.custom_tag(tag, range);
                return Value::Null;
            }
        };
        value.unwrap_or_else(|| {
            let tag = name.unwrap_or_default();
            self.fault(YAML_SYNTAX, range, format!("`{text}` does not fit its tag `!!{tag}`"));
            Value::Null
        })
    }
}

fn range(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

fn measure(node: &Node) -> Size {
    let children: Vec<Size> = match &node.content {
        Content::Scalar(..) => Vec::new(),
        Content::List(items) => items.iter().map(measure).collect(),
        Content::Map(entries) => entries.iter().map(|entry| measure(&entry.value)).collect(),
    };
    Size {
        nodes: 1 + children.iter().map(|size| size.nodes).sum::<usize>(),
        depth: 1 + children.iter().map(|size| size.depth).max().unwrap_or(0),
    }
}

fn is_special_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn decode_binary(text: &str) -> Option<Value> {
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok()?;
    String::from_utf8(bytes).ok().map(Value::string)
}

#[cfg(test)]
mod tests;
