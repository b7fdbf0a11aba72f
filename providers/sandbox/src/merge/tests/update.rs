use super::*;

fn created(ty: &Type, object: Value, manager: &str) -> Value {
    stored(track_update(ty, None, object, &writer(manager, EARLY)))
}

fn updated(ty: &Type, before: &Value, after: Value, manager: &str) -> Value {
    track_update(ty, Some(before), after, &writer(manager, LATE))
}

#[test]
fn a_create_owns_what_it_brings() {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "resources": {}, "env": [{"name": "A", "value": "1"}]}]}
            }
        }
    });
    let object = created(&deployment(), object, "kubectl-create");
    // Maps and lists that every Deployment has are not new; those that need not be there are.
    assert_eq!(
        owned(&object, "kubectl-create", "Update"),
        json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:strategy": {"f:type": {}, "f:rollingUpdate": {".": {}, "f:maxSurge": {}}},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {
                        ".": {}, "f:name": {}, "f:resources": {},
                        "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}}
                    }}}
                }
            }
        })
    );
}

#[test]
fn a_create_of_a_custom_resource_owns_its_spec_itself() {
    let object = created(&Type::deduced(), json!({"metadata": {"name": "x"}, "spec": {"a": 1}}), "ci");
    assert_eq!(owned(&object, "ci", "Update"), json!({"f:spec": {".": {}, "f:a": {}}}));
}

#[test]
fn an_update_takes_what_it_changes_and_shares_what_it_does_not() {
    let ty = config_map();
    let before = stored(applied(&ty, None, &json!({"data": {"a": "1", "b": "1"}}), "ci"));
    let mut after = before.clone();
    after["data"] = json!({"a": "2", "b": "1", "c": "1"});
    let object = updated(&ty, &before, after, "kubectl-edit");
    assert_eq!(owned(&object, "ci", "Apply"), json!({"f:data": {"f:b": {}}}));
    assert_eq!(owned(&object, "kubectl-edit", "Update"), json!({"f:data": {"f:a": {}, "f:c": {}}}));
    assert_eq!(conflicts(&ty, &object, &json!({"data": {"a": "1"}}), "ci"), ["kubectl-edit Update: .data.a"]);
}

#[test]
fn what_an_update_removes_nobody_owns() {
    let ty = config_map();
    let before = stored(applied(&ty, None, &json!({"data": {"a": "1", "b": "1"}}), "ci"));
    let mut after = before.clone();
    after["data"] = json!({"b": "1"});
    let object = updated(&ty, &before, after, "kubectl-edit");
    assert_eq!(owned(&object, "ci", "Apply"), json!({"f:data": {"f:b": {}}}));
    assert_eq!(owned(&object, "kubectl-edit", "Update"), Value::Null);
}

#[test]
fn an_update_that_changes_nothing_leaves_the_entries_alone() {
    let ty = config_map();
    let before = created(&ty, json!({"data": {"a": "1"}}), "ci");
    assert_eq!(updated(&ty, &before, before.clone(), "ci"), before);
}

#[test]
fn updates_of_one_manager_add_up_and_versions_are_apart() {
    let ty = config_map();
    let before = created(&ty, json!({"data": {"a": "1"}}), "ci");
    let mut after = before.clone();
    after["data"]["b"] = json!("1");
    let object = updated(&ty, &before, after.clone(), "ci");
    assert_eq!(owned(&object, "ci", "Update"), json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}}));
    let beta = Writer { api_version: "apps/v1beta1", ..writer("ci", LATE) };
    let object = track_update(&ty, Some(&before), after, &beta);
    assert_eq!(object["metadata"]["managedFields"].as_array().unwrap().len(), 2);
}

#[test]
fn the_status_endpoint_owns_no_spec() {
    let before = created(&deployment(), json!({"spec": {"replicas": 1}, "status": {}}), "ci");
    let mut after = before.clone();
    after["status"] = json!({"replicas": 1, "conditions": [{"type": "Available", "status": "True"}]});
    after["metadata"]["annotations"] = json!({"deployment.kubernetes.io/revision": "1"});
    let at_status = Writer { subresource: "status", resets: &["spec"], ..writer("controller", LATE) };
    let object = track_update(&deployment(), Some(&before), after, &at_status);
    assert_eq!(
        owned(&object, "controller", "Update"),
        json!({
            "f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}},
            "f:status": {
                "f:replicas": {},
                "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {".": {}, "f:type": {}, "f:status": {}}}
            }
        })
    );
}

#[test]
fn cleared_entries_stay_cleared_until_the_next_apply() {
    let ty = config_map();
    let before = created(&ty, json!({"data": {"a": "1"}}), "ci");
    for reset in [json!([]), json!([{}])] {
        let mut after = before.clone();
        after["metadata"]["managedFields"] = reset;
        let cleared = updated(&ty, &before, after, "ops");
        assert_eq!(cleared["metadata"].get("managedFields"), None);
        let mut after = cleared.clone();
        after["data"]["b"] = json!("1");
        let object = updated(&ty, &cleared, after, "ops");
        assert_eq!(object["metadata"].get("managedFields"), None);
        let object = applied(&ty, Some(&object), &json!({"data": {"a": "1"}}), "ci");
        assert_eq!(owned(&object, "ci", "Apply"), json!({"f:data": {"f:a": {}}}));
    }
}

#[test]
fn an_update_may_rewrite_the_entries_but_not_through_a_subresource() {
    let ty = config_map();
    let before = created(&ty, json!({"data": {"a": "1"}}), "ci");
    let mut after = before.clone();
    after["metadata"]["managedFields"][0]["manager"] = json!("terrane");
    after["metadata"]["managedFields"][0]["operation"] = json!("Apply");
    let object = updated(&ty, &before, after.clone(), "ops");
    assert_eq!(object["metadata"]["managedFields"], after["metadata"]["managedFields"]);
    let at_status = Writer { subresource: "status", ..writer("ops", LATE) };
    assert_eq!(track_update(&ty, Some(&before), after.clone(), &at_status), before);
    // Entries that cannot be read do not count.
    after["metadata"]["managedFields"] = json!([{"manager": "x", "operation": "Guess"}]);
    assert_eq!(updated(&ty, &before, after, "ops"), before);
}

#[test]
fn duplicates_that_an_update_brings_are_owned_as_one() {
    let env =
        |env: &Value| json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "env": env}]}}}});
    let once = created(&deployment(), env(&json!([{"name": "A", "value": "1"}])), "ci");
    let mut twice = env(&json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]));
    twice["metadata"] = once["metadata"].clone();
    let object = updated(&deployment(), &once, twice, "ops");
    let path = r#"/f:spec/f:template/f:spec/f:containers/k:{"name":"a"}/f:env/k:{"name":"A"}"#;
    assert_eq!(owned(&object, "ops", "Update").pointer(path), Some(&json!({})));
    assert_eq!(owned(&object, "ci", "Update").pointer(path), None);
}

#[test]
fn the_oldest_updates_are_merged_beyond_ten_managers() {
    let ty = config_map();
    let mut object = created(&ty, json!({"data": {"k0": "1"}}), "m0");
    for n in 1..14 {
        let before = object.clone();
        object["data"][format!("k{n}")] = json!("1");
        let (manager, time) = (format!("m{n}"), format!("2024-02-{n:02}T00:00:00Z"));
        object = track_update(&ty, Some(&before), object, &writer(&manager, &time));
    }
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[0]["manager"], "ancient-changes");
    assert_eq!(
        entries[0]["fieldsV1"],
        json!({"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}, "f:k4": {}}})
    );
}

#[test]
fn entries_come_applies_first_then_by_time_and_name() {
    let ty = config_map();
    let mut object = created(&ty, json!({"data": {"k": "1"}}), "z");
    for (manager, time, key) in [("y", LATE, "y"), ("b", EARLY, "b"), ("a", EARLY, "a")] {
        let config = json!({"data": {key: "1"}});
        object = apply(&ty, Some(&object), &config, &writer(manager, time), Force::No).unwrap();
    }
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let managers: Vec<_> = entries.iter().map(|entry| entry["manager"].as_str().unwrap()).collect();
    assert_eq!(managers, ["a", "b", "y", "z"]);
}
