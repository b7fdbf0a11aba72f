//! What variables and outputs say about how far their values may go.

use engine_core::plan::PlannedOutput;

use super::harness::{HEAD, Repository};
use crate::VariableInput;

fn argument(name: &str, text: &str) -> VariableInput {
    VariableInput::Argument { name: name.into(), text: text.into() }
}

/// A definition, what is given for its variables, and how each fault must begin.
fn check(text: &str, given: &[(&str, &str)], want: &[&str]) {
    let mut repository = Repository::main(text);
    repository.options.variables.extend(given.iter().map(|(name, text)| argument(name, text)));
    let faults = match want {
        [] => {
            repository.definition();
            String::new()
        }
        _ => repository.faults(),
    };
    let lines: Vec<&str> = faults.lines().collect();
    assert_eq!(lines.len(), want.len(), "{text}\n{faults}");
    for (line, want) in lines.iter().zip(want) {
        let line = line.replace(" main.hcl:", " ");
        assert!(line.starts_with(want), "{text}\nfound {line}\nwant  {want}");
    }
    assert!(!faults.contains("hunter2"), "{faults}");
}

const TOKEN: &str = "variable \"token\" {\n  type = string\n  ephemeral = true\n}\n";

#[test]
fn what_is_ephemeral_is_kept_nowhere() {
    let given = [("token", "hunter2")];
    let config = |value: &str| {
        format!(
            "{TOKEN}manifest \"m\" {{\n  object = {{\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = {{ name = \"m\", \
             namespace = \"n\" }}\n    data = {{ x = {value} }}\n  }}\n}}\n"
        )
    };
    for value in [
        "var.token",
        "\"x${var.token}y\"",
        "upper(var.token)",
        "[var.token][0]",
        "{ a = var.token }.a",
        "{ a = { b = var.token } }[\"a\"].b",
        "[for c in [var.token] : c][0]",
        "nonsensitive(var.token)",
        "length(var.token) > 3 ? \"a\" : \"b\"",
        "false ? var.token : \"open\"",
        "tostring(var.token != \"\")",
        "false ? var.token : \"open\"",
        "join(\",\", tolist(toset([var.token])))",
        "one({ a = [var.token] }.a[*])",
        "try(var.token, \"\")",
        "jsonencode({ (var.token) = 1 })",
    ] {
        check(&config(value), &given, &["TRN0153 13:12: data.x of manifest.m is ephemeral"]);
    }
    check(&config("{ a = var.token, b = \"open\" }.b"), &given, &[]);
    check(
        &format!(
            "{TOKEN}locals {{\n  all = [var.token, \"open\"]\n}}\noutput \"o\" {{\n  value = local.all[1]\n}}\n"
        ),
        &given,
        &[],
    );
    check(
        &format!("{TOKEN}output \"o\" {{\n  value = var.token\n  sensitive = true\n}}\n"),
        &given,
        &["TRN0153 13:11: output o holds an ephemeral value"],
    );
    check(
        &format!("{TOKEN}output \"o\" {{\n  value = 1\n  ephemeral = true\n}}\n"),
        &given,
        &["TRN0153 12:1: an output of the environment cannot be ephemeral"],
    );
    check(
        &format!("{TOKEN}namespace \"n\" {{\n  name = var.token\n}}\n"),
        &given,
        &["TRN0153 13:10: variable name takes nothing ephemeral"],
    );
    check(
        &format!("{TOKEN}manifests \"m\" {{\n  files = [var.token]\n}}\n"),
        &given,
        &["TRN0153 13:11: files of manifests.m is ephemeral"],
    );
    check(
        &format!("{TOKEN}namespace \"n\" {{\n  for_each = toset([var.token])\n}}\n"),
        &given,
        &["TRN0152 13:14: for_each depends on a sensitive value"],
    );
}

#[test]
fn modules_pass_on_what_is_ephemeral_when_they_say_so() {
    let module = |mark: &str| {
        format!(
            "variable \"x\" {{\n  ephemeral = true\n}}\noutput \"y\" {{\n  value = var.x\n{mark}}}\noutput \"z\" {{\n  value = 1\n}}\n"
        )
    };
    let main = format!("{HEAD}own \"o\" {{\n  x = \"hunter2\"\n}}\noutput \"z\" {{\n  value = own.o.z\n}}\n");
    let repository = Repository::new(&[("modules/own/main.hcl", &module("")), ("main.hcl", &main)]);
    assert!(
        repository
            .faults()
            .starts_with("TRN0153 modules/own/main.hcl:5:11: output y holds an ephemeral value"),
    );
    repository.write("modules/own/main.hcl", &module("  ephemeral = true\n"));
    assert_eq!(repository.definition().outputs.len(), 1);
    repository.write("main.hcl", &main.replace("own.o.z", "own.o.y"));
    assert!(repository.faults().starts_with("TRN0153 main.hcl:12:11: output z holds an ephemeral value"));
}

#[test]
fn the_values_of_ephemeral_variables_are_no_part_of_what_is_remembered() {
    let digests = ["one", "two"].map(|token| {
        let mut repository = Repository::main(TOKEN);
        repository.options.variables.push(argument("token", token));
        repository.definition().variables
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn excerpts_show_nothing_of_secrets() {
    let text = "variable \"n\" {\n  type = number\n  sensitive = true\n}\n";
    let mut repository = Repository::main(text);
    repository.options.variables.push(argument("n", "hunter2"));
    repository.options.variables.push(argument("nn", "hunter2"));
    repository.write("terrane.vars.hcl", "n = \"hunter2\"\n");
    let files = crate::variable_files(repository.path());
    repository.options.variables.extend(files.into_iter().map(VariableInput::File));
    let Err(faults) = repository.load() else { panic!("no faults") };
    assert_eq!(faults.len(), 2, "{}", repository.print(&faults));
    for fault in faults.iter() {
        let spans = fault.span.iter().chain(fault.labels.iter().map(|label| &label.span));
        assert!(spans.into_iter().all(|span| !span.file.text.contains("hunter2")), "{fault:?}");
        assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }
}

#[test]
fn deprecated_inputs_and_outputs_warn_where_they_are_used() {
    let module = "variable \"size\" {\n  default = 1\n  deprecated = \"use amount\"\n}\noutput \"old\" {\n  value = var.size\n  deprecated = \
                  \"use new\"\n}\n";
    let main = format!(
        "{HEAD}variable \"tag\" {{\n  default = \"a\"\n  deprecated = \"tags are digests now\"\n}}\nown \"one\" {{\n  size = 2\n}}\nown \"two\" \
         {{}}\noutput \"o\" {{\n  value = own.one.old\n}}\n"
    );
    let mut repository = Repository::new(&[("modules/own/main.hcl", module), ("main.hcl", &main)]);
    let printed = |repository: &Repository| repository.print(&repository.definition().warnings);
    assert_eq!(
        printed(&repository),
        "TRN0135 main.hcl:13:3: variable size is deprecated: use amount (see what its module says to use instead)\n\
         TRN0135 main.hcl:17:11: output old is deprecated: use new (see what its module says to use instead)\n"
    );
    repository.options.variables.push(argument("tag", "b"));
    let printed = printed(&repository);
    assert!(
        printed.contains("<argument --var tag>:1:1: variable tag is deprecated: tags are digests now"),
        "{printed}"
    );
}

#[test]
fn rules_of_variables() {
    let rule = |condition: &str, message: &str| {
        format!("  validation {{\n    condition = {condition}\n    error_message = {message}\n  }}\n")
    };
    let pair = |rules: &str| {
        format!(
            "variable \"low\" {{\n  default = 1\n}}\nvariable \"high\" {{\n  type = number\n  default = 9\n{rules}}}\n"
        )
    };
    let ordered = rule("var.high > var.low", "\"high ${var.high} must be above low ${var.low}\"");
    check(&pair(&ordered), &[], &[]);
    check(&pair(&ordered), &[("high", "0")], &["TRN0133 15:17: variable high: high 0 must be above low 1"]);
    let two = rule("var.high < 100", "\"too high\"") + &rule("var.high % 2 == 1", "\"must be odd\"");
    check(
        &pair(&two),
        &[("high", "200")],
        &["TRN0133 15:17: variable high: too high", "TRN0133 19:17: variable high: must be odd"],
    );
    check(&pair(&rule("\"true\"", "\"\"")), &[], &[]);
    check(&pair(&rule("null", "\"x\"")), &[], &["TRN0133 15:17: a condition must be true or false"]);
    check(&pair(&rule("local.x", "\"x\"")), &[], &["TRN0121 15:17: local cannot be used here"]);
    let secret = "variable \"pin\" {\n  sensitive = true\n  validation {\n    condition = length(var.pin) > 10\n    error_message = \"bad: \
                  ${var.pin}\"\n  }\n}\n";
    check(secret, &[("pin", "hunter2")], &["TRN0133 11:17: variable pin: the value is not allowed"]);
}

#[test]
fn text_of_the_command_line_is_an_expression_for_declared_types_only() {
    let output = |ty: &str, text: &str| {
        let mut repository = Repository::main(&format!(
            "variable \"v\" {{\n{ty}}}\noutput \"o\" {{\n  value = jsonencode(var.v)\n}}\n"
        ));
        repository.options.variables.push(argument("v", text));
        match &repository.definition().outputs["o"].value {
            PlannedOutput::Value(value) => value.as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    for (ty, text, want) in [
        ("", "[1]", "\"[1]\""),
        ("  type = any\n", "[1]", "[1]"),
        ("  type = string\n", "[1]", "\"[1]\""),
        ("  type = number\n", "7", "7"),
        ("  type = list(string)\n", "[1]", "[\"1\"]"),
        ("  type = map(number)\n", "{ a = \"1\" }", "{\"a\":1}"),
        ("  default = 1\n  nullable = false\n  type = any\n", "null", "1"),
        ("  default = 1\n  type = any\n", "null", "null"),
    ] {
        assert_eq!(output(ty, text), want, "{ty} {text}");
    }
}

#[test]
fn variable_files_are_read_in_order_and_are_no_definition() {
    let mut repository =
        Repository::main("variable \"v\" {\n  type = map(number)\n}\noutput \"o\" {\n  value = var.v\n}\n");
    repository.write("terrane.vars.hcl", "v = { a = 1 }\n");
    repository.write("b.auto.vars.hcl", "v = { b = 2 }\n");
    repository.write("a.auto.vars.hcl", "v = { c = 3 }\n");
    repository.write("prod.vars.hcl", "v = { d = 4 }\n");
    repository.write("b.auto.vars.hcl.json", r#"{"v": {"b": 2}}"#);
    repository.write("b.auto.vars.hcl", "v = { b = 1 }\n");
    let files = crate::variable_files(repository.path());
    let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["terrane.vars.hcl", "a.auto.vars.hcl", "b.auto.vars.hcl", "b.auto.vars.hcl.json"]);
    repository.options.variables.extend(files.into_iter().map(VariableInput::File));
    let value = |repository: &Repository| match &repository.definition().outputs["o"].value {
        PlannedOutput::Value(value) => value.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(value(&repository), "{\"b\":2}", "the last one counts as a whole");
    repository.options.variables.push(argument("v", "{ e = 5 }"));
    let named = VariableInput::File(repository.path().join("prod.vars.hcl"));
    repository.options.variables.push(named);
    assert_eq!(
        value(&repository),
        "{\"d\":4}",
        "files and arguments count in the order in which they are given"
    );
}

#[test]
fn a_secret_is_no_key_of_a_map() {
    let secrets = "variable \"s\" {\n  default = \"hunter2\"\n  sensitive = true\n}\n\
                   variable \"m\" {\n  default = { user = \"hunter2\" }\n  sensitive = true\n}\n";
    let config_map = |labels: &str, data: &str| {
        let metadata = format!("{{ name = \"c\", namespace = \"default\", labels = {labels} }}");
        format!(
            "{HEAD}{secrets}manifest \"c\" {{\n  object = {{\n    apiVersion = \"v1\"\n    kind = \"ConfigMap\"\n    metadata = \
             {metadata}\n    data = {data}\n  }}\n}}\n"
        )
    };
    let faults = |main: &str| Repository::new(&[("main.hcl", main)]).faults();
    for data in [
        "{ (var.s) = 1 }",
        "{ \"x-${var.s}\" = \"1\" }",
        "merge({ a = \"1\" }, { (var.s) = \"1\" })",
        "tomap({ (sha1(var.s)) = \"1\" })",
        "{ for s in toset([var.s]) : s => \"1\" }",
        "{ for s in [var.s] : s => \"1\" }",
        "{ for k, v in var.m : v => k }",
        "{ for k, v in var.m : v => k... }",
        "true ? { (var.s) = \"1\" } : {}",
    ] {
        let found = faults(&config_map("{}", data));
        assert!(found.starts_with("TRN0152 main.hcl:"), "{data}: {found}");
        assert!(found.contains("a key of data of manifest.c is sensitive"), "{data}: {found}");
        assert!(!found.contains("hunter2"), "{data}: {found}");
        let place: usize = found.split(':').nth(1).and_then(|line| line.parse().ok()).unwrap_or_default();
        let line = config_map("{}", data).lines().nth(place - 1).map(str::to_owned).unwrap_or_default();
        assert!(line.contains("data ="), "{data}: it points at {line}");
    }
    assert!(
        faults(&config_map("{ (var.s) = \"1\" }", "{}")).contains("a key of metadata.labels of manifest.c")
    );
    let secret =
        format!("{HEAD}{secrets}secret \"p\" {{\n  namespace = \"n\"\n  data = {{ (var.s) = \"1\" }}\n}}\n");
    assert!(faults(&secret).contains("a key of data of secret.p is sensitive"), "{}", faults(&secret));
    // A map that is sensitive as a whole has ordinary keys, and what may be shown may be a key.
    for data in
        ["var.m", "{ for k, v in var.m : k => v }", "{ (nonsensitive(var.s)) = \"1\" }", "{ a = var.s }"]
    {
        let definition = Repository::new(&[("main.hcl", &config_map("{}", data))]).definition();
        assert!(definition.graph.resources()[0].manifest().is_some(), "{data}");
    }
}
