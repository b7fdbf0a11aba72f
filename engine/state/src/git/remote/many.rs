//! Fetching many refs at once.

use engine_core::ports::StateError;

use super::Remote;

impl Remote {
    /// Fetches all refs below one name into the mirror, below another one, and drops those that are gone.
    pub(in super::super) fn fetch_all(&self, theirs: &str, ours: &str) -> Result<(), StateError> {
        let refspec = format!("+{theirs}/*:{ours}/*");
        let options = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--prune", "--"];
        let output = self.git(&[&options[..], &[&self.fetch_url, &refspec]].concat())?;
        if output.success {
            return Ok(());
        }
        Err(self.error(&self.fetch_url, output.answer(&self.secrets)))
    }
}
