//! What the command knows of its terminal.

use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::AsFd;

use engine_render::{Colour, Style};
use terminal_size::{Width, terminal_size_of};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CommandError;

/// Returns how to print to stdout. Colours need a terminal and the user's leave; to a file or pipe nothing is cut.
pub fn stdout_style(no_color: bool) -> Style {
    style(no_color, io::stdout())
}

/// Returns how to print to stderr.
pub fn stderr_style(no_color: bool) -> Style {
    style(no_color, io::stderr())
}

fn style(no_color: bool, to: impl IsTerminal + AsFd) -> Style {
    let wanted = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let colour = if wanted && to.is_terminal() { Colour::On } else { Colour::Off };
    Style { colour, width: columns(to) }
}

/// Returns how many columns there are to print to; 0 where lines have no end.
pub fn columns(to: impl AsFd) -> usize {
    terminal_size_of(to).map_or(0, |(Width(columns), _)| columns.into())
}

/// Prints one line of data to stdout, as [`print`] does.
///
/// # Errors
/// As of [`print`].
pub fn line(text: impl Display) -> Result<(), CommandError> {
    print(&format!("{text}\n"))
}

/// Prints data to stdout. That nobody reads any more is no error, as for other tools in a pipe: what was asked for
/// is done all the same.
///
/// # Errors
/// It cannot be written, for example to a full disk.
pub fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::while_("write to standard output")(error))
        }
        _ => Ok(()),
    }
}

/// Prints talk to stderr, as it is. Where nobody can hear it there is nobody to tell either, and no run may end for
/// want of listeners: a failure is passed over.
pub fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).unwrap_or_default();
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
