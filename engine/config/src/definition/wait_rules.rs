//! `wait` of the `terrane` block: when objects of a kind are current.

use super::harness::Repository;

fn repository(wait: &str) -> Repository {
    let text = format!(
        "terrane {{\n  environment = \"test\"\n{wait}}}\ncluster \"main\" {{\n  sandbox = true\n}}\n"
    );
    Repository::new(&[("main.hcl", &text)])
}

fn rule(current: &str) -> Repository {
    repository(&format!("  wait \"Widget.example.com\" {{\n    current = {current}\n  }}\n"))
}

#[test]
fn a_kind_has_a_rule() {
    let rules = repository(
        "  wait \"Widget.example.com\" {
    in_progress = \"self.status.phase == 'Building'\"
    failed      = \"self.status.phase == 'Broken'\"
    current     = <<-CEL
      has(self.status) && self.status.parts.all(part, part.ready)
    CEL
  }
  wait \"ConfigMap\" {
    current = \"true\"
  }
",
    );
    let rules = rules.definition().wait_rules;
    let kinds: Vec<_> = rules.iter().map(|rule| rule.kind.to_string()).collect();
    assert_eq!(kinds, ["Widget.example.com", "ConfigMap"]);
    assert_eq!(rules[0].failed.as_ref().unwrap().text, "self.status.phase == 'Broken'");
    assert_eq!((rules[0].current.loops, rules[1].current.loops), (1, 0));
    assert_eq!(rules[1].failed, None);
}

#[test]
fn a_faulty_rule_is_reported_where_it_stands() {
    let long = format!("\"true || '{}' == ''\"", "x".repeat(2100));
    let deep = format!("\"{} > 1\"", ["1"; 150].join(" + "));
    for (current, place, why) in [
        ("\"self.status.phase ==\"", "main.hcl:4:15", "at 1:"),
        ("\"status.phase == 'Ready'\"", "main.hcl:4:15", "it refers to \"status\""),
        ("\"self.a.all(x, true) && x\"", "main.hcl:4:15", "it refers to \"x\""),
        (
            "\"self.a.all(x, self.a.all(y, self.a.all(z, x == z)))\"",
            "main.hcl:4:15",
            "3 loops in one another",
        ),
        (&long, "main.hcl:4:15", "2048 are allowed"),
        (&deep, "main.hcl:4:15", "deep"),
    ] {
        let faults = rule(current).faults();
        assert!(faults.starts_with("TRN0144") && faults.contains(why), "{current}: {faults}");
        assert!(faults.contains(place), "{current}: {faults}");
    }
}

#[test]
fn a_rule_is_a_constant_of_one_kind() {
    for (wait, want) in [
        ("  wait {\n    current = \"true\"\n  }\n", "TRN0113"),
        ("  wait \"Widget\" \"example.com\" {\n    current = \"true\"\n  }\n", "TRN0113"),
        ("  wait \"example.com/Widget\" {\n    current = \"true\"\n  }\n", "TRN0113"),
        ("  wait \"widgets.example.com\" {\n    current = \"true\"\n  }\n", "TRN0113"),
        ("  wait \"Widget\" {\n  }\n", "TRN0112"),
        ("  wait \"Widget\" {\n    current = \"true\"\n    ready = \"true\"\n  }\n", "TRN0111"),
        ("  wait \"Widget\" {\n    current = var.rule\n  }\n", "TRN0"),
        (
            "  wait \"A.b\" {\n    current = \"true\"\n  }\n  wait \"A.b\" {\n    current = \"true\"\n  }\n",
            "TRN0114",
        ),
    ] {
        let faults = repository(wait).faults();
        assert!(faults.starts_with(want), "{wait}: {faults}");
    }
}
