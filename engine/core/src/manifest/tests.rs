use super::*;

fn manifest(json: &str) -> Result<Manifest, ManifestError> {
    let body = serde_json::from_str(json).unwrap();
    Manifest::new(ClusterRef::new("main"), body, SensitivePaths::default(), Vec::new())
}

#[test]
fn bodies_are_normalised() {
    for (body, want) in [
        (
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","labels":{}},"stringData":{"a":"hi"},"data":{"b":"eA=="}}"#,
            r#"{"apiVersion":"v1","data":{"a":"aGk=","b":"eA=="},"kind":"Secret","metadata":{"name":"s"}}"#,
        ),
        // What no server takes is not left out in silence.
        (
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"a":"hi","b":1,"c":null}}"#,
            r#"{"apiVersion":"v1","data":{"a":"aGk="},"kind":"Secret","metadata":{"name":"s"},"stringData":{"b":1}}"#,
        ),
        (
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s","uid":"u","creationTimestamp":null},"spec":{"ports":[{"port":80,"nodePort":null}]},"status":{"x":1}}"#,
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}"#,
        ),
        (
            r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"},"aggregationRule":{},"rules":[]}"#,
            r#"{"aggregationRule":{},"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"}}"#,
        ),
    ] {
        assert_eq!(manifest(body).ok().unwrap().body().to_string(), want);
    }
}

#[test]
fn bodies_without_identity_are_refused() {
    for (body, want) in [
        ("[]", ManifestError::NotAnObject("array")),
        (r#"{"kind":"ConfigMap","metadata":{"name":"x"}}"#, ManifestError::Missing("apiVersion")),
        (r#"{"apiVersion":"v1","metadata":{"name":"x"}}"#, ManifestError::Missing("kind")),
        (r#"{"apiVersion":"v1","kind":"ConfigMap"}"#, ManifestError::Missing("metadata.name")),
        (r#"{"apiVersion":"a/b/c","kind":"ConfigMap"}"#, ManifestError::ApiVersion("a/b/c".into())),
        (
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"../x"}}"#,
            ManifestError::Name { field: "metadata.name", value: "../x".into() },
        ),
        (
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"A"}}"#,
            ManifestError::Name { field: "metadata.namespace", value: "A".into() },
        ),
        (
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"x-"}}"#,
            ManifestError::Refused("metadata.generateName"),
        ),
    ] {
        assert_eq!(manifest(body).err(), Some(want), "{body}");
    }
}

#[test]
fn string_data_and_its_encoded_form_are_the_same_secret() {
    let key = SealKey::new([7; 32]);
    let print = |json: &str| manifest(json).ok().unwrap().fingerprint(Some(&key));
    let plain =
        print(r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"a":"hi"}}"#);
    let encoded = print(r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":"aGk="}}"#);
    assert!(plain.proves(&encoded));
}
