use super::*;

#[test]
fn images_split_into_name_tag_and_digest() {
    let cases = [
        ("nginx", ("nginx", None, None)),
        ("nginx:1", ("nginx", Some("1"), None)),
        ("host:5000/a/b", ("host:5000/a/b", None, None)),
        ("host:5000/a/b:1", ("host:5000/a/b", Some("1"), None)),
        ("a/b@sha256:0", ("a/b", None, Some("sha256:0"))),
        ("a/b:1@sha256:0", ("a/b", Some("1"), Some("sha256:0"))),
    ];
    for (image, parts) in cases {
        assert_eq!(split(image), parts, "{image}");
    }
}

#[test]
fn a_new_tag_drops_the_digest_and_a_new_digest_the_tag() {
    let change = |tag: Option<&str>, digest: Option<&str>| {
        let image = Image {
            name: "a".into(),
            new_name: None,
            new_tag: tag.map(Text::from),
            digest: digest.map(Text::from),
        };
        renamed("a:1@sha256:0", &image)
    };
    assert_eq!(change(None, None), "a:1@sha256:0");
    assert_eq!(change(Some("2"), None), "a:2");
    assert_eq!(change(None, Some("sha256:1")), "a@sha256:1");
    assert_eq!(change(Some("2"), Some("sha256:1")), "a:2@sha256:1");
}
