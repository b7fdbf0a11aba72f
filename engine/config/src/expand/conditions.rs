//! Preconditions, postconditions and checks: whether what must hold does, as far as it can be told.

use std::collections::{BTreeMap, BTreeSet};

use engine_core::address::{Address, Step};
use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceSpan};
use engine_core::resource::Resource;
use engine_core::value::Text;

use super::block::Site;
use super::scope::{Repeated, Uses, evaluate_about};
use super::{Frame, Walk};
use crate::codes::{CHECK, CHECK_OPEN, CONDITION, CONDITION_OPEN, SENSITIVE, VALIDATION};
use crate::convert::convert;
use crate::expr_value::ExprValue;
use crate::module::{Check, Condition, Declaration, Output};
use crate::types::Type;

/// Whether a condition holds.
pub(super) enum Verdict {
    Holds,
    /// It is known only after apply.
    Open,
    /// It does not; what its author says to that.
    Fails(String),
}

/// What has been found of conditions and checks.
#[derive(Default)]
pub(crate) struct Verdicts {
    /// Preconditions that do not hold, by the instance they guard.
    pub(crate) before: BTreeMap<Address, Diagnostics>,
    /// Postconditions that do not hold, by the resource.
    pub(crate) after: BTreeMap<Address, Diagnostics>,
    /// Preconditions of outputs that do not hold.
    pub(crate) outputs: Diagnostics,
    /// Instances with preconditions that are known only after apply.
    pub(crate) open: BTreeSet<Address>,
    /// What each check warns of, in the order of the walk.
    pub(crate) checks: Vec<(Address, Vec<Diagnostic>)>,
    /// Reads of checks without an answer.
    pub(crate) asked: Vec<Asked>,
}

/// An object that a check wants to know.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) resource: Resource,
    /// Whether it depends on something that an apply does.
    pub(crate) planned: bool,
}

impl Verdicts {
    /// Returns all that does not hold and must.
    pub(crate) fn faults(&self) -> Diagnostics {
        let mut faults = self.outputs.clone();
        self.before.values().chain(self.after.values()).for_each(|found| faults.extend(found.clone()));
        faults
    }
}

impl Walk<'_> {
    /// Judges a condition; `subject` is what `self` stands for in it.
    pub(super) fn verdict(
        &self,
        frame: &Frame<'_>,
        rule: &Condition,
        (repeated, subject): (&Repeated, Option<&ExprValue>),
        uses: &mut Uses,
    ) -> Result<Verdict, Diagnostics> {
        let facts = self.ground.facts;
        let mut evaluate = |expr| evaluate_about(facts, frame, expr, (repeated, subject), uses);
        let condition = evaluate(&rule.condition)?;
        let condition = convert(&condition, &Type::Bool).unwrap_or(condition);
        match condition.as_bool() {
            _ if condition.is_unknown() => return Ok(Verdict::Open),
            Some(true) => return Ok(Verdict::Holds),
            Some(false) => {}
            None => {
                return Err(Diagnostic::error(VALIDATION, "a condition must be true or false")
                    .at(rule.condition.span())
                    .hint("write a comparison, such as `var.n > 0`, or can(…)")
                    .into());
            }
        }
        let message = evaluate(&rule.message)?;
        if message.contains_sensitive() {
            let summary = "an error message holds a sensitive value";
            return Err(Diagnostic::error(SENSITIVE, summary).at(rule.message.span()).into());
        }
        Ok(Verdict::Fails(message.as_str().unwrap_or("the condition does not hold").to_owned()))
    }

    /// Judges the preconditions of an instance; returns whether some are known only after apply.
    pub(super) fn preconditions(
        &mut self,
        frame: &Frame<'_>,
        (declaration, address): (&Declaration, &Address),
        repeated: &Repeated,
        uses: &mut Uses,
    ) -> bool {
        let mut open = false;
        for rule in &declaration.conditions.before {
            let faults = match self.verdict(frame, rule, (repeated, None), uses) {
                Ok(Verdict::Holds) => continue,
                Ok(Verdict::Open) => {
                    open = true;
                    continue;
                }
                Ok(Verdict::Fails(message)) => broken("precondition", address, &message, rule),
                Err(faults) => faults,
            };
            self.verdicts.before.entry(address.clone()).or_default().extend(faults);
        }
        if open {
            self.verdicts.open.insert(address.clone());
        }
        open
    }

    /// Judges the postconditions of a primitive: without its objects as far as that goes, and with those that are
    /// known. Returns whether they have to be judged again after an apply.
    pub(super) fn postconditions(&mut self, frame: &Frame<'_>, site: &Site<'_>, uses: &mut Uses) -> bool {
        let mut open = false;
        let unknown = ExprValue::unknown(Type::Any);
        for rule in &site.declaration.conditions.after {
            match self.verdict(frame, rule, (site.repeated, Some(&unknown)), uses) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::Open) => open = true,
                Ok(Verdict::Fails(message)) => {
                    self.breaks(&site.address, broken("postcondition", &site.address, &message, rule));
                }
                Err(faults) => self.breaks(&site.address, faults),
            }
        }
        let ground = self.ground;
        for (address, live) in ground.subjects.iter().filter(|(address, _)| address.is_within(&site.address))
        {
            self.after(frame, site, (address, live), uses);
        }
        open
    }

    /// Judges the postconditions of one resource whose object is known.
    pub(super) fn after(
        &mut self,
        frame: &Frame<'_>,
        site: &Site<'_>,
        (address, live): (&Address, &ExprValue),
        uses: &mut Uses,
    ) {
        for rule in &site.declaration.conditions.after {
            match self.verdict(frame, rule, (site.repeated, Some(live)), uses) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::Open) => {
                    let summary = format!("postcondition of {address} is still not known");
                    let fault = Diagnostic::error(CONDITION_OPEN, summary).at(rule.condition.span());
                    self.breaks(address, fault.about(address.clone()).into());
                }
                Ok(Verdict::Fails(message)) => {
                    self.breaks(address, broken("postcondition", address, &message, rule));
                }
                Err(faults) => self.breaks(address, faults),
            }
        }
    }

    fn breaks(&mut self, address: &Address, faults: Diagnostics) {
        self.verdicts.after.entry(address.clone()).or_default().extend(faults);
    }

    /// Judges the preconditions of an output; returns whether its value may be given.
    pub(super) fn may_give(&mut self, frame: &Frame<'_>, name: &Text, output: &Output) -> bool {
        let mut may = true;
        for rule in &output.preconditions {
            match self.verdict(frame, rule, (&Repeated::Once, None), &mut Uses::default()) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::Open) => may = false,
                Ok(Verdict::Fails(message)) => {
                    let fault =
                        Diagnostic::error(CONDITION, format!("precondition of output {name}: {message}"))
                            .at(rule.condition.span())
                            .label(output.span.clone(), "the output")
                            .hint(MEND);
                    self.verdicts.outputs.push(fault);
                }
                Err(faults) => self.verdicts.outputs.extend(faults),
            }
        }
        may
    }

    /// Judges the checks of a module instance. What they find is never a fault.
    pub(super) fn checks(&mut self, frame: &Frame<'_>) {
        for (name, check) in &frame.module.checks {
            let address = frame.child(Step::new("check", name.clone(), None));
            let warnings = self.check(frame, (&address, name), check);
            self.verdicts.checks.push((address, warnings));
        }
    }

    fn check(
        &mut self,
        frame: &Frame<'_>,
        (address, name): (&Address, &Text),
        check: &Check,
    ) -> Vec<Diagnostic> {
        let warning = |summary: String, span: SourceSpan| {
            Diagnostic::warning(CHECK, summary).at(span).label(check.span.clone(), "the check")
        };
        if let Some(read) = self.absent(frame, name) {
            let summary = format!("{address} failed: the object of {read} does not exist or cannot be read");
            return vec![Diagnostic::warning(CHECK, summary).at(check.span.clone())];
        }
        let mut found = Vec::new();
        for rule in &check.assertions {
            match self.verdict(frame, rule, (&Repeated::Once, None), &mut Uses::default()) {
                Ok(Verdict::Holds) => {}
                Ok(Verdict::Open) => {
                    let summary = format!("{address} is known only after apply");
                    found.push(Diagnostic::warning(CHECK_OPEN, summary).at(rule.condition.span()));
                }
                Ok(Verdict::Fails(message)) => {
                    let summary = format!("{address} failed: {message}");
                    found.push(warning(summary, rule.condition.span()));
                }
                Err(faults) => {
                    let why = faults.iter().map(|fault| fault.summary.clone()).collect::<Vec<_>>().join("; ");
                    let summary = format!("{address} cannot be judged: {why}");
                    found.push(warning(summary, rule.condition.span()));
                }
            }
        }
        found
    }

    /// Returns the read of a check whose object was looked for and is not there.
    fn absent(&self, frame: &Frame<'_>, check: &Text) -> Option<String> {
        let read = frame.module.blocks.iter().find(|block| block.scope.as_ref() == Some(check))?;
        let step = Step::new(read.block_type.clone(), read.name.clone(), None);
        let answer = self.ground.reads.get(&frame.child(step))?;
        (*answer == engine_core::value::Value::Null).then(|| read.title())
    }
}

const MEND: &str = "change what the condition depends on, so that it holds";

fn broken(what: &str, address: &Address, message: &str, rule: &Condition) -> Diagnostics {
    Diagnostic::error(CONDITION, format!("{what} of {address}: {message}"))
        .at(rule.condition.span())
        .about(address.clone())
        .hint(MEND)
        .into()
}
