//! Addresses that move within a state.

use super::*;
use crate::digest::{Digest, Seal};
use crate::graph::Dependencies;
use crate::object_ref::GroupKind;

fn parse(text: &str) -> Address {
    text.parse().unwrap()
}

/// A state with one record per address; each depends on the block before.
pub(super) fn state(addresses: &[&str]) -> State {
    let name = "test".parse().unwrap();
    let mut state = State::empty(name, Lineage::new([1; 16]));
    let mut before: Vec<Address> = Vec::new();
    for (idx, address) in addresses.iter().enumerate() {
        let object_ref = ObjectRef {
            cluster: ClusterRef::new("main"),
            kind: GroupKind::new("", "ConfigMap"),
            namespace: Some("n".into()),
            name: format!("c{idx}").into(),
        };
        let record = ResourceRecord {
            address: parse(address),
            api_version: ApiVersion::new("", "v1"),
            uid: Uid::new(format!("uid-{idx}")),
            dependencies: Dependencies { blocks: std::mem::take(&mut before), objects: Vec::new() },
            prevent_destroy: false,
            desired: Fingerprint { open: Digest::of_bytes(b"").print(), seal: Seal::Empty },
            settled: None,
            fields: Vec::new(),
        };
        before.push(record.address.clone());
        state.records.insert(object_ref, record);
    }
    state
}

fn addresses(state: &State) -> Vec<String> {
    state.records.values().map(|record| record.address.to_string()).collect()
}

#[test]
fn what_is_at_an_address_moves_with_all_inside_and_what_depends_on_it() {
    let mut state = state(&["app.a.manifest.x", "app.a.manifest.y", "manifest.z"]);
    let moved = state.relocate(&parse("app.a"), &parse("app.b[\"k\"]")).unwrap();
    assert_eq!(moved.len(), 2);
    assert_eq!(addresses(&state), ["app.b[\"k\"].manifest.x", "app.b[\"k\"].manifest.y", "manifest.z"]);
    let last = state.records.values().last().unwrap();
    assert_eq!(last.dependencies.blocks, [parse("app.b[\"k\"].manifest.y")]);
}

#[test]
fn a_chain_of_instances_moves_up_by_one() {
    let mut state = state(&["manifest.a[0]", "manifest.b"]);
    state.relocate(&parse("manifest.a[0]"), &parse("manifest.a[1]")).unwrap();
    assert_eq!(addresses(&state), ["manifest.a[1]", "manifest.b"]);
}

#[test]
fn nothing_moves_where_something_is_or_from_where_nothing_is() {
    let mut state = state(&["app.a.manifest.x", "app.b.manifest.x"]);
    let before = state.clone();
    let occupied = state.relocate(&parse("app.a"), &parse("app.b")).unwrap_err();
    assert_eq!(occupied, MoveError::Occupied(parse("app.b.manifest.x")));
    let nothing = state.relocate(&parse("app.c"), &parse("app.d")).unwrap_err();
    assert_eq!(nothing, MoveError::Nothing(parse("app.c")));
    assert_eq!(
        state.relocate(&parse("app.a"), &parse("app.a")).unwrap_err(),
        MoveError::Nothing(parse("app.a"))
    );
    assert_eq!(state, before);
}
