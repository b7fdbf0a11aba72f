//! The file of `terrane plan --out`.
//!
//! It holds decisions and no manifest: applying it plans again and refuses if the decision differs.

use std::path::{Path, PathBuf};

use engine_core::digest::Digest;
use engine_core::plan::Plan;
use engine_render::{Style, plan_json, plan_text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::CommandError;
use crate::files::write_private;

/// Version of the file's format.
const VERSION: &str = "1.0";

/// A saved plan.
#[derive(Serialize, Deserialize)]
pub struct SavedPlan {
    terrane_plan: String,
    /// The definition's directory, from where the plan was made.
    pub directory: PathBuf,
    /// [`Plan::decision_digest`], in hexadecimal digits.
    decision_digest: String,
    /// The plan as it was shown.
    pub text: String,
    /// The plan as JSON.
    pub plan: Box<RawValue>,
}

impl SavedPlan {
    /// Writes a plan, readable by its owner only.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(path: &Path, directory: &Path, plan: &Plan) -> Result<(), CommandError> {
        let failed = || format!("write the plan to {}", path.display());
        let json = RawValue::from_string(plan_json(plan)).map_err(CommandError::while_(failed()))?;
        let saved = Self {
            terrane_plan: VERSION.into(),
            directory: directory.to_path_buf(),
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
        if saved.terrane_plan == VERSION && saved.digest().is_some() { Ok(saved) } else { Err(not_a_plan()) }
    }

    /// Returns what the plan decided.
    pub fn digest(&self) -> Option<Digest> {
        self.decision_digest.parse().ok()
    }
}
