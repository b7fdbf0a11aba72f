use crate::definition::harness::{HEAD, Repository};

/// What is found in text behind [`HEAD`] although no variable has a value: `CODE LINE:COLUMN`.
fn check(text: &str, want: &[&str]) {
    let repository = Repository::main(text);
    let found = match repository.validate() {
        Ok(_) => String::new(),
        Err(faults) => repository.print(&faults),
    };
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), want.len(), "{text}\n{found}");
    for (line, want) in lines.iter().zip(want) {
        assert!(line.replace(" main.hcl:", " ").starts_with(want), "{text}\n{line}");
    }
}

#[test]
fn variables_need_no_values() {
    check(
        "variable \"tag\" {\n  type = string\n}\nnamespace \"a\" {\n  labels = { tag = var.tag }\n}\n",
        &[],
    );
    check(
        "variable \"names\" {\n  type = set(string)\n}\nnamespace \"a\" {\n  for_each = var.names\n}\n",
        &[],
    );
    check("variable \"n\" {\n  type = number\n}\nnamespace \"a\" {\n  count = var.n\n}\n", &[]);
    check("variable \"name\" {\n  type = string\n}\nnamespace \"a\" {\n  name = var.name\n}\n", &[]);
    check(
        "variable \"context\" {\n  type = string\n}\ncluster \"b\" {\n  context = var.context\n}\nnamespace \"a\" {\n  cluster = cluster.b\n  lables = {}\n}\n",
        &["TRN0111 16:3"],
    );
}

#[test]
fn faults_that_no_value_mends_are_found() {
    check(
        "variable \"n\" {\n  type = number\n}\noutput \"a\" {\n  value = upper([var.n])\n}\noutput \"b\" {\n  value = 1 / 0\n}\n",
        &["TRN0302 12:17", "TRN0201 15:"],
    );
    check(
        "variable \"m\" {\n  type = map(string)\n}\nnamespace \"a\" {\n  name = var.m\n}\n",
        &["TRN0131 12:10"],
    );
    check("variable \"x\" {}\nnamespace \"a\" {\n  labels = var.y\n}\n", &["TRN0120 10:12"]);
}

#[test]
fn a_definition_with_all_values_is_whole() {
    assert!(HEAD.contains("sandbox"));
    let repository = Repository::main("namespace \"a\" {}\n");
    assert!(
        matches!(repository.validate(), Ok(super::Valid::Whole(definition)) if definition.graph.resources().len() == 1)
    );
}
