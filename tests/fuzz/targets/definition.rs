//! A file of a definition: lexer, parser, decoder and evaluation of everything in it.

#![no_main]

use fuzz::{Definition, SETTINGS};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static DEFINITION: Definition = {
        let definition = Definition::new();
        definition.write("main.hcl", SETTINGS.as_bytes());
        definition
    };
}

fuzz_target!(|text: &[u8]| {
    DEFINITION.with(|definition| {
        definition.write("more.hcl", text);
        definition.load();
    });
});
