//! Paths into a schema, as rules and selectable fields name them: `.spec.size`, `.labels['a.b']`.

use serde_json::Value;

/// Whether a path may use brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brackets {
    /// It may.
    Allowed,
    /// It must not.
    Refused,
}

/// The path as messages show it, and the schema it leads to.
///
/// # Errors
/// A text that says why the path leads nowhere.
pub fn resolve<'a>(path: &str, schema: &'a Value, brackets: Brackets) -> Result<(String, &'a Value), String> {
    let mut rest = path;
    let mut found = schema;
    let mut shown = String::new();
    while !rest.is_empty() {
        let name;
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[', ']']).unwrap_or(after.len());
            if end == 0 && after.is_empty() {
                return Err("unexpected end of JSON path".into());
            }
            let end = end.max(1);
            (name, rest) = (after[..end].to_owned(), &after[end..]);
        } else if let Some(after) = rest.strip_prefix('[') {
            if brackets == Brackets::Refused {
                return Err("array notation is not allowed".into());
            }
            let inner = after.strip_prefix('\'').and_then(|after| after.split_once("']"));
            let Some((quoted, after)) = inner else {
                let token = after.split(['.', '[', ']']).next().unwrap_or_default();
                return Err(format!("expected single quoted string but got {token}"));
            };
            (name, rest) = (quoted.replace("\\'", "'"), after);
        } else {
            let token = rest.split(['.', '[', ']']).next().unwrap_or_default();
            return Err(format!("expected [ or . but got: {token}"));
        }
        if let Some(properties) = found["properties"].as_object().filter(|properties| !properties.is_empty())
        {
            found = properties.get(&name).ok_or("does not refer to a valid field")?;
            let dot = if shown.is_empty() { "" } else { "." };
            shown.push_str(&format!("{dot}{name}"));
        } else if found["additionalProperties"].is_object() {
            found = &found["additionalProperties"];
            shown.push_str(&format!("[{name}]"));
        } else {
            return Err("does not refer to a valid field".into());
        }
    }
    Ok((shown, found))
}
