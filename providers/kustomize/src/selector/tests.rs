use super::*;

#[test]
fn selectors_match_as_in_kubernetes() {
    let labels = Value::map([("app", Value::string("web")), ("count", Value::string("5"))]);
    let cases = [
        ("", true),
        ("app", true),
        ("!app", false),
        ("app=web", true),
        ("app == web", true),
        ("app!=web", false),
        ("missing!=web", true),
        ("app in (db, web)", true),
        ("app notin (db,web)", false),
        ("missing notin (a)", true),
        ("app=web,count in (5,6),!legacy", true),
        ("app=web,count=6", false),
        ("count>4", true),
        ("count < 5", false),
        ("app>4", false),
    ];
    for (selector, expected) in cases {
        let requirements = parse_selector(selector).unwrap();
        assert_eq!(all_match(&requirements, Some(&labels)), expected, "{selector}");
    }
}

#[test]
fn malformed_selectors_are_refused() {
    for selector in [",", "a b", "=a", "a in", "a in (b", "a like (b)", "a>b", "!", "(a)"] {
        assert_eq!(parse_selector(selector), None, "{selector}");
    }
}
