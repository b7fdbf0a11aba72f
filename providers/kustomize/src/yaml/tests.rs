use super::*;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile { path: "a.yaml".to_owned(), text: text.to_owned() })
}

fn only(text: &str, dialect: Dialect) -> Value {
    let mut documents = parse_as(&file(text), dialect).unwrap();
    documents.remove(0).root.into_value()
}

fn codes(text: &str) -> Vec<(Code, String)> {
    let faults = parse(&file(text)).expect_err("the text must be refused");
    faults.iter().map(|fault| (fault.code, fault.span.as_ref().unwrap().to_string())).collect()
}

#[test]
fn plain_scalars_mean_what_the_go_readers_make_of_them() {
    let both = [
        ("~", "null"),
        ("True", "true"),
        ("010", "8"),
        ("0o17", "15"),
        ("0x1F", "31"),
        ("0b101", "5"),
        ("1_000", "1000"),
        ("08", "8"),
        ("+7", "7"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        (".5", "0.5"),
        ("1e3", "1000"),
        ("1e400", "\"1e400\""),
        ("0x", "\"0x\""),
        ("1.2.3", "\"1.2.3\""),
        ("12:30:45", "\"12:30:45\""),
    ];
    for (text, json) in both {
        for dialect in [Dialect::Kubernetes, Dialect::Kustomize] {
            assert_eq!(only(text, dialect).to_string(), json, "{text} in {dialect:?}");
        }
    }
    let different = [
        ("yes", "true", "\"yes\""),
        ("Off", "false", "\"Off\""),
        ("n", "false", "\"n\""),
        ("2001-01-01", "\"2001-01-01\"", "\"2001-01-01T00:00:00Z\""),
        ("2001-02-29", "\"2001-02-29\"", "\"2001-02-29\""),
    ];
    for (text, kubernetes, kustomize) in different {
        assert_eq!(only(text, Dialect::Kubernetes).to_string(), kubernetes, "{text}");
        assert_eq!(only(text, Dialect::Kustomize).to_string(), kustomize, "{text}");
    }
}

#[test]
fn every_node_has_its_place() {
    let file = file("a: 1\n---\nb:\n  - c: text\n");
    let documents = parse(&file).unwrap();
    assert_eq!(documents[0].span.to_string(), "a.yaml:1:1");
    assert_eq!(documents[1].span.to_string(), "a.yaml:3:1");
    let Content::Map(entries) = &documents[1].root.content else {
        panic!("expected a map");
    };
    assert_eq!(&file.text[entries[0].key_range.clone()], "b");
    let Content::List(items) = &entries[0].value.content else {
        panic!("expected a list");
    };
    let Content::Map(entries) = &items[0].content else {
        panic!("expected a map");
    };
    assert_eq!(&file.text[entries[0].value.range.clone()], "text");
}

#[test]
fn merge_keys_give_way_to_own_keys_and_earlier_maps() {
    let text = "a: &a {p: 1, q: 1}\nb: &b {q: 2, r: 2}\nc:\n  <<: [*a, *b]\n  p: own\n";
    let value = only(text, Dialect::Kubernetes);
    assert_eq!(value.get("c").unwrap().to_string(), r#"{"p":"own","q":1,"r":2}"#);
}

#[test]
fn faults_carry_code_and_place() {
    let cases = [
        ("a: [", YAML_SYNTAX, "a.yaml:1:4"),
        ("a: 1\nb: 2\na: 3", DUPLICATE_KEY, "a.yaml:3:1"),
        ("a: !mine 1", CUSTOM_TAG, "a.yaml:1:10"),
        ("a: !!set {b}", CUSTOM_TAG, "a.yaml:1:10"),
        ("a: .inf", NOT_JSON, "a.yaml:1:4"),
        ("[a]: b", NOT_JSON, "a.yaml:1:1"),
        ("a: &a [*a]", NOT_JSON, "a.yaml:1:8"),
        ("a: *nothing", YAML_SYNTAX, "a.yaml:1:4"),
        ("a: !!int text", YAML_SYNTAX, "a.yaml:1:10"),
    ];
    for (text, code, place) in cases {
        assert_eq!(codes(text), [(code, place.to_owned())], "{text}");
    }
}

#[test]
fn all_duplicate_keys_of_a_file_are_told() {
    assert_eq!(codes("a: {b: 1, b: 2}\nc: {d: 1, d: 2}").len(), 2);
}

#[test]
fn alias_bombs_and_deep_nesting_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(codes(&bomb)[0].0, TOO_LARGE);
    let mut chain = "a0: &a0 x\n".to_owned();
    for level in 1..200 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(codes(&chain)[0].0, TOO_LARGE);
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert!(parse(&file(&deep)).is_err());
    }
}

#[test]
fn empty_documents_are_null() {
    let documents = parse(&file("---\n---\na: 1\n--- # nothing\n")).unwrap();
    let nulls: Vec<bool> = documents.iter().map(|document| document.root.is_null()).collect();
    assert_eq!(nulls, [true, false, true]);
}
