use std::collections::BTreeMap;

use engine_kinds::schema::{KeyDefault, ListKey, ListRelation, MapRelation, Scalar};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::merge::element::Element;
use crate::merge::fields::FieldSet;

/// A type with every kind of field.
fn everything() -> Type {
    let text = || Type::scalar(Scalar::Untyped);
    let keys = vec![
        ListKey { name: "name".into(), default: None },
        ListKey { name: "side".into(), default: Some(KeyDefault::String("left".into())) },
    ];
    let item = Type::object(
        [
            ("name", text()),
            ("side", text()),
            ("value", text()),
            ("tags", Type::list(text(), ListRelation::Set)),
        ],
        MapRelation::Separable,
    );
    let spec = Type::object(
        [
            ("a", text()),
            ("b", text()),
            ("items", Type::list(item, ListRelation::Map(keys))),
            ("set", Type::list(text(), ListRelation::Set)),
            ("whole", Type::list(text(), ListRelation::Atomic)),
            ("free", Type::map(text(), MapRelation::Separable)),
            ("any", Type::deduced()),
        ],
        MapRelation::Separable,
    );
    Type::object([("metadata", schema::object_meta()), ("spec", spec)], MapRelation::Separable)
}

fn letter() -> impl Strategy<Value = String> {
    "[xyz]"
}

// Lists and maps are not empty: as in Kubernetes, an empty list is owned by nobody, and a map that its
// owner empties is gone.

fn set() -> impl Strategy<Value = Value> {
    btree_set(letter(), 1..3).prop_map(|set| json!(set))
}

fn free() -> impl Strategy<Value = Value> {
    btree_map(letter(), 1..3_i64, 1..3).prop_map(|map| json!(map))
}

fn object(fields: Vec<(&'static str, Option<Value>)>) -> Value {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}

fn items() -> impl Strategy<Value = Value> {
    let item =
        (option::of(Just(json!("right"))), option::of((1..3_i64).prop_map(Value::from)), option::of(set()));
    vec((letter(), item), 1..4).prop_map(|items| {
        let mut unique = BTreeMap::new();
        let mut list = Vec::new();
        for (name, (side, value, tags)) in items {
            if unique.insert((name.clone(), side.is_some()), ()).is_none() {
                list.push(object(vec![
                    ("name", Some(name.into())),
                    ("side", side),
                    ("value", value),
                    ("tags", tags),
                ]));
            }
        }
        Value::Array(list)
    })
}

fn config() -> impl Strategy<Value = Value> {
    let scalar = || option::of((1..3_i64).prop_map(Value::from));
    let whole = option::of(vec(letter(), 0..3).prop_map(|list| json!(list)));
    let any = option::of(btree_map(letter(), free(), 1..3).prop_map(|map| json!(map)));
    let fields = (scalar(), scalar(), option::of(items()), option::of(set()), whole, option::of(free()), any);
    fields
        .prop_map(|(a, b, items, set, whole, free, any)| {
            let fields = vec![
                ("a", a),
                ("b", b),
                ("items", items),
                ("set", set),
                ("whole", whole),
                ("free", free),
                ("any", any),
            ];
            json!({"metadata": {"name": "x"}, "spec": object(fields)})
        })
        .prop_filter("a spec states something", |config| config["spec"] != json!({}))
}

fn forced(live: Option<&Value>, config: &Value, manager: &str) -> Value {
    apply(&everything(), live, config, &writer(manager, EARLY), Force::Yes).unwrap()
}

fn element() -> impl Strategy<Value = Element> {
    prop_oneof![
        "[a-c/.:]{1,2}".prop_map(Element::Field),
        (0..3_i64, "[a-b\"]?").prop_map(|(port, name)| Element::Key(vec![
            ("name".into(), name.into()),
            ("port".into(), port.into())
        ])),
        "[a-c\"]{0,2}".prop_map(|text| Element::Value(text.into())),
        (0..3_usize).prop_map(Element::Index),
    ]
}

fn field_set() -> impl Strategy<Value = FieldSet> {
    vec(vec(element(), 1..4), 0..8).prop_map(|paths| {
        let mut set = FieldSet::default();
        paths.iter().for_each(|path| set.insert(path));
        set
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applying_twice_changes_nothing(first in config(), second in config(), third in config()) {
        let live = forced(None, &first, "a");
        let live = forced(Some(&live), &second, "b");
        let once = forced(Some(&live), &third, "a");
        let twice = apply(&everything(), Some(&once), &third, &writer("a", LATE), Force::No);
        prop_assert_eq!(twice.unwrap(), once);
    }

    #[test]
    fn the_same_configuration_is_shared(config in config()) {
        let live = forced(None, &config, "a");
        let object = apply(&everything(), Some(&live), &config, &writer("b", LATE), Force::No).unwrap();
        prop_assert_eq!(owned(&object, "a", "Apply"), owned(&object, "b", "Apply"));
        prop_assert_eq!(bare(object.clone()), bare(live));
        // What one of two owners omits stays.
        let left = forced(Some(&object), &json!({"metadata": {"name": "x"}}), "a");
        prop_assert_eq!(bare(left), bare(object));
    }

    #[test]
    fn the_sole_owner_takes_everything_back(config in config()) {
        let live = forced(None, &config, "a");
        let left = forced(Some(&live), &json!({"metadata": {"name": "x"}}), "a");
        prop_assert_eq!(left, json!({"metadata": {"name": "x"}}));
    }

    #[test]
    fn what_is_applied_is_what_is_there(first in config(), second in config()) {
        let live = forced(None, &first, "a");
        let object = forced(Some(&live), &second, "b");
        let again = apply(&everything(), Some(&object), &second, &writer("c", LATE), Force::No);
        prop_assert!(again.is_ok(), "a third manager with the same values meets no conflict");
        // Alone, a changed configuration gives the same as a fresh one.
        let replaced = forced(Some(&live), &second, "a");
        prop_assert_eq!(sorted(bare(replaced)), sorted(bare(forced(None, &second, "a"))));
    }

    #[test]
    fn independent_applies_commute(first in config(), second in config()) {
        let one_way = forced(None, &first, "a");
        let other_way = forced(None, &second, "b");
        let one_way = apply(&everything(), Some(&one_way), &second, &writer("b", EARLY), Force::No);
        let other_way = apply(&everything(), Some(&other_way), &first, &writer("a", EARLY), Force::No);
        match (one_way, other_way) {
            (Ok(one_way), Ok(other_way)) => prop_assert_eq!(sorted(bare(one_way)), sorted(bare(other_way))),
            (Err(_), Err(_)) => {}
            (one_way, other_way) => prop_assert!(false, "{one_way:?} but {other_way:?}"),
        }
    }

    #[test]
    fn field_sets_read_back_what_they_write(set in field_set()) {
        let encoded = set.encode();
        prop_assert_eq!(FieldSet::decode(&encoded).unwrap(), set.clone());
        prop_assert_eq!(set.paths().is_empty(), set.is_empty());
    }

    #[test]
    fn field_sets_are_sets(a in field_set(), b in field_set()) {
        let both = a.intersection(&b);
        let only = a.clone().difference(&b);
        prop_assert_eq!(only.clone().union(&both), a.clone());
        prop_assert!(only.intersection(&b).is_empty());
        prop_assert_eq!(a.clone().union(&b), b.clone().union(&a));
        prop_assert_eq!(both, b.intersection(&a));
        prop_assert!(a.clone().difference(&a).is_empty());
    }
}

/// Sorts the lists whose order means nothing.
fn sorted(mut object: Value) -> Value {
    fn sort(value: &mut Value) {
        match value {
            Value::Array(values) => {
                values.iter_mut().for_each(sort);
                values.sort_by_key(Value::to_string);
            }
            Value::Object(values) => values.values_mut().for_each(sort),
            _ => {}
        }
    }
    for name in ["items", "set"] {
        if let Some(list) = object["spec"].get_mut(name) {
            sort(list);
        }
    }
    object
}

#[test]
fn what_is_no_field_set_is_refused() {
    for text in [json!([]), json!({"f:a": 1}), json!({"k:{": {}}), json!({"v:": {}}), json!({"i:x": {}})] {
        assert!(FieldSet::decode(&text).is_err(), "{text}");
    }
    let unknown = json!({"f:a": {}, "x:future": {}});
    assert_eq!(FieldSet::decode(&unknown).unwrap().encode(), json!({"f:a": {}}));
}
