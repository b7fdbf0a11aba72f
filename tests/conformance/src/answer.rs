//! An answer, and what of it must be the same on every server.

use std::sync::LazyLock;

use http::response::Parts;
use regex::Regex;
use serde_json::{Value, json};

/// Fields that every server fills in its own way; that they are there is compared, what they say is not.
const OWN: &[&str] = &[
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "time",
    "lastTransitionTime",
    "lastUpdateTime",
    "lastPhaseTransitionTime",
    "lastProbeTime",
    "startTime",
    "startedAt",
    "finishedAt",
    "completionTime",
    "continue",
    "clusterIP",
    "nodePort",
    "healthCheckNodePort",
    "nodeName",
    "pod-template-hash",
    "controller-revision-hash",
    "ip",
    "hostIP",
    "podIP",
];

/// The object or patch that a refusal quotes: its fields come in the order of Go's structs.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    let rest = "json|strict|no kind|converting|unknown|error|cannot|illegal";
    Regex::new(&format!(r#"(?s)(Invalid value: )"(?:\{{|map\[|\[).*"(: (?:{rest}))"#)).expect("a pattern")
});

static UID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}").expect("a pattern"));

// Kubernetes makes the ends of names that it draws, or computes from a template, of an alphabet without vowels.
static DRAWN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"-[bcdfghjklmnpqrstvwxz2456789]{5,10}\b").expect("a pattern"));

static AGE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^([0-9]+[ydhms])+$").expect("a pattern"));

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The warnings, in their order.
    pub warnings: Vec<String>,
    /// The values of the body: one, or one for each event of a watch. Text that is not JSON is one string.
    pub body: Vec<Value>,
}

impl Answer {
    pub(crate) fn new(head: &Parts, body: &[u8]) -> Self {
        let warnings = head.headers.get_all("warning").iter();
        let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        let values = serde_json::Deserializer::from_slice(body).into_iter().collect::<Result<_, _>>();
        let body = values.unwrap_or_else(|_| vec![json!(String::from_utf8_lossy(body))]);
        Self { status: head.status.as_u16(), warnings, body }
    }

    /// The value at a JSON pointer into the first value of the body.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.body.first()?.pointer(pointer)
    }

    /// Replaces what every server fills in its own way, and removes what is at the given JSON pointers; `*` stands for
    /// every element of a list and every member of an object.
    #[must_use]
    pub fn normalised(mut self, without: &[String]) -> Self {
        for value in &mut self.body {
            for pointer in without {
                let path: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
                remove(value, &path);
            }
            settle(value);
        }
        // How many bookmarks follow each other is a matter of time.
        self.body.dedup_by(|next, value| {
            let is_plain = next.pointer("/object/metadata/annotations").is_none();
            is_plain && next["type"] == "BOOKMARK" && value["type"] == "BOOKMARK"
        });
        self
    }

    /// Sorts the causes of a `Status`, there and in its message: the server collects many of them from maps, whose order
    /// Go draws anew each time.
    #[must_use]
    pub fn with_sorted_causes(mut self) -> Self {
        for status in &mut self.body {
            let listed = |causes: &[Value]| -> Vec<String> {
                let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
                let mut texts: Vec<String> = Vec::new();
                for cause in causes {
                    let line = format!("{}: {}", text(cause, "field"), text(cause, "message"));
                    // The message says everything once.
                    if !texts.contains(&line) {
                        texts.push(line);
                    }
                }
                texts
            };
            let mut sorted = status["details"]["causes"].as_array().cloned().unwrap_or_default();
            let given = listed(&sorted).join(", ");
            sorted.sort_by_cached_key(|cause| listed(std::slice::from_ref(cause)));
            if let Some(message) = status["message"].as_str() {
                status["message"] = json!(message.replace(&given, &listed(&sorted).join(", ")));
                status["details"]["causes"] = json!(sorted);
            }
        }
        self
    }

    /// The answer as text, one field a line.
    pub fn text(&self) -> String {
        let mut text = format!("HTTP {}\n", self.status);
        for warning in &self.warnings {
            text.push_str(&format!("warning: {warning}\n"));
        }
        for value in &self.body {
            text.push_str(&format!("{value:#}\n"));
        }
        text
    }
}

fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn remove(value: &mut Value, path: &[String]) {
    match (path, value) {
        ([last], Value::Object(fields)) if last == "*" => fields.clear(),
        ([last], Value::Object(fields)) => drop(fields.remove(last)),
        ([first, rest @ ..], Value::Object(fields)) if first == "*" => {
            fields.values_mut().for_each(|value| remove(value, rest));
        }
        ([first, rest @ ..], Value::Object(fields)) => {
            if let Some(value) = fields.get_mut(first) {
                remove(value, rest);
            }
        }
        ([first, rest @ ..], Value::Array(items)) => {
            let idx = first.parse::<usize>().ok();
            let chosen = items.iter_mut().enumerate().filter(|(at, _)| first == "*" || Some(*at) == idx);
            chosen.for_each(
                |(_, value)| if rest.is_empty() { *value = Value::Null } else { remove(value, rest) },
            );
        }
        _ => {}
    }
}

fn settled(text: &str) -> String {
    let text = UID.replace_all(text, "[UID]");
    let text = DRAWN.replace_all(&text, "-[DRAWN]");
    let text = QUOTED.replace_all(&text, "$1[QUOTED]$2");
    // Faults of an applied configuration come in no order.
    match text.split_once("errors:\n") {
        None => text.into_owned(),
        Some((head, faults)) => {
            let mut faults: Vec<&str> = faults.lines().collect();
            faults.sort_unstable();
            format!("{head}errors:\n{}", faults.join("\n"))
        }
    }
}

// A cell of a table that says how long ago something was, in the units of the apimachinery's `HumanDuration`.
fn is_age(cell: &Value) -> bool {
    cell.as_str().is_some_and(|text| AGE.is_match(text))
}

// Conditions are known by their type; controllers list them in the order in which they last changed.
fn sort_conditions(name: &str, value: &mut Value) {
    if let (true, Some(conditions)) = (name == "conditions", value.as_array_mut()) {
        conditions.sort_by_cached_key(|condition| condition["type"].as_str().unwrap_or_default().to_owned());
    }
}

fn settle(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // Managed fields name owners, and the items of some lists, by uid.
            let named: Vec<String> = fields.keys().filter(|name| UID.is_match(name)).cloned().collect();
            for name in named {
                let below = fields.remove(&name).unwrap_or_default();
                fields.insert(UID.replace_all(&name, "[UID]").into_owned(), below);
            }
            // The server has made up the end of such a name.
            if let Some(prefix) = fields.get("generateName").and_then(Value::as_str).map(str::to_owned) {
                fields.insert("name".into(), json!(format!("{prefix}[GENERATED]")));
            }
            for (name, value) in fields {
                if OWN.contains(&name.as_str())
                    && (value.is_string() || value.is_number())
                    && *value != "None"
                {
                    *value = json!("[OWN]");
                } else if name == "clusterIPs" {
                    let count = value.as_array().map_or(0, Vec::len);
                    *value =
                        if *value == json!(["None"]) { json!(["None"]) } else { json!(vec!["[OWN]"; count]) };
                } else {
                    settle(value);
                    sort_conditions(name, value);
                }
                if let ("cells", Value::Array(cells)) = (name.as_str(), &mut *value) {
                    cells.iter_mut().filter(|cell| is_age(cell)).for_each(|cell| *cell = json!("[AGE]"));
                }
                // Entries come by their times, and a second may end between two answers.
                if let ("managedFields", Value::Array(entries)) = (name.as_str(), value) {
                    entries.sort_by_cached_key(Value::to_string);
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(settle);
            // Conflicts come by manager, and managers in no order.
            if items.iter().all(|item| item["reason"] == "FieldManagerConflict") {
                items.sort_by_cached_key(Value::to_string);
            }
        }
        Value::String(text) => *text = settled(text),
        _ => {}
    }
}
