//! What is withheld, and what is known to be missing.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used)]

use engine_core::graph::GraphBuilder;
use engine_core::object_ref::ClusterRef;
use engine_core::resource::{Lifecycle, Read, Timeouts, Wait};

use super::*;

const NONE: [(&str, &str); 0] = [];

fn object(kind: &str, name: &str, data: &[(&str, &str)]) -> Value {
    let data = data.iter().map(|(key, text)| (*key, Value::string(*text)));
    let metadata = [("name", Value::string(name)), ("namespace", Value::string("dev"))];
    Value::map([
        ("apiVersion", Value::string("v1")),
        ("kind", Value::string(kind)),
        ("metadata", Value::map(metadata)),
        ("data", Value::map(data)),
    ])
}

fn manifest(kind: &str, name: &str, data: &[(&str, &str)]) -> Manifest {
    let body = object(kind, name, data);
    Manifest::new(ClusterRef::new("main"), body, SensitivePaths::default(), Vec::new()).unwrap()
}

fn resource(address: &str, body: Body) -> Resource {
    Resource {
        address: address.parse().unwrap(),
        body,
        lifecycle: Lifecycle::default(),
        wait: Wait::default(),
        timeouts: Timeouts::default(),
        span: None,
    }
}

/// A `Secret` and a `ConfigMap` that are declared, and a Secret that is read.
fn graph() -> ResourceGraph {
    let declared = |address: &str, manifest| resource(address, Body::Object(Box::new(manifest)));
    let read =
        Read { object_ref: manifest("Secret", "shared", &NONE).object_ref().clone(), api_version: None };
    let mut builder = GraphBuilder::default();
    for resource in [
        declared("manifest.db", manifest("Secret", "db", &[("password", "aHVudGVyMg==")])),
        declared("manifest.empty", manifest("Secret", "empty", &NONE)),
        declared("manifest.settings", manifest("ConfigMap", "settings", &[("mode", "verbose")])),
        resource("read.Secret.shared", Body::Read(read)),
    ] {
        let block = builder.block(&resource.address, None);
        builder.resource(block, resource);
    }
    builder.build().ok().unwrap()
}

#[test]
fn nothing_that_the_run_knows_to_be_secret_is_passed_on() {
    let filled = [manifest("Secret", "generated", &[("token", "dG9rZW4tMTIz")])];
    let read = object("Secret", "shared", &[("key", "c2hhcmVkLWtleQ==")]);
    let reads = BTreeMap::from([("read.Secret.shared".parse().unwrap(), read)]);
    for (text, wanted) in [
        ("verbose: no such user", "verbose: no such user"),
        ("cannot log in with hunter2", "cannot log in with (sensitive value)"),
        ("basic aHVudGVyMg==", "basic (sensitive value)"),
        ("url https://x:token-123@db", "url https://x:(sensitive value)@db"),
        ("shared-key is refused", "(sensitive value) is refused"),
    ] {
        assert_eq!(without_secrets(text, (&graph(), &filled, &reads)), wanted);
    }
}

#[test]
fn a_key_is_missing_only_where_the_environment_makes_the_object() {
    let beside = manifest("ConfigMap", "web", &NONE).object_ref().clone();
    let elsewhere = ObjectRef { namespace: Some("prod".into()), ..beside.clone() };
    for (beside, kind, name, key, wanted) in [
        (&beside, "Secret", "db", "user", true),
        (&beside, "Secret", "db", "password", false),
        (&beside, "ConfigMap", "settings", "level", true),
        (&beside, "ConfigMap", "db", "user", false),
        (&beside, "Secret", "empty", "user", false),
        (&beside, "Secret", "shared", "user", false),
        (&elsewhere, "Secret", "db", "user", false),
    ] {
        assert_eq!(lacks_key(&graph(), beside, (kind, name), key), wanted, "{kind} {name} {key}");
    }
}
