use engine_core::digest::Digest;
use engine_core::graph::Dependencies;
use engine_core::mark::Lineage;

use super::*;
use crate::samples::{address, object, uid, value};

fn record(text: &str) -> ResourceRecord {
    ResourceRecord {
        address: address(text),
        api_version: "apps/v1".parse().unwrap(),
        uid: uid(),
        dependencies: Dependencies {
            blocks: vec![address("namespace.dev")],
            objects: vec![object("Namespace/dev")],
        },
        prevent_destroy: true,
        desired: Fingerprint { open: Digest::of_bytes(b"a").print(), seal: Seal::Empty },
        settled: None,
        fields: Vec::new(),
    }
}

fn state() -> State {
    let mut state = State::empty("demo".parse().unwrap(), Lineage::new([7; 16]));
    state.records.insert(object("Deployment.apps/dev/web"), record("app.x.manifest.web"));
    state.records.insert(object("Deployment.apps/dev/api"), record("app.api.manifest.web"));
    state
}

#[test]
fn lists_are_addresses_in_order() {
    assert_eq!(state_list(&state()), "app.api.manifest.web\napp.x.manifest.web\n");
}

#[test]
fn a_record_is_shown_by_the_address_of_its_block() {
    insta::assert_snapshot!(state_show(&state(), &address("app.x")).unwrap(), @r"
    app.x.manifest.web
      object       Deployment.apps/dev/web
      cluster      main
      apiVersion   apps/v1
      uid          0b6f6f2e-0000-4000-8000-000000000001
      protected    by prevent_destroy
      depends on   namespace.dev
                   Namespace/dev
      desired      ca978112
      settled      unknown, the next plan asks the server
    ");
    assert_eq!(state_show(&state(), &address("app.y")), None);
}

#[test]
fn outputs_withhold_secrets_and_escape_the_rest() {
    let outputs = BTreeMap::from([
        ("hosts".into(), Output::Value(value(r#"["a","b"]"#))),
        ("key".into(), Output::Sensitive),
        ("url".into(), Output::Value(value(r#""http://a\u001b""#))),
    ]);
    insta::assert_snapshot!(outputs_text(&outputs), @r#"
    hosts = ["a","b"]
    key = (sensitive value)
    url = "http://a\x1b"
    "#);
    insta::assert_snapshot!(outputs_json(&outputs), @r#"{"hosts":{"sensitive":false,"value":["a","b"]},"key":{"sensitive":true},"url":{"sensitive":false,"value":"http://a\u001b"}}"#);
}
