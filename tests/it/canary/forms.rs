//! Every form in which a secret may turn up, and a search for all of them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use regex::bytes::Regex;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The forms of some secrets.
pub struct Forms(Vec<(String, Regex)>);

impl Forms {
    /// Takes secrets by what they are called.
    pub fn of(secrets: &[(&str, &str)]) -> Self {
        Self(secrets.iter().flat_map(|(name, secret)| forms(name, secret)).collect())
    }

    /// Returns which secrets a text holds, and in which form.
    pub fn found(&self, text: &[u8]) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, form)| form.is_match(text));
        found.map(|(name, _)| name.as_str()).collect()
    }
}

fn forms(name: &str, secret: &str) -> Vec<(String, Regex)> {
    let bytes = secret.as_bytes();
    let mut found = vec![("raw", whole(secret))];
    found.extend(secret.lines().filter(|line| line.len() >= 16).map(|line| ("a line", literal(line))));
    let json = serde_json::to_string(secret).unwrap();
    found.push(("JSON", whole(json.trim_matches('"'))));
    found.push(("JSON in JSON", whole(serde_json::to_string(&json).unwrap().trim_matches(['"', '\\']))));
    for offset in 0..3 {
        let standard = in_the_middle(&STANDARD, bytes, offset);
        found.push(("base64url", whole(&standard.replace('+', "-").replace('/', "_"))));
        found.push(("base64", whole(&standard)));
    }
    found.push(("base64 alone", whole(STANDARD.encode(bytes).trim_end_matches('='))));
    found.push(("base64url alone", whole(URL_SAFE.encode(bytes).trim_end_matches('='))));
    found.push(("hexadecimal", hexadecimal(bytes)));
    found.push(("URL-encoded", whole(&url_encoded(bytes))));
    for (hash, digest) in [
        ("SHA-256", Sha256::digest(bytes).to_vec()),
        ("SHA-1", Sha1::digest(bytes).to_vec()),
        ("MD5", Md5::digest(bytes).to_vec()),
    ] {
        found.push((hash, hexadecimal(&digest)));
        found.push((hash, literal(STANDARD.encode(&digest).trim_end_matches('='))));
    }
    found.into_iter().map(|(form, pattern)| (format!("{name} ({form})"), pattern)).collect()
}

/// Returns what is left of a secret in base64 whatever stands before and behind it.
fn in_the_middle(alphabet: &impl base64::Engine, secret: &[u8], offset: usize) -> String {
    let padded = [&[0; 3][..offset], secret].concat();
    let encoded = alphabet.encode(&padded);
    // A character holds six bits: those that also hold bits of others differ.
    encoded[(8 * offset).div_ceil(6)..8 * padded.len() / 6].to_owned()
}

/// A short secret is found only where it stands alone: by chance it is part of any digest.
fn whole(text: &str) -> Regex {
    match text.len() < 12 {
        true => {
            pattern(&format!(r"(?-u)(?:^|[^0-9A-Za-z_+/-]){}(?:$|[^0-9A-Za-z_+/-])", regex::escape(text)))
        }
        false => literal(text),
    }
}

fn literal(text: &str) -> Regex {
    pattern(&regex::escape(text))
}

fn hexadecimal(bytes: &[u8]) -> Regex {
    let digits = hex::encode(bytes);
    match digits.len() < 24 {
        true => pattern(&format!(r"(?i-u)\b{digits}\b")),
        false => pattern(&format!("(?i){digits}")),
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// Writes all but letters and digits as `%` and two digits.
fn url_encoded(bytes: &[u8]) -> String {
    let encode = |byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(encode).collect()
}

#[test]
fn every_planted_form_is_found_and_nothing_else() {
    let (long, pin, pem) = (
        "k3-canary/9d1f?0c57",
        "73915",
        "-----BEGIN KEY-----\nMIIBVAIBADANBgkqhkiG9w0B\n-----END KEY-----\n",
    );
    let forms = Forms::of(&[("long", long), ("pin", pin), ("pem", pem)]);
    let base64 = |prefix: &str, secret: &str| STANDARD.encode(format!("{prefix}{secret}, and more"));
    for (form, name, text) in [
        ("raw", "long", format!("x{long}x")),
        ("raw", "pin", format!("{{\"pin\":{pin}}}")),
        ("a line", "pem", "pem: MIIBVAIBADANBgkqhkiG9w0B".into()),
        ("JSON", "pem", serde_json::json!({ "pem": pem }).to_string()),
        (
            "JSON in JSON",
            "pem",
            serde_json::json!({ "text": serde_json::json!({ "pem": pem }).to_string() }).to_string(),
        ),
        ("base64", "long", base64("", long)),
        ("base64", "long", base64("1", long)),
        ("base64", "long", base64("12", long)),
        ("base64", "long", base64("123", long)),
        ("base64url", "long", URL_SAFE.encode(long)),
        ("base64 alone", "pin", format!("data: {}", STANDARD.encode(pin))),
        ("hexadecimal", "long", hex::encode_upper(long)),
        ("hexadecimal", "pin", hex::encode(pin)),
        ("URL-encoded", "long", format!("?password={}", url_encoded(long.as_bytes()))),
        ("SHA-256", "pin", hex::encode(Sha256::digest(pin))),
        ("SHA-256", "pin", STANDARD.encode(Sha256::digest(pin))),
        ("SHA-1", "long", hex::encode_upper(Sha1::digest(long))),
        ("MD5", "pem", hex::encode(Md5::digest(pem))),
    ] {
        let wanted = format!("{name} ({form})");
        assert!(forms.found(text.as_bytes()).contains(&wanted.as_str()), "{wanted} is not found in {text}");
    }
    for innocent in ["7391", "a73915b", "c73915", "k3-canary", "ab0c73915f", "2026-01-01T00:00:00.373915Z"] {
        assert_eq!(forms.found(innocent.as_bytes()), [""; 0], "{innocent}");
    }
}
