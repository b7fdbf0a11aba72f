//! `Warning` headers.

use http::HeaderMap;

/// Returns the texts of all warnings, unquoted, each once.
///
/// # Source
/// RFC 7234 §5.5: `warn-code SP warn-agent SP warn-text [SP warn-date]`, comma-separated. Kubernetes sends
/// code 299 and agent `-`: <https://kubernetes.io/docs/reference/using-api/deprecation-guide/>.
pub(crate) fn warnings(headers: &HeaderMap) -> Vec<String> {
    let mut found = Vec::new();
    for header in headers.get_all(http::header::WARNING) {
        let mut rest = String::from_utf8_lossy(header.as_bytes()).into_owned();
        while let Some((text, tail)) = next_quoted(&rest) {
            if !text.is_empty() && !found.contains(&text) {
                found.push(text);
            }
            rest = after_comma(tail);
        }
    }
    found
}

/// Reads the first quoted string; returns it and what follows.
fn next_quoted(header: &str) -> Option<(String, &str)> {
    let (_, quoted) = header.split_once('"')?;
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((text, &quoted[at + 1..])),
            '\\' => text.extend(chars.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    None
}

/// Skips the optional date, which is quoted and holds a comma, up to the next warning.
fn after_comma(tail: &str) -> String {
    let tail = match tail.trim_start().strip_prefix('"') {
        Some(date) => date.split_once('"').map_or("", |(_, rest)| rest),
        None => tail,
    };
    tail.split_once(',').map_or("", |(_, rest)| rest).to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn texts_are_unquoted() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            (&[r#"299 - "policy/v1beta1 is deprecated""#], &["policy/v1beta1 is deprecated"]),
            (&[r#"299 - "say \"no\" \\ yes""#], &[r#"say "no" \ yes"#]),
            (
                &[r#"299 - "one" "Sat, 25 Aug 2012 23:34:45 GMT", 299 host:80 "two, three""#],
                &["one", "two, three"],
            ),
            (&[r#"299 - "same""#, r#"299 - "same""#], &["same"]),
            (&["garbage", r#"299 - "open"#], &[]),
        ];
        for (headers, texts) in cases {
            let headers = headers
                .iter()
                .map(|text| (http::header::WARNING, HeaderValue::from_str(text).unwrap()))
                .collect();
            assert_eq!(warnings(&headers), texts);
        }
    }
}
