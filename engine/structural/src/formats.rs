//! Formats of text that Kubernetes checks.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine_kinds::Duration;
use regex::Regex;

/// Every format that a schema may name for a text. Dashes in a name do not count.
const KNOWN: [&str; 26] = [
    "bsonobjectid",
    "byte",
    "cidr",
    "creditcard",
    "date",
    "datetime",
    "duration",
    "email",
    "hexcolor",
    "hostname",
    "ipv4",
    "ipv6",
    "isbn",
    "isbn10",
    "isbn13",
    "k8slongname",
    "k8sshortname",
    "mac",
    "password",
    "rgbcolor",
    "ssn",
    "uri",
    "uuid",
    "uuid3",
    "uuid4",
    "uuid5",
];

/// The formats that are a pattern.
static PATTERNS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let uuid = |version: &str, variant: &str| {
        format!(
            "(?i)^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}[0-9a-f]{{3}}-?{variant}[0-9a-f]{{3}}-?[0-9a-f]{{12}}$"
        )
    };
    let patterns = [
        ("bsonobjectid", "^[0-9a-fA-F]{24}$".to_owned()),
        ("email", r#"^[^\s@"<>]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"#.to_owned()),
        ("hexcolor", "^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$".to_owned()),
        (
            "hostname",
            r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
                .to_owned(),
        ),
        ("k8slongname", r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$".to_owned()),
        ("k8sshortname", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$".to_owned()),
        ("mac", "^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}[:-]){0,2}[0-9a-fA-F]{2}$".to_owned()),
        ("ssn", r"^\d{3}[- ]?\d{2}[- ]?\d{4}$".to_owned()),
        ("uri", "^([A-Za-z][A-Za-z0-9+.-]*:.+|/.*)$".to_owned()),
        ("uuid", uuid("[0-9a-f]", "[0-9a-f]")),
        ("uuid3", uuid("3", "[0-9a-f]")),
        ("uuid4", uuid("4", "[89ab]")),
        ("uuid5", uuid("5", "[89ab]")),
    ];
    patterns
        .into_iter()
        .map(|(name, text)| (name, Regex::new(&text).expect("the patterns are well formed")))
        .collect()
});

/// A duration with words for its unit.
static WORDED: LazyLock<Regex> = LazyLock::new(|| {
    let units = "ns|nanos?|nanoseconds?|us|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|\
                 h|hrs?|hours?|d|days?|w|wks?|weeks?";
    Regex::new(&format!(r"^(\d+(\.\d+)?\s*({units})\s*)+$")).expect("the pattern is well formed")
});

fn normal(format: &str) -> String {
    format.replace('-', "")
}

/// Whether a format means something to Kubernetes.
pub fn is_known(format: &str) -> bool {
    KNOWN.contains(&normal(format).as_str())
}

/// Whether a text has a format. Formats of numbers of books and credit cards are not checked.
pub fn fits(format: &str, text: &str) -> bool {
    let format = normal(format);
    if let Some((_, pattern)) = PATTERNS.iter().find(|(name, _)| *name == format) {
        return pattern.is_match(text);
    }
    match format.as_str() {
        "byte" => STANDARD.decode(text).is_ok(),
        "cidr" => is_cidr(text),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "datetime" => text.contains(['T', 't']) && text.parse::<jiff::Timestamp>().is_ok(),
        "duration" => text.parse::<Duration>().is_ok() || WORDED.is_match(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// Whether a text is an address with the length of its prefix.
pub fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let limit = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let is_plain =
        length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    is_plain && length.parse::<u8>().is_ok_and(|length| length <= limit)
}
