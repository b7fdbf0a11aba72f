//! A file of a definition: lexer, parser, decoder and evaluation of everything in it.

#![no_main]

use fuzz::load_with;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| load_with("more.hcl", text));
