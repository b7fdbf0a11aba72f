//! What a command printed, and what of it must be the same with every server.

use std::sync::LazyLock;

use regex::Regex;

/// What every server fills in its own way, and what stands for it. The order counts.
const OWN: &[(&str, &str)] = &[
    // kubectl's own log of a watch that it ended itself, before or after the first answer.
    (r"(?m)^[IWE]\d{4} \S+ +\d+ reflector\.go:.*\n", ""),
    ("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", "[UID]"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "[TIME]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} [+A-Z0-9]+", "[TIME]"),
    (r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ", "[LOG] "),
    (r"https?://(localhost|127\.0\.0\.1|\[::1\]):\d+(/[0-9a-f]{32})?", "[SERVER]"),
    (r"\b\d{1,3}(\.\d{1,3}){3}\b", "[IP]"),
    (r#"("?resourceVersion"?: )"\d+""#, "$1[VERSION]"),
    (r"Resource Version: +\d+", "Resource Version: [VERSION]"),
    (r#"("?(nodePort|healthCheckNodePort)"?: )\d+"#, "$1[PORT]"),
    (r":3\d{4}/", ":[PORT]/"),
    (r"\b3\d{4}/(TCP|UDP)", "[PORT]/$1"),
    // The alphabet of generated names has no vowels.
    (r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-[HASH]-[SUFFIX]"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b", "-[HASH]"),
    (r"(pod-template-hash[=:] ?|controller-revision-hash[=:] ?)\S+", "$1[HASH]"),
    (r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-[SUFFIX]"),
    (r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b( ago)?", "[AGE]"),
    // The name of the only node.
    (r"\bsandbox(/\[IP\])?(?P<end>[ \t\n]|$)", "node$end"),
    (r"\bnode/(\[IP\])?", "node"),
    // Columns are as wide as their widest cell.
    ("[ \t]{2,}", "  "),
    ("[ \t]+(?P<end>\n|$)", "$end"),
];

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compile =
        |(pattern, stands): &(&str, &'static str)| (Regex::new(pattern).expect("a pattern"), *stands);
    OWN.iter().map(compile).collect()
});

/// How a command ended, and what it printed.
#[derive(Debug, PartialEq)]
pub(crate) struct Output {
    /// The exit code; nothing if a signal ended it.
    pub(crate) code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Output {
    pub(crate) fn new(output: &std::process::Output, directory: &str) -> Self {
        let text = |bytes: &[u8]| normalised(&String::from_utf8_lossy(bytes).replace(directory, "[DIR]"));
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Leaves out the lines in which one of the patterns is found.
    #[must_use]
    pub(crate) fn without(mut self, patterns: &[String]) -> Self {
        for pattern in patterns {
            let pattern = Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            for text in [&mut self.stdout, &mut self.stderr] {
                let kept = text.lines().filter(|line| !pattern.is_match(line));
                *text = kept.map(|line| format!("{line}\n")).collect();
            }
        }
        self
    }

    pub(crate) fn text(&self) -> String {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        format!("{}{}exit code {code}\n", self.stdout, mark(&self.stderr))
    }
}

fn mark(stderr: &str) -> String {
    stderr.lines().map(|line| format!("stderr: {line}\n")).collect()
}

fn normalised(text: &str) -> String {
    PATTERNS
        .iter()
        .fold(text.to_owned(), |text, (pattern, stands)| pattern.replace_all(&text, *stands).into_owned())
}
