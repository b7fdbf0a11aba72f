use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::Expression;

use super::{ARGUMENT, FUNCTIONS, FunctionContext, find, tables};
use crate::eval::{Scope, Step, evaluate};
use crate::expr_value::ExprValue;
use crate::templates::Templates;
use crate::types::Type;

mod documented;

/// A scope with two names: `later` stands for a string that is known after apply, `passing` for one that is ephemeral.
struct Functions {
    file: Arc<SourceFile>,
    context: FunctionContext,
    templates: Templates,
}

impl Scope for Functions {
    fn resolve(&self, root: &str, _: &[Step], span: SourceSpan) -> Result<(ExprValue, usize), Diagnostics> {
        if root == "later" {
            return Ok((ExprValue::unknown(Type::String), 0));
        }
        if root == "passing" {
            return Ok((ExprValue::from("hush").with_ephemerality_of(true), 0));
        }
        Err(Diagnostic::error(ARGUMENT, format!("no {root}")).at(span).into())
    }

    fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.context
    }

    fn templates(&self) -> Option<&Templates> {
        Some(&self.templates)
    }
}

fn scope(context: FunctionContext) -> Functions {
    let (path, text) = ("test.hcl".to_owned(), String::new());
    let greet = SourceFile { path: "greet.tera".to_owned(), text: "hello {{ name }}".to_owned() };
    let templates = BTreeMap::from([("templates/greet.tera".to_owned(), Arc::new(greet))]);
    Functions {
        file: Arc::new(SourceFile { path, text }),
        context,
        templates: Templates::new(templates).unwrap(),
    }
}

/// Returns a scope with the files that examples use. The directory must outlive it.
fn with_files() -> (tempfile::TempDir, Functions) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("hello.txt"), "hello\n").unwrap();
    fs::write(directory.path().join("greet.tftpl"), "hello ${name}\n").unwrap();
    let scope = repository(directory.path());
    (directory, scope)
}

fn repository(directory: &Path) -> Functions {
    let clock = "2026-03-01T09:05:00Z".parse().unwrap();
    scope(FunctionContext::new(directory).with_clock(clock))
}

fn eval(text: &str, scope: &Functions) -> Result<ExprValue, Diagnostics> {
    let expression: Expression = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluate(&expression, scope)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    let scope = scope(FunctionContext::default());
    for (text, want) in cases {
        match eval(text, &scope) {
            Ok(value) => assert_eq!(value.to_string(), *want, "{text}"),
            Err(faults) => panic!("{text}: {faults:?}"),
        }
    }
}

#[test]
fn every_function_has_a_signature_and_an_example_that_is_true() {
    let (_directory, scope) = with_files();
    let names: BTreeSet<_> = FUNCTIONS.values().map(super::Function::name).collect();
    assert_eq!(names.len(), tables().count(), "a signature is not well formed, or a name stands twice");
    for function in FUNCTIONS.values() {
        let name = function.name();
        assert!(function.example().contains(&format!("{name}(")), "{name}");
        assert!(function.about().ends_with('.'), "{name}");
        match eval(function.example(), &scope) {
            Ok(value) => assert_eq!(value, ExprValue::from(true), "{}", function.example()),
            Err(faults) => panic!("{}: {faults:?}", function.example()),
        }
    }
}

#[test]
fn text_functions_handle_their_edges() {
    check(&[
        (r#"split(",", "")"#, "[\"\"]"),
        (r#"split("", "aé")"#, "[\"a\", \"é\"]"),
        (r#"substr("äöü", 1, 1)"#, "\"ö\""),
        (r#"substr("abc", 5, 1)"#, "\"\""),
        (r#"substr("abc", -9, 2)"#, "\"ab\""),
        (r#"replace("aaa", "a", "aa")"#, "\"aaaaaa\""),
        (r#"replace("a/b", "/", "-")"#, "\"a-b\""),
        (r#"replace("ab12", "/([a-z]+)(\\d+)/", "$2$1")"#, "\"12ab\""),
        (r#"regex("(?P<major>\\d+)\\.(?P<minor>\\d+)", "1.36")"#, "{ major = \"1\", minor = \"36\" }"),
        (r#"regex("a(b)?", "a")"#, "[null]"),
        (r#"regexall("[a-z]", "1a2b")"#, "[\"a\", \"b\"]"),
        (r#"title("a-b c_d")"#, "\"A-B C_d\""),
        (r#"trim("abc", "")"#, "\"abc\""),
        (
            r#"format("%5.1f|%-4s|%+d|%q|%%|%v|%t", 3.14159, "a", 5, "x", [1], true)"#,
            "\"  3.1|a   |+5|\\\"x\\\"|%|[1]|true\"",
        ),
        (r#"format("%[2]s %[1]s", "a", "b")"#, "\"b a\""),
        (r#"format("%x %X %o %b %e", 255, 255, 8, 5, 12345.678)"#, "\"ff FF 10 101 1.234568e+04\""),
        (r#"formatlist("%s-%d", ["a", "b"], 1)"#, "[\"a-1\", \"b-1\"]"),
        (r#"join(", ", [])"#, "\"\""),
        (r#"indent(2, "")"#, "\"\""),
        (r#"chomp("a\n\n")"#, "\"a\""),
    ]);
}

#[test]
fn collection_functions_handle_their_edges() {
    check(&[
        ("element([1, 2, 3], -1)", "3"),
        ("element([1, 2, 3], 4)", "2"),
        ("slice([1, 2], 1, 1)", "[]"),
        ("range(5, 0)", "[5, 4, 3, 2, 1]"),
        ("range(0, 1, 0.25)", "[0, 0.25, 0.5, 0.75]"),
        ("range(2, 2)", "[]"),
        ("merge({ a = 1 }, null, { b = 2 })", "{ a = 1, b = 2 }"),
        ("merge()", "{}"),
        ("type(concat(tolist([\"a\"]), tolist([\"b\"])))", "\"list(string)\""),
        ("coalesce(null, 1, \"a\")", "\"1\""),
        ("compact([null, \"\"])", "[]"),
        ("distinct([1, \"1\", 2])", "[\"1\", \"2\"]"),
        ("flatten([])", "[]"),
        ("flatten([[[]], [\"a\"]])", "[\"a\"]"),
        ("setunion([1], [\"a\"])", "toset([\"1\", \"a\"])"),
        ("setsubtract([1, 2], [3])", "toset([1, 2])"),
        ("length(setproduct([1, 2], [3, 4], [5]))", "4"),
        ("setproduct([], [1])", "[]"),
        ("zipmap([], [])", "{}"),
        ("contains([[1]], [1])", "true"),
        ("contains([1], \"1\")", "false"),
        ("contains(toset([\"a\"]), \"a\")", "true"),
        ("index([1, 2], 2)", "1"),
        ("sum([1, \"2\"])", "3"),
        ("alltrue([true, null])", "false"),
        ("chunklist([1, 2, 3], 0)", "[[1, 2, 3]]"),
        ("sort([\"b\", \"a\", \"B\"])", "[\"B\", \"a\", \"b\"]"),
        ("toset([3, 1, 2, 1])", "toset([1, 2, 3])"),
        ("tolist(toset([\"b\", \"a\"]))", "[\"a\", \"b\"]"),
        ("tomap({ a = 1, b = \"x\" })", "{ a = \"1\", b = \"x\" }"),
        ("tobool(null)", "null"),
        ("one(toset([\"x\"]))", "\"x\""),
        ("values({ b = 1, a = \"x\" })", "[\"x\", 1]"),
    ]);
}

#[test]
fn numbers_and_encodings_are_exact() {
    check(&[
        ("pow(2, 0.5) > 1.41", "true"),
        ("pow(-3, 3)", "-27"),
        ("pow(0.1, 3)", "0.001"),
        ("parseint(\"-z\", 36)", "-35"),
        ("ceil(-0.5)", "0"),
        ("floor(18446744073709551616.5)", "18446744073709551616"),
        ("max(0.1, 0.10)", "0.1"),
        ("jsonencode(18446744073709551617)", "\"18446744073709551617\""),
        ("jsonencode(\"<a&b>\")", "\"\\\"\\\\u003ca\\\\u0026b\\\\u003e\\\"\""),
        ("jsondecode(\"[0.1, 9007199254740993]\")", "[0.1, 9007199254740993]"),
        (
            "yamldecode(\"{a: 0o17, b: 0777, c: off, d: ~, e: 1.20}\")",
            "{ a = 15, b = 511, c = false, d = null, e = 1.2 }",
        ),
        (
            "yamldecode(yamlencode({ on = \"on\", n = [\"a\\tb\", \"x\\ny\\n\", \" \"], i = 5 }))",
            "{ i = 5, n = [\"a\\tb\", \"x\\ny\\n\", \" \"], on = \"on\" }",
        ),
        ("cidrhost(\"fd00::/64\", 255)", "\"fd00::ff\""),
        ("cidrsubnet(\"fd00::/48\", 16, 162)", "\"fd00:0:0:a2::/64\""),
        ("cidrsubnet(\"0.0.0.0/0\", 0, 0)", "\"0.0.0.0/0\""),
        ("cidrsubnets(\"10.0.0.0/16\", 8, 4, 8)", "[\"10.0.0.0/24\", \"10.0.16.0/20\", \"10.0.32.0/24\"]"),
        ("timeadd(\"2026-03-01T00:00:00Z\", \"-0.5s\")", "\"2026-02-28T23:59:59Z\""),
        ("formatdate(\"EEE, D 'of' MMMM\", \"2026-03-01T00:00:00Z\")", "\"Sun, 1 of March\""),
        ("formatdate(\"h:mmaa Z\", \"2026-03-01T15:04:00+02:00\")", "\"15:04pm +02:00\""),
    ]);
    let scope = scope(FunctionContext::default());
    for text in [
        "cidrhost(\"10.0.0.0/30\", 4)",
        "cidrhost(\"10.0.0.0/33\", 0)",
        "cidrsubnet(\"10.0.0.0/16\", 17, 0)",
        "cidrsubnet(\"10.0.0.0/16\", 1, 2)",
        "cidrsubnets(\"10.0.0.0/31\", 1, 1, 1)",
        "timeadd(\"now\", \"1h\")",
        "timeadd(\"2026-03-01T00:00:00Z\", \"1 hour\")",
        "formatdate(\"Q\", \"2026-03-01T00:00:00Z\")",
        "yamldecode(\"{a: 1, a: 2}\")",
        "jsondecode(\"{\\\"a\\\": 1, \\\"a\\\": 2}\")",
        "base64decode(\"_\")",
        "parseint(\"12\", 2)",
        "range(0, 5, -1)",
        "format(\"%!\", 1)",
        "format(\"%99999d\", 1)",
        "zipmap([\"a\"], [])",
        "sum([])",
    ] {
        assert!(eval(text, &scope).is_err(), "{text}");
    }
}

#[test]
fn documents_that_expand_without_end_are_refused() {
    let mut yaml = "a0: &a0 [x]\\n".to_owned();
    for level in 1..12 {
        let last = level - 1;
        let items = vec![format!("*a{last}"); 9].join(", ");
        yaml += &format!("a{level}: &a{level} [{items}]\\n");
    }
    let scope = scope(FunctionContext::default());
    for text in [
        format!("yamldecode(\"{yaml}\")"),
        "yamldecode(\"&a [*a]\")".to_owned(),
        format!("jsondecode(\"{}\")", "[".repeat(100_000)),
        format!("yamldecode(\"{}\")", "[".repeat(100_000)),
    ] {
        assert!(eval(&text, &scope).is_err());
    }
}

#[test]
fn the_clock_is_fixed_and_unknown_without_one() {
    let directory = tempfile::tempdir().unwrap();
    let value = eval("timestamp()", &repository(directory.path())).unwrap();
    assert_eq!(value, ExprValue::from("2026-03-01T09:05:00Z"));
    let value = eval("timestamp()", &scope(FunctionContext::default())).unwrap();
    assert!(value.is_unknown());
}

#[test]
fn files_are_read_from_the_repository_only() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "top secret").unwrap();
    let root = tempfile::tempdir().unwrap();
    let module = root.path().join("modules/web");
    fs::create_dir_all(module.join("sub")).unwrap();
    fs::write(root.path().join("shared.txt"), "shared").unwrap();
    fs::write(module.join("a.yaml"), "a").unwrap();
    fs::write(module.join("sub/b.yaml"), "b").unwrap();
    fs::write(module.join("c.json"), "c").unwrap();
    fs::write(module.join("binary"), [0xff, 0xfe]).unwrap();
    fs::write(module.join("large"), vec![b'x'; (4 << 20) + 1]).unwrap();
    let scope = scope(FunctionContext::new(root.path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(outside.path().join("secret"), module.join("link")).unwrap();
        symlink("/dev/zero", module.join("zero")).unwrap();
        symlink(root.path().join("shared.txt"), module.join("inside")).unwrap();
        symlink(&module, module.join("loop")).unwrap();
        assert_eq!(eval("file(\"modules/web/inside\")", &scope).unwrap(), ExprValue::from("shared"));
        for text in [
            "file(\"modules/web/link\")",
            "file(\"modules/web/zero\")",
            "fileexists(\"modules/web/link\")",
            "filebase64(\"modules/web/link\")",
        ] {
            assert!(eval(text, &scope).is_err(), "{text}");
        }
    }
    for (text, want) in [
        ("file(\"modules/../shared.txt\")", "\"shared\""),
        ("file(\"modules/web/./sub/b.yaml\")", "\"b\""),
        ("fileset(\"modules/web\", \"*.yaml\")", "toset([\"a.yaml\"])"),
        ("fileset(\"modules/web\", \"**/*.yaml\")", "toset([\"a.yaml\", \"sub/b.yaml\"])"),
        ("fileset(\"modules/web\", \"*.{yaml,json}\")", "toset([\"a.yaml\", \"c.json\"])"),
        ("fileset(\"modules/web/sub\", \"?.yaml\")", "toset([\"b.yaml\"])"),
    ] {
        let value = eval(text, &scope).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!(value.to_string(), want, "{text}");
    }
    for text in [
        "file(\"../passwd\")",
        "file(\"/etc/passwd\")",
        "file(\"/proc/self/environ\")",
        "file(\"none\")",
        "file(\"modules/web/sub\")",
        "fileexists(\"modules/web/sub\")",
        "file(\"modules/web/binary\")",
        "file(\"modules/web/large\")",
        "file(\"shared.txt\\u0000\")",
        "fileset(\"/etc\", \"*\")",
        "fileset(\".\", \"{\")",
    ] {
        assert!(eval(text, &scope).is_err(), "{text}");
    }
    let read: Vec<_> = scope.context.files_read().into_keys().collect();
    assert!(read.contains(&"modules/web/sub/b.yaml".into()), "{read:?}");
    assert!(read.contains(&"shared.txt".into()), "{read:?}");
    assert!(read.contains(&"modules/web/*.yaml".into()), "{read:?}");
}

#[test]
fn template_files_see_their_variables_only() {
    let root = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
    write("list.tftpl", "%{ for v in items ~}\n  - ${v}\n%{ endfor ~}\n");
    write("only.tftpl", "${x}");
    write("self.tftpl", "${templatefile(\"self.tftpl\", {})}");
    write("broken.tftpl", "line\n${x");
    write("null.tftpl", "a\nb ${x}");
    let scope = repository(root.path());
    for (text, want) in [
        ("templatefile(\"list.tftpl\", { items = [\"a\", \"b\"] })", "\"  - a\\n  - b\\n\""),
        ("templatefile(\"only.tftpl\", { x = [1] })", "[1]"),
        ("templatefile(\"list.tftpl\", { items = sensitive([1]) })", "(sensitive value)"),
    ] {
        let value = eval(text, &scope).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!(value.to_string(), want, "{text}");
    }
    for (text, summary, place) in [
        ("templatefile(\"only.tftpl\", { y = 1 })", "no variable \"x\" in this template", "only.tftpl:1:3"),
        ("templatefile(\"broken.tftpl\", {})", "invalid template", "broken.tftpl:2:"),
        (
            "templatefile(\"null.tftpl\", { x = null })",
            "invalid part of a template: it is null",
            "null.tftpl:2:5",
        ),
        (
            "templatefile(\"self.tftpl\", {})",
            "templatefile: a template cannot render another one",
            "self.tftpl:1:3",
        ),
    ] {
        let faults = eval(text, &scope).unwrap_err();
        let fault = faults.iter().next().unwrap();
        assert_eq!(fault.summary, summary, "{text}");
        let span = fault.span.as_ref().unwrap().to_string();
        assert!(span.starts_with(place), "{text}: {span}");
    }
    // A fault leaves the context usable.
    assert!(eval("templatefile(\"only.tftpl\", { x = 1 })", &scope).is_ok());
}

#[test]
fn unknown_paths_are_known_after_apply() {
    let function = find("file").unwrap();
    let path = ExprValue::unknown(Type::String);
    let value =
        function.invoke(vec![path], &scope(FunctionContext::default()), &crate::eval::Budget::default());
    assert!(value.unwrap().is_unknown());
}

#[test]
fn faults_of_sensitive_templates_quote_nothing() {
    let (_directory, scope) = with_files();
    for call in [
        "templatestring(sensitive(\"hush $${\"), {})",
        "templatestring(sensitive(\"hush $${x}\"), {})",
        "templatefile(sensitive(\"hush\"), {})",
        "k8s::tera(sensitive(\"hush\"), {})",
        "regex(sensitive(\"hush(\"), \"a\")",
        "csvdecode(sensitive(\"hush,hush\"))",
        "k8s::image_parse(sensitive(\"HUSH hush\"))",
    ] {
        let faults = eval(call, &scope).unwrap_err();
        for fault in faults.iter() {
            let said = format!(
                "{} {:?} {:?} {:?}",
                fault.summary,
                fault.detail,
                fault.hint,
                fault.span.as_ref().map(ToString::to_string)
            );
            assert!(!said.contains("hush"), "{call}: {said}");
            assert!(fault.span.as_ref().is_some_and(|span| span.file.path == "test.hcl"), "{call}");
        }
    }
}

#[test]
fn results_without_end_are_refused() {
    let scope = scope(FunctionContext::default());
    for call in [
        "split(\"\", join(\"\", [for n in range(5000) : format(\"%01000d\", 0)]))",
        "indent(1000000, join(\"\\n\", range(2000)))",
        "base64gunzip(base64gzip(join(\"\", [for n in range(3000) : format(\"%01000d%01000d%01000d%01000d%01000d%01000d\", 0, 0, 0, 0, 0, 0)])))",
        "log(pow(1.0000000001, 1000), 1.0000000001) > \"a\"",
    ] {
        assert!(eval(call, &scope).is_err(), "{call}");
    }
}
