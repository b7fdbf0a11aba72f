use proptest::prelude::*;

use super::*;

#[test]
fn addresses_read_as_they_print() {
    for text in [
        "namespace.env",
        "namespace.env[\"dev\"].manifest.quota",
        "module.x[3].kustomization.app[\"a\"][\"Deployment.apps/dev/web\"]",
        "read.ConfigMap.ca",
        "manifest.x[\"quote \\\" and \\\\\"]",
    ] {
        assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
    }
}

#[test]
fn text_that_is_no_address_is_refused() {
    for text in
        ["", "a", "a.", ".a", "a.b[", "a.b[x]", "a.b[\"x]", "a.b[\"x\"", "a.b[\"x\"][\"y\"].c.d", "a.b c"]
    {
        assert!(text.parse::<Address>().is_err(), "{text}");
    }
}

#[test]
fn a_step_without_a_key_covers_all_instances() {
    let one: Address = "namespace.env[\"dev\"].manifest.quota".parse().unwrap();
    for (text, want) in [
        ("namespace.env", true),
        ("namespace.env[\"dev\"]", true),
        ("namespace.env[\"prod\"]", false),
        ("namespace.env[\"dev\"].manifest.quota", true),
        ("namespace.env[\"dev\"].manifest.limits", false),
    ] {
        assert_eq!(one.is_within(&text.parse().unwrap()), want, "{text}");
    }
}

#[test]
fn a_move_takes_instances_and_what_lies_inside_along() {
    for (address, from, to, want) in [
        ("manifest.a", "manifest.a", "manifest.b", Some("manifest.b")),
        ("manifest.a[\"x\"]", "manifest.a", "manifest.b", Some("manifest.b[\"x\"]")),
        ("manifest.a", "manifest.a", "manifest.a[0]", Some("manifest.a[0]")),
        ("manifest.a[1]", "manifest.a", "manifest.a[0]", None),
        ("manifest.a[0]", "manifest.a[0]", "manifest.a[\"dev\"]", Some("manifest.a[\"dev\"]")),
        ("manifest.a[0]", "manifest.a[0]", "manifest.a", Some("manifest.a")),
        ("app.x[\"a\"].manifest.m", "app.x", "app.y", Some("app.y[\"a\"].manifest.m")),
        ("app.x.manifest.m", "app.x", "app.y[\"a\"]", Some("app.y[\"a\"].manifest.m")),
        ("app.x.manifest.m", "app.x.manifest.m", "manifest.m", Some("manifest.m")),
        ("app.x[\"a\"].manifest.m", "app.x.manifest.m", "manifest.m", None),
        ("manifests.r[\"Role/a/b\"]", "manifests.r", "manifests.s", Some("manifests.s[\"Role/a/b\"]")),
        ("app.xy.manifest.m", "app.x", "app.y", None),
    ] {
        let parse = |text: &str| text.parse::<Address>().unwrap();
        let moved = parse(address).relocated(&parse(from), &parse(to));
        assert_eq!(moved, want.map(parse), "{address}: {from} -> {to}");
    }
}

proptest! {
    #[test]
    fn any_key_round_trips(key in ".*") {
        let address = Address::root(Step::new("manifest", "x", Some(InstanceKey::String(key.into()))));
        prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
    }

    #[test]
    fn the_parser_never_panics(text in ".*") {
        let _outcome = text.parse::<Address>();
    }
}
