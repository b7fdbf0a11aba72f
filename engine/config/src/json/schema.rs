//! Which keys of the JSON form are blocks, how many labels they have, and which text is code.

/// What the entries of a body are.
pub(super) struct Schema {
    /// Keys that are blocks.
    blocks: &'static [Nested],
    /// Keys whose text is an expression and no template: types and references.
    code: &'static [&'static str],
    /// What any other key is.
    other: Other,
}

struct Nested {
    name: &'static str,
    labels: usize,
    schema: &'static Schema,
}

enum Other {
    Argument,
    /// A block with one label.
    Resource,
}

/// What a JSON value stands for.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// The body of a block, or several in an array, below so many levels of labels.
    Block(usize, &'static Schema),
    /// An expression, its texts templates.
    Value,
    /// An expression, its texts code.
    Code,
}

impl Schema {
    /// Returns what the value of a key stands for.
    pub(super) fn shape(&self, key: &str) -> Shape {
        if let Some(block) = self.blocks.iter().find(|block| block.name == key) {
            return Shape::Block(block.labels, block.schema);
        }
        match self.other {
            _ if self.code.contains(&key) => Shape::Code,
            Other::Argument => Shape::Value,
            Other::Resource => Shape::Block(1, &RESOURCE),
        }
    }
}

const fn block(name: &'static str, labels: usize, schema: &'static Schema) -> Nested {
    Nested { name, labels, schema }
}

const fn schema(blocks: &'static [Nested], code: &'static [&'static str]) -> Schema {
    Schema { blocks, code, other: Other::Argument }
}

/// A file of a definition.
pub(super) static ROOT: Schema = Schema {
    blocks: &[
        block("check", 1, &CHECK),
        block("cluster", 1, &RESOURCE),
        block("import", 0, &SURGERY),
        block("locals", 0, &PLAIN),
        block("moved", 0, &SURGERY),
        block("output", 1, &RESOURCE),
        block("read", 2, &RESOURCE),
        block("removed", 0, &SURGERY),
        block("rollout", 1, &ROLLOUT),
        block("terrane", 0, &TERRANE),
        block("variable", 1, &VARIABLE),
    ],
    code: &[],
    other: Other::Resource,
};

/// Arguments only.
pub(super) static PLAIN: Schema = schema(&[], &[]);

static TERRANE: Schema = schema(&[block("state", 1, &PLAIN), block("wait", 1, &PLAIN)], &[]);

static VARIABLE: Schema = schema(&[block("validation", 0, &PLAIN)], &["type"]);

static CHECK: Schema = schema(&[block("assert", 0, &PLAIN), block("read", 2, &RESOURCE)], &["depends_on"]);

static ROLLOUT: Schema = schema(&[block("wave", 1, &WAVE)], &[]);

static WAVE: Schema = schema(&[], &["checks", "clusters"]);

static SURGERY: Schema = schema(&[block("lifecycle", 0, &LIFECYCLE)], &["from", "to"]);

static LIFECYCLE: Schema = schema(
    &[block("postcondition", 0, &PLAIN), block("precondition", 0, &PLAIN)],
    &["ignore_changes", "replace_triggered_by"],
);

static DYNAMIC: Schema = schema(&[block("content", 0, &RESOURCE)], &["iterator"]);

/// Any block that gives objects.
static RESOURCE: Schema = schema(
    &[
        block("dynamic", 1, &DYNAMIC),
        block("lifecycle", 0, &LIFECYCLE),
        block("precondition", 0, &PLAIN),
        block("timeouts", 0, &PLAIN),
    ],
    &["depends_on"],
);
