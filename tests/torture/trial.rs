//! A trial: participants at one server, faults, and the check of what is left.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Fault;
use crate::account::Account;
use crate::chain;
use crate::dice::Dice;
use crate::faults::Storm;
use crate::participant::{COUNTED, LOCKED, Role, Task};
use crate::process::Group;
use crate::script::Script;
use crate::server::{self, RefFormat, Server};
use crate::transport::{Kind, Transport};

/// How many attempts a change may take on average, with up to this many participants.
const TRIES: (f64, usize) = (3.0, 16);

/// What a trial consists of.
pub struct Plan {
    /// What it is called.
    pub name: &'static str,
    /// How participants reach the server.
    pub kind: Kind,
    /// How the server keeps refs.
    pub refs: RefFormat,
    /// How many participants raise the counter.
    pub counters: usize,
    /// How often each of them at least.
    pub times: usize,
    /// How many participants take the lock of another environment.
    pub holders: usize,
}

impl Plan {
    /// Returns why it cannot be tried on this machine.
    pub fn obstacle(&self) -> Option<String> {
        self.kind.obstacle().or_else(|| self.refs.obstacle())
    }
}

/// Where a trial takes place.
pub struct Scene {
    /// Everything lies below it.
    pub root: PathBuf,
    /// What is pushed to.
    pub server: Server,
    transport: Transport,
}

/// A participant's place: when its process dies, the next one works in the same copy, and adds to the same account.
pub struct Seat {
    /// The name of the place.
    pub name: String,
    /// The running process.
    pub group: Group,
    /// The name of the running participant.
    pub player: String,
    generation: usize,
}

impl Scene {
    fn new(plan: &Plan, root: &Path) -> Result<Self, Fault> {
        // The system shows where processes work without symbolic links.
        let root = root.canonicalize()?;
        for name in ["server", "copies", "accounts", "home"] {
            fs::create_dir_all(root.join(name))?;
        }
        let server = Server::new(&root.join("server").join("origin.git"), plan.refs)?;
        let transport = Transport::open(plan.kind, server.directory(), &root)?;
        Ok(Self { root, server, transport })
    }

    /// Returns the file during whose life the participants of an environment go on.
    pub fn more(&self, environment: &str) -> PathBuf {
        self.root.join(format!("more-{environment}"))
    }

    /// Starts the first participant of a place.
    ///
    /// # Errors
    /// It does not start.
    pub fn sit(&self, name: &str, role: &Role, times: usize) -> Result<Seat, Fault> {
        let copy = self.copy(name);
        server::run(Command::new("git").args(["init", "--quiet"]).arg(&copy))?;
        let settings = self.transport.settings.iter().map(|(key, value)| (*key, value.as_str()));
        let mut file = fs::OpenOptions::new().append(true).open(copy.join(".git").join("config"))?;
        for (key, value) in settings.chain([("remote \"origin\".url", self.transport.url.as_str())]) {
            let (section, key) = key.rsplit_once('.').ok_or("a setting has a section")?;
            writeln!(file, "[{section}]\n\t{key} = {value}")?;
        }
        let player = format!("{name}-1");
        let group = self.start(name, &player, role, times)?;
        Ok(Seat { name: name.to_owned(), group, player, generation: 1 })
    }

    /// Starts the next participant of a place.
    ///
    /// # Errors
    /// It does not start.
    pub fn sit_again(&self, seat: &mut Seat, role: &Role, times: usize) -> Result<(), Fault> {
        seat.generation += 1;
        seat.player = format!("{}-{}", seat.name, seat.generation);
        seat.group = self.start(&seat.name, &seat.player, role, times)?;
        Ok(())
    }

    fn start(&self, name: &str, player: &str, role: &Role, times: usize) -> Result<Group, Fault> {
        let environment = if *role == Role::Count { COUNTED } else { LOCKED };
        let (copy, more) = (self.copy(name), self.more(environment));
        let task = Task { role: role.clone(), name: player.to_owned(), copy, times, more };
        let account = fs::OpenOptions::new().create(true).append(true).open(self.account_file(name))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(task.variables())
            .envs(self.transport.variables.iter().map(|(key, value)| (*key, value.as_str())))
            .env("HOME", self.root.join("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(&task.copy)
            .stdin(Stdio::null())
            .stdout(account)
            .stderr(Stdio::null());
        Ok(Group::start(&mut command)?)
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.root.join("copies").join(name)
    }

    fn account_file(&self, name: &str) -> PathBuf {
        self.root.join("accounts").join(name)
    }

    /// Returns the last lines that the participants of a place have told.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn last_words(&self, name: &str) -> Result<String, Fault> {
        let text = fs::read_to_string(self.account_file(name))?;
        let last: Vec<&str> = text.lines().rev().take(5).collect();
        Ok(format!("{name}, newest first: {}", last.join(" | ")))
    }

    /// Returns what the participants of a place have told.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn account(&self, name: &str) -> Result<Account, Fault> {
        Account::read(&fs::read_to_string(self.account_file(name))?)
    }
}

/// Runs a trial.
///
/// # Errors
/// Something was lost, or did not end in time.
pub fn run(plan: &Plan) -> Result<(), Fault> {
    let directory = tempfile::tempdir()?;
    let (dice, seed) = Dice::fresh();
    let root = directory.path().canonicalize()?;
    let played = Scene::new(plan, &root).and_then(|scene| {
        let played = play(plan, &scene, dice);
        // Who was cut off goes on for a moment, in a session that is not ours to end.
        let settled = server::settle(&root);
        let told = check(plan, &scene, &played?)?;
        settled.map(|()| told)
    });
    let told = played.map_err(|error| format!("seed {seed}: {error}"))?;
    println!("{}: {told}", plan.name);
    Ok(())
}

/// What happened besides what the participants tell.
struct Played {
    took: Duration,
    faults: String,
}

fn play(plan: &Plan, scene: &Scene, dice: Dice) -> Result<Played, Fault> {
    let start = Instant::now();
    fs::write(scene.more(COUNTED), "")?;
    fs::write(scene.more(LOCKED), "")?;
    let mut storm = Storm::new(scene, plan.counters, plan.times, dice)?;
    let faults = std::thread::scope(|scope| {
        let script = (plan.holders > 0).then(|| scope.spawn(|| Script::new(scene, plan.holders)?.play()));
        let faults = storm.blow();
        if let Some(script) = script {
            script.join().map_err(|_| "the script of the lock panicked")??;
        }
        faults
    })?;
    Ok(Played { took: start.elapsed(), faults })
}

fn check(plan: &Plan, scene: &Scene, played: &Played) -> Result<String, Fault> {
    let mut counted = Account::default();
    for idx in 0..plan.counters {
        counted.add(scene.account(&Storm::seat(idx))?);
    }
    let links = chain::read(&scene.server, COUNTED)?;
    chain::check(&links)?;
    chain::check_moves(&scene.server.moves()?, &links, COUNTED)?;
    counted.check(&links)?;
    let (landed, tries) = (counted.landed.len(), counted.tries_per_success());
    let mut told = format!(
        "{} raised it to {} in {:.1} s, {tries:.1} tries each ({} lost races, {} other failures); {}",
        plan.counters,
        links.len(),
        played.took.as_secs_f64(),
        counted.moved,
        counted.tried.len() - landed - counted.moved,
        played.faults
    );
    if landed < plan.counters * plan.times {
        return Err(format!("only {landed} landed; {told}").into());
    }
    if plan.counters <= TRIES.1 && tries > TRIES.0 {
        return Err(format!("more than {} tries each; {told}", TRIES.0).into());
    }
    if plan.holders > 0 {
        let links = chain::read(&scene.server, LOCKED)?;
        chain::check(&links)?;
        chain::check_holders(&links)?;
        chain::check_moves(&scene.server.moves()?, &links, LOCKED)?;
        for name in Script::seats(plan.holders) {
            scene.account(&name)?.check(&links)?;
        }
        let displaced = links.iter().filter(|link| link.what == "displace").count();
        told = format!("{told}; lock: {} revisions, {displaced} displaced", links.len());
    }
    Ok(told)
}
