//! `read`: an object that somebody else keeps.

use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::kind_info::builtin_scope;
use engine_core::object_ref::{ApiVersion, GroupKind, ObjectRef};
use engine_core::resource::{Body as ResourceBody, Lifecycle, Read, Resource};
use engine_core::value::{Text, Value};

use super::block::Site;
use super::frame::Instance;
use super::object::{cluster, kept};
use super::scope::Uses;
use super::{Asked, Frame, Walk};
use crate::codes::{INVALID_ARGUMENT, READ_NOT_FOUND, UNKNOWN_IDENTITY};
use crate::expr_value::{Entries, ExprValue};
use crate::module::{Body, Expr, typed};
use crate::types::Type;

impl Walk<'_> {
    /// Evaluates one instance of a read: its answer, a question to ask before the plan, or a step of the plan.
    pub(super) fn read(
        &mut self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        mut uses: Uses,
        waits: &Uses,
    ) -> Result<Instance, Diagnostics> {
        let unknown =
            |stage| Instance { stage, value: ExprValue::unknown(Type::Any), planned: stage.is_some() };
        let Some(read) = self.read_of(frame, site, &mut uses)? else {
            return Ok(unknown(None));
        };
        let scoped = site.declaration.scope.is_some();
        if let Some(answer) = self.ground.reads.get(&site.address) {
            // A check says itself that its object is not there.
            if scoped && *answer == Value::Null {
                return Ok(unknown(None));
            }
            let value = answered(answer, &read, site)?;
            self.after(frame, site, (&site.address, &value), &mut uses);
            return Ok(Instance { stage: None, value, planned: false });
        }
        let resource = Resource {
            address: site.address.clone(),
            body: ResourceBody::Read(read),
            lifecycle: Lifecycle {
                preconditions: site.inherited.guards.clone(),
                postcondition: !site.declaration.conditions.after.is_empty(),
                ..Lifecycle::default()
            },
            wait: site.inherited.wait,
            timeouts: site.inherited.timeouts,
            span: Some(site.declaration.span.clone()),
        };
        let planned = uses.planned || waits.planned || frame.inherited.planned;
        if scoped {
            self.verdicts.asked.push(Asked { resource, planned });
            return Ok(unknown(None));
        }
        if !planned {
            self.pending.push(resource);
            return Ok(unknown(None));
        }
        let stage = self.builder.block(&site.address, frame.block);
        self.depend(stage, &uses);
        self.wait_for(stage, waits);
        if let (None, Some(cluster)) = (&frame.address, &site.inherited.cluster) {
            self.by_cluster.entry(cluster.clone()).or_default().push(stage);
        }
        self.builder.resource(stage, resource);
        Ok(unknown(Some(stage)))
    }

    /// Returns which object to read; `None` when that is not known yet and that is no fault of its own.
    fn read_of(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        uses: &mut Uses,
    ) -> Result<Option<Read>, Diagnostics> {
        let Body::Read { kind, api_version, name, namespace } = &site.declaration.body else {
            return Ok(None);
        };
        let mut text = |expr: &Expr, field: &str| -> Result<Option<Text>, Diagnostics> {
            let value = self.expr(frame, expr, site.repeated, uses)?;
            let value = typed(&value, &Type::String, field, expr)?;
            if value.is_ephemeral() {
                return Err(kept(field, site, &expr.span()));
            }
            if value.is_unknown() && !self.is_provisional() {
                let summary = format!("{field} of {} is known only after apply", site.address);
                return Err(Diagnostic::error(UNKNOWN_IDENTITY, summary).at(expr.span()).into());
            }
            Ok(value.as_text().cloned())
        };
        let name = text(name, "name")?;
        let namespace = namespace.as_ref().map(|expr| text(expr, "namespace")).transpose()?;
        let version = api_version.as_ref().map(|expr| text(expr, "api_version")).transpose()?;
        let (Some(name), Some(namespace), Some(version)) = (
            name,
            namespace.map_or(Some(None), |namespace| namespace.map(Some)),
            version.map_or(Some(None), |version| version.map(Some)),
        ) else {
            return Ok(None);
        };
        let api_version = version.map(|text| text.parse::<ApiVersion>()).transpose().map_err(|error| {
            Diagnostic::error(INVALID_ARGUMENT, error.to_string())
                .at(site.declaration.span.clone())
                .hint("an api_version is \"VERSION\" or \"GROUP/VERSION\", such as \"apps/v1\"")
        })?;
        let group = api_version.as_ref().map_or_else(Text::default, |version| version.group.clone());
        let kind = GroupKind::new(group, kind.clone());
        if api_version.is_none() && builtin_scope(&kind).is_none() {
            let summary = format!("{} needs the argument api_version", site.address);
            return Err(Diagnostic::error(INVALID_ARGUMENT, summary)
                .detail(format!("{kind} is not a kind of Kubernetes' core group."))
                .at(site.declaration.span.clone())
                .hint("add `api_version = \"GROUP/VERSION\"`; kubectl api-resources lists them")
                .into());
        }
        Ok(Some(Read {
            object_ref: ObjectRef { cluster: cluster(site, &site.declaration.span)?, kind, namespace, name },
            api_version,
        }))
    }
}

/// Returns the value of an object that was read.
fn answered(answer: &Value, read: &Read, site: &Site<'_>) -> Result<ExprValue, Diagnostics> {
    if *answer == Value::Null {
        let summary = format!("{} does not exist on cluster {}", read.object_ref, read.object_ref.cluster);
        return Err(Diagnostic::error(READ_NOT_FOUND, summary)
            .at(site.declaration.span.clone())
            .about(site.address.clone())
            .hint("a read is for an object that somebody else creates before")
            .into());
    }
    Ok(seen(answer, &read.object_ref.kind))
}

/// Returns a live object as a value; the payload of a Secret is sensitive.
pub(crate) fn seen(object: &Value, kind: &GroupKind) -> ExprValue {
    let value = ExprValue::from(object);
    if !kind.is("", "Secret") {
        return value;
    }
    // An annotation of client-side apply repeats the payload.
    let metadata = value.get("metadata").map(|metadata| hide(&metadata, "annotations"));
    let value = hide(&value, "data");
    let entries = value.as_entries().into_iter().flat_map(Entries::iter);
    ExprValue::object(
        entries
            .map(|(name, field)| (name.clone(), field.clone()))
            .chain(metadata.map(|metadata| (Text::from("metadata"), metadata))),
    )
}

/// Marks one field of an object as sensitive.
fn hide(object: &ExprValue, field: &str) -> ExprValue {
    let entries = object.as_entries().into_iter().flat_map(Entries::iter);
    ExprValue::object(entries.map(|(name, value)| {
        let value = value.clone();
        (name.clone(), if name == field { value.sensitive() } else { value })
    }))
}
