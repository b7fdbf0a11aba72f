//! Looks at every revision of a chain.
//!
//! Ten thousand revisions of five hundred objects are a gigabyte of text in which few lines are new: a line that was
//! found good once, and a file that was, are not decoded again.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::path::Path;

use engine_core::mark::EnvironmentName;
use engine_core::ports::{Revision, RevisionFault, StateError, Verified};
use git2::{Oid, Repository};

use super::commit::{self, Link};
use super::{chain, local};
use crate::format::{Files, Lines, Schema};
use crate::line::single_line;
use crate::step::check_successor;

/// Looks at the chain that ends at `tip`.
pub(super) fn verify(
    directory: &Path,
    tip: Oid,
    environment: &EnvironmentName,
) -> Result<Verified, StateError> {
    let repository = local::open(directory)?;
    let mut walk = Walk::default();
    walk.run(&repository, tip);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = walk.links.len().div_ceil(threads).max(1);
    let contents = std::thread::scope(|scope| {
        let check = |links| move || contents(directory, links, environment);
        let threads: Vec<_> = walk.links.chunks(part).map(|links| scope.spawn(check(links))).collect();
        // A thread that ends in a fault of this program has checked nothing.
        let panicked = |_| Err(StateError::Corrupt("the check of a part of the chain failed".into()));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect::<Vec<_>>()
    });
    for faults in contents {
        walk.faults.extend(faults?);
    }
    // Newest first; those whose serial nobody knows come before.
    walk.faults.sort_by_key(|fault| std::cmp::Reverse(fault.serial.unwrap_or(u64::MAX)));
    Ok(Verified { revisions: walk.revisions, faults: walk.faults })
}

/// The way along the commits, from the newest.
#[derive(Default)]
struct Walk {
    links: Vec<Link>,
    revisions: usize,
    serials: BTreeSet<u64>,
    faults: Vec<RevisionFault>,
}

impl Walk {
    fn run(&mut self, repository: &Repository, tip: Oid) {
        let mut after: Option<Link> = None;
        let mut next = Some(tip);
        while let Some(oid) = next {
            self.revisions += 1;
            let link = commit::find(repository, oid).and_then(|commit| commit::read(&commit));
            match link {
                Err(error) => {
                    self.faults.push(fault(oid, None, &error.to_string()));
                    let commit = repository.find_commit(oid).ok();
                    next = commit.and_then(|commit| commit::parents(&commit).first().copied());
                    after = None;
                }
                Ok(link) => {
                    self.follow(&link, after.as_ref());
                    next = chain::before(repository, &link).unwrap_or_else(|error| {
                        self.faults.push(fault(oid, Some(link.step.serial), &error.to_string()));
                        None
                    });
                    self.links.push(link.clone());
                    after = Some(link);
                }
            }
        }
    }

    fn follow(&mut self, link: &Link, after: Option<&Link>) {
        let step = &link.step;
        if let Some(after) = after
            && let Err(reason) = check_successor(step, &after.step)
        {
            self.faults.push(fault(after.oid, Some(after.step.serial), &reason));
        }
        if link.parent.is_some() && link.previous.is_some() {
            let reason = "it has a parent and names a previous root";
            self.faults.push(fault(link.oid, Some(step.serial), reason));
        }
        if !self.serials.insert(step.serial) {
            let reason = format!("serial {} is there twice", step.serial);
            self.faults.push(fault(link.oid, Some(step.serial), &reason));
        }
    }
}

fn fault(oid: Oid, serial: Option<u64>, reason: &str) -> RevisionFault {
    RevisionFault { revision: Revision(oid.to_string()), serial, reason: single_line(reason, 400) }
}

/// Looks at what some revisions hold.
fn contents(
    directory: &Path,
    links: &[Link],
    environment: &EnvironmentName,
) -> Result<Vec<RevisionFault>, StateError> {
    let repository = local::open(directory)?;
    let mut contents =
        Contents { repository: &repository, environment, lines: HashMap::new(), files: HashMap::new() };
    let faults = links.iter().filter_map(|link| {
        let reason = contents.check(link).err()?;
        Some(fault(link.oid, Some(link.step.serial), &reason))
    });
    Ok(faults.collect())
}

struct Contents<'a> {
    repository: &'a Repository,
    environment: &'a EnvironmentName,
    lines: HashMap<Schema, Lines>,
    /// Lines of the files that have been looked at, or what is wrong with them.
    files: HashMap<(Schema, Oid), Result<u64, String>>,
}

impl Contents<'_> {
    fn check(&mut self, link: &Link) -> Result<(), String> {
        let commit = self.repository.find_commit(link.oid).map_err(|error| error.message().to_owned())?;
        let tree = chain::tree(self.repository, &commit)?;
        chain::check_entries(&tree)?;
        let [meta, objects, intents] = Files::NAMES;
        let mut budget = crate::MAX_BYTES;
        let bytes = chain::blob(self.repository, &tree, meta, &mut budget)?;
        let head = crate::format::head(&bytes).map_err(|error| error.to_string())?;
        if head.environment != *self.environment {
            return Err(format!("it is the state of environment {}", head.environment));
        }
        if head.step != link.step {
            return Err("its message and its content are of different revisions".into());
        }
        for (name, expected) in [(objects, head.objects), (intents, head.intents)] {
            let file = (head.schema, chain::plain_file(&tree, name)?);
            if !self.files.contains_key(&file) {
                let bytes = chain::blob(self.repository, &tree, name, &mut budget);
                let lines = self.lines.entry(head.schema).or_insert_with(|| Lines::of(head.schema));
                let found =
                    bytes.and_then(|bytes| lines.check(name, &bytes).map_err(|error| error.to_string()));
                self.files.insert(file, found);
            }
            match self.files.get(&file) {
                Some(Err(reason)) => return Err(reason.clone()),
                Some(Ok(lines)) if *lines != expected => {
                    return Err(format!("{name}: {meta} counts {expected} lines, the file has {lines}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
