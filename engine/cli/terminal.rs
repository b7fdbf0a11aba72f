//! What the command knows of its terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use engine_render::{Colour, Style};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CommandError;

/// Returns how to print to stdout. Colours need a terminal and the user's leave.
pub fn stdout_style(no_color: bool) -> Style {
    style(no_color, io::stdout().is_terminal())
}

/// Returns how to print to stderr.
pub fn stderr_style(no_color: bool) -> Style {
    style(no_color, io::stderr().is_terminal())
}

fn style(no_color: bool, terminal: bool) -> Style {
    let wanted = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Style { colour: if terminal && wanted { Colour::On } else { Colour::Off }, ..Style::PLAIN }
}

/// Asks for a `yes`.
///
/// # Errors
/// There is nobody to ask.
pub fn confirm(question: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::new("approval is needed and standard input is no terminal")
            .hint("look at the plan, then run again with --auto-approve"));
    }
    let mut stderr = io::stderr();
    let mut answer = String::new();
    let asked = write!(stderr, "\n{question}\n  Only 'yes' is accepted: ").and_then(|()| stderr.flush());
    asked
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(CommandError::while_("ask for approval"))?;
    Ok(answer.trim() == "yes")
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// Signals cannot be heard.
pub async fn interrupted() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}
