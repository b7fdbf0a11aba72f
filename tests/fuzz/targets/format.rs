//! Formatting: it is idempotent, and what it has formatted still parses.

#![no_main]

use std::sync::Arc;

use engine_core::diagnostic::SourceFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let file = |text: &str| Arc::new(SourceFile { path: "fuzz.hcl".to_owned(), text: text.to_owned() });
    match engine_config::format(&file(text)) {
        Ok(once) => {
            let twice = engine_config::format(&file(&once)).expect("what was formatted parses");
            assert_eq!(once, twice);
        }
        Err(faults) => fuzz::check(&faults),
    }
});
