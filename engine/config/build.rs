//! Builds the crate again when an embedded module changes: the macro that embeds them does not tell.

fn main() {
    println!("cargo::rerun-if-changed=../../modules");
}
