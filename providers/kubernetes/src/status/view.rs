//! How rules look at an object.

use std::time::{Duration, SystemTime};

use engine_core::status::Status;
use engine_core::value::Value;
use k8s_openapi::jiff::Timestamp;

/// An object and the time at which it is looked at. What is missing or of another type reads as absent.
pub(super) struct View<'a> {
    body: &'a Value,
    now: SystemTime,
}

/// One entry of `status.conditions`.
///
/// # Source
/// <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties>
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    pub(super) observed_generation: Option<i64>,
}

impl<'a> View<'a> {
    pub(super) fn new(body: &'a Value, now: SystemTime) -> Self {
        Self { body, now }
    }

    /// Returns group and kind.
    pub(super) fn group_kind(&self) -> (&'a str, &'a str) {
        let api_version = self.text(&["apiVersion"]).unwrap_or_default();
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        (group, self.text(&["kind"]).unwrap_or_default())
    }

    pub(super) fn at(&self, path: &[&str]) -> Option<&'a Value> {
        self.body.at(path)
    }

    pub(super) fn text(&self, path: &[&str]) -> Option<&'a str> {
        self.body.str_at(path)
    }

    pub(super) fn int(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_i64()
    }

    /// Returns a counter of the status, 0 where the controller left it out.
    pub(super) fn count(&self, name: &str) -> i64 {
        self.int(&["status", name]).unwrap_or(0)
    }

    pub(super) fn is_true(&self, path: &[&str]) -> bool {
        self.at(path).and_then(Value::as_bool) == Some(true)
    }

    pub(super) fn list(&self, path: &[&str]) -> &'a [Value] {
        self.at(path).and_then(Value::as_list).unwrap_or_default()
    }

    pub(super) fn texts(&self, path: &[&str]) -> Vec<&'a str> {
        self.list(path).iter().filter_map(Value::as_str).collect()
    }

    pub(super) fn conditions(&self) -> impl Iterator<Item = Condition<'a>> + use<'a> {
        let conditions = self.list(&["status", "conditions"]);
        conditions.iter().filter_map(Condition::read)
    }

    pub(super) fn condition(&self, kind: &str) -> Option<Condition<'a>> {
        self.conditions().find(|condition| condition.kind == kind)
    }

    /// Tells whether a condition is there and true.
    pub(super) fn holds(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.is_true())
    }

    /// Tells whether the object is at least this old. One without a readable age is.
    pub(super) fn is_older_than(&self, age: Duration) -> bool {
        let created = self.text(&["metadata", "creationTimestamp"]);
        let Some(Ok(created)) = created.map(str::parse::<Timestamp>) else {
            return true;
        };
        // A clock behind the server's makes the object young, not old.
        self.now.duration_since(created.into()).is_ok_and(|since| since >= age)
    }

    /// Returns a workload on its way: what is missing, and the cause if a condition of pods carries one.
    pub(super) fn waiting(&self, missing: String) -> Status {
        let failing = self.conditions().find(|it| it.kind == "ReplicaFailure" && it.is_true());
        Status::InProgress(match failing.and_then(|condition| condition.message) {
            Some(message) => format!("{missing}: {message}"),
            None => missing,
        })
    }
}

impl<'a> Condition<'a> {
    fn read(entry: &'a Value) -> Option<Self> {
        Some(Self {
            kind: entry.str_at(&["type"])?,
            status: entry.str_at(&["status"]).unwrap_or("Unknown"),
            reason: entry.str_at(&["reason"]).filter(|text| !text.is_empty()),
            message: entry.str_at(&["message"]).filter(|text| !text.is_empty()),
            observed_generation: entry.get("observedGeneration").and_then(Value::as_i64),
        })
    }

    pub(super) fn is_true(&self) -> bool {
        self.status == "True"
    }

    pub(super) fn is_false(&self) -> bool {
        self.status == "False"
    }

    /// Returns the message, else the reason, else `otherwise`.
    pub(super) fn words(&self, otherwise: &str) -> String {
        self.message.or(self.reason).unwrap_or(otherwise).to_owned()
    }
}
