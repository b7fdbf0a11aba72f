//! Names of environments: one that is taken can be part of a ref and of a file's name.

#![no_main]

use engine_core::mark::EnvironmentName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<EnvironmentName>() {
        assert_eq!(name.as_str(), text);
        assert!(git2::Reference::is_valid_name(&format!("refs/terrane/state/{name}")), "{text:?}");
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'), "{text:?}");
        assert!(text.len() < 64 && !text.starts_with('-') && !text.contains(".."), "{text:?}");
    }
});
