//! What is documented of every function, as rows of calls and their results.

use super::super::{FUNCTIONS, REFUSED_FUNCTION, faults, reference, refused};
use super::{Functions, eval, with_files};
use crate::expr_value::ExprValue;

const ROWS: [&str; 3] =
    [include_str!("text.rows"), include_str!("values.rows"), include_str!("encodings.rows")];

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.into_iter().flat_map(str::lines).filter_map(|line| line.split_once(" ==> "))
}

/// Returns why a row does not hold.
fn fault((call, want): (&str, &str), scope: &Functions) -> Option<String> {
    let found = eval(call, scope);
    match (found, want) {
        (Err(_), "error") => None,
        (Ok(value), "unknown") if value.is_unknown() => None,
        (Ok(value), "error" | "unknown") => Some(format!("{call}\n  gives {value}, not {want}")),
        (Ok(value), want) => {
            let wanted = eval(want, scope).unwrap_or_else(|faults| panic!("{want}: {faults:?}"));
            let same = value == wanted || both_empty(&value, &wanted);
            (!same).then(|| format!("{call}\n  gives {value}: {}\n  not   {want}", value.ty()))
        }
        (Err(faults), want) => Some(format!("{call}\n  fails {faults:?}\n  not   {want}")),
    }
}

/// Empty collections written down have no type of items.
fn both_empty(a: &ExprValue, b: &ExprValue) -> bool {
    let empty = |value: &ExprValue| value.as_items().is_some_and(|items| items.is_empty());
    empty(a) && empty(b) && std::mem::discriminant(a.kind()) == std::mem::discriminant(b.kind())
}

#[test]
fn functions_give_what_is_documented() {
    let (_directory, scope) = with_files();
    let faults: Vec<_> = rows().filter_map(|row| fault(row, &scope)).collect();
    assert!(faults.is_empty(), "{} rows\n{}", faults.len(), faults.join("\n"));
    assert!(rows().count() >= 700, "only {} rows", rows().count());
}

#[test]
fn every_function_has_rows() {
    let calls: String = rows().map(|(call, _)| format!(" {call}\n")).collect();
    let missing: Vec<_> = FUNCTIONS
        .keys()
        .filter(|name| !calls.contains(&format!(" {name}(")) && !calls.contains(&format!("({name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn refusals_are_real() {
    let (_directory, scope) = with_files();
    for refusal in faults::REFUSALS {
        assert!(FUNCTIONS.contains_key(refusal.function), "{}", refusal.function);
        assert!(refusal.call.starts_with(&format!("{}(", refusal.function)), "{}", refusal.call);
        assert!(eval(refusal.call, &scope).is_err(), "{}", refusal.call);
    }
}

#[test]
fn what_is_left_out_says_why_and_what_to_use() {
    let (_directory, scope) = with_files();
    for refused in refused::all() {
        let name = refused.name.replace("::*", "::a::b").replace('*', "notnull");
        assert!(!FUNCTIONS.contains_key(name.as_str()), "{name} exists");
        let faults = eval(&format!("{name}(1)"), &scope).unwrap_err();
        let fault = faults.iter().next().unwrap();
        assert_eq!(fault.code, REFUSED_FUNCTION, "{name}");
        assert!(fault.summary.contains(refused.why), "{}", fault.summary);
        assert_eq!(fault.hint.as_deref(), Some(refused.instead), "{name}");
    }
}

#[test]
fn examples_of_what_evaluation_does_itself_are_true() {
    let (_directory, scope) = with_files();
    for example in reference::special_examples() {
        assert_eq!(eval(example, &scope), Ok(ExprValue::from(true)), "{example}");
    }
}

/// `UPDATE_EXPECTATIONS=1` writes the page anew, to be reviewed in the diff.
#[test]
fn the_reference_is_written_from_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/functions.md");
    let page = crate::functions_markdown();
    let missing: Vec<_> =
        super::super::names().filter(|name| !page.contains(&format!("\n### {name}\n"))).collect();
    assert!(missing.is_empty(), "the page lacks {missing:?}");
    if std::env::var_os("UPDATE_EXPECTATIONS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "functions.md differs from the table; UPDATE_EXPECTATIONS=1 writes it anew");
}
