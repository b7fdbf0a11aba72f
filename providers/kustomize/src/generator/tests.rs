use super::*;

fn hash(json: &str) -> String {
    content_hash(&serde_json::from_str(json).unwrap())
}

#[test]
fn the_hash_depends_on_content_only() {
    let base = hash(r#"{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"}}"#);
    assert_eq!(
        base,
        hash(r#"{"kind":"ConfigMap","metadata":{"name":"b","labels":{"x":"y"}},"data":{"a":"1"}}"#)
    );
    assert_ne!(base, hash(r#"{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"2"}}"#));
    assert_ne!(
        base,
        hash(r#"{"kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"},"binaryData":{"b":"aGk="}}"#)
    );
    assert_eq!(base.len(), 10);
    assert!(base.bytes().all(|byte| b"ghkmtbcdf2456789".contains(&byte)), "{base}");
}

#[test]
fn sources_split_into_key_and_value() {
    assert_eq!(literal("a=b=c"), Some(("a", "b=c")));
    assert_eq!(literal("a='b'"), Some(("a", "b")));
    assert_eq!(literal("a='b\""), Some(("a", "'b\"")));
    assert_eq!(literal("a=\""), Some(("a", "\"")));
    assert_eq!(literal("=b"), None);
    assert_eq!(literal("ab"), None);
    assert_eq!(file_source("dir/file.txt"), Some(("file.txt", "dir/file.txt")));
    assert_eq!(file_source("k=dir/file.txt"), Some(("k", "dir/file.txt")));
    assert_eq!(file_source("k="), None);
    assert_eq!(file_source("=f"), None);
    assert_eq!(file_source("k=a=b"), None);
}

#[test]
fn long_base64_is_broken_into_lines() {
    assert_eq!(encode(b"hi"), "aGk=");
    let lines = encode(&[0; 52]);
    assert_eq!(lines.lines().map(str::len).collect::<Vec<_>>(), [70, 2]);
    assert!(lines.ends_with('\n'));
}
