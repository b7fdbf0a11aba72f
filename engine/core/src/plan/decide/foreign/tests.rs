use std::sync::Arc;

use crate::diagnostic::{SourceFile, SourceSpan};
use crate::mark::RELEASED;
use crate::plan::fixtures::*;
use crate::refactoring::{Import, Moved, Refactoring, Removal, Removed};

const SETTINGS: &str = "ConfigMap/dev/settings";

fn span() -> SourceSpan {
    SourceSpan::new(Arc::new(SourceFile { path: String::new(), text: String::new() }), 0..0)
}

fn settings(data: &str) -> Declared {
    Declared::new("v1 ConfigMap dev/settings", &format!(r#"{{"data":{data}}}"#))
}

fn importing(address: &str) -> Refactoring {
    let import = Import { id: None, span: span() };
    Refactoring { imports: [(parse(address), import)].into(), ..Refactoring::default() }
}

fn removed(address: &str, removal: Removal) -> Refactoring {
    let removals = vec![Removed { from: parse(address), removal, span: span() }];
    Refactoring { removals, ..Refactoring::default() }
}

fn moved(from: &str, to: &str) -> Refactoring {
    let moves = vec![Moved { from: parse(from), to: parse(to), spans: (span(), span()) }];
    Refactoring { moves, ..Refactoring::default() }
}

fn said(world: &World) -> Vec<String> {
    let plan = world.plan();
    lines(&plan).into_iter().chain(faults(&plan)).collect()
}

#[test]
fn an_import_takes_over_what_nobody_or_a_person_keeps_and_shows_what_changes() {
    for (by, theirs, want) in [
        (Foreign::Update("kubectl"), r#"{"data":{"a":"1"}}"#, "< ConfigMap/dev/settings new"),
        (
            Foreign::Update("kubectl"),
            r#"{"data":{"a":"2"}}"#,
            r#"< ConfigMap/dev/settings new by force: data.a "2" -> "1""#,
        ),
        (
            Foreign::Apply(RELEASED),
            r#"{"data":{"a":"2"}}"#,
            r#"< ConfigMap/dev/settings new by force: data.a "2" -> "1""#,
        ),
        (
            Foreign::Apply("argocd"),
            r#"{"data":{"a":"2"}}"#,
            "error TRN0601: ConfigMap/dev/settings has fields that another field manager keeps: \
             data.a is managed by argocd, which applied it at 2026-01-02T03:04:05Z: \"2\" there, \"1\" here",
        ),
        (
            Foreign::Apply("terrane-eeeeeeee"),
            r#"{"data":{"a":"1"}}"#,
            "error TRN0602: ConfigMap/dev/settings exists and is not part of this environment: \
             It belongs to another environment (field manager terrane-eeeeeeee).",
        ),
    ] {
        let mut world = World::new([settings(r#"{"a":"1"}"#)]);
        world.create("v1 ConfigMap dev/settings", by, theirs);
        world.refactoring = importing("manifest.settings");
        assert_eq!(said(&world), [want], "{theirs}");
    }
}

#[test]
fn an_import_that_was_applied_says_nothing_more() {
    let mut world = World::new([settings(r#"{"a":"1"}"#)]);
    world.create("v1 ConfigMap dev/settings", Foreign::Update("kubectl"), r#"{"data":{"a":"2"}}"#);
    world.refactoring = importing("manifest.settings");
    world.apply();
    assert_eq!(said(&world), ["= ConfigMap/dev/settings settled by record"]);
    world.objects.remove(&object_ref(SETTINGS));
    assert_eq!(
        said(&world),
        [r#"+ ConfigMap/dev/settings missing: apiVersion none -> "v1"; data none -> {"a":"1"}"#],
        "what was imported is ours, and made again like all that is ours"
    );
}

#[test]
fn what_does_not_exist_cannot_be_imported() {
    let mut world = World::new([settings("{}")]);
    world.refactoring = importing("manifest.settings");
    assert_eq!(
        said(&world),
        ["error TRN0613: ConfigMap/dev/settings does not exist on cluster main and cannot be imported: "]
    );
}

#[test]
fn a_removed_block_lets_objects_go_or_deletes_them() {
    let gone = |refactoring: Refactoring, protected: bool| {
        let declared = settings(r#"{"a":"1"}"#);
        let mut world = World::applied([if protected { declared.protected() } else { declared }]);
        world.declare([]);
        world.refactoring = refactoring;
        said(&world)
    };
    let protected = "error TRN0606: ConfigMap/dev/settings is protected and would be deleted: \
                     Its record has prevent_destroy, so removing its block does not delete it.";
    for (refactoring, is_protected, want) in [
        (removed("manifest.settings", Removal::Forget), false, ". ConfigMap/dev/settings removed"),
        (removed("manifest.settings", Removal::Forget), true, ". ConfigMap/dev/settings removed"),
        (removed("manifest.settings", Removal::Delete), false, "- ConfigMap/dev/settings removed"),
        (removed("manifest.settings", Removal::Delete), true, protected),
        (removed("manifest.other", Removal::Forget), false, "- ConfigMap/dev/settings removed"),
    ] {
        assert_eq!(gone(refactoring.clone(), is_protected), [want], "{refactoring:?}");
    }
}

#[test]
fn what_was_let_go_can_be_imported_elsewhere_and_is_not_found_again() {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    world.declare([]);
    world.refactoring = removed("manifest.settings", Removal::Forget);
    world.apply();
    assert_eq!(said(&world), [""; 0]);
    assert_eq!(world.live(SETTINGS).str_at(&["data", "a"]), Some("1"));
    world.declare([settings(r#"{"a":"2"}"#)]);
    world.refactoring = importing("manifest.settings");
    world.state.lineage = other_lineage();
    assert_eq!(said(&world), [r#"< ConfigMap/dev/settings new by force: data.a "1" -> "2""#]);
}

#[test]
fn nothing_to_stay_goes_with_its_namespace() {
    let namespace = Declared::new("v1 Namespace dev", "{}");
    let mut world = World::applied([namespace, settings("{}")]);
    world.declare([]);
    world.refactoring = removed("manifest.settings", Removal::Forget);
    let said = said(&world);
    assert!(
        said.iter().any(|it| it.starts_with("error TRN0610: Namespace/dev would be deleted with")),
        "{said:?}"
    );
}

#[test]
fn a_move_says_where_from_and_warns_when_it_keeps_nothing() {
    let renamed = Declared::new("v1 ConfigMap dev/renamed", r#"{"data":{"a":"1"}}"#).at("manifest.new");
    let warning = "warning TRN0612: the move from manifest.settings to manifest.new does not keep \
                   ConfigMap/dev/settings: manifest.new declares ConfigMap/dev/renamed, so \
                   ConfigMap/dev/settings is deleted.";
    let kept = settings(r#"{"a":"1"}"#).at("manifest.new");
    let changed = settings(r#"{"a":"2"}"#).at("manifest.new");
    let cases: [(Declared, &[&str]); 3] = [
        (kept, &["> ConfigMap/dev/settings moved from manifest.settings"]),
        (changed, &[r#"~ ConfigMap/dev/settings changed from manifest.settings: data.a "1" -> "2""#]),
        (
            renamed,
            &[
                r#"+ ConfigMap/dev/renamed new: apiVersion none -> "v1"; data none -> {"a":"1"}"#,
                "- ConfigMap/dev/settings removed",
                warning,
            ],
        ),
    ];
    for (declared, want) in cases {
        let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
        world.declare([declared]);
        world.refactoring = moved("manifest.settings", "manifest.new");
        assert_eq!(said(&world), want);
    }
}
