//! The reference of all functions, as Markdown.

use std::fmt::Write;

use super::{FUNCTIONS, Function, GROUPS, faults, refused};

/// What is part of evaluation: arguments may be at fault, or no values at all, and marks are not only passed on.
const SPECIAL: &[(&str, &str, &str)] = &[
    (
        "can(expression)",
        "Tells whether the expression evaluates without a fault.",
        "can(tonumber(\"5\")) && !can(tonumber(\"five\"))",
    ),
    (
        "convert(value, type)",
        "Returns the value as a type, written as that of a variable.",
        "convert({ a = \"1\" }, map(number)) == tomap({ a = 1 })",
    ),
    (
        "ephemeralasnull(value)",
        "Returns the value with null wherever it is ephemeral.",
        "ephemeralasnull(\"a\") == \"a\"",
    ),
    (
        "try(expressions...)",
        "Returns the first expression that evaluates without a fault.",
        "try(tonumber(\"five\"), 5) == 5",
    ),
];

const HEAD: &str = "\
# Functions

This page is written from the table of functions itself; every example and every fault on it is run by a test.
A function that Terraform or OpenTofu has too gives the same results, edges included, but for what follows. Numbers are
exact decimals: `log(1000, 10)` is 3, `pow(1.1, 2)` is 1.21, and what would be infinite is refused. `range` is bounded
by the cost of the expression, not by 1024 numbers. YAML is read and written as the tools of Kubernetes do it, and keys
of an object are taken once. `type` gives text outside of the console. Paths start at the repository's root, and nothing
outside is read. Our own functions stand under `k8s::`. Try them in [`terrane console`](console.md).

In a signature `?` marks what may be left out, `...` what may be given any number of times, and `|null` what may be
null. An argument is converted to the type of its parameter. A result is known after apply when it depends on an
argument that is, and sensitive when an argument is. `core::NAME` is the same as `NAME`.

All functions refuse too few or too many arguments (`TRN0301`), arguments of another type, and null where the
signature does not admit it (`TRN0302`). Further refusals stand with each function. They have the code `TRN0302` when
an argument is at fault and `TRN0303` otherwise; nothing sensitive is quoted.

";

/// Returns the reference of all functions, as Markdown: `engine/docs/functions.md`.
pub fn functions_markdown() -> String {
    let mut page = HEAD.to_owned();
    for (title, table) in GROUPS {
        heading(&mut page, title);
        let functions =
            FUNCTIONS.values().filter(|function| table.iter().any(|row| std::ptr::eq(row, function.row)));
        functions.for_each(|function| entry(&mut page, function));
        if *title == "Types" {
            SPECIAL
                .iter()
                .for_each(|(signature, about, example)| special(&mut page, signature, about, example));
        }
    }
    heading(&mut page, "Left out");
    page.push_str("A call of one of these is refused with `TRN0306` and this explanation.\n\n");
    page.push_str("| Function | Why | Instead |\n|---|---|---|\n");
    for refused in refused::all() {
        line(&mut page, format_args!("| `{}` | {} | {} |", refused.name, refused.why, refused.instead));
    }
    page
}

fn heading(page: &mut String, title: &str) {
    line(page, format_args!("## {title}\n"));
}

fn entry(page: &mut String, function: &Function) {
    let (name, signature) = (function.name(), function.signature());
    line(page, format_args!("### {name}\n\n`{signature}`\n\n{}", function.about()));
    code(page, function.example());
    if let Some(refusal) = faults::of(name) {
        line(page, format_args!("Refuses when {}: `{}`\n", refusal.when, refusal.call));
    }
}

fn special(page: &mut String, signature: &str, about: &str, example: &str) {
    let name = signature.split('(').next().unwrap_or(signature);
    line(page, format_args!("### {name}\n\n`{signature}`\n\n{about}"));
    code(page, example);
}

fn code(page: &mut String, example: &str) {
    line(page, format_args!("\n```text\n{example}\n```\n"));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
pub(super) fn special_examples() -> impl Iterator<Item = &'static str> {
    SPECIAL.iter().map(|(_, _, example)| *example)
}
