//! Asks the reference program.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use serde::Deserialize;

use crate::node::Node;
use crate::{Answer, Question, build};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    value: Option<Node>,
    error: Option<String>,
    #[serde(default)]
    hidden: bool,
}

/// What the reference program answers.
#[derive(Debug)]
pub struct Reply {
    /// The value or fault.
    pub answer: Answer,
    /// Whether a part had a fault that may not count: the result of a conditional that is not chosen, say.
    pub hidden: bool,
}

/// Returns the answers of the reference program, in the order of the questions.
///
/// # Panics
/// If the program cannot be built or run, or refuses a question as such.
pub fn ask(questions: &[Question]) -> Vec<Reply> {
    let mut child = Command::new(build::program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reference program can be executed");
    let mut stdin = child.stdin.take().expect("the pipe was asked for");
    let mut lines = Vec::new();
    for question in questions {
        serde_json::to_writer(&mut lines, question).expect("a question can be written");
        lines.push(b'\n');
    }
    let writer = thread::spawn(move || stdin.write_all(&lines));
    let output = child.wait_with_output().expect("the reference program can be read");
    let written = writer.join().expect("writing does not panic");
    assert!(output.status.success() && written.is_ok(), "the reference program failed: {}", output.status);
    let answers = String::from_utf8(output.stdout).expect("the reference program prints UTF-8");
    let answers: Vec<_> = answers.lines().map(reply).collect();
    assert_eq!(answers.len(), questions.len(), "the reference program answers every question");
    answers
}

fn reply(line: &str) -> Reply {
    let line: Line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let answer = line.value.ok_or_else(|| line.error.unwrap_or_default());
    Reply { answer, hidden: line.hidden }
}
