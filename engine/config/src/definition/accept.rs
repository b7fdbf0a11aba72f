//! `accept`: findings of feasibility that are not to be shown.

use super::harness::Repository;

fn repository(accept: &str) -> Repository {
    let text = format!(
        "terrane {{\n  environment = \"test\"\n{accept}}}\ncluster \"main\" {{\n  sandbox = true\n}}\n"
    );
    Repository::new(&[("main.hcl", &text)])
}

#[test]
fn findings_are_accepted_by_their_codes() {
    for (accept, want) in [
        ("", &[][..]),
        ("  accept = []\n", &[]),
        ("  accept = [\"TRN0809\", \"TRN0801\", \"TRN0801\"]\n", &["TRN0801", "TRN0809"]),
    ] {
        let accepted = repository(accept).definition().accepted;
        assert_eq!(accepted.iter().map(ToString::to_string).collect::<Vec<_>>(), want, "{accept}");
    }
}

#[test]
fn only_findings_of_feasibility_can_be_accepted() {
    for (accept, want) in [
        ("  accept = [\"TRN0601\"]\n", "TRN0117"),
        ("  accept = [\"TRN0899\"]\n", "TRN0117"),
        ("  accept = [\"quota\"]\n", "TRN0117"),
        ("  accept = 801\n", "TRN0117"),
        ("  accept = var.accept\n", "TRN0"),
    ] {
        let faults = repository(accept).faults();
        assert!(faults.starts_with(want), "{accept}: {faults}");
    }
}
