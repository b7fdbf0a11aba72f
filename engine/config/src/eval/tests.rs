use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile, SourceSpan};
use hcl_edit::expr::Expression;
use proptest::prelude::*;

use super::{Reference, Scope, Step, StepKind, codes, evaluate, references};
use crate::expr_value::ExprValue;
use crate::functions::FunctionContext;
use crate::types::Type;

/// A scope of a few values; it remembers what was asked for.
struct Values {
    file: Arc<SourceFile>,
    functions: FunctionContext,
    values: BTreeMap<&'static str, ExprValue>,
    asked: RefCell<Vec<String>>,
}

impl Scope for Values {
    fn resolve(
        &self,
        root: &str,
        steps: &[Step],
        span: SourceSpan,
    ) -> Result<(ExprValue, usize), Diagnostics> {
        self.asked.borrow_mut().push(format!("{root}+{}", steps.len()));
        // `module.NAME` stands for values that are only made when asked for.
        if root == "module"
            && let Some(StepKind::Attribute(name)) = steps.first().map(|step| &step.kind)
        {
            let id = ExprValue::string(format!("id of {name}"));
            return Ok((ExprValue::object([("id".into(), id)]), 1));
        }
        let value = self.values.get(root).cloned();
        let value =
            value.ok_or_else(|| Diagnostic::error(codes::ATTRIBUTE, format!("no {root}")).at(span))?;
        Ok((value, 0))
    }

    fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    fn functions(&self) -> &FunctionContext {
        &self.functions
    }
}

fn scope(text: &str) -> Values {
    let object = |entries: &[(&str, ExprValue)]| {
        ExprValue::object(entries.iter().map(|(name, value)| ((*name).into(), value.clone())))
    };
    let people = [("ann", 30), ("bob", 20)]
        .map(|(name, age)| object(&[("name", name.into()), ("age", ExprValue::from(age))]));
    let values = [
        ("one", ExprValue::from(1)),
        ("big", ExprValue::number("18446744073709551616".parse::<engine_core::value::Number>().unwrap())),
        ("text", "abc".into()),
        ("nil", ExprValue::NULL),
        ("yes", true.into()),
        ("tuple", ExprValue::tuple(["a".into(), 2.into(), true.into()])),
        ("list", ExprValue::strings(["a", "b"])),
        ("empty", ExprValue::list(Type::String, [])),
        ("set", ExprValue::set(Type::String, ["b", "a", "b"].map(ExprValue::from))),
        ("map", ExprValue::map(Type::Number, [("x".into(), 1.into()), ("y".into(), 2.into())])),
        (
            "obj",
            object(&[("a", 1.into()), ("b", object(&[("c", "deep".into())])), ("none", ExprValue::NULL)]),
        ),
        ("people", ExprValue::tuple(people)),
        ("secret", ExprValue::from("hush").sensitive()),
        ("pin", ExprValue::from(4711).sensitive()),
        ("flag", ExprValue::from(true).sensitive()),
        ("mixed", object(&[("open", "o".into()), ("closed", ExprValue::from("hush").sensitive())])),
        ("unknown", ExprValue::unknown(Type::Any)),
        ("later", ExprValue::unknown(Type::String)),
        ("count", ExprValue::unknown(Type::Number)),
        ("maybe", ExprValue::unknown(Type::Bool)),
        ("names", ExprValue::unknown(Type::list(Type::String))),
        ("host", ExprValue::unknown(Type::object([("ip".into(), Type::String)]))),
        ("hidden", ExprValue::unknown(Type::String).sensitive()),
    ];
    Values {
        file: Arc::new(SourceFile { path: "test.hcl".to_owned(), text: text.to_owned() }),
        functions: FunctionContext::default(),
        values: values.into(),
        asked: RefCell::default(),
    }
}

fn eval(text: &str) -> Result<ExprValue, Diagnostics> {
    let expression: Expression = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    evaluate(&expression, &scope(text))
}

fn first_fault(text: &str) -> Diagnostic {
    match eval(text) {
        Ok(value) => panic!("{text} is {value}"),
        Err(faults) => faults.iter().next().cloned().unwrap(),
    }
}

/// Each expression has the value that the second one writes out.
#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, want) in cases {
        match eval(text) {
            Ok(value) => assert_eq!(value.to_string(), *want, "{text}"),
            Err(faults) => panic!("{text}: {faults:?}"),
        }
    }
}

/// Each expression has a fault with this code, whose summary has this part.
#[track_caller]
fn refuse(cases: &[(&str, engine_core::diagnostic::Code, &str)]) {
    for (text, code, part) in cases {
        let fault = first_fault(text);
        assert_eq!(fault.code, *code, "{text}: {}", fault.summary);
        assert!(fault.summary.contains(part), "{text}: {}", fault.summary);
        assert!(fault.span.is_some(), "{text}: {}", fault.summary);
    }
}

#[test]
fn literals_keep_their_values() {
    check(&[
        ("null", "null"),
        ("true", "true"),
        ("-5", "-5"),
        ("- 5", "-5"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("18446744073709551616", "18446744073709551616"),
        ("1.0000000000000001", "1.0000000000000001"),
        ("0.1", "0.1"),
        (r#""a\n\u00e9""#, "\"a\\né\""),
        ("\"e\u{301}\"", "\"é\""),
        ("{ \u{e9} = 1 }.e\u{301}", "1"),
        ("[]", "[]"),
        ("[1, \"a\", [true]]", "[1, \"a\", [true]]"),
        ("{}", "{}"),
        ("{ b = 1, a : 2 }", "{ a = 2, b = 1 }"),
        ("{ \"x y\" = 1 }", "{ \"x y\" = 1 }"),
        ("{ 1 = \"a\" }", "{ \"1\" = \"a\" }"),
        ("{ null = 1, true = 2 }", "{ null = 1, true = 2 }"),
        ("{ one = one }", "{ one = 1 }"),
        ("{ (text) = 1 }", "{ abc = 1 }"),
        ("{ \"${text}-x\" = 1 }", "{ abc-x = 1 }"),
        ("{ upper(\"k\") = 1 }", "{ K = 1 }"),
        ("(((1)))", "1"),
    ]);
}

#[test]
fn arithmetic_is_exact_and_follows_precedence() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("0.1 + 0.2", "0.3"),
        ("10 - 4 - 3", "3"),
        ("7 / 2", "3.5"),
        ("11 % 5.1", "0.8"),
        ("-7 % 3", "-1"),
        ("9223372036854775807 + 1", "9223372036854775808"),
        ("-9223372036854775808 - 1", "-9223372036854775809"),
        ("big * big", "340282366920938463463374607431768211456"),
        ("1 / 3 * 3 < 1", "true"),
        ("\"1\" + 1", "2"),
        ("-\"5\"", "-5"),
        ("!\"true\"", "false"),
        ("-one", "-1"),
        ("- -one", "1"),
        ("1 < 2", "true"),
        ("2 <= 2", "true"),
        ("\"10\" > \"9\"", "true"),
        ("1 >= 2", "false"),
        ("1 + 1 == 2 && 2 < 3", "true"),
        ("false || true && false", "false"),
        ("!false == true", "true"),
        ("10 / 5 / 2", "1"),
    ]);
    refuse(&[
        ("1 / 0", codes::DIVISION_BY_ZERO, "division by zero"),
        ("0 / 0", codes::DIVISION_BY_ZERO, "division by zero"),
        ("5 % 0", codes::DIVISION_BY_ZERO, "division by zero"),
        ("5 % 0.0", codes::DIVISION_BY_ZERO, "division by zero"),
        ("1 + \"x\"", codes::OPERAND, "a number is required"),
        ("1 + [1]", codes::OPERAND, "a number is required"),
        ("true + 1", codes::OPERAND, "a number is required"),
        ("1 + nil", codes::OPERAND, "null"),
        ("!nil", codes::OPERAND, "null"),
        ("!1", codes::OPERAND, "a bool is required"),
        ("1 && true", codes::OPERAND, "a bool is required"),
        ("1 < \"x\"", codes::OPERAND, "a number is required"),
        ("pow(10, 8000) * pow(10, 8000)", codes::NUMBER_RANGE, "out of range"),
        ("pow(10, 8000) / pow(0.1, 8000)", codes::NUMBER_RANGE, "out of range"),
    ]);
}

#[test]
fn equality_compares_values_of_the_same_type() {
    check(&[
        ("1 == 1.0", "true"),
        ("1 == \"1\"", "false"),
        ("null == null", "true"),
        ("nil == 1", "false"),
        ("obj != null", "true"),
        ("[1, \"a\"] == [1, \"a\"]", "true"),
        ("[1] == [1, 2]", "false"),
        ("list == [\"a\", \"b\"]", "false"),
        ("list == tolist([\"a\", \"b\"])", "true"),
        ("{ a = 1 } == { a = 1 }", "true"),
        ("{ a = 1 } == { a = 2 }", "false"),
        ("map == { x = 1, y = 2 }", "false"),
        ("set == toset([\"a\", \"b\"])", "true"),
        ("\"a\" != \"b\"", "true"),
    ]);
}

#[test]
fn logic_does_not_look_at_what_is_decided() {
    check(&[
        ("nil != null && nil.x", "false"),
        ("nil == null || nil.x", "true"),
        ("false && nonsense", "false"),
        ("nonsense && false", "false"),
        ("maybe || nonsense", "(known after apply)"),
        ("true || nonsense", "true"),
        ("false && 1 / 0 == 1", "false"),
        ("obj != null && obj.a == 1", "true"),
        ("maybe && false", "false"),
        ("false && maybe", "false"),
        ("maybe || true", "true"),
        ("maybe && true", "(known after apply)"),
        ("maybe || false", "(known after apply)"),
        ("later != null && later == \"x\"", "(known after apply)"),
    ]);
    refuse(&[
        ("true && nonsense", codes::ATTRIBUTE, "no nonsense"),
        ("nonsense && true", codes::ATTRIBUTE, "no nonsense"),
        ("true || [text]", codes::OPERAND, "a bool is required"),
        ("true && nil", codes::OPERAND, "null"),
    ]);
}

#[test]
fn conditionals_find_a_common_type() {
    check(&[
        ("true ? 1 : 2", "1"),
        ("\"true\" ? 1 : 2", "1"),
        ("true ? 1 : \"a\"", "\"1\""),
        ("false ? \"a\" : true", "\"true\""),
        ("true ? null : \"a\"", "null"),
        ("true ? \"a\" : null", "\"a\""),
        ("true ? [1] : [\"a\"]", "[\"1\"]"),
        ("true ? [1, 2] : []", "[1, 2]"),
        ("true ? {} : { a = 1 }", "{}"),
        ("true ? { a = 1 } : { b = \"x\" }", "{ a = \"1\" }"),
        ("true ? { a = 1, b = { c = 1 } } : { a = 2, b = { c = 2 } }", "{ a = 1, b = { c = 1 } }"),
        ("nil == null ? \"none\" : nil.name", "\"none\""),
        ("obj == null ? nil.x : obj.a", "1"),
        ("true ? list : [\"c\"]", "[\"a\", \"b\"]"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("maybe ? 1 : 2", "(known after apply)"),
        ("true ? later : \"x\"", "(known after apply)"),
        ("true ? 1 : unknown", "1"),
        ("type(true ? 1 : later)", "\"string\""),
    ]);
    refuse(&[
        ("true ? 1 : true", codes::INCONSISTENT_RESULTS, "different types"),
        ("true ? [1] : { a = 1 }", codes::INCONSISTENT_RESULTS, "different types"),
        ("true ? \"a\" : [1]", codes::INCONSISTENT_RESULTS, "different types"),
        ("true ? { a = 1, b = {} } : {}", codes::INCONSISTENT_RESULTS, "different types"),
        ("maybe ? 1 : true", codes::INCONSISTENT_RESULTS, "different types"),
        ("null ? 1 : 2", codes::CONDITION, "null"),
        ("1 ? 1 : 2", codes::CONDITION, "a bool is required"),
        ("\"True\" ? 1 : 2", codes::CONDITION, "lower case"),
        ("true ? nil.x : 1", codes::NULL_VALUE, "attribute"),
    ]);
}

#[test]
fn traversals_step_into_values() {
    check(&[
        ("obj.a", "1"),
        ("obj.b.c", "\"deep\""),
        ("obj[\"b\"][\"c\"]", "\"deep\""),
        ("obj.none", "null"),
        ("map.x", "1"),
        ("map[\"y\"]", "2"),
        ("list[0]", "\"a\""),
        ("list[\"1\"]", "\"b\""),
        ("list.1", "\"b\""),
        ("tuple[2]", "true"),
        ("tuple[0 + 1]", "2"),
        ("people[one].name", "\"bob\""),
        ("[1, 2, 3][1]", "2"),
        ("{ a = { b = 1 } }.a.b", "1"),
        ("(obj).b.c", "\"deep\""),
        ("upper(text)", "\"ABC\""),
        ("{ for k, v in map : k => v }[\"x\"]", "1"),
        ("module.k7.id", "\"id of k7\""),
        ("host.ip", "(known after apply)"),
        ("names[0]", "(known after apply)"),
        ("list[count]", "(known after apply)"),
        ("map[later]", "(known after apply)"),
        ("obj[later]", "(known after apply)"),
        ("unknown.a[0].b", "(known after apply)"),
        ("map[true ? \"x\" : \"y\"]", "1"),
    ]);
    refuse(&[
        ("obj.c", codes::ATTRIBUTE, "no attribute \"c\""),
        ("map.z", codes::INDEX, "no key \"z\""),
        ("map[\"z\"]", codes::INDEX, "no key \"z\""),
        ("list[2]", codes::INDEX, "no item 2"),
        ("list[-1]", codes::INDEX, "no item -1"),
        ("list[0.5]", codes::INDEX, "no item 0.5"),
        ("list[\"x\"]", codes::INDEX, "a number is required"),
        ("map[[]]", codes::INDEX, "a string is required"),
        ("empty[0]", codes::INDEX, "no item 0"),
        ("set[0]", codes::INDEX, "invalid index"),
        ("text[0]", codes::INDEX, "invalid index"),
        ("one.x", codes::ATTRIBUTE, "no attribute \"x\""),
        ("list.name", codes::ATTRIBUTE, "no attribute \"name\""),
        ("nil.x", codes::NULL_VALUE, "null"),
        ("nil[0]", codes::NULL_VALUE, "null"),
        ("list[null]", codes::NULL_VALUE, "key is null"),
        ("host.port", codes::ATTRIBUTE, "no attribute \"port\""),
        ("later.x", codes::ATTRIBUTE, "no attribute \"x\""),
        ("[[1]].0.0", codes::INDEX, "in a row"),
        ("nonsense.a", codes::ATTRIBUTE, "no nonsense"),
    ]);
}

#[test]
fn faults_point_at_the_smallest_part_and_suggest_names() {
    for (text, place, hint) in [
        ("1 + obj.b.d", 9..11, None),
        ("people[0].nam", 9..13, Some("did you mean \"name\"?")),
        ("[1, 2 + \"x\"]", 8..11, None),
        ("uper(text)", 0..10, Some("did you mean \"upper\"?")),
        ("\"a ${1 + true} b\"", 9..13, None),
        ("list.name", 4..9, Some("use [*].name for the attribute of every item")),
    ] {
        let fault = first_fault(text);
        let span = fault.span.unwrap();
        // A dot may or may not count as part of the step behind it.
        assert_eq!(span.end, place.end, "{text}: {span:?}");
        assert!(span.start.abs_diff(place.start) <= 1, "{text}: {}..{}", span.start, span.end);
        assert_eq!(fault.hint.as_deref(), hint, "{text}");
    }
}

#[test]
fn splats_take_steps_for_every_item() {
    check(
        &[
            ("people[*].name", "[\"ann\", \"bob\"]"),
            ("people.*.name", "[\"ann\", \"bob\"]"),
            ("people[*].name[0]", "\"a\""),
            ("list[*]", "[\"a\", \"b\"]"),
            ("set[*]", "[\"a\", \"b\"]"),
            ("nil[*]", "[]"),
            ("nil.*.x", "[]"),
            ("obj[*].a", "[1]"),
            ("text[*]", "[\"abc\"]"),
            ("empty[*]", "[]"),
            ("people.*.name[1]", "\"bob\""),
            ("[[\"a\"], [\"b\"]].*.0", "[\"a\", \"b\"]"),
            ("[[[1, 2]], [[3]]][*][*]", "[[[1, 2]], [[3]]]"),
            ("[{ a = [1, 2] }, { a = [3] }][*].a[*]", "[[1, 2], [3]]"),
            ("[{ a = [1, 2] }, { a = [3] }][*].a[0]", "[1, 3]"),
            ("unknown[*].name", "(known after apply)"),
            ("names[*]", "(known after apply)"),
            ("type(list[*])", "\"list(string)\""),
            ("type(tuple[*])", "\"tuple([string, number, bool])\""),
        ]
        .into_iter()
        // A full splat takes all steps behind it along, the index of a character too.
        .filter(|(text, _)| *text != "people[*].name[0]")
        .collect::<Vec<_>>(),
    );
    refuse(&[
        ("people[*].nam", codes::ATTRIBUTE, "no attribute \"nam\""),
        ("people[*].name[0]", codes::INDEX, "invalid index"),
        ("[[1]].*.*", codes::SPLAT, "inside"),
        ("list[*][*][*][*][*][*][*][*][*][*][*][*][*][*][*][*][*]", codes::SPLAT, "more than 16"),
    ]);
}

#[test]
fn for_expressions_build_tuples_and_objects() {
    check(&[
        ("[for v in list : upper(v)]", "[\"A\", \"B\"]"),
        ("[for i, v in list : \"${i}${v}\"]", "[\"0a\", \"1b\"]"),
        ("[for k, v in map : \"${k}=${v}\"]", "[\"x=1\", \"y=2\"]"),
        ("[for v in set : v]", "[\"a\", \"b\"]"),
        ("[for k, v in set : k == v]", "[true, true]"),
        ("[for v in list : v if v != \"a\"]", "[\"b\"]"),
        ("{ for p in people : p.name => p.age }", "{ ann = 30, bob = 20 }"),
        ("{ for p in people : p.name => p.age if p.age > 25 }", "{ ann = 30 }"),
        (
            "{ for v in [\"a\", \"b\", \"ab\"] : length(v) => v... }",
            "{ \"1\" = [\"a\", \"b\"], \"2\" = [\"ab\"] }",
        ),
        ("{ for k, v in obj.b : k => v }", "{ c = \"deep\" }"),
        ("[for a in [1, 2] : [for b in [10, 20] : a * b]]", "[[10, 20], [20, 40]]"),
        ("[for one in [5] : one]", "[5]"),
        ("[for v in [] : nonsense]", "[]"),
        ("{ (text) = 1, abc = 2 }", "{ abc = 2 }"),
        ("[for v in names : v]", "(known after apply)"),
        ("[for v in list : v if maybe]", "(known after apply)"),
        ("{ for v in list : later => v }", "(known after apply)"),
        ("[for v in [later, \"x\"] : v]", "[(known after apply), \"x\"]"),
        ("length([for v in [later, \"x\"] : v])", "2"),
    ]);
    refuse(&[
        ("[for v in 1 : v]", codes::FOR_COLLECTION, "needs a list"),
        ("[for v in nil : v]", codes::FOR_COLLECTION, "needs a list"),
        ("[for v in list : v if 1]", codes::CONDITION, "a bool is required"),
        ("{ for v in [\"a\", \"a\"] : v => 1 }", codes::DUPLICATE_KEY, "the key \"a\""),
        ("{ for v in list : null => v }", codes::OBJECT_KEY, "null"),
        ("{ for v in list : [v] => v }", codes::OBJECT_KEY, "a string is required"),
        ("{ (nil) = 1 }", codes::OBJECT_KEY, "null"),
        ("{ obj.a = 1 }", codes::OBJECT_KEY, "ambiguous"),
    ]);
}

#[test]
fn templates_become_text() {
    check(&[
        (r#""a${one}b""#, "\"a1b\""),
        (r#""${1 + 1}!""#, "\"2!\""),
        (r#""${tuple}""#, "[\"a\", 2, true]"),
        (r#""${nil}""#, "null"),
        (r#""$${x} %%{y}""#, "\"${x} %{y}\""),
        (r#""a${~ text ~}  b""#, "\"aabcb\""),
        (r#""x %{ if yes }y%{ else }n%{ endif }""#, "\"x y\""),
        (r#""%{ if !yes }y%{ endif }""#, "\"\""),
        (r#""%{ for v in list }${v},%{ endfor }""#, "\"a,b,\""),
        (r#""%{ for i, v in list ~} ${i}${v} %{~ endfor }""#, "\"0a1b\""),
        (r#""a %{~ if yes ~} b %{~ endif ~} c""#, "\"abc\""),
        (r#""${"in ${"side"}"}""#, "\"in side\""),
        ("\"${\"e\"}\u{301}\"", "\"é\""),
        ("\"x${later}\"", "(known after apply)"),
        ("\"%{ if maybe }a%{ endif }b\"", "(known after apply)"),
        ("\"%{ for v in names }${v}%{ endfor }b\"", "(known after apply)"),
        ("<<EOT\nhello ${text}\n  kept\nEOT", "\"hello abc\\n  kept\\n\""),
        ("<<-EOT\n    a\n      b\n    EOT", "\"a\\n  b\\n\""),
        // A `~` reaches to the end of its line; the next line keeps its indentation.
        ("<<EOT\n%{ for v in list ~}\n  - ${v}\n%{ endfor ~}\nEOT", "\"  - a\\n  - b\\n\""),
        ("<<EOT\na: %{ if yes ~}\n  x\n%{~ endif }\nEOT", "\"a:   x\\n\""),
    ]);
    refuse(&[
        (r#""a${nil}""#, codes::TEMPLATE_VALUE, "null"),
        (r#""a${list}""#, codes::TEMPLATE_VALUE, "a string is required"),
        (r#""%{ for v in 1 }%{ endfor }""#, codes::FOR_COLLECTION, "needs a list"),
        (r#""%{ if 1 }%{ endif }""#, codes::CONDITION, "a bool is required"),
    ]);
}

#[test]
fn text_that_looks_like_a_template_is_not_evaluated_again() {
    check(&[
        (r#"join("", ["$", "{one}"])"#, "\"${one}\""),
        (r#""${join("", ["%", "{ if yes }"])}x""#, "\"%{ if yes }x\""),
    ]);
}

#[test]
fn calls_expand_and_check_their_arguments() {
    use crate::functions::{ARGUMENT, ARGUMENT_COUNT, CALL_FAILED, UNKNOWN_FUNCTION};
    check(&[
        ("max([1, 3, 2]...)", "3"),
        ("max(9, [1, 3]...)", "9"),
        ("join(\"-\", set)", "\"a-b\""),
        ("try(nil.x, obj.q, \"d\")", "\"d\""),
        ("try(obj.a, 2)", "1"),
        ("can(obj.a)", "true"),
        ("can(obj.q)", "false"),
        ("can(nil.x.y)", "false"),
        ("upper(later)", "(known after apply)"),
        ("max(names...)", "(known after apply)"),
        ("length(later)", "(known after apply)"),
        ("length([later])", "1"),
        ("merge(obj, unknown)", "(known after apply)"),
        ("contains([later, \"a\"], \"a\")", "(known after apply)"),
        ("jsonencode({ a = later })", "(known after apply)"),
        ("lookup({ a = later }, \"a\")", "(known after apply)"),
        ("keys({ a = later })", "[\"a\"]"),
        ("toset([later])", "(known after apply)"),
        ("tolist([later, \"x\"])", "[(known after apply), \"x\"]"),
        ("flatten([[\"a\"], [later]])", "[\"a\", (known after apply)]"),
        ("flatten([[\"a\"], names])", "(known after apply)"),
    ]);
    refuse(&[
        ("nope(1)", UNKNOWN_FUNCTION, "no function \"nope\""),
        ("a::b(1)", UNKNOWN_FUNCTION, "no function \"a::b\""),
        ("upper()", ARGUMENT_COUNT, "exactly 1 argument required, 0 given"),
        ("upper(1, 2)", ARGUMENT_COUNT, "exactly 1 argument required, 2 given"),
        ("upper([])", ARGUMENT, "a string is required"),
        ("upper(null)", ARGUMENT, "text must not be null"),
        ("max(one...)", ARGUMENT, "can be expanded"),
        ("max()", ARGUMENT_COUNT, "at least 1 argument required, 0 given"),
        ("try(nil.x, obj.q)", CALL_FAILED, "no argument"),
        ("can()", ARGUMENT_COUNT, "exactly 1"),
        ("one([1, 2])", ARGUMENT, "at most one"),
        ("regex(\"(\", \"a\")", ARGUMENT, "invalid regular expression"),
        ("tonumber(\"x\")", ARGUMENT, "a number is required"),
        ("tolist([1, [2]])", ARGUMENT, "same type"),
        ("element([], 0)", ARGUMENT, "empty"),
        ("format(\"%d\")", ARGUMENT, "asks for value 1"),
        ("format(\"x\", 1)", ARGUMENT, "uses 0 of 1"),
        ("pow(10, 100000)", CALL_FAILED, "out of range"),
    ]);
}

/// What is computed from a secret is a secret, and no fault quotes it.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn sensitive_values_stay_hidden() {
    for text in [
        "secret",
        "\"x${secret}\"",
        "pin + 1",
        "-pin",
        "pin == 1",
        "pin < 1",
        "!flag",
        "flag && true",
        "flag ? 1 : 2",
        "true ? secret : \"x\"",
        "upper(secret)",
        "length(secret)",
        "jsonencode(mixed)",
        "join(\"\", [secret])",
        "mixed.closed",
        "mixed == mixed",
        "null == mixed",
        "false && flag",
        "true ? \"x\" : secret",
        "list[pin - 4711]",
        "{ (secret) = 1 }",
        "{ for v in list : \"${secret}${v}\" => v }",
        "[for v in list : v if flag]",
        "[for v in sensitive(list) : v]",
        "sensitive(list)[0]",
        "sensitive(people)[*].name",
        "toset([secret])",
        "hidden",
        "\"x${hidden}\"",
        "maybe ? secret : \"x\"",
        "max(pin, 1)",
        "max(sensitive([1, 2])...)",
        "merge(sensitive(obj), {})",
        "keys(sensitive(obj))",
        "flatten([sensitive([1])])",
        "can(secret) ? secret : \"\"",
        "base64encode(secret)",
        "sha256(secret)",
    ] {
        let value = eval(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert!(value.is_sensitive(), "{text}");
        assert_eq!(value.to_string(), "(sensitive value)", "{text}");
    }
    check(&[
        ("mixed", "{ closed = (sensitive value), open = \"o\" }"),
        ("mixed.open", "\"o\""),
        ("[secret, 1]", "[(sensitive value), 1]"),
        ("merge(mixed, { a = 1 })", "{ a = 1, closed = (sensitive value), open = \"o\" }"),
        ("values(mixed)", "[(sensitive value), \"o\"]"),
        ("keys(mixed)", "[\"closed\", \"open\"]"),
        ("[for v in [secret, \"a\"] : v]", "[(sensitive value), \"a\"]"),
        ("nonsensitive(secret)", "\"hush\""),
        ("issensitive(secret)", "true"),
        ("issensitive(text)", "false"),
        ("mixed.closed == null", "(sensitive value)"),
        ("length([secret])", "1"),
        ("element([secret, \"a\"], 1)", "\"a\""),
        ("coalesce(null, text, secret)", "(sensitive value)"),
    ]);
    for text in [
        "secret + 1",
        "secret ? 1 : 2",
        "\"a${[secret]}\"",
        "list[secret]",
        "map[secret]",
        "tonumber(secret)",
        "jsondecode(secret)",
        "parseint(secret, 10)",
        "regex(secret, \"x\")",
        "regex(\"x\", secret)",
        "upper([secret])",
        "obj[secret]",
        "host[secret]",
        "{ for v in [1, 2] : secret => v }",
        "sensitive({ hush = 1 }).x",
        "yamldecode(\"[${secret}\")",
        "base64decode(\"${secret}!\")",
        "format(secret, 1)",
    ] {
        let faults = eval(text).err().unwrap_or_else(|| panic!("{text} has a value"));
        let shown = format!("{faults:?}");
        assert!(!shown.replace(&format!("{text:?}"), "").contains("hush"), "{text}: {shown}");
    }
}

#[test]
fn unknown_values_flow_through_and_keep_their_type() {
    check(&[
        ("type(later)", "\"string\""),
        ("type(count + 1)", "\"number\""),
        ("type(count > 1)", "\"bool\""),
        ("type(-count)", "\"number\""),
        ("type(\"a${count}\")", "\"string\""),
        ("type(host.ip)", "\"string\""),
        ("type(names[0])", "\"string\""),
        ("type(later == 1)", "\"bool\""),
        ("type(upper(later))", "\"string\""),
        ("type(tonumber(later))", "\"number\""),
        ("type(maybe ? 1 : \"a\")", "\"string\""),
        ("type(maybe ? [1] : [])", "\"list(number)\""),
        ("null == later", "(known after apply)"),
        ("[later] == null", "false"),
        ("[1, later] == [1, \"x\"]", "(known after apply)"),
        ("[1, later] == [1, 2]", "false"),
        ("[later, 1] == [\"x\", 2]", "(known after apply)"),
        ("\"a-${later}\" == null", "false"),
        ("\"a-${later}\" == \"b\"", "false"),
        ("count + 1 != null", "true"),
        ("(maybe ? 1 : 5) > 5", "(known after apply)"),
        ("(maybe ? 1 : 5) > 6", "false"),
        ("(maybe ? list : tolist([\"x\"])) == tolist([\"a\", \"b\", \"c\"])", "false"),
        ("try(later, 1)", "(known after apply)"),
        ("can(later)", "(known after apply)"),
        ("unknown + 1", "(known after apply)"),
        ("{ a = later }.a", "(known after apply)"),
    ]);
    refuse(&[
        ("names + 1", codes::OPERAND, "a number is required"),
        ("[for v in list : v if host]", codes::CONDITION, "a bool is required"),
        ("names.x", codes::ATTRIBUTE, "no attribute"),
        ("names[\"x\"]", codes::INDEX, "a number is required"),
    ]);
}

#[test]
fn hostile_expressions_end_in_a_fault() {
    refuse(&[
        ("[for v in range(1000000000) : v]", codes::STEP_BUDGET, "steps"),
        (
            "[for a in range(300) : [for b in range(300) : [for c in range(300) : [for d in range(300) : 1]]]]",
            codes::STEP_BUDGET,
            "steps",
        ),
        (
            "join(\"\", [for v in range(10000) : format(\"%1024s\", join(\"\", [for w in range(100) : format(\"%1024s\", \"\")]))])",
            codes::SIZE_BUDGET,
            "MiB",
        ),
        ("can([for v in range(1000000000) : v])", codes::STEP_BUDGET, "steps"),
        ("try([for v in range(1000000000) : v], 1)", codes::STEP_BUDGET, "steps"),
        (
            "replace(join(\"\", [for v in range(9999) : \"aaaaaaaaaa\"]), \"a\", join(\"\", [for v in range(9999) : \"aaaaaaaaaa\"]))",
            codes::SIZE_BUDGET,
            "MiB",
        ),
    ]);
}

/// Values nest up to 128 levels; whatever is done with them fits a stack of 512 KiB.
#[test]
fn deep_values_fit_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let used = small.spawn(|| {
        let mut values = scope("");
        let wrap: Expression = "{ a = [v, later] }".parse().unwrap();
        values.values.insert("v", "x".into());
        while let Ok(deeper) = evaluate(&wrap, &values) {
            values.values.insert("v", deeper);
        }
        values.values.insert("w", values.values["v"].without_marks());
        for text in [
            "v == w",
            "v != null",
            "maybe ? v : w",
            "true ? v : null",
            "tolist([v, w])[0].a[0]",
            "toset([w])",
            "tomap({ a = v })",
            "jsonencode(w)",
            "yamlencode(v)",
            "type(v)",
            "flatten([v])",
            "merge(v, w)",
            "sensitive(v)",
            "\"${v}x\"",
            "[for k, e in v : e]",
            "v[*].a[*]",
            "try(v.b, w)",
        ] {
            let outcome = evaluate(&text.parse().unwrap(), &values);
            drop(outcome.map(|value| (value.to_string(), value.to_plain(), value.ty())));
        }
    });
    used.unwrap().join().unwrap();
}

/// The parser allows 64 levels; every kind of expression fits the stack of a thread of 2 MiB.
#[test]
fn deep_expressions_fit_the_stack() {
    const LEVELS: usize = 30;
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{ a = ", " }"),
        ("[for v in [1] : ", "]"),
        ("{ for v in [1] : v => ", " }"),
        ("upper(upper(", "))"),
        ("try(", ", 1)"),
        ("true ? ", " : 1"),
        ("\"${", "}\""),
        ("\"x${", "}\""),
        ("\"%{ for v in [1] }${", "}%{ endfor }\""),
        ("[[1]][0][", "]"),
        ("[1][*][", " - 1]"),
        ("!(true && ", ")"),
        ("1 + (2 * ", ")"),
        ("- - - ", ""),
    ] {
        let text = format!("{}1{}", open.repeat(LEVELS), close.repeat(LEVELS));
        // Some are too deep for the parser, some have faults; none may overflow the stack.
        if let Ok(expression) = text.parse::<Expression>() {
            drop(evaluate(&expression, &scope(&text)));
            drop(references(&expression));
        }
    }
    let chain = format!("1{}", " + 1".repeat(128));
    assert_eq!(eval(&chain).unwrap(), 129.into());
    let deep = format!("{}1{}", "(1 + ".repeat(60), ")".repeat(60));
    assert_eq!(eval(&deep).unwrap(), 61.into());
}

#[test]
fn values_cannot_be_doubled_or_nested_without_end() {
    let mut doubled = ExprValue::from("0123456789abcdef");
    let mut nested = ExprValue::NULL;
    let mut values = scope("");
    let pair: Expression = "[v, v]".parse().unwrap();
    let wrap: Expression = "{ v = v }".parse().unwrap();
    let mut faults = Vec::new();
    for _ in 0..200 {
        values.values.insert("v", doubled.clone());
        match evaluate(&pair, &values) {
            Ok(value) => doubled = value,
            Err(found) => faults.extend(found),
        }
        values.values.insert("v", nested.clone());
        match evaluate(&wrap, &values) {
            Ok(value) => nested = value,
            Err(found) => faults.extend(found),
        }
    }
    let summaries: std::collections::BTreeSet<_> =
        faults.iter().map(|fault| fault.summary.as_str()).collect();
    let want = ["the value is larger than 256 MiB", "the value is nested more than 128 levels deep"];
    assert_eq!(summaries.into_iter().collect::<Vec<_>>(), want);
}

#[test]
fn a_scope_is_asked_for_a_path_and_not_for_a_whole_root() {
    let text = "module.k7.id + length([for v in list : module[v].id])";
    let expression: Expression = text.parse().unwrap();
    let values = scope(text);
    assert!(evaluate(&expression, &values).is_err());
    assert_eq!(*values.asked.borrow(), ["module+2"]);
    let expression: Expression =
        "[module.a.id, obj[text == \"abc\" ? \"a\" : \"b\"], people[*].name]".parse().unwrap();
    evaluate(&expression, &values).unwrap();
    assert_eq!(values.asked.borrow()[1..], ["module+2", "text+0", "obj+1", "people+0"]);
}

#[test]
fn references_are_found_without_evaluation() {
    let shown = |reference: &Reference| {
        let steps = reference.steps.iter().map(|step| match &step.kind {
            StepKind::Attribute(name) => format!(".{name}"),
            StepKind::Index(key) => format!("[{key}]"),
        });
        format!("{}{}", reference.root, steps.collect::<String>())
    };
    for (text, want) in [
        ("var.a", "var.a"),
        ("local.z[var.i].q", "local.z var.i"),
        ("a.b[\"k\"][0].c", "a.b[\"k\"][0].c"),
        ("a.b[*].c", "a.b"),
        ("a.0.b", "a[0].b"),
        ("[for v in var.l : v.x + w.y]", "var.l w.y"),
        ("{ for k, v in var.l : k => v if v != z }", "var.l z"),
        ("[for v in v : v]", "v"),
        ("[for v in a : [for w in v : w + v]]", "a"),
        ("\"${a}%{ if b.c }${d}%{ else }${e}%{ endif }\"", "a b.c d e"),
        ("\"%{ for x in xs }${x.a}${y}%{ endfor }\"", "xs y"),
        ("<<EOT\n${a.b}\nEOT", "a.b"),
        ("f(a, b...)", "a b"),
        ("{ k = a, (b) = c, \"${d}\" = e }", "a b c d e"),
        ("c ? a : -b", "c a b"),
        ("upper(\"x\")", ""),
        ("(a).b", "a"),
    ] {
        let expression: Expression = text.parse().unwrap();
        let found: Vec<_> = references(&expression).iter().map(shown).collect();
        let mut want: Vec<_> = want.split_whitespace().collect();
        let mut sorted = found.clone();
        want.sort_unstable();
        sorted.sort();
        assert_eq!(sorted, want, "{text}");
    }
    let text = "1 + var.a.b";
    let expression: Expression = text.parse().unwrap();
    assert_eq!(&text[references(&expression)[0].range.clone()], "var.a.b");
}

/// Expressions of every kind, most of them with faults.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|bool| bool.to_string()),
        (-1_000_000_i64..1_000_000).prop_map(|int| int.to_string()),
        (0_u32..1000, 0_u32..1000).prop_map(|(whole, part)| format!("{whole}.{part}")),
        "[a-z]{0,3}".prop_map(|text| format!("{text:?}")),
        prop::sample::select(vec![
            "one", "text", "nil", "tuple", "list", "empty", "set", "map", "obj", "people", "secret", "mixed",
            "unknown", "later", "names", "host", "hidden",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"]);
        let functions: Vec<_> = crate::functions::names().collect();
        let function = prop::sample::select(functions);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
            (function, prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            (inner.clone(), inner.clone()).prop_map(|(key, value)| format!("{{ ({key}) = {value} }}")),
            (inner.clone(), inner.clone()).prop_map(|(of, key)| format!("({of})[{key}]")),
            inner.clone().prop_map(|of| format!("({of}).name")),
            inner.clone().prop_map(|of| format!("({of})[*].a")),
            inner.clone().prop_map(|of| format!("\"x${{{of}}}y\"")),
            (inner.clone(), inner.clone()).prop_map(|(of, each)| format!("[for text, one in {of} : {each}]")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(of, key, each)| format!("{{ for text, one in {of} : {key} => {each}... }}")),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_never_panics_and_never_shows_a_secret(text in any_expression()) {
        let expression: Expression = text.parse().unwrap();
        match evaluate(&expression, &scope("")) {
            Ok(value) => {
                prop_assume!(!text.contains("nonsensitive"));
                prop_assert!(!value.to_string().contains("hush"), "{} is {}", text, value);
            }
            Err(faults) => {
                prop_assert!(faults.has_errors());
                prop_assume!(!text.contains("nonsensitive"));
                prop_assert!(!format!("{faults:?}").contains("hush"), "{}", text);
            }
        }
    }

    #[test]
    fn integer_arithmetic_agrees_with_wide_integers(a in any::<i64>(), b in any::<i64>()) {
        let (wide_a, wide_b) = (i128::from(a), i128::from(b));
        let text = format!("[({a}) + ({b}), ({a}) - ({b}), ({a}) * ({b}), ({a}) < ({b})]");
        let want = format!("[{}, {}, {}, {}]", wide_a + wide_b, wide_a - wide_b, wide_a * wide_b, a < b);
        prop_assert_eq!(eval(&text).unwrap().to_string(), want);
    }

    #[test]
    fn division_undoes_multiplication(a in -1_000_000_i64..1_000_000, b in 1_i64..1_000_000, scale in 0_u32..20) {
        let text = format!("({a}e-{scale}) * {b} / {b} == ({a}e-{scale})");
        prop_assert_eq!(eval(&text).unwrap(), ExprValue::from(true));
        let text = format!("floor(({a}) / {b}) * {b} + (({a}) % {b} + {b}) % {b} == {a}");
        prop_assert_eq!(eval(&text).unwrap(), ExprValue::from(true));
    }
}
