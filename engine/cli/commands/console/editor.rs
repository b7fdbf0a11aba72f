//! The console on a terminal: a prompt with history and completion.

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};

use super::{Answer, complain};
use crate::error::{CommandError, Exit};
use crate::session::Context;
use crate::terminal::{line, say};

const HELP: &str = "\
Write an expression to see its value: 1 + 2, [for n in range(3) : n * n], type({ a = 1 }).
The tab key completes names, the arrow keys recall earlier lines. exit, Ctrl-C and Ctrl-D leave.
";

/// Asks for expressions and answers until the user leaves.
pub(super) fn talk(answer: Answer<'_>, names: Vec<String>, context: Context) -> Result<Exit, CommandError> {
    let failed = || CommandError::while_("read from the terminal");
    // Kept in memory only: what is typed may be a secret.
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor = Editor::<Names, MemHistory>::with_history(config, MemHistory::new()).map_err(failed())?;
    editor.set_helper(Some(Names::new(names)));
    loop {
        let text = match editor.readline("> ") {
            Ok(text) => text,
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(Exit::Success),
            Err(error) => return Err(failed()(error)),
        };
        match text.trim() {
            "" => continue,
            "exit" | "quit" => return Ok(Exit::Success),
            "help" => say(HELP),
            text => match answer(text) {
                Ok(value) => line(value)?,
                Err(faults) => complain(&faults, context),
            },
        }
        editor.add_history_entry(text.trim()).map_err(failed())?;
    }
}

/// What can be completed, in order.
struct Names(Vec<String>);

impl Names {
    fn new(mut names: Vec<String>) -> Self {
        names.extend(engine_config::function_names().map(|name| format!("{name}(")));
        names.sort_unstable();
        names.dedup();
        Self(names)
    }
}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        text: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = text.get(..position).unwrap_or(text);
        let start = typed
            .rfind(|char: char| !(char.is_alphanumeric() || "_.:-".contains(char)))
            .map_or(0, |before| before + typed[before..].chars().next().map_or(0, char::len_utf8));
        let begun = &typed[start..];
        let found = self.0.iter().filter(|name| !begun.is_empty() && name.starts_with(begun));
        Ok((start, found.cloned().collect()))
    }
}

impl Validator for Names {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let open = is_open(context.input());
        Ok(if open { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Helper for Names {}

/// Tells whether a bracket outside of quotes is still open, or a heredoc is.
fn is_open(text: &str) -> bool {
    if let Some(end) = heredoc_end(text) {
        return !text.lines().skip(1).any(|line| line.trim() == end);
    }
    let (mut depth, mut quoted, mut escaped) = (0_i64, false, false);
    for char in text.chars() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth > 0 && !quoted
}

/// Returns the word that ends the heredoc which the first line begins.
fn heredoc_end(text: &str) -> Option<&str> {
    let (_, word) = text.lines().next()?.rsplit_once("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word).trim();
    let is_name = !word.is_empty() && word.chars().all(|char| char.is_alphanumeric() || char == '_');
    is_name.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn open_brackets_and_heredocs_go_on_in_the_next_line() {
        for text in ["[", "max(1,", "{ a = [1", "{\n a = \"}\"", "<<EOT", "<<-EOT\na", "upper(\"a\\\"(\""] {
            assert!(is_open(text), "{text}");
        }
        for text in ["", "1", "[1]", "\"(\"", "\"a", ")", "<<EOT\na\nEOT", "1 < 2"] {
            assert!(!is_open(text), "{text}");
        }
    }
}
