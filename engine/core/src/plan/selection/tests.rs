use super::*;
use crate::plan::fixtures::*;

fn config(name: &str) -> Declared {
    Declared::new(&format!("v1 ConfigMap dev/{name}"), "{}")
}

/// `d` needs `c` needs `b` needs `a`; `x` stands alone.
fn chain() -> Vec<Declared> {
    vec![
        config("a"),
        config("b").after("manifest.a"),
        config("c").after("manifest.b"),
        config("d").after("manifest.c"),
        config("x"),
    ]
}

fn targets(addresses: &[&str]) -> Selection {
    Selection {
        targets: addresses.iter().map(|address| address.parse().unwrap()).collect(),
        ..Selection::default()
    }
}

fn declared(selection: &Selection, world: &World) -> Vec<String> {
    let part = selection.graph(&world.graph());
    part.in_order().map(|resource| resource.address.to_string()).collect()
}

#[test]
fn a_target_comes_with_what_it_depends_on() {
    let world = World::new(chain());
    for (wanted, expected) in [
        (&["manifest.b"] as &[&str], &["manifest.a", "manifest.b"] as &[&str]),
        (&["manifest.x", "manifest.a"], &["manifest.a", "manifest.x"]),
        (&[], &["manifest.a", "manifest.b", "manifest.c", "manifest.d", "manifest.x"]),
    ] {
        assert_eq!(declared(&targets(wanted), &world), expected, "{wanted:?}");
    }
}

#[test]
fn a_deletion_comes_with_what_depends_on_it() {
    let mut world = World::applied(chain());
    world.declare([config("x")]);
    let left = |wanted: &[&str]| {
        let (selection, whole) = (targets(wanted), world.graph());
        let part = selection.graph(&whole);
        let state = selection.state(&world.state, &whole, &part);
        state.records.keys().map(|object_ref| object_ref.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(left(&["manifest.c"]), ["c", "d"], "what it depends on stays, and what is declared beside it");
    assert_eq!(left(&["manifest.x"]), ["x"]);
    assert_eq!(left(&[]), ["a", "b", "c", "d", "x"]);
}

#[test]
fn other_clusters_are_left_alone() {
    let mut world = World::applied(chain());
    world.declare([config("x")]);
    let of = |cluster: &str| {
        let clusters = BTreeSet::from([ClusterRef::new(cluster)]);
        let (selection, whole) = (Selection { clusters, ..Selection::default() }, world.graph());
        let part = selection.graph(&whole);
        (part.resources().len(), selection.state(&world.state, &whole, &part).records.len())
    };
    assert_eq!(of("main"), (1, 5));
    assert_eq!(of("other"), (0, 0));
}

#[test]
fn a_target_that_names_nothing_is_told() {
    let mut world = World::applied(chain());
    world.declare([config("x")]);
    let unmatched =
        |wanted: &[&str]| targets(wanted).unmatched(&world.graph(), &world.state).map(ToString::to_string);
    assert_eq!(unmatched(&["manifest.x", "manifest.c"]), None);
    assert_eq!(unmatched(&["manifest.x", "manifest.none"]).as_deref(), Some("manifest.none"));
}

#[test]
fn marked_objects_beside_a_target_are_not_taken_for_left_over() {
    let world = World::applied(chain());
    let (selection, whole) = (targets(&["manifest.x"]), world.graph());
    let part = selection.graph(&whole);
    let state = selection.state(&world.state, &whole, &part);
    let mut live = world.observe(&whole);
    selection.hide_others(&mut live, &state, &part);
    let left = live.clusters.values().flat_map(|cluster| cluster.objects.keys());
    assert_eq!(left.map(|object_ref| object_ref.name.as_str()).collect::<Vec<_>>(), ["x"]);
}
