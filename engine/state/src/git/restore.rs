//! Brings back what the chain had, or has lost.

use engine_core::ports::{Revision, StateError, Stored, Tip};
use engine_core::state::State;
use git2::{Oid, Repository};

use super::commit::{self, Draft, Link};
use super::{GitStore, chain, local};

/// Of a revision's name fewer characters than this could be anything.
const SHORTEST_NAME: usize = 4;

impl GitStore {
    /// Returns the newest revision, not compared with what was seen before.
    pub(super) fn found_tip(&self) -> Result<Option<Tip>, StateError> {
        let repository = local::open(&self.chain)?;
        let Some(oid) = self.tip(&repository)? else { return Ok(None) };
        let link = commit::read(&commit::find(&repository, oid)?)?;
        let state = chain::tip(&repository, oid, &self.environment).map(|tip| tip.state);
        let (serial, lineage) = (link.step.serial, link.step.lineage);
        Ok(Some(Tip { revision: Revision(oid.to_string()), serial, lineage, state }))
    }

    /// Finds a revision by serial or by the start of its commit's name.
    pub(super) fn find_revision(&self, name: &str) -> Result<Option<Stored>, StateError> {
        let repository = local::open(&self.chain)?;
        let tip = self.tip(&repository)?;
        let by_serial = match name.parse() {
            Ok(serial) => self.with_archives(|| self.by_serial(&repository, tip, serial))?,
            Err(_) => None,
        };
        let is_name = name.len() >= SHORTEST_NAME && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let by_name = || is_name.then(|| repository.find_commit_by_prefix(name).ok()).flatten();
        let oid = by_serial.or_else(|| by_name().map(|commit| commit.id()));
        let Some(oid) = oid else { return Ok(None) };
        let tip = chain::tip(&repository, oid, &self.environment)?;
        Ok(Some(Stored { revision: Revision(oid.to_string()), state: tip.state }))
    }

    /// Looks for a serial in the chain, then in what was lost of it.
    fn by_serial(
        &self,
        repository: &Repository,
        tip: Option<Oid>,
        serial: u64,
    ) -> Result<Option<Oid>, StateError> {
        let mut starts: Vec<Oid> = tip.into_iter().collect();
        if let Some(seen) = self.high_water.as_ref().and_then(|mark| mark.read().ok()?) {
            starts.push(seen.revision);
        }
        for start in starts {
            let Ok(commit) = commit::find(repository, start) else { continue };
            let mut next = Some(commit::read(&commit)?);
            while let Some(link) = next.take().filter(|link| link.step.serial >= serial) {
                if link.step.serial == serial {
                    return Ok(Some(link.oid));
                }
                next = chain::parent(repository, &link)?;
            }
        }
        Ok(None)
    }

    /// Makes a revision the newest one, or its content. If it is the newest already, from now on it is what was seen.
    pub(super) fn bring_back(
        &self,
        expected: Option<&Revision>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<Stored, StateError> {
        let repository = local::open_durable(&self.chain)?;
        let expected = expected.map(chain::oid).transpose()?;
        let oid = chain::oid(&wanted.revision)?;
        let link = commit::read(&commit::find(&repository, oid)?)?;
        let tip = expected.map(|tip| commit::read(&commit::find(&repository, tip)?)).transpose()?;
        if expected == Some(oid) {
            self.remember(&chain::Tip { link, state: wanted.state.clone() });
            return Ok(wanted.clone());
        }
        if self.branch.is_some() {
            return self.bring_back_in_branch(&repository, tip.as_ref(), wanted, summary);
        }
        let (link, state) = match &tip {
            Some(tip) if !is_ahead(&repository, &link, tip)? => {
                self.keep_lost(&repository, tip, &link);
                self.on_top(&repository, Some(tip), wanted, summary)?
            }
            // Nobody takes a commit without those before it.
            None if !chain::is_whole(&repository, &link)? => {
                self.on_top(&repository, None, wanted, summary)?
            }
            _ => (link, wanted.state.clone()),
        };
        let names = (self.reference(), self.tip_reference());
        self.publish(&repository, (&names.0, &names.1), expected, link.oid)?;
        let revision = Revision(link.oid.to_string());
        self.remember(&chain::Tip { link, state: state.clone() });
        Ok(Stored { revision, state })
    }

    /// Keeps a chain of which the ref has no trace any more where everybody finds it: who has seen any of it can tell
    /// then that nothing of it is lost.
    fn keep_lost(&self, repository: &Repository, tip: &Link, lost: &Link) {
        let is_part = chain::descends(repository, tip, lost.oid, lost.step.serial);
        if is_part.is_ok_and(|is_part| is_part) {
            return;
        }
        if let Err(error) = self.keep_old(repository, lost) {
            tracing::warn!(%error, "the lost chain cannot be kept for others: they accept the new one by hand");
        }
    }

    /// Writes the content of a revision as one that follows the tip, or where there is none as the first.
    fn on_top(
        &self,
        repository: &Repository,
        tip: Option<&Link>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<(Link, State), StateError> {
        let next = self.content_after(repository, tip, wanted);
        let draft = Draft { summary, restored: Some(chain::oid(&wanted.revision)?), ..Draft::default() };
        Ok((commit::write(repository, tip.map(|tip| tip.oid), &next, draft, &self.author)?, next))
    }

    /// A branch is never moved back or begun for one environment: the others have their states in it.
    fn bring_back_in_branch(
        &self,
        repository: &Repository,
        tip: Option<&Link>,
        wanted: &Stored,
        summary: &str,
    ) -> Result<Stored, StateError> {
        let state = self.content_after(repository, tip, wanted);
        let draft = Draft { summary, restored: Some(chain::oid(&wanted.revision)?), ..Draft::default() };
        let link = self.advance_branch(tip.map(|tip| tip.oid), &state, draft)?;
        let revision = Revision(link.oid.to_string());
        self.remember(&chain::Tip { link, state: state.clone() });
        Ok(Stored { revision, state })
    }

    fn content_after(&self, repository: &Repository, tip: Option<&Link>, wanted: &Stored) -> State {
        let Some(tip) = tip else { return wanted.state.restored_after(&wanted.state) };
        // What cannot be read any more is known by what its commit says.
        let newest = chain::tip(repository, tip.oid, &self.environment).map(|tip| tip.state);
        let newest = newest.unwrap_or_else(|_| State {
            serial: tip.step.serial,
            epoch: tip.step.epoch,
            ..State::empty(self.environment.clone(), tip.step.lineage.clone())
        });
        wanted.state.restored_after(&newest)
    }
}

/// Tells whether a revision follows the tip: then the chain was rewound.
fn is_ahead(repository: &Repository, link: &Link, tip: &Link) -> Result<bool, StateError> {
    Ok(link.oid != tip.oid && chain::descends(repository, link, tip.oid, tip.step.serial)?)
}
