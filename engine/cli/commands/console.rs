//! `terrane console`

mod editor;

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use engine_config::Names;
use engine_core::diagnostic::Diagnostics;
use engine_render::diagnostics_text;

use crate::args::{Target, Variables};
use crate::error::{CommandError, Exit};
use crate::session::{Context, Reads, Workspace};
use crate::terminal::{line, say, stderr_style};

/// Evaluates an expression and returns what is printed for it.
type Answer<'a> = &'a dyn Fn(&str) -> Result<String, Diagnostics>;

/// Evaluates expressions, in an environment if there is a directory.
pub fn run(directory: Option<PathBuf>, variables: Variables, context: Context) -> Result<Exit, CommandError> {
    let Some(directory) = directory else {
        if !variables.0.is_empty() {
            return Err(CommandError::new("there is no definition whose variables could be set")
                .hint("name the environment's directory, before or behind the options"));
        }
        let here = std::env::current_dir().map_err(CommandError::while_("find the current directory"))?;
        let names = Names::new(&here).with_clock(jiff::Timestamp::now());
        return talk(&|text| engine_config::answer(text, &names), Vec::new(), context);
    };
    let definition = Workspace::open(&Target { directory, variables })?.load(&Reads::new(), context)?;
    let known = engine_config::names_of(&definition);
    engine_config::inspect(definition, |answer| talk(answer, known, context))?
}

fn talk(answer: Answer<'_>, names: Vec<String>, context: Context) -> Result<Exit, CommandError> {
    if io::stdin().is_terminal() { editor::talk(answer, names, context) } else { read_lines(answer, context) }
}

/// Answers line by line; a fault does not stop the lines behind it.
fn read_lines(answer: Answer<'_>, context: Context) -> Result<Exit, CommandError> {
    let mut exit = Exit::Success;
    for text in io::stdin().lock().lines() {
        let text = text.map_err(CommandError::while_("read standard input"))?;
        match text.trim() {
            "" => {}
            "exit" => break,
            text => match answer(text) {
                Ok(value) => line(value)?,
                Err(faults) => {
                    exit = Exit::Incomplete;
                    complain(&faults, context);
                }
            },
        }
    }
    Ok(exit)
}

fn complain(faults: &Diagnostics, context: Context) {
    say(&diagnostics_text(faults, stderr_style(context.no_color)));
}
