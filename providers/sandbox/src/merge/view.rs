//! Values seen through their type: which of its shapes a value takes, and how list elements are named.

use engine_kinds::schema::{KeyDefault, ListRelation, ListType, MapRelation, MapType, Scalar, Type};
use serde_json::{Map, Value};

use super::element::Element;

/// The shape of a type that a value takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum View<'t> {
    Scalar(Scalar),
    List(&'t ListType),
    Map(&'t MapType),
}

impl<'t> View<'t> {
    /// Picks the shape that fits the value, or else the first the type offers, so that a check of the
    /// value against it explains the misfit.
    pub(super) fn of(ty: &'t Type, value: Option<&Value>) -> Option<Self> {
        let shape = ty.shape();
        let scalar = shape.scalar.map(View::Scalar);
        let list = shape.list.as_ref().map(View::List);
        let map = shape.map.as_ref().map(View::Map);
        let fitting = match value {
            None | Some(Value::Null) => None,
            Some(Value::Array(_)) => list,
            Some(Value::Object(_)) => map,
            Some(_) => scalar,
        };
        fitting.or(map).or(scalar).or(list)
    }

    /// Returns the views under which a change from one value to the other is to be seen: both if the
    /// value changes from one shape of its type to another.
    pub(super) fn of_change(ty: &'t Type, before: Option<&Value>, after: Option<&Value>) -> Vec<Self> {
        let views = match (before, after) {
            (_, None) => [View::of(ty, before), None],
            (None, _) => [View::of(ty, after), None],
            _ => [View::of(ty, before), View::of(ty, after)],
        };
        match views {
            [Some(first), Some(second)] if first.is_like(second) => vec![second],
            views => views.into_iter().flatten().collect(),
        }
    }

    fn is_like(self, other: View<'_>) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// Returns whether the value is one leaf: a scalar, an atomic list or map, or nothing on both sides,
    /// which keeps empty and absent apart.
    pub(super) fn is_leaf(self, before: Option<&Value>, after: Option<&Value>) -> bool {
        match self {
            View::Scalar(_) => true,
            View::List(list) => {
                let empty = |value| items(value).is_empty();
                list.relation == ListRelation::Atomic || empty(before) && empty(after)
            }
            View::Map(map) => {
                let empty = |value: Option<&Value>| entries(value).is_none_or(Map::is_empty);
                map.relation == MapRelation::Atomic || empty(before) && empty(after)
            }
        }
    }
}

/// Returns the elements of a list; none for null and for anything else.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the entries of a map; `None` for null and for anything else.
pub(super) fn entries(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// Returns the type of a map's entry.
pub(super) fn entry_type<'t>(map: &'t MapType, name: &str) -> Option<&'t Type> {
    map.fields.get(name).map(|field| &field.ty).or(map.element.as_ref())
}

/// Names every element of a list; one that cannot be named as its type wants is named by its place.
pub(super) fn named_items<'v>(list: &ListType, values: &'v [Value]) -> Vec<(Element, &'v Value)> {
    let named = values.iter().enumerate().map(|(index, value)| {
        let element = item_element(&list.relation, value).unwrap_or(Element::Index(index));
        (element, value)
    });
    named.collect()
}

/// Names an element of a set or of a map-like list.
///
/// # Errors
/// If the element cannot be told apart from others; the text is Kubernetes'.
pub(super) fn item_element(relation: &ListRelation, item: &Value) -> Result<Element, String> {
    let problem = match (relation, item) {
        (ListRelation::Atomic, _) => "invalid indexing of non-associative list",
        (ListRelation::Set, Value::Object(_)) => {
            "associative list without keys has an element that's a map type"
        }
        (ListRelation::Set, Value::Array(_)) => "not supported: associative list with lists as elements",
        (ListRelation::Set, Value::Null) => {
            "associative list without keys has an element that's an explicit null"
        }
        (ListRelation::Set, scalar) => return Ok(Element::Value(scalar.clone())),
        (ListRelation::Map(keys), Value::Object(item)) => {
            let named: Vec<_> =
                keys.iter().filter_map(|key| Some((key.name.to_string(), key_value(key, item)?))).collect();
            if !named.is_empty() {
                return Ok(Element::Key(named));
            }
            let names: Vec<_> = keys.iter().map(|key| format!("{:?}", key.name)).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] \
                 (and doesn't have default values for any key fields)",
                names.join(" ")
            ));
        }
        (ListRelation::Map(_), Value::Null) => "associative list with keys may not have a null element",
        (ListRelation::Map(_), _) => "associative list with keys may not have non-map elements",
    };
    Err(problem.to_owned())
}

fn key_value(key: &engine_kinds::schema::ListKey, item: &Map<String, Value>) -> Option<Value> {
    let default = || match key.default.as_ref()? {
        KeyDefault::String(text) => Some(Value::from(&**text)),
        KeyDefault::Integer(number) => Some(Value::from(*number)),
        KeyDefault::Boolean(flag) => Some(Value::from(*flag)),
    };
    item.get(&*key.name).cloned().or_else(default)
}
