//! How large a state and its history become, and how long it takes to lock and release one:
//! `cargo bench --bench state`.
//!
//! An argument says how many applies the history has, if not 10,000.

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use engine_core::digest::{Digest, Fingerprint, Seal};
use engine_core::graph::Dependencies;
use engine_core::lock::Renewal;
use engine_core::mark::Lineage;
use engine_core::object_ref::{ApiVersion, ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::ActionKind;
use engine_core::ports::{Revision, RevisionStore, StateStore};
use engine_core::state::{Holder, Intent, ResourceRecord, State};
use engine_state::{GitLocation, GitStore, encode};

const APPLIES: u64 = 10_000;
const OBJECTS: usize = 500;
/// How many objects an apply changes.
const CHANGED: usize = 5;
const MANY: usize = 5_000;
/// How often the lock is taken; the middle one counts.
const LOCKS: usize = 21;
/// How many fields a record names: as many as a small Deployment has.
const FIELDS: u32 = 16;

type Fault = Box<dyn Error>;

/// A row of the table.
struct Row {
    what: String,
    found: f64,
    bar: f64,
    unit: &'static str,
}

fn main() -> ExitCode {
    match measure() {
        Ok(rows) => {
            println!("| what | found | bar | |\n|---|---:|---:|---|");
            for Row { what, found, bar, unit } in &rows {
                let met = if found <= bar { "met" } else { "missed" };
                println!("| {what} | {found:.2} {unit} | {bar:.2} {unit} | {met} |");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<Vec<Row>, Fault> {
    // `cargo bench` says `--bench`.
    let applies = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(APPLIES);
    let directory = tempfile::tempdir()?;
    let mut rows = vec![raw()?];
    rows.extend(history(directory.path(), applies)?);
    rows.extend(locks(directory.path())?);
    Ok(rows)
}

fn raw() -> Result<Row, Fault> {
    let files = encode(&state(MANY)?)?;
    let bytes = files.meta.len() + files.objects.len() + files.intents.len();
    Ok(Row { what: format!("state of {MANY} objects"), found: mb(bytes), bar: 2.0, unit: "MB" })
}

/// Applies again and again, two revisions each, as a run does: its intents with the lock, its results without.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn history(directory: &Path, applies: u64) -> Result<Vec<Row>, Fault> {
    let home = directory.join("history.git");
    let store = GitStore::open(&GitLocation::Private { directory: home.clone() }, &"bench".parse()?)?;
    let mut next = state(OBJECTS)?;
    let mut tip = None;
    let (start, mut verified) = (Instant::now(), Duration::ZERO);
    for apply in 0..applies {
        if apply == applies / 2 && apply > 0 {
            let start = Instant::now();
            store.verify()?;
            verified = start.elapsed();
        }
        let changed = change(&mut next, apply)?;
        next.intents = changed;
        tip = Some(acquire(&store, tip.as_ref(), &mut next)?);
        next.intents.clear();
        tip = Some(release(&store, tip.as_ref(), &mut next)?);
    }
    let took = start.elapsed() - verified;
    git(&home, &["repack", "-a", "-d", "-q"])?;
    git(&home, &["prune-packed", "-q"])?;
    let fetched = directory.join("fetched.git");
    git(directory, &["init", "--quiet", "--bare", "fetched.git"])?;
    let url = format!("file://{}", home.display());
    git(
        &fetched,
        &[
            "-c",
            "fetch.unpackLimit=1",
            "fetch",
            "--quiet",
            "--depth=1",
            &url,
            "refs/terrane/state/bench:refs/tip",
        ],
    )?;
    let what = format!("history of {applies} applies, {CHANGED} of {OBJECTS} objects each");
    Ok(vec![
        Row { what: format!("{what}: repacked"), found: packed(&home)?, bar: 25.0, unit: "MB" },
        Row { what: format!("{what}: fetched at depth 1"), found: packed(&fetched)?, bar: 0.5, unit: "MB" },
        Row {
            what: format!("verify {} revisions", applies / 2 * 2),
            found: verified.as_secs_f64(),
            bar: 10.0,
            unit: "s",
        },
        Row {
            what: format!("{what}: each one"),
            found: took.as_secs_f64() * 1000.0 / applies as f64,
            bar: 100.0,
            unit: "ms",
        },
    ])
}

fn locks(directory: &Path) -> Result<Vec<Row>, Fault> {
    git(directory, &["init", "--quiet", "repository"])?;
    git(directory, &["init", "--quiet", "--bare", "remote.git"])?;
    let repository = directory.join("repository");
    let remote = format!("file://{}", directory.join("remote.git").display());
    let places = [
        ("local refs", GitLocation::Local { repository: repository.clone() }),
        ("a remote on file://", GitLocation::Remote { repository, remote }),
    ];
    let rows = places.into_iter().map(|(name, location)| {
        let store = GitStore::open(&location, &"bench".parse()?)?;
        let (mut next, mut tip) = (state(OBJECTS)?, None);
        let mut took = Vec::new();
        for _ in 0..LOCKS {
            let start = Instant::now();
            tip = Some(acquire(&store, tip.as_ref(), &mut next)?);
            tip = Some(release(&store, tip.as_ref(), &mut next)?);
            took.push(start.elapsed());
        }
        took.sort();
        let middle: Duration = took[LOCKS / 2];
        let what = format!("lock and release, {OBJECTS} objects, {name}");
        Ok(Row { what, found: middle.as_secs_f64() * 1000.0, bar: 100.0, unit: "ms" })
    });
    rows.collect()
}

fn acquire(store: &GitStore, tip: Option<&Revision>, next: &mut State) -> Result<Revision, Fault> {
    let [run, who, operation, since] =
        ["8d5c6a2f9b7e4c10", "bench@localhost", "apply", "2026-01-01T00:00:00Z"].map(Into::into);
    next.holder = Some(Holder { run, who, operation, since, renewal: Renewal::default() });
    next.epoch += 1;
    next.serial += 1;
    Ok(store.advance(tip, next, "apply: 5 to change")?)
}

fn release(store: &GitStore, tip: Option<&Revision>, next: &mut State) -> Result<Revision, Fault> {
    next.holder = None;
    next.serial += 1;
    Ok(store.advance(tip, next, "apply: 5 changed")?)
}

/// Returns a state that records so many objects.
fn state(objects: usize) -> Result<State, Fault> {
    let mut state = State::empty("bench".parse()?, Lineage::new([7; 16]));
    for idx in 0..objects {
        let object_ref = object_ref(idx);
        let record = ResourceRecord {
            address: format!("app.team-{}.manifest.deployment-{idx}", idx % 20).parse()?,
            api_version: ApiVersion::new("apps", "v1"),
            uid: Uid::new(uid(idx)),
            dependencies: Dependencies::default(),
            prevent_destroy: false,
            desired: fingerprint("desired", idx, 0),
            settled: Some(fingerprint("settled", idx, 0)),
            fields: (0..FIELDS).map(|field| (field + 1) * 252_645_135).collect(),
        };
        state.records.insert(object_ref, record);
    }
    Ok(state)
}

/// Changes the records that an apply changes; returns its intents.
fn change(state: &mut State, apply: u64) -> Result<Vec<Intent>, Fault> {
    let mut intents = Vec::new();
    for nth in 0..CHANGED {
        let idx = (usize::try_from(apply)? * 37 + nth * 101) % OBJECTS;
        let object_ref = object_ref(idx);
        let record = state.records.get_mut(&object_ref).ok_or("an object without a record")?;
        record.desired = fingerprint("desired", idx, apply + 1);
        record.settled = Some(fingerprint("settled", idx, apply + 1));
        intents.push(Intent {
            object_ref,
            address: record.address.clone(),
            action: ActionKind::Update,
            api_version: record.api_version.clone(),
            dependencies: record.dependencies.clone(),
        });
    }
    Ok(intents)
}

fn object_ref(idx: usize) -> ObjectRef {
    ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new("apps", "Deployment"),
        namespace: Some(format!("team-{}", idx % 20).into()),
        name: format!("service-{idx:05}").into(),
    }
}

fn fingerprint(what: &str, idx: usize, apply: u64) -> Fingerprint {
    let open = Digest::of_bytes(format!("{what} {idx} {apply}").as_bytes()).print();
    Fingerprint { open, seal: Seal::Empty }
}

/// Returns a uid that looks like a server's.
fn uid(idx: usize) -> String {
    let digest = Digest::of_bytes(&idx.to_be_bytes()).to_string();
    let hex: String = digest.chars().filter(char::is_ascii_hexdigit).take(32).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Returns what `git` says that the packs of a repository take.
///
/// # Source
/// git-count-objects(1): `size-pack` is in KiB.
fn packed(repository: &Path) -> Result<f64, Fault> {
    let told = git(repository, &["count-objects", "-v"])?;
    let kib = told.lines().find_map(|line| line.strip_prefix("size-pack: ")).ok_or("no size-pack")?;
    Ok(mb(kib.trim().parse::<usize>()? * 1024))
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn git(directory: &Path, args: &[&str]) -> Result<String, Fault> {
    let output = Command::new("git").args(args).current_dir(directory).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("git {args:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}
