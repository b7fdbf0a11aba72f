use super::*;
use crate::samples::{field, value};

/// Lines as they would stand in a diff.
fn show(fields: &[FieldChange]) -> String {
    let line = |line: Line| match line {
        Line::One { sign, depth, text } => {
            let sign = match sign {
                Sign::Add => '+',
                Sign::Remove => '-',
                Sign::Change => '~',
                Sign::Keep => ' ',
            };
            format!("{sign} {:width$}{text}", "", width = depth * 2)
        }
        Line::Two { label, before, after } => format!("~ {label}: {before} -> {after}"),
    };
    lines(fields).into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn creations_are_trees_whose_single_branches_share_a_line() {
    let fields = [
        field("metadata.labels.app", "", r#""web""#),
        field("spec.ports", "", r#"[{"name":"http","port":80},{"port":81}]"#),
        field("spec.selector.app", "", r#""web""#),
        field("spec.selector.tier", "", "?"),
        field("spec.template", "", r#"{"metadata":{"labels":{"app":"web"}}}"#),
    ];
    insta::assert_snapshot!(show(&fields), @r#"
    + metadata.labels.app: "web"
    + spec:
    +   ports:
    +     - name: "http"
    +       port: 80
    +     - port: 81
    +   selector:
    +     app: "web"
    +     tier: (known after apply)
    +   template.metadata.labels.app: "web"
    "#);
}

#[test]
fn changes_are_paths() {
    let fields = [
        field("data.a", r#""x""#, ""),
        field("data.b", "", r#""y\u001b""#),
        field("data.c", "*!", "*!"),
        field("data.d", "1", r#""1""#),
        field("data.e", r#"{"a":1,"b":2}"#, "2"),
        field("data.f", "", "*!"),
        field("data.g", "[]", r#"["a"]"#),
        field("spec.args", r#"["-c","a\nb\n","-x"]"#, r#"["-c","a\nc\n","-x"]"#),
    ];
    insta::assert_snapshot!(show(&fields), @r#"
    - data.a: "x"
    + data.b: "y\x1b"
    ~ data.c: (sensitive value, changed)
    ~ data.d: 1 -> "1"
    ~ data.e:
    -   a: 1
    -   b: 2
    +   2
    + data.f: (sensitive value)
    ~ data.g:
    -   []
    +   - "a"
    ~ spec.args:
        - "-c"
        - | a
    -     | b
    +     | c
        - "-x"
    "#);
}

#[test]
fn texts_are_compared_line_by_line() {
    let before = (0..20).map(|n| format!("line {n}\n")).collect::<String>();
    let after = before.replace("line 4\n", "line four\n```\n").replace("line 19\n", "line 19");
    let mut change = field("data.conf", "", "");
    change.before = Shown::Value(Value::string(before));
    change.after = Shown::Value(Value::string(after));
    insta::assert_snapshot!(show(&[change]), @r"
    ~ data.conf:
        | line 1
        | line 2
        | line 3
    -   | line 4
    +   | line four
    +   | ```
        | line 5
        | line 6
        | line 7
        … 8 unchanged lines
        | line 16
        | line 17
        | line 18
    -   | line 19
    +   | line 19 (no newline at the end)
    ");
}

#[test]
fn one_line_that_becomes_several_is_compared_as_text() {
    insta::assert_snapshot!(show(&[field("data.mode", r#""a""#, r#""a\nb\n""#)]), @r"
    ~ data.mode:
    -   | a (no newline at the end)
    +   | a
    +   | b
    ");
}

#[test]
fn items_begin_with_their_name_and_keys_are_quoted_as_in_yaml() {
    let mut change = field("spec", "", "");
    change.after = Shown::Value(value(r#"{"a.b/c":1,"list":[{"image":"x","name":"n","port":1}],"z":2}"#));
    insta::assert_snapshot!(show(&[change]), @r#"
    + spec:
    +   "a.b/c": 1
    +   list:
    +     - name: "n"
    +       image: "x"
    +       port: 1
    +   z: 2
    "#);
}

#[test]
fn long_new_texts_are_cut() {
    let mut change = field("data.conf", "", "");
    change.after = Shown::Value(Value::string("x\n".repeat(100)));
    let text = show(std::slice::from_ref(&change));
    assert_eq!(text.lines().count(), 1 + MAX_TEXT_LINES + 1);
    assert!(text.ends_with("… 88 more lines"), "{text}");
    change.after = Shown::Value(Value::string("x\n".repeat(MAX_TEXT_LINES + 1)));
    let text = show(&[change]);
    assert!(text.ends_with("… 1 more line"), "{text}");
}

#[test]
fn texts_without_any_line_in_common_are_compared_in_time() {
    let text = |word: &str| (0..MAX_DIFF_LINES).map(|n| format!("{word} {n}\n")).collect::<String>();
    let mut change = field("data.conf", "", "");
    change.before = Shown::Value(Value::string(text("old")));
    change.after = Shown::Value(Value::string(text("new")));
    assert_eq!(lines([&change]).len(), 1 + 2 * MAX_DIFF_LINES);
}

#[test]
fn nested_lists_keep_their_dashes() {
    let mut change = field("spec.matrix", "", "");
    change.after = Shown::Value(value(r#"[[1,2],{},"a\nb"]"#));
    insta::assert_snapshot!(show(&[change]), @r"
    + spec.matrix:
    +   - - 1
    +     - 2
    +   - {}
    +   - | a
    +     | b (no newline at the end)
    ");
}
