//! Tests of reading protobuf: bodies are written by hand here, and by kubectl in the conformance tests.

use proptest::prelude::*;
use serde_json::json;

use super::{KINDS, MESSAGES, ProtobufError, read};

// A field of bytes: number, length, content.
fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("a short field");
    [&[number << 3 | 2, length], content].concat()
}

fn body(api_version: &str, kind: &str, object: &[u8]) -> Vec<u8> {
    let names = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
    [b"k8s\0".to_vec(), bytes(1, &names), bytes(2, object)].concat()
}

#[test]
fn an_object_is_read_as_its_kind() {
    // Typed clients send zeros of fields without a pointer, which JSON leaves out.
    let metadata =
        [bytes(1, b"a"), bytes(3, b""), bytes(8, b""), bytes(11, &[bytes(1, b"k"), bytes(2, b"v")].concat())];
    let entry = [bytes(1, b"key"), bytes(2, b"text")].concat();
    let object =
        [bytes(1, &metadata.concat()), bytes(2, &entry), bytes(3, b"Opaque"), vec![5 << 3, 0]].concat();
    let expected = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "a", "labels": { "k": "v" } },
        "data": { "key": "dGV4dA==" }, "type": "Opaque", "immutable": false,
    });
    assert_eq!(read(&body("v1", "Secret", &object)), Ok(expected));
}

#[test]
fn fields_of_an_embedded_message_are_those_of_the_message_around_it() {
    let volume = [bytes(1, b"tmp"), bytes(2, &bytes(2, b""))].concat();
    let object = bytes(2, &bytes(1, &volume));
    let pod = read(&body("v1", "Pod", &object)).expect("a pod");
    assert_eq!(pod["spec"]["volumes"], json!([{ "name": "tmp", "emptyDir": {} }]));
}

#[test]
fn other_bodies_are_refused() {
    assert!(matches!(read(b"{}"), Err(ProtobufError::Malformed(_))));
    assert!(matches!(read(&body("v1", "Pod", &[0x0a, 0x7f])), Err(ProtobufError::Malformed(_))));
    let unknown = ProtobufError::UnknownKind("example.com/v1/Widget".into());
    assert_eq!(read(&body("example.com/v1", "Widget", b"")), Err(unknown));
}

#[test]
fn every_message_that_is_named_has_a_layout() {
    for line in super::TEXT.lines().filter(|line| !line.starts_with('#')) {
        let count = line.split(' ').filter(|word| word.contains(':')).count();
        let name = line.split(' ').next().unwrap_or_default();
        if let Some(fields) = MESSAGES.get(name) {
            assert_eq!(fields.len(), count, "{line}");
        }
        for part in line.split('@').skip(1) {
            let name = part.split([' ', ']', '}']).next().unwrap_or_default();
            assert!(MESSAGES.contains_key(name), "{name}");
        }
    }
    assert!(KINDS.contains_key("apps/v1/Deployment"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(object in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(&body("apps/v1", "Deployment", &object));
        let _ = read(&object);
    }
}
