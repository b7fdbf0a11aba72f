use std::sync::Arc;

use engine_core::diagnostic::SourceFile;

use super::parse;

fn faults(text: &str) -> Vec<String> {
    let file = Arc::new(SourceFile { path: "a.hcl".into(), text: text.into() });
    match parse(&file) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(|fault| fault.span.as_ref().unwrap().to_string()).collect(),
    }
}

#[test]
fn errors_in_several_blocks_are_all_found() {
    let text =
        "a \"x\" {\n  b = \n}\n\nc \"y\" {\n  d = 1\n}\n\ne \"z\" {\n  f = [1,\n}\n\ng \"é\" {\n  é h\n}\n";
    assert_eq!(faults(text), ["a.hcl:2:7", "a.hcl:11:1", "a.hcl:14:6"]);
}

#[test]
fn odd_text_is_an_error_with_a_place() {
    for text in ["\u{feff}a {}", "a {", "a = <<EOF\nx", "}", "a = \"\n", "\0", "a \"b\" { c = 1, d = 2 }"] {
        assert!(!faults(text).is_empty(), "{text:?}");
    }
    assert_eq!(faults("a {\r\n  b = 1\r\n}\r\n"), Vec::<String>::new());
    assert_eq!(faults(""), Vec::<String>::new());
}

#[test]
fn a_brace_that_is_not_closed_is_found_in_its_block() {
    let text = "a \"x\" {\n  b = { c = 1\n}\n\nd \"y\" {\n  e = = 3\n}\n";
    assert_eq!(faults(text), ["a.hcl:6:7", "a.hcl:1:1"]);
    let text = "a \"x\" {\n}\n\nd \"y\" {\n  e = 3\n\nf \"z\" {\n}\n";
    assert_eq!(faults(text), ["a.hcl:4:1"]);
    // Without a missing brace, text that only lacks indentation is no second error.
    assert_eq!(faults("a {\nb \"x\" {\n  c = = 1\n}\n}\n"), ["a.hcl:3:7"]);
}
