//! The chain as the server has it, read with nothing but `git`, and what it must be.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

use engine_core::state::State;
use engine_state::{Files, decode};

use crate::Fault;
use crate::participant::counter;
use crate::server::Server;

/// What a ref that is not there is at, for the server.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A revision.
#[derive(Debug)]
pub struct Link {
    /// Its commit.
    pub revision: String,
    parents: String,
    /// What its author says it is: `count`, `lock`, `displace`, `hold`, `release`, `unlock`.
    pub what: String,
    /// The attempt that it was.
    pub id: String,
    state: State,
}

impl Link {
    /// Returns the participant that wrote it.
    fn author(&self) -> &str {
        self.id.rsplit_once('.').map_or(self.id.as_str(), |(author, _)| author)
    }

    fn holder(&self) -> Option<&str> {
        self.state.holder.as_ref().map(|holder| holder.run.as_str())
    }
}

/// Reads the chain of an environment, oldest first.
///
/// # Errors
/// A commit is not as the store writes it.
pub fn read(server: &Server, environment: &str) -> Result<Vec<Link>, Fault> {
    let reference = format!("refs/terrane/state/{environment}");
    let log = server.git(&["log", "--reverse", "--format=%H%x09%P%x09%s", &reference, "--"])?;
    let commits: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    let mut wanted: File = tempfile::tempfile()?;
    for commit in &commits {
        for name in ["meta.json", "objects.jsonl", "intents.jsonl"] {
            writeln!(wanted, "{}:{name}", commit[0])?;
        }
    }
    wanted.rewind()?;
    let mut command = Command::new("git");
    command.args(["--git-dir=.", "cat-file", "--batch"]).current_dir(server.directory());
    let output = command.stdin(Stdio::from(wanted)).output()?.stdout;
    let mut rest = output.as_slice();
    let mut links = Vec::new();
    for commit in commits {
        let (meta, objects) = (file(&mut rest)?, file(&mut rest)?);
        let files = Files { meta, objects, intents: file(&mut rest)? };
        let [revision, parents, subject] = commit[..] else { return Err("a line of the log".into()) };
        let mut words = subject.rsplit(' ');
        let (Some(id), Some(what)) = (words.next(), words.next()) else {
            return Err(format!("the subject of {revision}: {subject}").into());
        };
        let [revision, parents, what, id] = [revision, parents, what, id].map(str::to_owned);
        links.push(Link { revision, parents, what, id, state: decode(&files)? });
    }
    Ok(links)
}

/// Takes the next file from what `git cat-file --batch` prints: a line that ends with the size, and the content.
fn file(rest: &mut &[u8]) -> Result<Vec<u8>, Fault> {
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or("a file is missing")?;
    let head = std::str::from_utf8(&rest[..end])?;
    let size: usize = head.rsplit(' ').next().unwrap_or_default().parse().map_err(|_| head.to_owned())?;
    let content = rest.get(end + 1..end + 1 + size).ok_or("a file is cut off")?.to_vec();
    *rest = rest.get(end + 2 + size..).unwrap_or_default();
    Ok(content)
}

/// Checks each revision against the one before: nothing is lost, repeated or begun anew.
///
/// # Errors
/// The first revision that does not follow.
pub fn check(links: &[Link]) -> Result<(), Fault> {
    let mut ids = BTreeSet::new();
    let first = links.first().ok_or("there is no chain")?;
    let mut before: Option<&Link> = None;
    for link in links {
        let (parent, serial, epoch, count) = match before {
            Some(link) => {
                (link.revision.as_str(), link.state.serial, link.state.epoch, counter(&link.state)?)
            }
            None => ("", 0, 0, 0),
        };
        let raised = i64::from(matches!(link.what.as_str(), "count" | "hold"));
        let is_next = link.parents == parent
            && link.state.serial == serial + 1
            && link.state.epoch >= epoch
            && link.state.lineage == first.state.lineage
            && counter(&link.state)? == count + raised
            && ids.insert(link.id.as_str());
        if !is_next {
            return Err(format!("{link:?} does not follow {before:?}").into());
        }
        before = Some(link);
    }
    Ok(())
}

/// Checks that only who holds the lock wrote, but for taking it, which raises the epoch: a holder that was displaced
/// landed nothing.
///
/// # Errors
/// The first revision that its author had no right to.
pub fn check_holders(links: &[Link]) -> Result<(), Fault> {
    let mut before: (Option<&str>, u64) = (None, 0);
    for link in links {
        let (holder, epoch) = before;
        let author = Some(link.author());
        let raised = link.state.epoch == epoch + 1;
        let same = link.state.epoch == epoch;
        let may = match link.what.as_str() {
            "lock" => raised && holder.is_none() && link.holder() == author,
            "displace" => raised && holder.is_some() && link.holder() == author,
            "hold" => same && holder == author && link.holder() == author,
            "release" => same && holder == author && link.holder().is_none(),
            "unlock" => raised && holder.is_some() && link.holder().is_none(),
            _ => false,
        };
        if !may {
            return Err(format!("{link:?} was not for its author to write: {holder:?} held it").into());
        }
        before = (link.holder(), link.state.epoch);
    }
    Ok(())
}

/// Checks the server's log: the ref was moved from each revision to the next one only, by requests that named the old
/// one, and never forced.
///
/// # Errors
/// The first move that is none of these.
pub fn check_moves(log: &str, links: &[Link], environment: &str) -> Result<(), Fault> {
    let steps: BTreeSet<(&str, &str)> = links
        .iter()
        .map(|link| (if link.parents.is_empty() { NOTHING } else { &link.parents }, link.revision.as_str()))
        .collect();
    let reference = format!("refs/terrane/state/{environment}");
    let mut prepared = BTreeSet::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [phase, old, new, name] = words[..] else { return Err(format!("the log: {line}").into()) };
        if name != reference {
            continue;
        }
        match phase {
            "prepared" => {
                prepared.insert((old, new));
            }
            "committed" if !steps.contains(&(old, new)) => {
                return Err(format!("the server moved {name} from {old} to {new}").into());
            }
            _ => {}
        }
    }
    match steps.iter().find(|step| !prepared.contains(*step)) {
        Some((old, new)) => Err(format!("nobody asked to move {reference} from {old} to {new}").into()),
        None => Ok(()),
    }
}
