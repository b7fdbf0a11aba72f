//! Which of the user's Git configuration a transport needs, and may have.

use std::path::Path;

use engine_core::ports::StateError;

use super::child::{self, Environment, Limits};

/// Returns the settings that are passed on to `git`, in the order in which they count.
///
/// From the user's own configuration (system, global, environment) that is how to reach and to authenticate
/// at a server. The repository's own configuration may not name the program that connects.
pub(super) fn passed_on(
    directory: &Path,
    environment: &Environment,
) -> Result<Vec<(String, String)>, StateError> {
    let args = ["config", "--list", "--show-scope", "--includes", "-z"];
    let output = child::run(directory, &environment.for_reading(), &args, Limits::TIME)?;
    if !output.success {
        return Err(StateError::Local(format!(
            "the configuration of git cannot be read: {}",
            output.answer(&[]).reason
        )));
    }
    Ok(entries(&output.stdout)
        .filter(|(scope, key, _)| may_pass(scope, key))
        .map(|(_, key, value)| (key.to_owned(), value.to_owned()))
        .collect())
}

/// Reads `SCOPE NUL KEY LF VALUE NUL`; a key without a value is a true boolean, which nothing here is.
fn entries(listing: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut parts = listing.split('\0');
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
        .filter_map(|(scope, entry)| entry.split_once('\n').map(|(key, value)| (scope, key, value)))
}

fn may_pass(scope: &str, key: &str) -> bool {
    let trusted = matches!(scope, "system" | "global" | "command");
    let section = key.split('.').next().unwrap_or_default();
    let name = key.rsplit('.').next().unwrap_or_default();
    match section {
        "credential" => true,
        "http" => matches!(name, "extraheader" | "proxy" | "sslcainfo"),
        "url" => name == "insteadof",
        "core" => trusted && name == "sshcommand",
        _ => false,
    }
}

/// Returns what must never be printed: values of the settings, and the last words of them, which are credentials.
pub(super) fn secrets(passed: &[(String, String)]) -> Vec<String> {
    let settings = passed.iter().filter(|(key, _)| key.ends_with(".extraheader") || key.ends_with(".proxy"));
    let last_word =
        |value: &'_ str| value.rsplit([' ', ':']).next().filter(|word| word.len() >= 6).map(str::to_owned);
    settings.flat_map(|(_, value)| std::iter::once(value.clone()).chain(last_word(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_access_is_passed_on() {
        for (scope, key, want) in [
            ("global", "credential.helper", true),
            ("local", "credential.https://git.example.com.username", true),
            ("system", "http.extraheader", true),
            ("local", "http.https://git.example.com/.extraheader", true),
            ("global", "http.https://git.example.com.proxy", true),
            ("global", "http.sslcainfo", true),
            ("global", "http.sslverify", false),
            ("local", "url.ssh://git@git.example.com/.insteadof", true),
            ("local", "url.ssh://git@git.example.com/.pushinsteadof", false),
            ("global", "core.sshcommand", true),
            ("command", "core.sshcommand", true),
            ("local", "core.sshcommand", false),
            ("worktree", "core.sshcommand", false),
            ("local", "core.fsmonitor", false),
            ("global", "core.hookspath", false),
            ("global", "core.askpass", false),
            ("local", "remote.origin.uploadpack", false),
            ("global", "alias.push", false),
            ("global", "protocol.ext.allow", false),
        ] {
            assert_eq!(may_pass(scope, key), want, "{scope} {key}");
        }
    }

    #[test]
    fn listings_are_read_with_their_odd_values() {
        let listing =
            "global\0credential.helper\n!f() {\n  echo x\n}; f\0local\0core.bare\0local\0http.proxy\n\0";
        let found: Vec<_> = entries(listing).collect();
        assert_eq!(
            found,
            [("global", "credential.helper", "!f() {\n  echo x\n}; f"), ("local", "http.proxy", ""),]
        );
    }
}
