//! A Tera template of a module.

#![no_main]

use fuzz::{Definition, SETTINGS};
use libfuzzer_sys::fuzz_target;

const MODULE: &str = r#"output "text" {
  value = k8s::tera("templates/t.tera", { name = "a", list = [1, 2], map = { k = "v" } })
}
"#;

thread_local! {
    static DEFINITION: Definition = {
        let definition = Definition::new();
        definition.write("main.hcl", format!("{SETTINGS}\nm \"a\" {{}}\n").as_bytes());
        definition.write("modules/m/main.hcl", MODULE.as_bytes());
        definition
    };
}

fuzz_target!(|text: &[u8]| {
    DEFINITION.with(|definition| {
        definition.write("modules/m/templates/t.tera", text);
        definition.load();
    });
});
