//! The blocks of a root module only: `terrane`, `cluster` and `rollout`.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine_core::address::Address;
use engine_core::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, SourceSpan};
use engine_core::feasibility::CODES;
use engine_core::lock::Renewal;
use engine_core::value::Text;
use hcl_edit::structure::Block;

use super::constant::{Constants, typed};
use super::fields::{Fields, Name, expect_labels, head_span, twice};
use super::refactoring;
use super::resource::{listed, targets, timeout};
use super::wait_rule::wait_rules;
use super::{ClusterDeclaration, Rollout, Settings, StateDeclaration, Wave};
use crate::codes::{DUPLICATE, INVALID_ARGUMENT, LABELS, MISSING_ARGUMENT};
use crate::eval::did_you_mean;
use crate::expr_value::ExprValue;
use crate::types::Type;

/// Decodes the `terrane` block.
pub(super) fn settings(block: Block, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Option<Settings> {
    expect_labels(&block, file, &[], faults)?;
    let span = head_span(&block, file);
    let mut fields = Fields::new("block terrane".to_owned(), span.clone(), block.body, faults);
    let environment = fields.expr("environment");
    let adopt = fields.expr("adopt");
    let accept = accepted(&mut fields);
    let lock_renewal = renewal(&mut fields);
    let wait_rules = wait_rules(&mut fields, file);
    // Read by `overrides` before anything else.
    fields.expr("override");
    let states = fields.blocks("state");
    if states.len() > 1 {
        let span = states.get(1).map(|block| head_span(block, file));
        fields.fault(Diagnostic::error(DUPLICATE, "the state is chosen twice").at(span));
    }
    let state = states.into_iter().next().and_then(|block| state(block, file, fields.faults()));
    fields.finish();
    Some(Settings { span, environment, state, adopt, accept, lock_renewal, wait_rules })
}

fn state(block: Block, file: &Arc<SourceFile>, faults: &mut Diagnostics) -> Option<StateDeclaration> {
    let store = expect_labels(&block, file, &["STORE"], faults)?.pop()?;
    let span = head_span(&block, file);
    let mut fields = Fields::new(format!("state {:?}", store.text), span, block.body, faults);
    let state = match store.text.as_str() {
        "local" => StateDeclaration::Local { branch: fields.expr("branch") },
        "git" => StateDeclaration::Git { remote: fields.expr("remote"), branch: fields.expr("branch") },
        other => {
            let hint = did_you_mean(other, ["git", "local"])
                .unwrap_or_else(|| "the state is kept in \"git\" or \"local\"".to_owned());
            let summary = format!("there is no state store {other:?}");
            fields.fault(Diagnostic::error(LABELS, summary).at(store.span).hint(hint));
            return None;
        }
    };
    fields.finish();
    Some(state)
}

/// Decodes how often a run shows that it is alive. A constant: whoever waits for a lock should read it where it is
/// written.
fn renewal(fields: &mut Fields<'_>) -> Renewal {
    let Some(duration) = timeout(fields, &Constants::new(), "lock_renewal") else {
        return Renewal::default();
    };
    let renewal = u32::try_from(duration.as_secs()).ok().and_then(Renewal::every);
    if renewal.is_none() {
        let summary = "lock_renewal is a second at least, and no more than a century";
        fields.fault(Diagnostic::error(INVALID_ARGUMENT, summary).at(fields.span.clone()));
    }
    renewal.unwrap_or_default()
}

/// Decodes the findings of feasibility that are accepted. They are constants: what a plan passes over should be seen
/// where it is written.
fn accepted(fields: &mut Fields<'_>) -> BTreeSet<Code> {
    let Some(expr) = fields.expr("accept") else { return BTreeSet::new() };
    let list =
        Constants::new().value(&expr).and_then(|it| typed(&it, &Type::set(Type::String), "accept", &expr));
    let list = list.map_err(|found| fields.faults().extend(found)).unwrap_or(ExprValue::NULL);
    let texts = list.as_items().into_iter().flat_map(|items| items.iter()).filter_map(|item| item.as_text());
    let mut accepted = BTreeSet::new();
    for text in texts {
        match CODES.iter().find(|code| code.to_string() == *text) {
            Some(code) => accepted.extend([*code]),
            None => {
                let known: Vec<String> = CODES.iter().map(Code::to_string).collect();
                let fault = format!("{text:?} is no finding of feasibility");
                let hint = format!("accept takes {}", known.join(", "));
                fields.fault(Diagnostic::error(INVALID_ARGUMENT, fault).at(expr.span()).hint(hint));
            }
        }
    }
    accepted
}

/// Returns the module types for which the repository's own module is preferred, from the `terrane` blocks.
pub(super) fn overrides(
    block: &Block,
    file: &Arc<SourceFile>,
    constants: &Constants,
    faults: &mut Diagnostics,
) -> BTreeSet<Text> {
    let mut discarded = Diagnostics::default();
    let span = head_span(block, file);
    let mut fields = Fields::new(String::new(), span, block.body.clone(), &mut discarded);
    let list = constants.field(&mut fields, "override", &Type::set(Type::String));
    faults.extend(discarded);
    let items = list.as_ref().and_then(|list| list.as_items());
    items.into_iter().flat_map(|items| items.iter()).filter_map(|item| item.as_text().cloned()).collect()
}

/// Decodes a `cluster` block.
pub(super) fn cluster(
    block: Block,
    file: &Arc<SourceFile>,
    faults: &mut Diagnostics,
) -> Option<(Name, ClusterDeclaration)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    let what = format!("cluster {:?}", name.text);
    let mut fields = Fields::new(what, span.clone(), block.body, faults);
    let declaration = ClusterDeclaration {
        span,
        for_each: fields.expr("for_each"),
        context: fields.expr("context"),
        kubeconfig: fields.expr("kubeconfig"),
        sandbox: fields.expr("sandbox"),
        platform: fields.expr("platform"),
        depends_on: targets(&mut fields, ("depends_on", "cluster", "cluster.main")),
    };
    fields.finish();
    Some((name, declaration))
}

/// Decodes a `rollout` block.
pub(super) fn rollout(
    block: Block,
    file: &Arc<SourceFile>,
    constants: &Constants,
    faults: &mut Diagnostics,
) -> Option<(Name, Rollout)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    let mut fields = Fields::new(format!("rollout {:?}", name.text), span.clone(), block.body, faults);
    let blocks = fields.blocks("wave");
    if blocks.is_empty() {
        let fault = Diagnostic::error(MISSING_ARGUMENT, format!("{} has no wave", fields.what));
        fields.fault(fault.at(span.clone()).hint("add `wave \"first\" {\n  clusters = [cluster.main]\n}`"));
    }
    let mut waves: Vec<(Name, Wave)> = Vec::new();
    for block in blocks {
        let Some((name, new)) = wave(block, file, constants, fields.faults()) else { continue };
        match waves.iter().find(|(known, _)| known.text == name.text) {
            Some((first, _)) => {
                fields.fault(twice(&format!("wave {:?}", name.text), name.span, first.span.clone()));
            }
            None => waves.push((name, new)),
        }
    }
    fields.finish();
    Some((name, Rollout { span, waves: waves.into_iter().map(|(_, wave)| wave).collect() }))
}

fn wave(
    block: Block,
    file: &Arc<SourceFile>,
    constants: &Constants,
    faults: &mut Diagnostics,
) -> Option<(Name, Wave)> {
    let name = expect_labels(&block, file, &["NAME"], faults)?.pop()?;
    let span = head_span(&block, file);
    let mut fields = Fields::new(format!("wave {:?}", name.text), span, block.body, faults);
    if !fields.has("clusters") {
        fields.missing("clusters");
    }
    let wave = Wave {
        name: name.text.clone(),
        clusters: targets(&mut fields, ("clusters", "cluster", "cluster.main")),
        soak: fields.expr("soak"),
        checks: checks(&mut fields, constants),
        approval: fields.expr("approval"),
    };
    fields.finish();
    Some((name, wave))
}

/// Takes references to checks, of the root module or of modules that it uses.
fn checks(fields: &mut Fields<'_>, constants: &Constants) -> Vec<(Address, SourceSpan)> {
    let written = listed(fields, ("checks", "check", "check.well"), refactoring::parse);
    let resolved = written.into_iter().map(|check| {
        let address = check.resolve(&mut |key| constants.value(key))?;
        Ok((address, check.span))
    });
    let mut found = Vec::new();
    for check in resolved {
        match check {
            Ok(check) => found.push(check),
            Err(faults) => fields.faults().extend::<Diagnostics>(faults),
        }
    }
    found
}
