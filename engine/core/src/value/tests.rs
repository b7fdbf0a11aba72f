use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[test]
fn json_round_trips_in_key_order() {
    let value: Value = serde_json::from_str(r#"{"b":[1,2.5,null],"a":{"x":"y"},"c":true}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":{"x":"y"},"b":[1,2.5,null],"c":true}"#);
}

#[test]
fn a_key_twice_is_refused() {
    assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
}

#[test]
fn the_last_of_equal_keys_counts_when_collected() {
    let map: Map = [("a", 1), ("b", 2), ("a", 3)].map(|(k, v)| (k.into(), v.into())).into_iter().collect();
    assert_eq!(map.get("a"), Some(&Value::from(3)));
    assert_eq!(map.len(), 2);
}

#[test]
fn nested_fields_are_set_and_removed() {
    let mut value = Value::Null;
    value.set_at(&["metadata", "labels", "app"], "web".into());
    assert_eq!(value.str_at(&["metadata", "labels", "app"]), Some("web"));
    assert_eq!(value.remove_at(&["metadata", "labels", "app"]), Some("web".into()));
    assert_eq!(value.to_string(), r#"{"metadata":{"labels":{}}}"#);
}

/// What is done to a map.
#[derive(Debug, Clone)]
enum Step {
    Insert(String, i64),
    Remove(String),
    /// Drops the odd values and raises the others.
    Retain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => ("[a-l]", 0i64..9).prop_map(|(key, value)| Step::Insert(key, value)),
        2 => "[a-l]".prop_map(Step::Remove),
        1 => Just(Step::Retain),
    ]
}

proptest! {
    #[test]
    fn a_map_is_a_sorted_map_and_its_clones_stay_as_they_were(steps in prop::collection::vec(step(), 0..40)) {
        let (mut map, mut model) = (Map::default(), BTreeMap::<String, i64>::new());
        let mut clones = vec![(map.clone(), model.clone())];
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(
                    map.insert(key.as_str().into(), value.into()),
                    model.insert(key, value).map(Value::from)
                ),
                Step::Remove(key) => prop_assert_eq!(map.remove(&key), model.remove(&key).map(Value::from)),
                Step::Retain => {
                    map.retain(|_, value| {
                        let was = value.as_i64().unwrap();
                        *value = (was + 2).into();
                        was % 2 == 0
                    });
                    model.retain(|_, value| {
                        *value += 2;
                        *value % 2 == 0
                    });
                }
            }
            clones.push((map.clone(), model.clone()));
        }
        for (map, model) in clones {
            let entries: Vec<_> = map.iter().map(|(key, value)| (key.to_string(), value.as_i64())).collect();
            let wanted: Vec<_> = model.into_iter().map(|(key, value)| (key, Some(value))).collect();
            prop_assert_eq!(entries, wanted);
        }
    }
}
