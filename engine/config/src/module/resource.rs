//! Blocks that declare resources: primitives, reads and uses of modules, with the arguments common to all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::resource::Timeouts;
use engine_core::value::Text;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Block;
use jiff::SignedDuration;

use super::constant::Constants;
use super::fields::{Fields, expect_labels, head_span, unknown_argument};
use super::lifecycle::lifecycle;
use super::secret::secret;
use super::{Body, Declaration, Expr, Module, Repeat, Target};
use crate::codes::{INVALID_ARGUMENT, MISSING_ARGUMENT, UNSUPPORTED};
use crate::eval::{Reference, StepKind, references};

/// Block types that are built in and give resources.
pub(super) const PRIMITIVES: [&str; 4] = ["manifest", "manifests", "kustomization", "secret"];

/// Block types that are reserved and not supported yet.
pub(super) const RESERVED: [&str; 2] = ["bundle", "chart"];

/// Returns what to do in place of a reserved block.
pub(super) fn instead_of(block_type: &str) -> &'static str {
    match block_type {
        "bundle" | "chart" => "render it to files and declare them with a manifests block",
        _ => "remove the block",
    }
}

/// Decodes blocks of one module.
pub(super) struct Resources<'a> {
    pub(super) constants: &'a Constants,
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) faults: &'a mut Diagnostics,
}

impl Resources<'_> {
    /// Decodes a block of a primitive type.
    pub(super) fn primitive(&mut self, block: Block) -> Option<Declaration> {
        let block_type = Text::from(block.ident.as_str());
        let name = expect_labels(&block, self.file, &["NAME"], self.faults)?.pop()?.text;
        self.declaration(block, (block_type.clone(), name), |fields| match block_type.as_str() {
            "manifest" => {
                let object = fields.argument("object");
                if object.is_none() {
                    fields.missing("object");
                }
                Some(Body::Manifest { object: object? })
            }
            "manifests" => {
                unsupported_patches(fields);
                let files = fields.required("files");
                let namespace = fields.expr("namespace");
                Some(Body::Manifests { files: files?, namespace })
            }
            "secret" => secret(fields),
            _ => {
                unsupported_patches(fields);
                let path = fields.required("path");
                let images = fields.argument("images");
                let replicas = fields.argument("replicas");
                let namespace = fields.expr("namespace");
                Some(Body::Kustomization { path: path?, images, replicas, namespace })
            }
        })
    }

    /// Decodes a `read` block.
    pub(super) fn read(&mut self, block: Block) -> Option<Declaration> {
        let labels = expect_labels(&block, self.file, &["KIND", "NAME"], self.faults)?;
        let [kind, name] = &labels[..] else { return None };
        let kind = kind.text.clone();
        let full = Text::from(format!("{kind}.{}", name.text));
        self.declaration(block, ("read".into(), full), |fields| {
            let api_version = fields.expr("api_version");
            let name = fields.required("name");
            let namespace = fields.expr("namespace");
            Some(Body::Read { kind, api_version, name: name?, namespace })
        })
    }

    /// Decodes a block whose type is a module.
    pub(super) fn module(&mut self, block: Block, module: Arc<Module>) -> Option<Declaration> {
        let block_type = Text::from(block.ident.as_str());
        let name = expect_labels(&block, self.file, &["NAME"], self.faults)?.pop()?.text;
        self.declaration(block, (block_type.clone(), name), |fields| {
            let mut arguments = BTreeMap::new();
            if block_type == "module" {
                // Read before the module was: it says which one.
                fields.expr("source");
            }
            for (name, argument) in fields.rest() {
                if let Some(variable) = module.variables.get(&name.text) {
                    if let Some(warning) = variable.deprecation(&name) {
                        fields.fault(warning);
                    }
                    arguments.insert(name.text, argument);
                } else {
                    let known = module.variables.keys().map(Text::as_str);
                    let fault = unknown_argument(&name, &fields.what, known);
                    fields.fault(fault);
                }
            }
            for (name, variable) in &module.variables {
                if variable.default.is_none() && !arguments.contains_key(name) {
                    let summary = format!("{} needs the argument {name}", fields.what);
                    let fault = Diagnostic::error(MISSING_ARGUMENT, summary)
                        .at(fields.span.clone())
                        .label(variable.span.clone(), "declared here without a default")
                        .hint(format!("add `{name} = …` of type {}", variable.ty));
                    fields.fault(fault);
                }
            }
            Some(Body::Module { module, arguments })
        })
    }

    fn declaration(
        &mut self,
        block: Block,
        (block_type, name): (Text, Text),
        body: impl FnOnce(&mut Fields<'_>) -> Option<Body>,
    ) -> Option<Declaration> {
        let span = head_span(&block, self.file);
        let what = format!("{block_type} {name:?}");
        let mut fields = Fields::new(what, span.clone(), block.body, self.faults);
        let repeat = repeat(&mut fields);
        let cluster = fields.expr("cluster");
        let depends_on = targets(&mut fields, DEPENDS_ON);
        let wait = fields.expr("wait");
        let timeouts = timeouts(&mut fields, self.constants);
        let lifecycle = lifecycle(&mut fields, self.constants);
        let body = body(&mut fields);
        fields.finish();
        if let Some(body) = &body {
            lifecycle.misplaced(body, self.faults);
        }
        Some(Declaration {
            block_type,
            name,
            span,
            repeat,
            cluster,
            depends_on,
            wait,
            timeouts,
            prevent_destroy: lifecycle.prevent_destroy,
            ignore_changes: lifecycle.ignore_changes.into_iter().map(|(path, _)| path).collect(),
            conflicts: lifecycle.conflicts.into_iter().map(|(path, policy, _)| (path, policy)).collect(),
            replace_triggered_by: lifecycle.replace_triggered_by,
            conditions: lifecycle.conditions,
            scope: None,
            body: body?,
            referenced: false,
        })
    }
}

/// Takes `for_each` or `count`.
pub(super) fn repeat(fields: &mut Fields<'_>) -> Repeat {
    match (fields.expr("for_each"), fields.expr("count")) {
        (None, None) => Repeat::Once,
        (Some(for_each), None) => Repeat::ForEach(for_each),
        (None, Some(count)) => Repeat::Count(count),
        (Some(for_each), Some(count)) => {
            fields.fault(
                Diagnostic::error(INVALID_ARGUMENT, "for_each and count exclude each other")
                    .at(count.span())
                    .label(for_each.span(), "for_each is here")
                    .hint("remove one of the two"),
            );
            Repeat::ForEach(for_each)
        }
    }
}

/// An argument that lists blocks: its name, what an item is called, and an item.
pub(super) type ListOfBlocks = (&'static str, &'static str, &'static str);

/// `depends_on`.
pub(super) const DEPENDS_ON: ListOfBlocks = ("depends_on", "block", "namespace.dev");

/// Takes a list of references to blocks.
pub(super) fn targets(fields: &mut Fields<'_>, list: ListOfBlocks) -> Vec<Target> {
    listed(fields, list, |item| {
        let whole = matches!(item.node, Expression::Traversal(_) | Expression::Variable(_));
        match (whole, &references(&item.node)[..]) {
            (true, [reference]) => target(reference, &item.file),
            _ => None,
        }
    })
}

/// Takes a list of what is written in some form, and reports what is not.
pub(super) fn listed<T>(
    fields: &mut Fields<'_>,
    list: ListOfBlocks,
    take: impl Fn(&Expr) -> Option<T>,
) -> Vec<T> {
    let (name, thing, example) = list;
    let Some(expr) = fields.expr(name) else {
        return Vec::new();
    };
    let Expression::Array(array) = &expr.node else {
        let summary = format!("{name} of {} must be a list of {thing}s", fields.what);
        fields.fault(
            Diagnostic::error(INVALID_ARGUMENT, summary)
                .at(expr.span())
                .hint(format!("write `{name} = [{example}]`")),
        );
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in array {
        let item = Expr::new(item.clone(), Arc::clone(&expr.file));
        match take(&item) {
            Some(taken) => found.push(taken),
            None => {
                let fault =
                    Diagnostic::error(INVALID_ARGUMENT, format!("{name} takes references to {thing}s"))
                        .at(item.span())
                        .hint(format!(
                            "write `{example}` or `{example}[\"KEY\"]`, without quotes around the whole"
                        ));
                fields.fault(fault);
            }
        }
    }
    found
}

fn target(reference: &Reference, file: &Arc<SourceFile>) -> Option<Target> {
    let mut names: Vec<Text> = Vec::new();
    let mut key = None;
    for step in &reference.steps {
        match &step.kind {
            StepKind::Attribute(name) if key.is_none() => names.push(name.clone()),
            StepKind::Index(index) if key.is_none() => key = Some(index.clone()),
            _ => return None,
        }
    }
    let (block_type, name) = match (reference.root.as_str(), &names[..]) {
        ("read", [kind, name]) => ("read".into(), format!("{kind}.{name}").into()),
        (_, [name]) => (reference.root.clone(), name.clone()),
        _ => return None,
    };
    let span = SourceSpan::new(Arc::clone(file), reference.range.clone());
    Some(Target { block_type, name, key, span })
}

fn timeouts(fields: &mut Fields<'_>, constants: &Constants) -> Option<Timeouts> {
    let mut inner = fields.block("timeouts")?;
    let [apply, create, update, delete] =
        ["apply", "create", "update", "delete"].map(|name| timeout(&mut inner, constants, name));
    inner.finish();
    let default = Timeouts::default();
    Some(Timeouts {
        create: create.or(apply).unwrap_or(default.create),
        update: update.or(apply).unwrap_or(default.update),
        delete: delete.unwrap_or(default.delete),
    })
}

/// Decodes a length of time.
pub(super) fn timeout(
    fields: &mut Fields<'_>,
    constants: &Constants,
    name: &'static str,
) -> Option<Duration> {
    let text = constants.text(fields, name)?;
    let duration = duration(&text);
    if duration.is_none() {
        let summary = format!("{text:?} is not a duration");
        let fault = Diagnostic::error(INVALID_ARGUMENT, summary).at(fields.span.clone());
        fields.fault(fault.hint("write it like \"90s\", \"10m\" or \"1h30m\""));
    }
    duration
}

pub(crate) fn duration(text: &str) -> Option<Duration> {
    let duration: SignedDuration = text.parse().ok()?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero())
}

fn unsupported_patches(fields: &mut Fields<'_>) {
    if let Some(argument) = fields.argument("patches") {
        let summary = format!("patches of {} are not supported yet", fields.what);
        let span = argument.span();
        let fault = Diagnostic::error(UNSUPPORTED, summary).at(span);
        fields.fault(fault.hint("write the patches into an overlay and use a kustomization block"));
    }
}
