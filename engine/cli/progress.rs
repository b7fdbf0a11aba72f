//! Shows how a run goes: on a terminal what is under way, elsewhere a line for each thing that happens.

mod events;
mod running;

pub use events::Events;

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use engine_converge::apply::Progress;
use engine_core::address::Address;
use engine_core::plan::outcome::Outcome;
use engine_core::plan::{ActionKind, Change, Plan};
use engine_core::rollout::Gate;
use engine_render::{Naming, escape};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressState, ProgressStyle};
use jiff::fmt::friendly::SpanPrinter;

use self::running::Running;
use crate::terminal::{columns, say};

/// Without a terminal, waits shorter than this are not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the bar moves.
const TICK: Duration = Duration::from_millis(120);

/// Prints to stderr what begins, what is waited for and what ended.
pub struct Console {
    /// One for the whole run: its cost does not grow with the number of changes.
    bar: ProgressBar,
    live: bool,
    naming: Naming,
    total: usize,
    ended: AtomicUsize,
    running: Arc<Mutex<Running>>,
}

impl Console {
    /// Builds the display for the changes of a plan: a bar that moves on a terminal, lines elsewhere.
    pub fn new(plan: &Plan) -> Self {
        let total = plan.effective().count();
        let naming = Naming::of(plan.changes.iter().map(|change| &change.object_ref.cluster));
        let moves = std::env::var_os("TERM").is_none_or(|name| name != "dumb");
        let live = moves && std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let bar = bar.with_finish(ProgressFinish::AndClear);
        let running = Arc::new(Mutex::new(Running::default()));
        if live {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} [{elapsed}]{running}") {
                let shown = running.clone();
                let key = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // Drawing to a closed terminal loses only the drawing.
                    let lines = lock(&shown).lines(Instant::now(), columns(std::io::stderr()));
                    write!(out, "{lines}").unwrap_or_default();
                };
                bar.set_style(style.with_key("running", key));
            }
            bar.enable_steady_tick(TICK);
        }
        Self { bar, live, naming, total, ended: AtomicUsize::new(0), running }
    }

    fn name(&self, change: &Change) -> String {
        self.naming.name(&change.object_ref)
    }

    /// Says what is waited for, if it still is after a while.
    fn line_later(&self, address: Address, text: String, missing: String) {
        let running = self.running.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if lock(&running).waits(&address, &missing) {
                say(&format!("{text}: {missing}\n"));
            }
        });
    }
}

impl Progress for Console {
    fn begun(&self, change: &Change) {
        let text = format!("{}: {}", self.name(change), verb(change.action.kind()).0);
        lock(&self.running).say(&change.address, (text, String::new()), Instant::now());
    }

    fn waiting(&self, change: &Change, missing: &str) {
        let (text, missing) = (format!("{}: waiting", self.name(change)), escape(missing).into_owned());
        lock(&self.running).say(&change.address, (text.clone(), missing.clone()), Instant::now());
        if !self.live {
            self.line_later(change.address.clone(), text, missing);
        }
    }

    fn soaking(&self, gate: &Gate, soak: Duration) {
        let text = format!(
            "wave {} begins in {}",
            escape(&gate.wave),
            SpanPrinter::new().unsigned_duration_to_string(&soak)
        );
        match self.live {
            true => self.bar.println(text),
            false => say(&format!("{text}\n")),
        }
    }

    fn ended(&self, change: &Change, outcome: &Outcome) {
        lock(&self.running).end(&change.address);
        self.bar.inc(1);
        let (count, total) = (self.ended.fetch_add(1, Ordering::Relaxed) + 1, self.total);
        let name =
            format!("[{count:>width$}/{total}] {}", self.name(change), width = total.to_string().len());
        let text = match outcome {
            Outcome::Done { took } => {
                format!("{name}: {} after {}", verb(change.action.kind()).1, duration(*took))
            }
            Outcome::Failed(why) => format!("{name}: failed: {}", escape(why)),
            Outcome::Skipped { because } => format!("{name}: skipped: depends on {because}"),
            Outcome::Unknown(why) => format!("{name}: outcome unknown: {}", escape(why)),
            Outcome::Held(why) => format!("{name}: held: {}", escape(why)),
            Outcome::Interrupted => format!("{name}: not begun"),
        };
        match outcome {
            _ if !self.live => say(&format!("{text}\n")),
            // What went wrong stays to be read; the rest is in the count, and in the report at the end.
            Outcome::Failed(_) | Outcome::Unknown(_) => self.bar.println(text),
            _ => {}
        }
        if count == total {
            self.bar.finish_and_clear();
        }
    }
}

/// A panic while the lock was held cannot leave the map half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn duration(took: Duration) -> String {
    if took < Duration::from_secs(10) {
        format!("{:.1} s", took.as_secs_f64())
    } else {
        format!("{} s", took.as_secs())
    }
}

/// Returns what is being done and what has been done.
fn verb(action: ActionKind) -> (&'static str, &'static str) {
    match action {
        ActionKind::Create => ("creating", "created"),
        ActionKind::Update => ("changing", "changed"),
        ActionKind::Replace => ("replacing", "replaced"),
        ActionKind::Delete => ("deleting", "deleted"),
        ActionKind::Adopt => ("adopting", "adopted"),
        ActionKind::Import => ("importing", "imported"),
        ActionKind::Move => ("moving", "moved"),
        ActionKind::Forget => ("forgetting", "forgotten"),
        ActionKind::Read => ("reading", "read"),
        ActionKind::Await => ("waiting", "current"),
        ActionKind::NoOp => ("keeping", "unchanged"),
    }
}
