//! An expression on its own: all operators, templates and functions.

#![no_main]

use std::path::Path;

use engine_config::{Names, evaluate_expression};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let names = Names::new(Path::new(env!("CARGO_MANIFEST_DIR")));
    if let Err(faults) = evaluate_expression(text, &names) {
        fuzz::check(&faults);
    }
});
