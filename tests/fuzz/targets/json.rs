//! A file of a definition in the JSON form.

#![no_main]

use fuzz::load_with;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| load_with("more.hcl.json", text));
