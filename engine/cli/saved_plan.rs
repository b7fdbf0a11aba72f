//! The file of `terrane plan --out`.
//!
//! It holds decisions and no manifest: applying it plans again and refuses if what goes in or what is decided differs.

use std::path::{Path, PathBuf};

use engine_core::digest::{Digest, Print, Seal, SealKey};
use engine_core::plan::Plan;
use engine_core::plan::triage::desired_prints;
use engine_core::value::Value;
use engine_render::{Style, plan_json, plan_text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::args::Planning;
use crate::error::CommandError;
use crate::files::write_private;
use crate::session::Session;
use crate::terminal::say;

/// Version of the file's format.
const VERSION: &str = "1.3";

/// A saved plan.
#[derive(Serialize, Deserialize)]
pub struct SavedPlan {
    terrane_plan: String,
    /// The definition's directory, absolute: the plan may be applied from anywhere.
    pub directory: PathBuf,
    /// What functions of time gave, in RFC 3339.
    clock: String,
    /// Which part was planned, and how.
    pub planning: Planning,
    inputs: Inputs,
    /// [`Plan::decision_digest`], in hexadecimal digits.
    decision_digest: String,
    /// The plan as it was shown.
    pub text: String,
    /// The plan as JSON.
    pub plan: Box<RawValue>,
}

/// Digests of what a plan is made from.
#[derive(Serialize, Deserialize)]
struct Inputs {
    /// Of files, variables and manifests without what is sensitive.
    open: String,
    /// Of what is sensitive in the manifests, under the key.
    sealed: String,
    /// Tells keys apart; says nothing about the key.
    key: String,
}

impl SavedPlan {
    /// Writes a plan, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(
        path: &Path,
        session: &Session,
        plan: &Plan,
        planning: &Planning,
    ) -> Result<(), CommandError> {
        let failed = || format!("write the plan to {}", path.display());
        let json = RawValue::from_string(plan_json(plan)).map_err(CommandError::while_(failed()))?;
        let directory = session.workspace.home();
        let key = session.create_input_key()?;
        let (open, sealed) = digests(session, Some(&key));
        let saved = Self {
            terrane_plan: VERSION.into(),
            directory: directory
                .canonicalize()
                .map_err(CommandError::while_(format!("find {}", directory.display())))?,
            clock: session.workspace.clock().to_string(),
            planning: planning.clone(),
            inputs: Inputs {
                open: open.to_string(),
                sealed: sealed.unwrap_or(open).to_string(),
                key: name(&key),
            },
            decision_digest: plan.decision_digest().to_string(),
            text: plan_text(plan, Style::PLAIN),
            plan: json,
        };
        let text = serde_json::to_string(&saved).map_err(CommandError::while_(failed()))? + "\n";
        write_private(path, text.as_bytes()).map_err(CommandError::while_(failed()))
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// The file is no plan of this version.
    pub fn read(path: &Path) -> Result<Self, CommandError> {
        let text = std::fs::read_to_string(path)
            .map_err(CommandError::while_(format!("read {}", path.display())))?;
        let not_a_plan = || {
            CommandError::new(format!("{} is not a saved plan of this version", path.display()))
                .hint("make one with `terrane plan --out FILE`")
        };
        let saved: Self = serde_json::from_str(&text).map_err(|_| not_a_plan())?;
        let whole = saved.terrane_plan == VERSION && saved.digest().is_some() && saved.clock().is_some();
        if whole { Ok(saved) } else { Err(not_a_plan()) }
    }

    /// Returns what the plan decided.
    pub fn digest(&self) -> Option<Digest> {
        self.decision_digest.parse().ok()
    }

    /// Returns the moment that functions of time gave.
    pub fn clock(&self) -> Option<jiff::Timestamp> {
        self.clock.parse().ok()
    }

    /// Checks that a session would plan from the same definition and values.
    ///
    /// # Errors
    /// It would not.
    pub fn require_inputs(&self, session: &Session) -> Result<(), CommandError> {
        let key = session.input_key()?.filter(|key| name(key) == self.inputs.key);
        let (open, sealed) = digests(session, key.as_ref());
        let sealed_differs = sealed.is_some_and(|sealed| sealed.to_string() != self.inputs.sealed);
        if open.to_string() != self.inputs.open || sealed_differs {
            return Err(CommandError::new(
                "the definition, its variables or what it reads differ from those of the saved plan",
            )
            .hint("pass the same --var and --var-file as to `terrane plan`, or plan again"));
        }
        if sealed.is_none() {
            say(
                "warning: the plan was saved in another work copy: whether its sensitive values are the same cannot be told\n",
            );
        }
        Ok(())
    }
}

/// Returns the digest of what is open, and that of what is sensitive unless it takes a key that is not there.
fn digests(session: &Session, key: Option<&SealKey>) -> (Digest, Option<Digest>) {
    let definition = &session.definition;
    let files = definition.files.iter().map(|(path, digest)| pair(path.clone(), digest));
    let prints = desired_prints(&definition.graph, key);
    let mut prints: Vec<_> = prints.iter().collect();
    prints.sort_by_key(|(object_ref, _)| *object_ref);
    let named = |print: &Print, object_ref| pair(format!("{object_ref:?}"), print);
    let open = prints.iter().map(|(object_ref, print)| named(&print.open, object_ref));
    let open =
        Value::list([Value::list(files), Value::string(definition.variables.to_string()), Value::list(open)]);
    let known = prints.iter().all(|(_, print)| print.seal != Seal::Unknown);
    let sealed = prints.iter().filter_map(|(object_ref, print)| match &print.seal {
        Seal::Keyed(seal) => Some(named(seal, object_ref)),
        Seal::Empty | Seal::Unknown => None,
    });
    let sealed = Value::list(sealed);
    (Digest::of_value(&open), known.then(|| Digest::of_value(&sealed)))
}

fn pair(name: String, digest: &impl ToString) -> Value {
    Value::list([Value::string(name), Value::string(digest.to_string())])
}

fn name(key: &SealKey) -> String {
    Digest::of_bytes(key.expose()).short()
}
