//! Field-manager conflicts, read from the causes of a 409.

use engine_core::ports::Conflict;
use engine_core::value::Text;

/// Reads one cause, whose message is `conflict with "manager" with subresource "scale" using apps/v1` and
/// whose field is `.spec.replicas`. A message of another form keeps the field and says nothing on managers.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts>
pub(crate) fn read(field: &str, message: &str) -> Conflict {
    let after = |words: &str| {
        let (_, rest) = message.split_once(words)?;
        unquote(rest)
    };
    Conflict {
        manager: after("conflict with ").unwrap_or_else(|| Text::new("unknown")),
        subresource: after("with subresource ").filter(|name| !name.is_empty()),
        field: field.to_owned(),
    }
}

/// Reads a string in Go's quotes at the beginning of `text`.
fn unquote(text: &str) -> Option<Text> {
    let mut out = String::new();
    let mut chars = text.strip_prefix('"')?.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => return Some(out.into()),
            '\\' => out.push(chars.next()?),
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manager_and_subresource_are_read() {
        let cases = [
            (r#"conflict with "kubectl" using apps/v1"#, "kubectl", None),
            (
                r#"conflict with "vpa" with subresource "scale" using apps/v1 at 2026-01-02T03:04:05Z"#,
                "vpa",
                Some("scale"),
            ),
            (r#"conflict with "odd \"name\"" using v1"#, r#"odd "name""#, None),
            ("something new", "unknown", None),
            (r#"conflict with "open"#, "unknown", None),
        ];
        for (message, manager, subresource) in cases {
            let conflict = read(".spec.replicas", message);
            assert_eq!(conflict.manager, manager, "{message}");
            assert_eq!(conflict.subresource.as_deref(), subresource, "{message}");
            assert_eq!(conflict.field, ".spec.replicas");
        }
    }
}
