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
