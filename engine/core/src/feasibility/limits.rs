//! `LimitRange`: what containers get that name no amount, and the bounds of those that do.

use super::namespace::Namespace;
use super::workload::{Workload, container_name};
use super::{OUT_OF_LIMITS, about, list, seek};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::value::{Map, Value};
use engine_kinds::Quantity;

/// What a container asks for of a resource, or may use of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Requests,
    Limits,
}

impl Side {
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

/// An amount that a container or a pod names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Known(Quantity),
    /// It is there, but not known or no quantity.
    Unknown,
    Absent,
}

impl Amount {
    pub(super) fn at(value: &Value, names: &[&str]) -> Self {
        let text = match seek(value, names) {
            None => return Self::Absent,
            Some(Value::Number(number)) => number.to_string(),
            Some(value) => value.as_str().unwrap_or_default().to_owned(),
        };
        text.parse().map_or(Self::Unknown, Self::Known)
    }

    pub(super) fn known(self) -> Option<Quantity> {
        match self {
            Self::Known(quantity) => Some(quantity),
            Self::Unknown | Self::Absent => None,
        }
    }

    pub(super) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Absent { other() } else { self }
    }
}

/// The limits that hold for the containers of a namespace.
pub(super) struct Defaults<'a>(Vec<&'a Value>);

impl<'a> Defaults<'a> {
    pub(super) fn of(namespace: &Namespace<'a>) -> Self {
        let ranges = namespace.ranges.iter().flat_map(|it| list(it.body, &["spec", "limits"]));
        Self(ranges.filter(|range| range.str_at(&["type"]) == Some("Container")).collect())
    }

    /// Returns what a container asks for or may use, with what the API server fills in.
    ///
    /// # Source
    /// Kubernetes, Limit Ranges; Resource Management for Pods and Containers.
    pub(super) fn amount(&self, container: &Value, side: Side, resource: &str) -> Amount {
        let named = |side: Side| Amount::at(container, &["resources", side.field(), resource]);
        let filled = || self.default(side, resource);
        match side {
            Side::Limits => named(Side::Limits).or_else(filled),
            Side::Requests => named(Side::Requests).or_else(|| named(Side::Limits)).or_else(filled),
        }
    }

    fn default(&self, side: Side, resource: &str) -> Amount {
        let fields: &[&str] = match side {
            Side::Limits => &["default", "max"],
            Side::Requests => &["defaultRequest", "default", "max", "min"],
        };
        let named =
            self.0.iter().flat_map(|range| fields.iter().map(|field| Amount::at(range, &[field, resource])));
        named.fold(Amount::Absent, |first, next| first.or_else(|| next))
    }
}

/// Finds containers outside of the bounds.
pub(super) fn check(namespace: &Namespace<'_>, found: &mut Diagnostics) {
    let ranges: Vec<_> = namespace
        .ranges
        .iter()
        .flat_map(|bound| list(bound.body, &["spec", "limits"]).iter().map(move |range| (bound, range)))
        .filter(|(_, range)| range.str_at(&["type"]) == Some("Container"))
        .collect();
    if ranges.is_empty() {
        return;
    }
    let defaults = Defaults::of(namespace);
    for workload in &namespace.workloads {
        for container in workload.containers() {
            for (bound, range) in ranges.iter().filter(|(bound, _)| bound.concerns(workload)) {
                for breach in breaches(&defaults, container, range) {
                    found.push(finding(workload, container, &format!("{breach} of {}", bound.object_ref)));
                }
            }
        }
    }
}

/// Returns in which ways a container is outside of a range: `asks for 2 of cpu, more than the maximum 1`.
///
/// # Source
/// Kubernetes, Limit Ranges: the minimum binds what is asked for, the maximum what may be used, and both must be named.
fn breaches(defaults: &Defaults<'_>, container: &Value, range: &Value) -> Vec<String> {
    let bounds = |field: &str| {
        let map = range.get(field).and_then(Value::as_map);
        map.into_iter()
            .flat_map(Map::iter)
            .filter_map(|(name, value)| Some((name.clone(), Amount::at(value, &[]).known()?)))
    };
    let too_little = bounds("min").filter_map(|(name, min)| {
        let asked = defaults.amount(container, Side::Requests, &name).known()?;
        (asked < min).then(|| format!("asks for {asked} of {name}, less than the minimum {min}"))
    });
    let too_much = bounds("max").filter_map(|(name, max)| {
        let most = defaults.amount(container, Side::Limits, &name).known()?;
        (most > max).then(|| format!("may use {most} of {name}, more than the maximum {max}"))
    });
    too_little.chain(too_much).collect()
}

fn finding(workload: &Workload<'_>, container: &Value, breach: &str) -> Diagnostic {
    let object_ref = workload.object.object_ref();
    let summary = format!("container {} of {object_ref} {breach}", container_name(container));
    let diagnostic = Diagnostic::warning(OUT_OF_LIMITS, summary)
        .detail("The API server refuses such pods.")
        .hint("change the container's resources, or the LimitRange");
    about(workload.object.resource, diagnostic)
}

#[cfg(test)]
mod tests;
