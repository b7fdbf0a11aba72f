//! Shows how a run goes: bars on a terminal, lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine_converge::apply::Progress;
use engine_core::address::Address;
use engine_core::plan::outcome::Outcome;
use engine_core::plan::{ActionKind, Change};
use engine_render::escape;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Without a terminal, waits shorter than this are not worth a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Prints to stderr what begins, what is waited for and what ended.
pub struct Console {
    bars: MultiProgress,
    live: bool,
    total: usize,
    ended: AtomicUsize,
    open: Arc<Mutex<HashMap<Address, ProgressBar>>>,
}

impl Console {
    /// Builds the display for a number of changes: bars that move on a terminal, lines elsewhere.
    pub fn new(total: usize) -> Self {
        let live = std::io::stderr().is_terminal();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        Self { bars, live, total, ended: AtomicUsize::new(0), open: Arc::default() }
    }

    fn line(&self, text: &str) {
        if self.live {
            // Drawing to a closed terminal loses only the drawing.
            self.bars.println(text).unwrap_or_default();
        } else {
            eprintln!("{text}");
        }
    }

    /// Says what is waited for, if it still is after a while.
    fn line_later(&self, address: Address, text: String) {
        let open = self.open.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if lock(&open).get(&address).is_some_and(|bar| bar.message() == text) {
                eprintln!("{text}");
            }
        });
    }
}

impl Progress for Console {
    fn begun(&self, change: &Change) {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        bar.set_message(format!("{}: {}", name(change), verb(change.action.kind()).0));
        if self.live {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        lock(&self.open).insert(change.address.clone(), bar);
    }

    fn waiting(&self, change: &Change, missing: &str) {
        let text = format!("{}: waiting: {}", name(change), escape(missing));
        if let Some(bar) = lock(&self.open).get(&change.address) {
            bar.set_message(text.clone());
        }
        if !self.live {
            self.line_later(change.address.clone(), text);
        }
    }

    fn ended(&self, change: &Change, outcome: &Outcome) {
        if let Some(bar) = lock(&self.open).remove(&change.address) {
            bar.finish_and_clear();
        }
        let (count, total) = (self.ended.fetch_add(1, Ordering::Relaxed) + 1, self.total);
        let name = format!("[{count:>width$}/{total}] {}", name(change), width = total.to_string().len());
        self.line(&match outcome {
            Outcome::Done { took } => {
                format!("{name}: {} after {}", verb(change.action.kind()).1, duration(*took))
            }
            Outcome::Failed(why) => format!("{name}: failed: {}", escape(why)),
            Outcome::Skipped { because } => format!("{name}: skipped: depends on {because}"),
            Outcome::Unknown(why) => format!("{name}: outcome unknown: {}", escape(why)),
            Outcome::Interrupted => format!("{name}: not begun"),
        });
    }
}

/// A panic while the lock was held cannot leave the map half-changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name(change: &Change) -> String {
    escape(&change.object_ref.to_string()).into_owned()
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
        ActionKind::NoOp => ("keeping", "unchanged"),
    }
}
