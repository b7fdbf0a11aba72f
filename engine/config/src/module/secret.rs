//! The block `secret`.

use super::Body;
use super::fields::{Argument, Expr, Fields};

/// A `secret` block: a Kubernetes Secret, some of whose values may be generated.
pub(crate) struct Secret {
    /// The label of the block if left out.
    pub(crate) name: Option<Expr>,
    pub(crate) namespace: Expr,
    pub(crate) secret_type: Option<Expr>,
    pub(crate) immutable: Option<Expr>,
    pub(crate) labels: Option<Argument>,
    pub(crate) annotations: Option<Argument>,
    /// Plain text by key.
    pub(crate) data: Option<Argument>,
    /// What the values look like that are generated, by key.
    pub(crate) generate: Option<Argument>,
    /// When these change, values are generated again.
    pub(crate) keepers: Option<Argument>,
}

/// Takes the arguments of a `secret` block.
pub(super) fn secret(fields: &mut Fields<'_>) -> Option<Body> {
    let namespace = fields.required("namespace");
    let secret = Secret {
        name: fields.expr("name"),
        secret_type: fields.expr("type"),
        immutable: fields.expr("immutable"),
        labels: fields.argument("labels"),
        annotations: fields.argument("annotations"),
        data: fields.argument("data"),
        generate: fields.argument("generate"),
        keepers: fields.argument("keepers"),
        namespace: namespace?,
    };
    Some(Body::Secret(Box::new(secret)))
}

impl Secret {
    /// Calls `visit` with every expression in it.
    pub(super) fn each_expr<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(&self.namespace);
        self.name.iter().chain(&self.secret_type).chain(&self.immutable).for_each(&mut *visit);
        let arguments = self.labels.iter().chain(&self.annotations).chain(&self.data);
        arguments.chain(&self.generate).chain(&self.keepers).for_each(|argument| argument.each_expr(visit));
    }
}
