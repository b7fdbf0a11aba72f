//! A module as its files declare it: a directory of HCL files, decoded but not evaluated.

mod argument;
mod conditions;
mod constant;
mod decode;
mod dynamic;
mod fields;
mod lifecycle;
mod link;
mod place;
mod refactoring;
mod references;
mod remote;
mod resource;
mod secret;
mod settings;
mod values;
mod wait_rule;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use engine_core::address::Address;
use engine_core::diagnostic::{Code, SourceSpan};
use engine_core::field_path::FieldPath;
use engine_core::lock::Renewal;
use engine_core::resource::{FieldPolicy, Timeouts};
use engine_core::value::Text;
use engine_core::wait_rule::WaitRule;

pub(crate) use self::argument::{Bound, evaluate_argument};
pub(crate) use self::conditions::{Check, Checks, Condition, Conditions};
pub(crate) use self::constant::{Constants, typed};
pub(crate) use self::fields::{Argument, Expr, Fields, Name, head_span, labels};
pub(crate) use self::link::Linker;
pub(crate) use self::place::place;
pub(crate) use self::refactoring::{ImportDeclaration, Refactorings};
pub(crate) use self::remote::Remotes;
pub(crate) use self::resource::duration;
pub(crate) use self::secret::Secret;
use crate::expr_value::ExprValue;
use crate::templates::Templates;
use crate::types::Type;

/// A decoded module whose references have been checked and whose blocks are linked to the modules they use.
pub(crate) struct Module {
    /// The directory relative to the repository, `.` for the repository itself; what `path.module` gives.
    pub(crate) directory: String,
    pub(crate) variables: BTreeMap<Text, Variable>,
    pub(crate) locals: BTreeMap<Text, Local>,
    pub(crate) outputs: BTreeMap<Text, Output>,
    pub(crate) blocks: Vec<Declaration>,
    /// The blocks by type and name.
    pub(crate) index: HashMap<Text, HashMap<Text, usize>>,
    /// What only a root module declares.
    pub(crate) root: Root,
    pub(crate) checks: Checks,
    pub(crate) refactorings: Refactorings,
    /// What `tera` renders.
    pub(crate) templates: Templates,
    /// Locals and blocks, each behind what it refers to.
    pub(crate) order: Vec<Node>,
}

/// What is evaluated as one step of a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// A local value.
    Local(Text),
    /// A block, by position in [`Module::blocks`].
    Block(usize),
    /// All outputs.
    Outputs,
}

/// A `variable` block.
pub(crate) struct Variable {
    pub(crate) span: SourceSpan,
    pub(crate) ty: Type,
    pub(crate) default: Option<ExprValue>,
    /// Whether a default is written that has been reported.
    pub(crate) has_faulty_default: bool,
    /// Whether text given for it is taken as it is, not as an expression.
    pub(crate) takes_text: bool,
    pub(crate) marks: Marks,
    pub(crate) nullable: bool,
    /// Why it should no longer be given.
    pub(crate) deprecated: Option<Text>,
    pub(crate) validations: Vec<Condition>,
}

/// How far a value may be shown and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    pub(crate) sensitive: bool,
    pub(crate) ephemeral: bool,
}

impl Marks {
    /// Tells whether there is any: then the value must not be shown.
    pub(crate) fn any(self) -> bool {
        self.sensitive || self.ephemeral
    }

    /// Marks a value.
    pub(crate) fn put_on(self, value: ExprValue) -> ExprValue {
        value.with_sensitivity_of(self.sensitive).with_ephemerality_of(self.ephemeral)
    }
}

/// One value of a `locals` block.
pub(crate) struct Local {
    pub(crate) span: SourceSpan,
    pub(crate) value: Argument,
}

/// An `output` block.
pub(crate) struct Output {
    pub(crate) span: SourceSpan,
    pub(crate) value: Expr,
    pub(crate) description: Option<Text>,
    pub(crate) marks: Marks,
    /// Why it should no longer be used.
    pub(crate) deprecated: Option<Text>,
    pub(crate) preconditions: Vec<Condition>,
}

/// What the root module declares besides resources.
#[derive(Default)]
pub(crate) struct Root {
    pub(crate) settings: Option<Settings>,
    pub(crate) clusters: BTreeMap<Text, ClusterDeclaration>,
    pub(crate) rollouts: BTreeMap<Text, Rollout>,
}

/// The `terrane` block.
pub(crate) struct Settings {
    pub(crate) span: SourceSpan,
    pub(crate) environment: Option<Expr>,
    pub(crate) state: Option<StateDeclaration>,
    pub(crate) adopt: Option<Expr>,
    pub(crate) accept: BTreeSet<Code>,
    pub(crate) lock_renewal: Renewal,
    pub(crate) wait_rules: Vec<WaitRule>,
}

/// The `state` block.
pub(crate) enum StateDeclaration {
    Local { branch: Option<Expr> },
    Git { remote: Option<Expr>, branch: Option<Expr> },
}

/// A `cluster` block.
pub(crate) struct ClusterDeclaration {
    pub(crate) span: SourceSpan,
    pub(crate) for_each: Option<Expr>,
    pub(crate) context: Option<Expr>,
    pub(crate) kubeconfig: Option<Expr>,
    pub(crate) sandbox: Option<Expr>,
    pub(crate) platform: Option<Expr>,
    pub(crate) depends_on: Vec<Target>,
}

/// A `rollout` block: clusters in waves, each of which waits for the one before.
pub(crate) struct Rollout {
    pub(crate) span: SourceSpan,
    /// In their order.
    pub(crate) waves: Vec<Wave>,
}

/// A `wave` block.
pub(crate) struct Wave {
    pub(crate) name: Text,
    pub(crate) clusters: Vec<Target>,
    pub(crate) soak: Option<Expr>,
    /// Checks, of whatever instances where a step has no key.
    pub(crate) checks: Vec<(Address, SourceSpan)>,
    pub(crate) approval: Option<Expr>,
}

/// A block that declares resources.
pub(crate) struct Declaration {
    pub(crate) block_type: Text,
    /// The label; `KIND.NAME` for a read.
    pub(crate) name: Text,
    pub(crate) span: SourceSpan,
    pub(crate) repeat: Repeat,
    pub(crate) cluster: Option<Expr>,
    pub(crate) depends_on: Vec<Target>,
    pub(crate) wait: Option<Expr>,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) prevent_destroy: bool,
    pub(crate) ignore_changes: Vec<FieldPath>,
    pub(crate) conflicts: Vec<(FieldPath, FieldPolicy)>,
    pub(crate) replace_triggered_by: Vec<Trigger>,
    pub(crate) conditions: Conditions,
    /// The check that a read stands in.
    pub(crate) scope: Option<Text>,
    pub(crate) body: Body,
    /// Whether anything of the module refers to it: only then is its value kept.
    pub(crate) referenced: bool,
}

/// How many instances a block has.
pub(crate) enum Repeat {
    Once,
    ForEach(Expr),
    Count(Expr),
}

/// What a block declares.
pub(crate) enum Body {
    Manifest {
        object: Argument,
    },
    Manifests {
        files: Expr,
        namespace: Option<Expr>,
    },
    Kustomization {
        path: Expr,
        images: Option<Argument>,
        replicas: Option<Argument>,
        namespace: Option<Expr>,
    },
    Read {
        kind: Text,
        api_version: Option<Expr>,
        name: Expr,
        namespace: Option<Expr>,
    },
    Secret(Box<Secret>),
    Module {
        module: Arc<Module>,
        arguments: BTreeMap<Text, Argument>,
    },
}

/// What `replace_triggered_by` names: a block or instance, or a field of its objects.
pub(crate) struct Trigger {
    pub(crate) target: Target,
    pub(crate) field: FieldPath,
}

/// What `depends_on` names: a block, or one instance of it.
pub(crate) struct Target {
    pub(crate) block_type: Text,
    pub(crate) name: Text,
    pub(crate) key: Option<ExprValue>,
    pub(crate) span: SourceSpan,
}

impl Declaration {
    /// Returns `TYPE.NAME`.
    pub(crate) fn title(&self) -> String {
        format!("{}.{}", self.block_type, self.name)
    }

    /// Calls `visit` with every expression that is evaluated for each instance.
    pub(crate) fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.cluster.iter().chain(&self.wait).for_each(&mut *visit);
        self.conditions.before.iter().for_each(|condition| condition.each_expr(visit));
        match &self.body {
            Body::Manifest { object } => object.each_expr(visit),
            Body::Manifests { files, namespace } => {
                visit(files);
                namespace.iter().for_each(visit);
            }
            Body::Kustomization { path, images, replicas, namespace } => {
                visit(path);
                namespace.iter().for_each(&mut *visit);
                images.iter().chain(replicas).for_each(|argument| argument.each_expr(visit));
            }
            Body::Read { api_version, name, namespace, .. } => {
                visit(name);
                api_version.iter().chain(namespace).for_each(visit);
            }
            Body::Secret(secret) => secret.each_expr(visit),
            Body::Module { arguments, .. } => {
                arguments.values().for_each(|argument| argument.each_expr(visit));
            }
        }
    }
}

impl Module {
    /// Returns the position of a block.
    pub(crate) fn find(&self, block_type: &str, name: &str) -> Option<usize> {
        self.index.get(block_type)?.get(name).copied()
    }
}
