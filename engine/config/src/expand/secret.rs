//! `secret`: a Kubernetes Secret whose generated values are made at apply and reused while they are there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine_core::diagnostic::{Diagnostic, Diagnostics};
use engine_core::digest::Digest;
use engine_core::field_path::FieldPath;
use engine_core::object_ref::{GroupKind, ObjectRef};
use engine_core::resource::{Body as ResourceBody, Lifecycle, Read, Resource};
use engine_core::value::{Text, Value};

use super::block::Site;
use super::object::{cluster, kept, secret_key};
use super::scope::Uses;
use super::{Frame, Walk};
use crate::codes::{DUPLICATE, GENERATE, INVALID_ARGUMENT, SENSITIVE, UNKNOWN_IDENTITY};
use crate::convert::convert;
use crate::expr_value::{Entries, ExprValue};
use crate::generate::Shape;
use crate::module::{Argument, Expr, Secret};
use crate::types::Type;

/// The annotation in which a Secret keeps the digest of its keepers.
const KEEPERS: &str = "terrane.dev/keepers";

/// The values of a Secret by key: as text, and as the object holds them.
type Payload = Vec<(Text, ExprValue, ExprValue)>;

impl Walk<'_> {
    /// Evaluates one instance of a `secret` block.
    pub(super) fn secret(
        &mut self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        secret: &Secret,
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        let span = &site.declaration.span;
        let name = match &secret.name {
            None => Some(ExprValue::string(&site.declaration.name)),
            Some(expr) => self.known(frame, site, (expr, "name", &Type::String), uses)?,
        };
        let namespace = self.known(frame, site, (&secret.namespace, "namespace", &Type::String), uses)?;
        let (Some(name), Some(namespace)) = (name, namespace) else {
            return Ok(ExprValue::unknown(Type::Any));
        };
        let keepers = self.keepers(frame, site, secret.keepers.as_ref(), uses)?;
        let mut payload = self.data(frame, site, secret.data.as_ref(), uses)?;
        let shapes = self.shapes(frame, site, secret.generate.as_ref(), uses)?;
        if let Some((key, _)) = shapes.iter().find(|(key, _)| payload.iter().any(|(known, ..)| known == key))
        {
            let summary = format!("{key} of {} is both given and generated", site.address);
            return Err(Diagnostic::error(DUPLICATE, summary).at(span.clone()).into());
        }
        if !shapes.is_empty() {
            self.look_up(site, (&name, &namespace))?;
        }
        // Null where there is none, nothing as long as nobody has looked.
        let live = self.ground.reads.get(&site.address);
        for (key, shape) in shapes {
            let value = self.generated(site, (&key, &shape), &keepers, live)?;
            payload.push((key, text_of(&value), value));
        }
        let object =
            self.secret_object(frame, site, secret, (&name, &namespace, &keepers, &payload), uses)?;
        let mut plain = object.to_plain();
        let data = FieldPath::fields(["data"]);
        // The one place that is there to take it.
        plain.ephemeral.retain(|path| !path.starts_with(&data));
        let Some(manifest) = self.manifest(site, plain, span)? else {
            return Ok(ExprValue::unknown(Type::Any));
        };
        self.add_object(site, site.address.clone(), manifest, None);
        let texts = payload.into_iter().map(|(key, text, _)| (key, text.sensitive()));
        Ok(ExprValue::object([
            ("name".into(), name),
            ("namespace".into(), namespace),
            ("data".into(), ExprValue::object(texts)),
        ]))
    }

    /// Returns the digest of the keepers, null without any.
    fn keepers(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        argument: Option<&Argument>,
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        let Some(argument) = argument else { return Ok(ExprValue::NULL) };
        let value = self.argument(frame, argument, site.repeated, uses)?;
        if value.contains_ephemeral() {
            return Err(kept("keepers", site, &argument.span()));
        }
        if value.contains_sensitive() {
            return Err(Diagnostic::error(SENSITIVE, format!("keepers of {} are sensitive", site.address))
                .detail(
                    "The Secret keeps a digest of them that everybody can read who reads its annotations.",
                )
                .at(argument.span())
                .into());
        }
        Ok(match value.to_value() {
            Ok(Value::Null) => ExprValue::NULL,
            Ok(value) => ExprValue::string(Digest::of_value(&value).to_string()),
            Err(_) => ExprValue::unknown(Type::String),
        })
    }

    /// Evaluates `data`. Nulls are left out.
    fn data(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        argument: Option<&Argument>,
        uses: &mut Uses,
    ) -> Result<Payload, Diagnostics> {
        let given = argument.map(|argument| self.given(frame, argument, site.repeated, uses)).transpose()?;
        let (Some(argument), Some(value)) = (argument, given.flatten()) else { return Ok(Vec::new()) };
        if value.is_unknown() && self.is_provisional() {
            return Ok(Vec::new());
        }
        if value.is_unknown() {
            let summary = format!("the keys of data of {} are known only after apply", site.address);
            return Err(Diagnostic::error(UNKNOWN_IDENTITY, summary)
                .detail("A plan must be able to say which keys there are.")
                .at(argument.span())
                .into());
        }
        if value.has_secret_keys() {
            return Err(secret_key("data", site, &argument.span()));
        }
        let map = convert(&value, &Type::map(Type::String)).map_err(|error| {
            Diagnostic::error(INVALID_ARGUMENT, format!("invalid value for data: {error}"))
                .at(argument.span())
                .hint("give a map whose values are text; jsonencode(…) makes text of anything")
        })?;
        let marks = |it: ExprValue| it.with_ephemerality_of(value.is_ephemeral());
        let entries =
            map.as_entries().into_iter().flat_map(Entries::iter).filter(|(_, text)| !text.is_null());
        Ok(entries.map(|(key, text)| (key.clone(), marks(text.clone()), marks(encoded(text)))).collect())
    }

    fn shapes(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        argument: Option<&Argument>,
        uses: &mut Uses,
    ) -> Result<Vec<(Text, Shape)>, Diagnostics> {
        let Some(argument) = argument else { return Ok(Vec::new()) };
        let value = self.argument(frame, argument, site.repeated, uses)?;
        let fault = |code, summary| Diagnostics::from(Diagnostic::error(code, summary).at(argument.span()));
        if value.is_null() || !value.is_wholly_known() && self.is_provisional() {
            return Ok(Vec::new());
        }
        if value.contains_sensitive() {
            return Err(fault(SENSITIVE, format!("generate of {} is sensitive", site.address)));
        }
        if !value.is_wholly_known() {
            return Err(fault(
                UNKNOWN_IDENTITY,
                format!("generate of {} is known only after apply", site.address),
            ));
        }
        let Some(entries) = value.as_entries() else {
            return Err(fault(INVALID_ARGUMENT, format!("generate of {} must be an object", site.address)));
        };
        let shape = |(key, value): (&Text, &ExprValue)| {
            let shape = Shape::new(value);
            let shape =
                shape.map_err(|why| fault(INVALID_ARGUMENT, format!("{key} cannot be generated: {why}")));
            Ok((key.clone(), shape?))
        };
        entries.iter().map(shape).collect()
    }

    /// Asks for the Secret as the cluster has it, unless that has been answered.
    fn look_up(
        &mut self,
        site: &Site<'_>,
        (name, namespace): (&ExprValue, &ExprValue),
    ) -> Result<(), Diagnostics> {
        if !self.ground.reads.contains_key(&site.address) {
            let object_ref = ObjectRef {
                cluster: cluster(site, &site.declaration.span)?,
                kind: GroupKind::new("", "Secret"),
                namespace: namespace.as_text().cloned(),
                name: name.as_text().cloned().unwrap_or_default(),
            };
            self.pending.push(Resource {
                address: site.address.clone(),
                body: ResourceBody::Read(Read { object_ref, api_version: None }),
                lifecycle: Lifecycle::default(),
                wait: site.inherited.wait,
                timeouts: site.inherited.timeouts,
                span: Some(site.declaration.span.clone()),
            });
        }
        Ok(())
    }

    /// Returns a generated value as the object holds it: the one that is there while the keepers are the same, or else
    /// a new one, which only an apply makes.
    fn generated(
        &self,
        site: &Site<'_>,
        (key, shape): (&Text, &Shape),
        keepers: &ExprValue,
        live: Option<&Value>,
    ) -> Result<ExprValue, Diagnostics> {
        let Some(live) = live.filter(|_| !keepers.is_unknown()) else {
            return Ok(ExprValue::unknown(Type::String).sensitive());
        };
        let kept = live.str_at(&["metadata", "annotations", KEEPERS]) == keepers.as_str();
        if let Some(value) = live.str_at(&["data", key]).filter(|value| kept && !value.is_empty()) {
            return Ok(ExprValue::text(value.into()).sensitive());
        }
        let Some(generated) = self.ground.generated else {
            return Ok(ExprValue::unknown(Type::String).sensitive());
        };
        let value = generated.value(&site.address, key, shape).map_err(|error| {
            Diagnostic::error(GENERATE, format!("{key} of {} cannot be generated: {error}", site.address))
                .at(site.declaration.span.clone())
        })?;
        Ok(encoded(&ExprValue::text(value)).sensitive())
    }

    fn secret_object(
        &self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        secret: &Secret,
        (name, namespace, keepers, payload): (&ExprValue, &ExprValue, &ExprValue, &Payload),
        uses: &mut Uses,
    ) -> Result<ExprValue, Diagnostics> {
        let mut metadata = vec![("name".into(), name.clone()), ("namespace".into(), namespace.clone())];
        let mut annotations = Vec::new();
        for (field, argument) in [("labels", &secret.labels), ("annotations", &secret.annotations)] {
            let Some(argument) = argument else { continue };
            let value = self.argument(frame, argument, site.repeated, uses)?;
            match value.as_entries() {
                Some(entries) if field == "annotations" => {
                    annotations.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                _ => metadata.push((field.into(), value)),
            }
        }
        if !keepers.is_null() {
            annotations.push((KEEPERS.into(), keepers.clone()));
        }
        if !annotations.is_empty() {
            metadata.push(("annotations".into(), ExprValue::object(annotations)));
        }
        let data = payload.iter().map(|(key, _, encoded)| (key.clone(), encoded.clone()));
        let mut object = vec![
            ("apiVersion".into(), ExprValue::string("v1")),
            ("kind".into(), ExprValue::string("Secret")),
            ("metadata".into(), ExprValue::object(metadata)),
            ("data".into(), ExprValue::object(data)),
        ];
        let scalars: [(&str, &Option<Expr>); 2] =
            [("type", &secret.secret_type), ("immutable", &secret.immutable)];
        for (field, expr) in scalars {
            if let Some(expr) = expr {
                object.push((field.into(), self.expr(frame, expr, site.repeated, uses)?));
            }
        }
        Ok(ExprValue::object(object))
    }
}

/// Returns text as a Secret holds it.
fn encoded(text: &ExprValue) -> ExprValue {
    let value = match text.as_str() {
        Some(text) => ExprValue::string(STANDARD.encode(text)),
        None => ExprValue::unknown(Type::String),
    };
    value.with_sensitivity_of(true).with_ephemerality_of(text.is_ephemeral())
}

/// Returns the text of what a Secret holds, null for what is no text.
fn text_of(encoded: &ExprValue) -> ExprValue {
    let Some(text) = encoded.as_str() else { return ExprValue::unknown(Type::String) };
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8(bytes).map_or(ExprValue::NULL, |text| ExprValue::text(text.into()))
}
