use std::sync::Arc;

use engine_core::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use engine_core::value::Value;

use super::{TEMPLATE, TEMPLATE_BUDGET, TEMPLATE_RENDER, TEMPLATE_VARIABLE, Templates};
use crate::expr_value::ExprValue;
use crate::types::Type;

fn templates(files: &[(&str, &str)]) -> Result<Templates, Diagnostics> {
    Templates::new(
        files
            .iter()
            .map(|(name, text)| {
                let file = SourceFile { path: (*name).to_owned(), text: (*text).to_owned() };
                ((*name).to_owned(), Arc::new(file))
            })
            .collect(),
    )
}

fn variables(json: &str) -> ExprValue {
    let value: Value = serde_json::from_str(json).unwrap();
    value.into()
}

fn only(faults: Diagnostics) -> Diagnostic {
    assert_eq!(faults.len(), 1);
    faults.into_iter().next().unwrap()
}

#[test]
fn templates_render_with_their_variables() {
    for (text, vars, want) in [
        ("a: {{ x }}", r#"{"x": 1}"#, "a: 1"),
        ("{{ x }}", r#"{"x": "<b>&\"'"}"#, "<b>&\"'"),
        ("{% for v in l %}- {{ v }}\n{% endfor %}", r#"{"l": ["a", "b"]}"#, "- a\n- b\n"),
        ("{% for k, v in m %}{{ k }}={{ v }};{% endfor %}", r#"{"m": {"z": 1, "a": 2}}"#, "a=2;z=1;"),
        ("{% if x %}y{% else %}n{% endif %}", r#"{"x": false}"#, "n"),
        ("{{ x | to_json }}", r#"{"x": {"a": ["b", null]}}"#, r#"{"a":["b",null]}"#),
        ("{{ x | to_yaml }}", r#"{"x": {"a": ["on", 1]}}"#, "a:\n- \"on\"\n- 1"),
        ("{% include \"part\" %}", r#"{"x": 1}"#, "part 1"),
        ("${x} %{ if }", r#"{}"#, "${x} %{ if }"),
    ] {
        let templates = templates(&[("t", text), ("part", "part {{ x }}")]).unwrap();
        let rendered =
            templates.render("t", &variables(vars)).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        assert_eq!(rendered.as_str(), Some(want), "{text}");
    }
}

#[test]
fn faults_name_the_place() {
    for (text, code, place) in [
        ("a\n {{ x", TEMPLATE, Some("t:2:")),
        ("{{ x | nope }}", TEMPLATE, Some("t:1:")),
        ("{% include \"none\" %}", TEMPLATE, None),
        ("{% include \"t\" %}", TEMPLATE, None),
    ] {
        let fault =
            templates(&[("t", text)]).map_err(only).err().unwrap_or_else(|| panic!("{text} is well formed"));
        assert_eq!(fault.code, code, "{text}: {fault:?}");
        let span = fault.span.map(|span| span.to_string()).unwrap_or_default();
        assert!(span.starts_with(place.unwrap_or_default()), "{text}: {span}");
    }
    for (text, code, place) in [
        ("{{ y }}", TEMPLATE_VARIABLE, "t:1:1"),
        ("{% if y %}a{% endif %}", TEMPLATE_VARIABLE, "t:1:1"),
        ("ä\nä {{ x.b }}", TEMPLATE_RENDER, "t:2:"),
        ("{{ x + 1 }}", TEMPLATE_RENDER, "t:1:"),
    ] {
        let templates = templates(&[("t", text)]).unwrap();
        let fault = templates.render("t", &variables(r#"{"x": {"a": 1}}"#)).map_err(only).unwrap_err();
        assert_eq!(fault.code, code, "{text}: {fault:?}");
        let span = fault.span.map(|span| span.to_string()).unwrap_or_default();
        assert!(span.starts_with(place), "{text}: {span}");
    }
    let templates = templates(&[("web.yaml", "x")]).unwrap();
    let fault = templates.render("web.yml", &variables("{}")).map_err(only).unwrap_err();
    assert_eq!(fault.hint.as_deref(), Some("did you mean \"web.yaml\"?"));
}

#[test]
fn conditions_ask_for_what_there_is() {
    let given = r#"{"x": {"a": {"b": true}, "n": null}, "l": [{"c": 1}]}"#;
    let parts = [("part", "{% if x.missing %}{% endif %}"), ("base", "{% block b %}{% endblock %}")];
    for text in [
        "{% if x.a.b %}y{% endif %}",
        "{% if x.n %}{% elif x.a.b and not x.n %}y{% endif %}",
        "{% if x.c is defined and x.c.d %}{% else %}y{% endif %}",
        "{% if x.c is not defined %}y{% endif %}",
        "{% if x.c | default(value=true) %}y{% endif %}",
        "{% if x.c?.d %}{% else %}y{% endif %}",
        "{% if \"x.c\" == 'x.d' %}{% else %}y{% endif %}",
        "{% for v in l %}{% if v.missing %}{% else %}y{% endif %}{% endfor %}",
        "{% set v = x.a %}{% if v.missing %}{% else %}y{% endif %}",
        "{# {% if x.c %} #}{% raw %}{% if x.c %}{% endraw %}{% if x.a %}{% endif %}",
    ] {
        let templates = templates(&[("t", text), parts[0], parts[1]]).unwrap();
        let rendered = templates.render("t", &variables(given));
        let rendered = rendered.unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
        assert!(
            rendered.as_str().is_some_and(|text| text == "y" || text.contains("x.c")),
            "{text}: {rendered}"
        );
    }
    for (text, place) in [
        ("{% if x.c %}{% endif %}", "t:1:7"),
        ("a\n{%- if x.a and not x.a.c.d -%}{% endif %}", "t:2:20"),
        ("{% if x.a %}{% elif x.d == 1 %}{% endif %}", "t:1:21"),
        ("{% if x.a is defined and x.d %}{% endif %}", "t:1:26"),
        ("{% include \"part\" %}", "part:1:7"),
        ("{% extends \"base\" %}{% block b %}{% if x.c %}{% endif %}{% endblock %}", "t:1:"),
    ] {
        let templates = templates(&[("t", text), parts[0], parts[1]]).unwrap();
        let fault = templates.render("t", &variables(given)).map_err(only).unwrap_err();
        assert_eq!(fault.code, TEMPLATE_VARIABLE, "{text}: {fault:?}");
        let span = fault.span.map(|span| span.to_string()).unwrap_or_default();
        assert!(span.starts_with(place), "{text}: {span}");
    }
}

#[test]
fn components_that_use_themselves_come_to_an_end() {
    let text = "{% component again(n) %}{{ <again n={n} /> }}{% endcomponent %}{{ <again n={1} /> }}";
    let templates = templates(&[("t", text)]).unwrap();
    let fault = templates.render("t", &variables("{}")).map_err(only).unwrap_err();
    assert_eq!(fault.code, TEMPLATE_RENDER);
}

#[test]
fn secrets_and_unknowns_mark_the_whole_text() {
    let templates =
        templates(&[("t", "{{ x }}"), ("bad", "{{ x + 1 }}"), ("throw", "{{ throw(message=x) }}")]).unwrap();
    let secret = ExprValue::object([("x".into(), ExprValue::from("hush").sensitive())]);
    assert!(templates.render("t", &secret).unwrap().is_sensitive());
    for name in ["bad", "throw"] {
        let fault = templates.render(name, &secret).map_err(only).unwrap_err();
        assert!(!format!("{fault:?}").contains("hush"), "{fault:?}");
    }
    let unknown = ExprValue::object([("x".into(), ExprValue::unknown(Type::String))]);
    assert!(templates.render("t", &unknown).unwrap().is_unknown());
}

#[test]
fn output_is_bounded() {
    let text =
        "{% for a in range(end=10000) %}{% for b in range(end=10000) %}0123456789{% endfor %}{% endfor %}";
    let templates = templates(&[("t", text)]).unwrap();
    let fault = templates.render("t", &variables("{}")).map_err(only).unwrap_err();
    assert_eq!(fault.code, TEMPLATE_BUDGET);
}
