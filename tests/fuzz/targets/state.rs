//! The three files of a state, cut apart at bytes that are no text. What is read is written and read again as it is.

#![no_main]

use engine_state::{Files, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.split(|byte| *byte == 0xff).map(<[u8]>::to_vec);
    let mut part = || parts.next().unwrap_or_default();
    let files = Files { meta: part(), objects: part(), intents: part() };
    if let Ok(state) = decode(&files) {
        let written = encode(&state).expect("what was read can be written");
        assert_eq!(decode(&written).as_ref(), Ok(&state));
    }
});
