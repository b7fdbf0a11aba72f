//! The forms of names, in Kubernetes' words.
//!
//! # Source
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/> and the package
//! `k8s.io/apimachinery/pkg/util/validation`

use std::net::IpAddr;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
    and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must \
    consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. \
    '*.example.com', regex used for validation is \
    '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DNS_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  \
    or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const VARIABLE: &str =
    "a valid environment variable name must consist only of printable ASCII characters other than '='";

fn is_label(text: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_word(text: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    text.chars().all(inner) && edge(text.chars().next()) && edge(text.chars().next_back())
}

fn faults(text: &str, limit: usize, is_fine: bool, fault: &str) -> Vec<String> {
    let too_long = (text.len() > limit).then(|| format!("must be no more than {limit} characters"));
    too_long.into_iter().chain((!is_fine).then(|| fault.to_owned())).collect()
}

/// A name of DNS.
pub(super) fn subdomain(text: &str) -> Vec<String> {
    faults(text, 253, is_subdomain(text), SUBDOMAIN)
}

/// A name of DNS whose first label stands for any.
pub(super) fn wildcard(text: &str) -> Vec<String> {
    faults(text, 253, text.strip_prefix("*.").is_some_and(is_subdomain), WILDCARD)
}

/// A label of DNS.
pub(super) fn label(text: &str) -> Vec<String> {
    if text.contains('.') {
        return vec!["must not contain dots".to_owned()];
    }
    faults(text, 63, is_label(text), LABEL)
}

/// A label of DNS that begins with a letter.
pub(super) fn dns_label(text: &str) -> Vec<String> {
    let is_fine = is_label(text) && text.starts_with(|letter: char| letter.is_ascii_lowercase());
    faults(text, 63, is_fine, DNS_LABEL)
}

/// A part of a path, as the name of a role.
pub(super) fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let parts = ["/", "%"].iter().filter(|part| text.contains(**part));
    parts.map(|part| format!("may not contain '{part}'")).collect()
}

/// The key of a label, as `example.com/name`.
pub(crate) fn qualified(text: &str) -> Vec<String> {
    if text.matches('/').count() > 1 {
        let words = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        return vec![format!("a valid label key {QUALIFIED} {words}")];
    }
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let mut found = Vec::new();
    match prefix {
        Some("") => found.push("prefix part must be non-empty".to_owned()),
        Some(prefix) if !is_subdomain(prefix) => found.push(format!("prefix part {SUBDOMAIN}")),
        _ => {}
    }
    if name.is_empty() {
        found.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        found.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(name) {
        found.push(format!("name part {QUALIFIED}"));
    }
    found
}

/// The value of a label.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let too_long = (text.len() > 63).then(|| "must be no more than 63 bytes".to_owned());
    let is_fine = text.is_empty() || is_word(text);
    too_long.into_iter().chain((!is_fine).then(|| LABEL_VALUE.to_owned())).collect()
}

/// The name of a port.
pub(super) fn port_name(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.len() > 15 {
        found.push("must be no more than 15 characters".to_owned());
    }
    if !text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-') {
        found.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.chars().any(|letter| letter.is_ascii_lowercase()) {
        found.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        found.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        found.push("must not begin or end with a hyphen".to_owned());
    }
    found
}

/// The key of a piece of configuration, which may be the name of a file.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut found = faults(text, 253, !text.is_empty() && text.chars().all(is_plain), CONFIG_KEY);
    found.extend(directory(text));
    found
}

/// The name of a variable of the environment.
pub(super) fn variable(text: &str) -> Vec<String> {
    let is_fine = text.chars().all(|letter| matches!(letter, ' '..='~') && letter != '=');
    (!is_fine).then(|| VARIABLE.to_owned()).into_iter().collect()
}

fn directory(text: &str) -> Option<String> {
    match text {
        "." => Some("must not be '.'".to_owned()),
        ".." => Some("must not be '..'".to_owned()),
        _ if text.starts_with("..") => Some("must not start with '..'".to_owned()),
        _ => None,
    }
}

/// An address of the internet.
pub(super) fn address(text: &str) -> Vec<String> {
    let has_leading_zero = text.split('.').any(|part| part.len() > 1 && part.starts_with('0'));
    if text.parse::<IpAddr>().is_ok() {
        return Vec::new();
    }
    if has_leading_zero && text.split('.').count() == 4 {
        return vec!["must not have leading 0s".to_owned()];
    }
    vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
}

/// A network: an address and the length of its prefix.
pub(super) fn network(text: &str) -> Vec<String> {
    let Some((address, bits)) = split_network(text) else {
        return vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()];
    };
    let rest = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    };
    let is_exact = bits == 128 || rest.checked_shl(bits).unwrap_or(0) == 0;
    if is_exact { Vec::new() } else { vec!["must not have bits set beyond the prefix length".to_owned()] }
}

/// The address and the length of the prefix of a network.
pub(super) fn split_network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits) = (address.parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?);
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}
