//! Rules in CEL that a definition gives for kinds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use cel::objects::{Key, Map};
use cel::{Context, Env, ExecutionError, Program, Value as Cel};
use engine_core::object::Object;
use engine_core::object_ref::GroupKind;
use engine_core::status::Status;
use engine_core::value::Value;
use engine_core::wait_rule::{CelExpression, WaitRule};

use super::unobserved;
use super::view::View;

/// How often the innermost part of an expression may be evaluated, at most.
const MOST_STEPS: u64 = 1_000_000;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// The rules of a definition, by kind.
#[derive(Default)]
pub(crate) struct Rules(BTreeMap<GroupKind, Rule>);

struct Rule {
    in_progress: Option<Compiled>,
    failed: Option<Compiled>,
    current: Compiled,
}

struct Compiled {
    /// `None` for a text that is no expression. A definition has none.
    program: Option<Program>,
    loops: u32,
}

/// Why an expression gives no boolean.
enum Fault {
    /// A field is not there: the expression does not hold.
    Absent,
    /// It never will, or only for another object; says why.
    Broken(String),
}

impl Rules {
    pub(crate) fn new(rules: &[WaitRule]) -> Self {
        let compiled = |expression: &CelExpression| Compiled {
            program: ENVIRONMENT.compile(&expression.text).ok(),
            loops: expression.loops,
        };
        let rules = rules.iter().map(|rule| {
            let compiled = Rule {
                in_progress: rule.in_progress.as_ref().map(compiled),
                failed: rule.failed.as_ref().map(compiled),
                current: compiled(&rule.current),
            };
            (rule.kind.clone(), compiled)
        });
        Self(rules.collect())
    }

    /// Returns the readiness of an object of a kind that has a rule. One that is being deleted has none, and what
    /// its controller has not seen yet is on its way whatever the rule says.
    pub(crate) fn status(&self, object: &Object) -> Option<Status> {
        let view = View::new(object.body(), SystemTime::UNIX_EPOCH);
        let (group, kind) = view.group_kind();
        let rule = self.0.get(&GroupKind::new(group, kind)).filter(|_| !object.is_terminating())?;
        Some(unobserved(&view).unwrap_or_else(|| rule.status(&view, object.body())))
    }
}

impl Rule {
    /// The order is that of Flux: whatever says that an object is on its way is believed.
    fn status(&self, view: &View<'_>, body: &Value) -> Status {
        let longest = longest(body);
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("self", convert(body));
        let holds = |compiled: &Compiled| compiled.holds(&context, longest);
        let judged = (|| {
            if self.in_progress.as_ref().map_or(Ok(false), holds)? {
                return Ok(Status::InProgress(words(view, "on its way by its wait rule")));
            }
            if self.failed.as_ref().map_or(Ok(false), holds)? {
                return Ok(Status::Failed(words(view, "failed by its wait rule")));
            }
            Ok(match holds(&self.current)? {
                true => Status::Current,
                false => Status::InProgress(words(view, "not current yet by its wait rule")),
            })
        })();
        judged.unwrap_or_else(|why: String| {
            Status::Failed(format!("the wait rule of its kind cannot be evaluated: {why}"))
        })
    }
}

impl Compiled {
    fn holds(&self, context: &Context<'_, '_>, longest: u64) -> Result<bool, String> {
        if longest.checked_pow(self.loops).is_none_or(|steps| steps > MOST_STEPS) {
            return Err(format!("its loops over {longest} items cost too much"));
        }
        let program = self.program.as_ref().ok_or("it is no expression")?;
        match program.execute(context).map_err(|error| fault(&error)) {
            Ok(Cel::Bool(holds)) => Ok(holds),
            Ok(_) => Err(String::from("it gives no boolean")),
            Err(Fault::Absent) => Ok(false),
            Err(Fault::Broken(why)) => Err(why),
        }
    }
}

/// Says what is wrong without the values that it is wrong with: they may be secret.
fn fault(error: &ExecutionError) -> Fault {
    match error {
        ExecutionError::NoSuchKey(_) | ExecutionError::IndexOutOfBounds(_) => Fault::Absent,
        ExecutionError::UndeclaredReference(name) => Fault::Broken(format!("there is no {name}")),
        ExecutionError::NoSuchOverload(error) => Fault::Broken(error.to_string()),
        _ => Fault::Broken(String::from("its operands do not fit")),
    }
}

/// Returns what the object says itself of how it fares.
fn words(view: &View<'_>, otherwise: &str) -> String {
    let ready = view.condition("Ready").filter(|condition| !condition.is_true());
    let said = ready.and_then(|condition| condition.message.or(condition.reason));
    let said = said.or_else(|| view.text(&["status", "message"])).filter(|text| !text.is_empty());
    let phase = || {
        let phase = view.text(&["status", "phase"]).or_else(|| view.text(&["status", "state"]));
        phase.map(|phase| format!("in phase {phase}"))
    };
    said.map(str::to_owned).or_else(phase).unwrap_or_else(|| otherwise.to_owned())
}

/// Returns how many items the longest list or map has.
fn longest(value: &Value) -> u64 {
    match value {
        Value::List(items) => items.iter().map(longest).max().unwrap_or(0).max(items.len() as u64),
        Value::Map(map) => {
            map.iter().map(|(_, value)| longest(value)).max().unwrap_or(0).max(map.iter().count() as u64)
        }
        _ => 1,
    }
}

/// What is null is not there.
fn convert(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(bool) => Cel::Bool(*bool),
        Value::Number(number) => number.as_i64().map_or_else(|| Cel::Float(number.to_f64()), Cel::Int),
        Value::String(text) => Cel::String(Arc::new(text.to_string())),
        Value::List(items) => Cel::List(Arc::new(items.iter().map(convert).collect())),
        Value::Map(map) => {
            let entries = map.iter().filter(|(_, value)| **value != Value::Null);
            let entries =
                entries.map(|(name, value)| (Key::String(Arc::new(name.to_string())), convert(value)));
            Cel::Map(Map { map: Arc::new(entries.collect::<HashMap<Key, Cel>>()) })
        }
    }
}

#[cfg(test)]
mod tests;
