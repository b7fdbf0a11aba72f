use engine_kinds::builtin;
use serde_json::{Value, json};

use super::read::Fault;
use super::{Form, TABLE, read, store, structure, write};

fn pod() -> &'static Form {
    &TABLE.kinds["v1/Pod"]
}

#[test]
fn every_kind_has_a_form_whose_structs_are_there() {
    for kind in builtin::all() {
        let name = format!("{}/{}", kind.api_version(), kind.kind);
        let form = TABLE.kinds.get(name.as_str());
        assert!(matches!(form, Some(Form::Struct(name)) if structure(name).is_some()), "{name}");
    }
    let members = TABLE.structs.values().flat_map(|structure| &structure.members);
    for member in members {
        let mut form = &member.form;
        while let Form::List(inner) | Form::Map(inner) = form {
            form = inner;
        }
        if let Form::Struct(name) = form {
            assert!(structure(name).is_some(), "{name}");
        }
    }
}

#[test]
fn what_does_not_fit_is_told_in_gos_words() {
    let cases = [
        (
            json!({ "spec": 1 }),
            "json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec",
        ),
        (
            json!({ "spec": { "containers": [{ "ports": [{ "containerPort": "80" }] }] } }),
            "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type \
             int32",
        ),
        (
            json!({ "spec": { "volumes": [{ "emptyDir": { "medium": true } }] } }),
            "json: cannot unmarshal bool into Go struct field EmptyDirVolumeSource.spec.volumes.VolumeSource.emptyDir.medium \
             of type v1.StorageMedium",
        ),
        (
            json!({ "metadata": { "labels": { "a": 1 } } }),
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            json!({ "spec": { "containers": [{ "resources": { "limits": { "cpu": "1x" } } }], "nodeName": 1 } }),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            json!({ "spec": { "priority": 3_000_000_000_u64 } }),
            "json: cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32",
        ),
    ];
    for (mut object, wanted) in cases {
        let found = read(pod(), &mut object, "");
        assert_eq!(found.fault.as_ref().map(Fault::text), Some(wanted), "{object}");
    }
}

#[test]
fn zeros_are_written_as_their_fields_say() {
    let written = |kind: &str, mut object: Value| {
        write(&TABLE.kinds[kind], &mut object);
        object
    };
    let mut role = written("rbac.authorization.k8s.io/v1/Role", json!({ "rules": [] }));
    assert_eq!(role, json!({ "metadata": {}, "rules": [] }));
    store(&TABLE.kinds["rbac.authorization.k8s.io/v1/Role"], &mut role);
    assert_eq!(role, json!({ "metadata": {}, "rules": null }), "an empty list comes back as none");
    assert_eq!(
        written(
            "v1/Pod",
            json!({ "spec": { "hostNetwork": false, "containers": [{ "stdin": false, "resources": { "limits": { "cpu": "100u" } } }] } })
        )["spec"],
        json!({ "containers": [{ "name": "", "resources": { "limits": { "cpu": "1m" } } }] })
    );
}

#[test]
fn unknown_fields_are_dropped_and_named() {
    let mut object = json!({ "spec": { "containers": [{ "name": "a", "imagee": "b" }] }, "extra": null });
    let found = read(pod(), &mut object, "");
    assert_eq!(found.unknown, ["extra", "spec.containers[0].imagee"]);
    assert_eq!(object, json!({ "spec": { "containers": [{ "name": "a" }] } }));
}
