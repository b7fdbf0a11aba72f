//! `lifecycle`: what protects an object, whose its fields are, and what must hold of it.

use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::field_path::{FieldPath, PathElement};
use engine_core::resource::FieldPolicy;
use hcl_edit::Span;
use hcl_edit::expr::Expression;

use super::conditions::conditions;
use super::constant::Constants;
use super::fields::{Fields, twice};
use super::{Body, Conditions, Target, Trigger};
use crate::codes::{INVALID_ARGUMENT, UNSUPPORTED};
use crate::eval::{Reference, StepKind, is_reference, references};

/// What a `lifecycle` block says.
#[derive(Default)]
pub(super) struct Lifecycle {
    pub(super) prevent_destroy: bool,
    /// The ignored fields with their places.
    pub(super) ignore_changes: Vec<(FieldPath, SourceSpan)>,
    /// Who keeps fields of other managers, with their places.
    pub(super) conflicts: Vec<(FieldPath, FieldPolicy, SourceSpan)>,
    pub(super) replace_triggered_by: Vec<Trigger>,
    pub(super) conditions: Conditions,
}

impl Lifecycle {
    /// Reports what the lifecycle of this sort of block does not have.
    pub(super) fn misplaced(&self, body: &Body, faults: &mut Diagnostics) {
        let ignored = self.ignore_changes.first().map(|(_, span)| ("ignore_changes", span.clone()));
        let contested = self.conflicts.first().map(|(_, _, span)| ("conflicts", span.clone()));
        let triggers = self.replace_triggered_by.first();
        let triggered = triggers.map(|trigger| ("replace_triggered_by", trigger.target.span.clone()));
        let after = self.conditions.after.first();
        let after = after.map(|condition| ("postcondition", condition.condition.span()));
        let (sort, misplaced) = match body {
            Body::Module { .. } => ("module", [ignored, contested, triggered, after]),
            Body::Read { .. } => ("read", [ignored, contested, triggered, None]),
            _ => return,
        };
        for (name, span) in misplaced.into_iter().flatten() {
            let summary = format!("{name} belongs to a primitive, not to a {sort}");
            faults.push(Diagnostic::error(INVALID_ARGUMENT, summary).at(span));
        }
    }
}

/// Takes `lifecycle`.
pub(super) fn lifecycle(fields: &mut Fields<'_>, constants: &Constants) -> Lifecycle {
    let Some(mut inner) = fields.block("lifecycle") else {
        return Lifecycle::default();
    };
    let prevent_destroy = constants.bool(&mut inner, "prevent_destroy").unwrap_or(false);
    let ignore_changes = field_list(&mut inner, "ignore_changes");
    let conflicts = policies(&mut inner);
    let replace_triggered_by = triggers(&mut inner);
    let conditions = Conditions {
        before: conditions(&mut inner, "precondition"),
        after: conditions(&mut inner, "postcondition"),
    };
    if let Some(argument) = inner.argument("create_before_destroy") {
        let fault = Diagnostic::error(UNSUPPORTED, "create_before_destroy of lifecycle is not supported");
        inner.fault(
            fault
                .at(argument.span())
                .detail("In Kubernetes an object cannot stand beside one of the same kind and name.")
                .hint("remove it; for a change without a gap, give the new object another name"),
        );
    }
    inner.finish();
    Lifecycle { prevent_destroy, ignore_changes, conflicts, replace_triggered_by, conditions }
}

/// Takes `replace_triggered_by`: references to blocks, or to fields of their objects.
fn triggers(fields: &mut Fields<'_>) -> Vec<Trigger> {
    let fault = |span| {
        Diagnostic::error(INVALID_ARGUMENT, "replace_triggered_by must be a list of references to resources")
            .at(span)
            .hint("write `replace_triggered_by = [manifest.settings, manifest.web.spec.replicas]`")
    };
    let Some(expr) = fields.expr("replace_triggered_by") else {
        return Vec::new();
    };
    let Expression::Array(array) = &expr.node else {
        fields.fault(fault(expr.span()));
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in array {
        let is_reference = matches!(item, Expression::Traversal(_));
        let span = SourceSpan::new(Arc::clone(&expr.file), item.span().unwrap_or_default());
        let trigger = match &references(item)[..] {
            [reference] if is_reference => trigger(reference, span.clone()),
            _ => None,
        };
        match trigger {
            Some(trigger) => found.push(trigger),
            None => fields.fault(fault(span)),
        }
    }
    found
}

fn trigger(reference: &Reference, span: SourceSpan) -> Option<Trigger> {
    let (first, rest) = reference.steps.split_first()?;
    let StepKind::Attribute(name) = first.kind.clone() else { return None };
    let (key, rest) = match rest {
        [crate::eval::Step { kind: StepKind::Index(key), .. }, rest @ ..] => (Some(key.clone()), rest),
        _ => (None, rest),
    };
    let mut field = FieldPath::default();
    for step in rest {
        field.push(path_element(&step.kind)?);
    }
    // `manifest.x.object.spec` is `manifest.x.spec`.
    if field.elements().first() == Some(&PathElement::Field("object".into())) {
        field = field.elements()[1..].iter().cloned().collect();
    }
    let target = Target { block_type: reference.root.clone(), name, key, span };
    Some(Trigger { target, field })
}

fn path_element(step: &StepKind) -> Option<PathElement> {
    Some(match step {
        StepKind::Attribute(name) => PathElement::Field(name.clone()),
        StepKind::Index(key) => match (key.as_text(), key.as_number()) {
            (Some(text), _) => PathElement::Field(text.clone()),
            (_, Some(number)) => PathElement::Index(usize::try_from(number.as_i64()?).ok()?),
            _ => return None,
        },
    })
}

/// Takes a list of fields, `[spec.replicas, metadata.annotations["x"]]`: paths, not references.
fn field_list(fields: &mut Fields<'_>, name: &'static str) -> Vec<(FieldPath, SourceSpan)> {
    let fault = |span| {
        Diagnostic::error(INVALID_ARGUMENT, format!("{name} must be a list of fields"))
            .at(span)
            .hint(format!("write `{name} = [spec.replicas]`"))
    };
    let Some(expr) = fields.expr(name) else {
        return Vec::new();
    };
    let Expression::Array(array) = &expr.node else {
        fields.fault(fault(expr.span()));
        return Vec::new();
    };
    let mut found = Vec::new();
    for item in array {
        let span = SourceSpan::new(Arc::clone(&expr.file), item.span().unwrap_or_default());
        let is_path = match item {
            Expression::Variable(_) => true,
            Expression::Traversal(traversal) => is_reference(traversal),
            _ => false,
        };
        match &references(item)[..] {
            [reference] if is_path => match field_path(reference) {
                Some(path) => found.push((path, span)),
                None => fields.fault(fault(span)),
            },
            _ => fields.fault(fault(span)),
        }
    }
    found
}

/// Takes `conflicts`: a list of fields for each policy. A field is in one of them.
fn policies(fields: &mut Fields<'_>) -> Vec<(FieldPath, FieldPolicy, SourceSpan)> {
    let Some(mut inner) = fields.block("conflicts") else {
        return Vec::new();
    };
    let mut found: Vec<(FieldPath, FieldPolicy, SourceSpan)> = Vec::new();
    for policy in FieldPolicy::ALL {
        for (path, span) in field_list(&mut inner, policy.as_str()) {
            match found.iter().find(|(known, ..)| *known == path) {
                Some((_, _, first)) => {
                    let fault = twice(&format!("field {path} of conflicts"), span, first.clone());
                    inner.fault(fault);
                }
                None => found.push((path, policy, span)),
            }
        }
    }
    inner.finish();
    found
}

fn field_path(reference: &Reference) -> Option<FieldPath> {
    let mut path = FieldPath::fields([reference.root.clone()]);
    for step in &reference.steps {
        path.push(path_element(&step.kind)?);
    }
    Some(path)
}
