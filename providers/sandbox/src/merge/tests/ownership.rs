use super::*;

fn web(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

fn containers(containers: &Value) -> Value {
    web(&json!({"template": {"spec": {"containers": containers}}}))
}

fn names(object: &Value) -> Vec<&str> {
    let containers = object.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    containers.unwrap().iter().map(|container| container["name"].as_str().unwrap()).collect()
}

#[test]
fn an_apply_creates_the_object_and_owns_what_it_states() {
    let config = web(&json!({
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]}
        }
    }));
    let object = applied(&deployment(), None, &config, "ci");
    assert_eq!(bare(object.clone()), config);
    assert_eq!(
        object["metadata"]["managedFields"],
        json!([{
            "manager": "ci", "operation": "Apply", "apiVersion": "apps/v1", "time": EARLY,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {
                    "f:metadata": {"f:labels": {"f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {
                        ".": {}, "f:name": {}, "f:image": {},
                        "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {
                            ".": {}, "f:containerPort": {}
                        }}
                    }}}
                }
            }}
        }])
    );
}

#[test]
fn another_value_of_an_owned_field_is_a_conflict() {
    let ty = deployment();
    let live = applied(&ty, None, &web(&json!({"replicas": 2, "paused": true})), "ci");
    assert_eq!(
        conflicts(&ty, &live, &web(&json!({"replicas": 3, "paused": true})), "ops"),
        ["ci Apply: .spec.replicas"]
    );
    let changed = web(&json!({"replicas": 3, "paused": false}));
    assert_eq!(
        conflicts(&ty, &live, &changed, "ops"),
        ["ci Apply: .spec.paused", "ci Apply: .spec.replicas"]
    );
}

#[test]
fn conflicts_name_list_elements_by_their_keys() {
    let live = containers(
        &json!([{"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "name": "http"}]}]),
    );
    let live = applied(&deployment(), None, &live, "ci");
    let config = containers(
        &json!([{"name": "web", "image": "web:2", "ports": [{"containerPort": 80, "name": "web"}]}]),
    );
    assert_eq!(
        conflicts(&deployment(), &live, &config, "ops"),
        [
            r#"ci Apply: .spec.template.spec.containers[name="web"].image"#,
            r#"ci Apply: .spec.template.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"].name"#,
        ]
    );
}

#[test]
fn force_takes_the_field_from_its_owner() {
    let ty = deployment();
    let live = applied(&ty, None, &web(&json!({"replicas": 2, "paused": true})), "ci");
    let config = web(&json!({"replicas": 3}));
    let object = apply(&ty, Some(&live), &config, &writer("ops", LATE), Force::Yes).unwrap();
    assert_eq!(object["spec"], json!({"replicas": 3, "paused": true}));
    assert_eq!(owned(&object, "ci", "Apply"), json!({"f:spec": {"f:paused": {}}}));
    assert_eq!(owned(&object, "ops", "Apply"), json!({"f:spec": {"f:replicas": {}}}));
}

#[test]
fn who_owns_nothing_any_more_has_no_entry() {
    let ty = deployment();
    let live = applied(&ty, None, &web(&json!({"replicas": 2})), "ci");
    let object =
        apply(&ty, Some(&live), &web(&json!({"replicas": 3})), &writer("ops", LATE), Force::Yes).unwrap();
    assert_eq!(owned(&object, "ci", "Apply"), Value::Null);
    let object = applied(&ty, Some(&object), &json!({"metadata": {"name": "web"}}), "ops");
    assert_eq!(object["metadata"], json!({"name": "web"}));
}

#[test]
fn an_omitted_field_goes_if_nobody_else_owns_it() {
    let ty = deployment();
    let first = web(&json!({"replicas": 2, "paused": true, "minReadySeconds": 5}));
    let live = applied(&ty, None, &first, "ci");
    let live = applied(&ty, Some(&live), &web(&json!({"replicas": 2})), "ops");
    let object = applied(&ty, Some(&live), &web(&json!({"minReadySeconds": 5})), "ci");
    assert_eq!(object["spec"], json!({"replicas": 2, "minReadySeconds": 5}));
}

#[test]
fn an_omitted_list_element_goes_with_what_was_defaulted_in_it() {
    let ty = deployment();
    let config = containers(&json!([{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}]));
    let mut live = applied(&ty, None, &config, "ci");
    live["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = json!("Always");
    let object = applied(&ty, Some(&live), &containers(&json!([{"name": "web", "image": "web:1"}])), "ci");
    assert_eq!(names(&object), ["web"]);
}

#[test]
fn fields_that_nobody_owns_stay() {
    let ty = deployment();
    let mut live = applied(&ty, None, &web(&json!({"replicas": 2})), "ci");
    live["spec"]["revisionHistoryLimit"] = json!(10);
    let object = applied(&ty, Some(&live), &web(&json!({"paused": true})), "ci");
    assert_eq!(object["spec"], json!({"paused": true, "revisionHistoryLimit": 10}));
}

#[test]
fn elements_come_in_the_applied_order_and_others_keep_their_place() {
    let list = |names: &[&str]| {
        let items: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        containers(&json!(items))
    };
    for (live, config, result) in [
        (&["a", "b", "c"][..], &["a", "b", "c"][..], &["a", "b", "c"][..]),
        (&["a", "b", "c"], &["c", "b", "a"], &["c", "b", "a"]),
        (&["a", "x", "b"], &["a", "b"], &["a", "x", "b"]),
        (&["x", "a"], &["n", "a"], &["x", "n", "a"]),
        (&["a", "x"], &["a", "n"], &["a", "x", "n"]),
        (&["a", "x", "b", "y"], &["b", "n", "a"], &["x", "b", "y", "n", "a"]),
    ] {
        let before = applied(&deployment(), None, &list(live), "other");
        let object = applied(&deployment(), Some(&before), &list(config), "ci");
        assert_eq!(names(&object), result, "{config:?} over {live:?}");
    }
}

#[test]
fn elements_of_sets_are_owned_one_by_one() {
    let finalizers = |list: &[&str]| json!({"metadata": {"name": "x", "finalizers": list}});
    let ty = config_map();
    let live = applied(&ty, None, &finalizers(&["a/a", "a/b"]), "ci");
    let live = applied(&ty, Some(&live), &finalizers(&["a/b", "a/c"]), "ops");
    assert_eq!(live["metadata"]["finalizers"], json!(["a/a", "a/b", "a/c"]));
    let object = applied(&ty, Some(&live), &finalizers(&[]), "ci");
    assert_eq!(object["metadata"]["finalizers"], json!(["a/b", "a/c"]));
}

#[test]
fn atomic_values_are_owned_whole() {
    let ty = service();
    let live =
        applied(&ty, None, &json!({"spec": {"selector": {"a": "1"}, "externalIPs": ["192.0.2.1"]}}), "ci");
    let config = json!({"spec": {"selector": {"b": "1"}, "externalIPs": ["192.0.2.2"]}});
    assert_eq!(
        conflicts(&ty, &live, &config, "ops"),
        ["ci Apply: .spec.externalIPs", "ci Apply: .spec.selector"]
    );
    let object = apply(&ty, Some(&live), &config, &writer("ops", LATE), Force::Yes).unwrap();
    assert_eq!(bare(object), json!({"metadata": {}, "spec": config["spec"]}));
}

#[test]
fn a_key_left_out_is_the_same_as_its_default() {
    let ports = |ports: &Value| json!({"spec": {"ports": ports}});
    let ty = service();
    let live = applied(&ty, None, &ports(&json!([{"port": 53}, {"port": 53, "protocol": "UDP"}])), "ci");
    let object =
        applied(&ty, Some(&live), &ports(&json!([{"port": 53, "protocol": "TCP", "name": "dns"}])), "ops");
    assert_eq!(
        object["spec"]["ports"],
        json!([{"port": 53, "protocol": "TCP", "name": "dns"}, {"port": 53, "protocol": "UDP"}])
    );
}

#[test]
fn the_time_moves_only_when_the_object_changes() {
    let ty = deployment();
    let config = web(&json!({"replicas": 2}));
    let live = applied(&ty, None, &config, "ci");
    assert_eq!(apply(&ty, Some(&live), &config, &writer("ci", LATE), Force::No).unwrap(), live);
    let changed =
        apply(&ty, Some(&live), &web(&json!({"replicas": 3})), &writer("ci", LATE), Force::No).unwrap();
    assert_eq!(changed["metadata"]["managedFields"][0]["time"], LATE);
    // A manager that so far has changed nothing has no time.
    let shared = apply(&ty, Some(&live), &config, &writer("ops", LATE), Force::No).unwrap();
    assert_eq!(shared["metadata"]["managedFields"][0]["manager"], "ops");
    assert_eq!(shared["metadata"]["managedFields"][0].get("time"), None);
}

#[test]
fn what_the_endpoint_resets_is_neither_written_nor_owned() {
    let config = json!({"metadata": {"name": "web"}, "spec": {"replicas": 2}, "status": {"replicas": 7}});
    let live = applied(&deployment(), None, &config, "ci");
    assert_eq!(live.get("status"), None);
    let at_status = Writer { subresource: "status", resets: &["spec"], ..writer("ci", EARLY) };
    let config = json!({"metadata": {"name": "web"}, "spec": {"replicas": 9}, "status": {"replicas": 2}});
    let object = apply(&deployment(), Some(&live), &config, &at_status, Force::No).unwrap();
    assert_eq!((&object["spec"], &object["status"]), (&json!({"replicas": 2}), &json!({"replicas": 2})));
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "each endpoint has an entry of its own");
    assert_eq!(entries[1]["subresource"], "status");
    assert_eq!(entries[1]["fieldsV1"], json!({"f:status": {"f:replicas": {}}}));
}

#[test]
fn identity_and_what_the_server_sets_are_never_owned() {
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "x", "namespace": "ns", "uid": "1", "resourceVersion": "2", "generation": 3,
            "creationTimestamp": EARLY, "selfLink": "/", "labels": {"a": "1"}
        }
    });
    let object = applied(&config_map(), None, &config, "ci");
    assert_eq!(owned(&object, "ci", "Apply"), json!({"f:metadata": {"f:labels": {"f:a": {}}}}));
}

#[test]
fn what_was_there_before_any_record_belongs_to_a_manager_of_its_own() {
    let live = stored(web(&json!({"replicas": 2, "paused": true})));
    assert_eq!(
        conflicts(&deployment(), &live, &web(&json!({"replicas": 3})), "ci"),
        ["before-first-apply Update: .spec.replicas"]
    );
    let object = applied(&deployment(), Some(&live), &web(&json!({"replicas": 2})), "ci");
    assert_eq!(
        owned(&object, "before-first-apply", "Update"),
        json!({"f:spec": {"f:replicas": {}, "f:paused": {}}})
    );
}

#[test]
fn a_field_whose_type_became_atomic_is_owned_whole() {
    let mut live = applied(&service(), None, &json!({"spec": {"selector": {"a": "1"}}}), "ci");
    live["metadata"]["managedFields"][0]["fieldsV1"] =
        json!({"f:spec": {"f:selector": {".": {}, "f:a": {}}}});
    let config = json!({"spec": {"selector": {"a": "2"}}});
    assert_eq!(conflicts(&service(), &live, &config, "ops"), ["ci Apply: .spec.selector"]);
}

#[test]
fn a_field_without_schema_merges_by_entry_and_lists_as_a_whole() {
    let ty = Type::deduced();
    let live = applied(&ty, None, &json!({"spec": {"a": {"b": 1}, "list": [{"name": "x"}]}}), "ci");
    let config = json!({"spec": {"a": {"c": 2}, "list": [{"name": "y"}]}});
    assert_eq!(conflicts(&ty, &live, &config, "ops"), ["ci Apply: .spec.list"]);
    let object = applied(&ty, Some(&live), &json!({"spec": {"a": {"c": 2}}}), "ops");
    assert_eq!(object["spec"], json!({"a": {"b": 1, "c": 2}, "list": [{"name": "x"}]}));
}

#[test]
fn numbers_are_compared_by_value() {
    let live = applied(&Type::deduced(), None, &json!({"spec": {"n": 1}}), "ci");
    applied(&Type::deduced(), Some(&live), &json!({"spec": {"n": 1.0}}), "ops");
}

#[test]
fn what_does_not_fit_the_type_is_refused_in_the_words_of_kubernetes() {
    for (config, message) in [
        (json!({"spec": {"foo": 1}}), ".spec.foo: field not declared in schema"),
        (json!({"spec": {"replicas": "2"}}), ".spec.replicas: expected numeric (int or float), got string"),
        (json!({"spec": {"paused": 1}}), ".spec.paused: expected boolean, got &{1}"),
        (json!({"spec": []}), ".spec: expected map, got &{[]}"),
        (
            json!({"spec": {"template": {"spec": {"containers": {"a": 1}}}}}),
            ".spec.template.spec.containers: expected list, got &{map[a:1]}",
        ),
        (
            json!({"spec": {"template": {"spec": {"hostname": {"a": [1]}}}}}),
            r#".spec.template.spec.hostname: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{1}}}"#,
        ),
        (
            json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}}),
            r#".spec.template.spec.containers: duplicate entries for key [name="a"]"#,
        ),
        (
            json!({"spec": {"template": {"spec": {"containers": ["a"]}}}}),
            ".spec.template.spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
        (
            json!({"metadata": {"finalizers": ["a", "a"]}}),
            r#".metadata.finalizers: duplicate entries for key [="a"]"#,
        ),
        (
            json!({"spec": {"foo": 1, "bar": 1}}),
            "errors:\n  .spec.bar: field not declared in schema\n  .spec.foo: field not declared in schema",
        ),
    ] {
        match apply(&deployment(), None, &config, &writer("ci", EARLY), Force::No) {
            Err(MergeError::Typed(found)) => assert_eq!(found, message),
            other => panic!("{config} gave {other:?}"),
        }
    }
}
