use super::*;
use crate::object_ref::{GroupKind, Uid};
use crate::plan::fixtures::*;
use crate::plan::{ActionKind, Exceptions};
use crate::ports::Invalid;
use crate::resource::{FieldPolicy, Wait};
use crate::state::Intent;
use crate::value::Value;

fn web(replicas: u32) -> Declared {
    let spec = r#""selector":{"matchLabels":{"app":"web"}},
        "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"web:1"}]}}"#;
    Declared::new("apps/v1 Deployment dev/web", &format!(r#"{{"spec":{{"replicas":{replicas},{spec}}}}}"#))
}

fn web_without_replicas() -> Declared {
    let Body::Object(manifest) = web(1).resource.body else { unreachable!() };
    let mut body = manifest.body().clone();
    body.remove_at(&["spec", "replicas"]);
    Declared::new("apps/v1 Deployment dev/web", &body.to_string())
}

fn settings(data: &str) -> Declared {
    Declared::new("v1 ConfigMap dev/settings", &format!(r#"{{"data":{data}}}"#))
}

const WEB: &str = "Deployment.apps/dev/web";
const SETTINGS: &str = "ConfigMap/dev/settings";

/// What the plan of a world says: its changes, then what stands in its way.
fn said(world: &World) -> Vec<String> {
    let plan = world.plan();
    lines(&plan).into_iter().chain(faults(&plan)).collect()
}

/// What happens in a story, and what the plan then says.
type Story<'a> = (&'a str, &'a dyn Fn(&mut World), &'a [&'a str]);

/// A table of stories: all begin with the same objects applied.
fn check(begin: &[Declared], stories: &[Story<'_>]) {
    for (name, happens, want) in stories {
        let mut world = World::applied(begin.to_vec());
        happens(&mut world);
        assert_eq!(said(&world), *want, "{name}");
    }
}

/// What a plan says when the state is older than the cluster.
const UNRECORDED: &str = "warning TRN0616: the state does not know an object that this environment applied: \
                          They carry its mark and its fields, and no run meant to write them: ConfigMap/dev/settings.";

#[test]
fn new_objects_are_created_with_all_their_fields() {
    assert_eq!(
        said(&World::new([settings(r#"{"a":"1"}"#)])),
        [r#"+ ConfigMap/dev/settings new: apiVersion none -> "v1"; data none -> {"a":"1"}"#]
    );
}

#[test]
fn existing_objects_change_as_their_definition_does() {
    let delete_from_live = |world: &mut World| drop(world.objects.remove(&object_ref(SETTINGS)));
    check(
        &[settings(r#"{"a":"1","b":"2"}"#)],
        &[
            ("nothing happens", &|_| {}, &["= ConfigMap/dev/settings settled by record"]),
            (
                "a value, a new field and a removed one",
                &|world| world.declare([settings(r#"{"a":"3","c":"4"}"#)]),
                &[
                    r#"~ ConfigMap/dev/settings changed: data.a "1" -> "3"; data.b "2" -> none; data.c none -> "4""#,
                ],
            ),
            (
                "it is gone",
                &delete_from_live,
                &[
                    r#"+ ConfigMap/dev/settings missing: apiVersion none -> "v1"; data none -> {"a":"1","b":"2"}"#,
                ],
            ),
            (
                "the address changes",
                &|world| world.declare([settings(r#"{"a":"1","b":"2"}"#).at("manifest.renamed")]),
                &["> ConfigMap/dev/settings moved from manifest.settings"],
            ),
            (
                "address and value change",
                &|world| world.declare([settings(r#"{"a":"1"}"#).at("manifest.renamed")]),
                &[r#"~ ConfigMap/dev/settings changed from manifest.settings: data.b "2" -> none"#],
            ),
            (
                "managed fields are cleared",
                &|world| {
                    world.touch(SETTINGS, |live| {
                        live.set_at(&["metadata", "managedFields"], Value::list([]));
                    });
                },
                &["~ ConfigMap/dev/settings ownership"],
            ),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one flat table")]
fn what_others_change_is_drift() {
    let edited = |fields: &'static str| {
        move |world: &mut World| world.edit(WEB, Foreign::Update("kubectl-edit"), fields)
    };
    check(
        &[web(1)],
        &[
            (
                "a value",
                &edited(r#"{"spec":{"replicas":5}}"#),
                &["~ Deployment.apps/dev/web drift by force: spec.replicas 5 -> 1 \
                   (set by kubectl-edit at 2026-01-02T03:04:05Z)"],
            ),
            (
                "a field of the pods",
                &edited(r#"{"spec":{"selector":{"matchLabels":{"app":"other"}}}}"#),
                &[
                    r#"~ Deployment.apps/dev/web drift by force: spec.selector.matchLabels.app "other" -> "web" (set by kubectl-edit at 2026-01-02T03:04:05Z)"#,
                ],
            ),
            (
                "a label with dots in its name",
                &|world| {
                    let labelled = |value| {
                        let mut body = web(1).manifest().body().clone();
                        body.set_at(&["metadata", "labels", "app.kubernetes.io/name"], Value::string(value));
                        Declared::new("apps/v1 Deployment dev/web", &body.to_string())
                    };
                    world.declare([labelled("web")]);
                    world.apply();
                    let theirs = r#"{"metadata":{"labels":{"app.kubernetes.io/name":"theirs"}}}"#;
                    world.edit(WEB, Foreign::Update("kubectl-label"), theirs);
                },
                &[
                    r#"~ Deployment.apps/dev/web drift by force: metadata.labels["app.kubernetes.io/name"] "theirs" -> "web" (set by kubectl-label at 2026-01-02T03:04:05Z)"#,
                ],
            ),
            (
                "a field that somebody removes",
                &|world| {
                    edited(r#"{"metadata":{"labels":{"theirs":"x"}}}"#)(world);
                    world.touch(WEB, |live| drop(live.remove_at(&["spec", "replicas"])));
                },
                &["~ Deployment.apps/dev/web drift: spec.replicas none -> 1 \
                   (set by kubectl-edit at 2026-01-02T03:04:05Z)"],
            ),
            (
                "fields that are not ours are nobody's business",
                &edited(r#"{"spec":{"paused":true}}"#),
                &["= Deployment.apps/dev/web settled by record"],
            ),
            (
                "what is being deleted",
                &|world| {
                    world.touch(WEB, |live| {
                        live.set_at(&["metadata", "deletionTimestamp"], "2026-01-02T03:04:05Z".into());
                        live.set_at(&["metadata", "finalizers"], Value::list(["a.example.com/x".into()]));
                    });
                },
                &[
                    "= Deployment.apps/dev/web settled by server",
                    "warning TRN0617: Deployment.apps/dev/web is being deleted: Somebody deleted it, as of \
                     2026-01-02T03:04:05Z; it is held by finalizers: a.example.com/x.",
                ],
            ),
            (
                "a write under our own name",
                &|world| {
                    world.touch(WEB, |live| live.set_at(&["spec", "replicas"], Value::from(5)));
                },
                &[
                    "~ Deployment.apps/dev/web drift: spec.replicas 5 -> 1 (set by unknown at an unknown time)",
                ],
            ),
        ],
    );
}

#[test]
fn what_is_written_through_a_subresource_is_left_to_its_writer_or_named_after_him() {
    for (policy, want) in [
        (None, "= Deployment.apps/dev/web settled by server"),
        (
            Some(FieldPolicy::Take),
            "~ Deployment.apps/dev/web drift by force: spec.paused true -> false \
             (set by controller at 2026-01-02T03:04:05Z)",
        ),
    ] {
        let declared = Declared::new("apps/v1 Deployment dev/web", r#"{"spec":{"paused":false}}"#);
        let declared = match policy {
            Some(policy) => declared.keeping(policy, "spec.paused"),
            None => declared,
        };
        let mut world = World::applied([declared]);
        world.edit(WEB, Foreign::Update("controller"), r#"{"spec":{"paused":true}}"#);
        world.touch(WEB, |live| {
            let (with, without) =
                (r#""manager":"controller","subresource":"status""#, r#""manager":"controller""#);
            *live = json(&live.to_string().replacen(without, with, 1));
        });
        assert_eq!(said(&world), [want]);
    }
}

#[test]
fn what_was_written_and_not_seen_current_is_waited_for() {
    let intend = |world: &mut World| {
        let (object_ref, record) = world.state.records.first_key_value().unwrap();
        world.state.intents.push(Intent {
            object_ref: object_ref.clone(),
            address: record.address.clone(),
            action: ActionKind::Update,
            api_version: record.api_version.clone(),
            dependencies: record.dependencies.clone(),
        });
    };
    let mut unhurried = web(1);
    unhurried.resource.wait = Wait::Never;
    let edited: &dyn Fn(&mut World) = &|world| {
        intend(world);
        world.edit(WEB, Foreign::Update("kubectl-edit"), r#"{"spec":{"replicas":9}}"#);
    };
    check(
        &[web(1)],
        &[
            ("as it was declared", &intend, &["... Deployment.apps/dev/web settled by record"]),
            (
                "to be changed as well",
                edited,
                &["~ Deployment.apps/dev/web drift by force: spec.replicas 9 -> 1 \
                   (set by kubectl-edit at 2026-01-02T03:04:05Z)"],
            ),
        ],
    );
    check(&[unhurried], &[("never waited for", &intend, &["= Deployment.apps/dev/web settled by record"])]);
}

#[test]
fn drift_and_change_are_told_apart_field_by_field() {
    let pinned = |labels: &str| {
        Declared::new(
            "v1 ConfigMap dev/settings",
            &format!(r#"{{"metadata":{{"labels":{labels}}},"data":{{"a":"1"}}}}"#),
        )
    };
    check(
        &[pinned(r#"{"x":"1"}"#)],
        &[
            (
                "both at once",
                &|world| {
                    world.edit(SETTINGS, Foreign::Update("kubectl-edit"), r#"{"data":{"a":"9"}}"#);
                    world.declare([pinned(r#"{"x":"2"}"#)]);
                },
                &[
                    r#"~ ConfigMap/dev/settings changed by force: data.a "9" -> "1" (set by kubectl-edit at 2026-01-02T03:04:05Z); metadata.labels.x "1" -> "2""#,
                ],
            ),
            (
                "a field that was never ours is no drift when the definition begins to set it",
                &|world| {
                    world.edit(
                        SETTINGS,
                        Foreign::Update("kubectl-label"),
                        r#"{"metadata":{"labels":{"y":"9"}}}"#,
                    );
                    world.declare([pinned(r#"{"x":"1","y":"2"}"#)]);
                },
                &[r#"~ ConfigMap/dev/settings changed by force: metadata.labels.y "9" -> "2""#],
            ),
        ],
    );
}

#[test]
fn the_server_may_prove_what_the_record_does_not() {
    check(
        &[settings(r#"{"a":"1"}"#)],
        &[
            (
                "the record has lost its digest",
                &|world| {
                    let record = world.state.records.get_mut(&object_ref(SETTINGS)).unwrap();
                    record.settled = None;
                },
                &["= ConfigMap/dev/settings settled by server"],
            ),
            (
                "and its address is another",
                &|world| {
                    let record = world.state.records.get_mut(&object_ref(SETTINGS)).unwrap();
                    record.settled = None;
                    record.address = parse("manifest.before");
                },
                &["> ConfigMap/dev/settings moved from manifest.before"],
            ),
            (
                "the record is lost, the mark is not",
                &|world| world.state.records.clear(),
                &["~ ConfigMap/dev/settings ownership", UNRECORDED],
            ),
            (
                "the object was restored from a backup under another uid",
                &|world| {
                    world.touch(SETTINGS, |live| live.set_at(&["metadata", "uid"], "restored".into()));
                },
                &["~ ConfigMap/dev/settings replaced"],
            ),
        ],
    );
}

/// Somebody scales a workload to nothing, as the server records it: nobody owns the replicas.
fn scale_to_nothing(world: &mut World) {
    world.edit(WEB, Foreign::Scale("kubectl"), r#"{"spec":{"replicas":0}}"#);
    world.touch(WEB, |live| {
        let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_list).unwrap();
        let left = entries.iter().filter(|entry| entry.str_at(&["manager"]) != Some("kubectl"));
        let left = Value::list(left.cloned());
        live.set_at(&["metadata", "managedFields"], left);
    });
}

#[test]
fn conflicts_follow_the_policies_of_fields() {
    check(
        &[web(1)],
        &[
            (
                "another applier keeps its field",
                &|world| world.edit(WEB, Foreign::Apply("argocd"), r#"{"spec":{"replicas":5}}"#),
                &["error TRN0601: Deployment.apps/dev/web has fields that another field manager keeps: \
                   spec.replicas is managed by argocd, which applied it at 2026-01-02T03:04:05Z: 5 there, 1 here"],
            ),
            (
                "an autoscaler keeps the replicas",
                &|world| {
                    world.edit(WEB, Foreign::Scale("kube-controller-manager"), r#"{"spec":{"replicas":5}}"#);
                },
                &["= Deployment.apps/dev/web settled by server"],
            ),
            (
                "and goes on to keep them",
                &|world| {
                    world.edit(WEB, Foreign::Scale("kube-controller-manager"), r#"{"spec":{"replicas":5}}"#);
                    world.apply();
                    world.touch(WEB, |live| live.set_at(&["spec", "replicas"], Value::from(7)));
                },
                &["= Deployment.apps/dev/web settled by server"],
            ),
            (
                "who scales to nothing keeps that, though nobody owns it",
                &|world| scale_to_nothing(world),
                &["= Deployment.apps/dev/web settled by server"],
            ),
            (
                "unless the definition takes the replicas",
                &|world| {
                    world.declare([web(1).keeping(FieldPolicy::Take, "spec.replicas")]);
                    scale_to_nothing(world);
                },
                &["~ Deployment.apps/dev/web changed: spec.replicas 0 -> 1"],
            ),
            (
                "or has them left as they are",
                &|world| {
                    world.declare([web(1).ignoring("spec.replicas")]);
                    scale_to_nothing(world);
                },
                &["~ Deployment.apps/dev/web ownership"],
            ),
            (
                "ignored fields stay as they are",
                &|world| {
                    world.declare([web(1).ignoring("spec.replicas")]);
                    world.apply();
                    world.edit(WEB, Foreign::Update("kubectl-scale"), r#"{"spec":{"replicas":5}}"#);
                },
                &["= Deployment.apps/dev/web settled by server"],
            ),
        ],
    );
}

#[test]
fn ignored_fields_are_created_and_then_left_alone() {
    let mut world = World::applied([web(1).ignoring("spec.replicas")]);
    assert_eq!(world.live(WEB).at(&["spec", "replicas"]), Some(&Value::from(1)));
    world.edit(WEB, Foreign::Update("kubectl-scale"), r#"{"spec":{"replicas":5}}"#);
    world.apply();
    assert_eq!(world.live(WEB).at(&["spec", "replicas"]), Some(&Value::from(5)), "theirs is kept");
    world.declare([web(3).ignoring("spec.replicas")]);
    world.apply();
    assert_eq!(world.live(WEB).at(&["spec", "replicas"]), Some(&Value::from(5)), "whatever is declared");
    assert!(!world.plan().has_changes());
}

#[test]
fn foreign_objects_are_left_alone_unless_adoption_is_allowed_and_harmless() {
    let other = other_lineage().field_manager();
    let (kubectl, argocd) = (Foreign::Update("kubectl-create"), Foreign::Apply("argocd"));
    let other = Foreign::Apply(other.as_str());
    let adopted = r#"@ ConfigMap/dev/settings new: apiVersion none -> "v1"; data none -> {"a":"1"}"#;
    let theirs = "It belongs to another environment (field manager terrane-eeeeeeee).";
    for (adopt, by, value, want) in [
        (AdoptPolicy::Never, kubectl, "1", Err("Its fields are managed by kubectl-create.")),
        (AdoptPolicy::Never, argocd, "0", Err("Its fields are managed by argocd.")),
        (AdoptPolicy::IfUnowned, kubectl, "1", Ok(adopted)),
        (AdoptPolicy::IfUnowned, argocd, "1", Ok(adopted)),
        (AdoptPolicy::IfUnowned, kubectl, "0", Err("Its fields are managed by kubectl-create.")),
        (AdoptPolicy::IfUnowned, other, "1", Err(theirs)),
        (AdoptPolicy::IfUnowned, other, "0", Err(theirs)),
    ] {
        let mut world = World::new([settings(r#"{"a":"1"}"#)]);
        world.adopt = adopt;
        world.create("v1 ConfigMap dev/settings", by, &format!(r#"{{"data":{{"a":"{value}"}}}}"#));
        let refused = "error TRN0602: ConfigMap/dev/settings exists and is not part of this environment: ";
        let want = want.map_or_else(|whose| format!("{refused}{whose}"), str::to_owned);
        assert_eq!(said(&world), [want]);
    }
}

#[test]
fn an_adopted_object_is_ours_from_then_on() {
    let mut world = World::new([settings(r#"{"a":"1"}"#)]);
    world.adopt = AdoptPolicy::IfUnowned;
    world.create("v1 ConfigMap dev/settings", Foreign::Update("kubectl-create"), r#"{"data":{"a":"1"}}"#);
    world.apply();
    assert_eq!(said(&world), ["= ConfigMap/dev/settings settled by record"]);
    world.declare([]);
    assert_eq!(said(&world), ["- ConfigMap/dev/settings removed"]);
}

#[test]
fn another_state_of_the_same_environment_is_another_environment() {
    let ours = World::applied([settings(r#"{"a":"1"}"#)]);
    let mut theirs = World::new([settings(r#"{"a":"1"}"#)]);
    theirs.state.lineage = other_lineage();
    theirs.objects = ours.objects;
    theirs.adopt = AdoptPolicy::IfUnowned;
    let refused = "error TRN0602: ConfigMap/dev/settings exists and is not part of this environment: \
                   It belongs to another environment (field manager terrane-aaaaaaaa).";
    assert_eq!(said(&theirs), [refused]);
    theirs.touch(SETTINGS, |live| live.set_at(&["metadata", "managedFields"], Value::list([])));
    assert_eq!(
        said(&theirs),
        [refused.split("It belongs").next().unwrap().to_owned() + "It has the mark of another environment."]
    );
}

/// Somebody copies an object: its labels and annotations too, but not its managed fields.
fn copy(world: &mut World) {
    let mut copied = world.live(SETTINGS).clone();
    for server_owned in ["managedFields", "uid"] {
        copied.remove_at(&["metadata", server_owned]);
    }
    world.create("v1 ConfigMap dev/copy", Foreign::Update("kubectl-create"), &copied.to_string());
}

#[test]
fn a_copy_of_an_object_of_ours_is_not_ours() {
    let declared_copy = || Declared::new("v1 ConfigMap dev/copy", r#"{"data":{"a":"1"}}"#);
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    copy(&mut world);
    let settled = "= ConfigMap/dev/settings settled by record";
    assert_eq!(said(&world), [settled], "it is no orphan");
    world.declare([settings(r#"{"a":"1"}"#), declared_copy()]);
    assert_eq!(
        said(&world),
        [
            settled,
            "error TRN0602: ConfigMap/dev/copy exists and is not part of this environment: \
             It has the mark of this environment, which has never applied it: it may be a copy of another object."
        ],
        "it is not taken over"
    );
    let refused = said(&world);
    world.adopt = AdoptPolicy::IfUnowned;
    assert_eq!(said(&world), refused, "nor adopted");
}

#[test]
fn an_object_that_another_run_creates_meanwhile_is_not_foreign() {
    let appeared = |touch: &dyn Fn(&mut World)| {
        let (mut met, mut world) =
            (World::applied([settings(r#"{"a":"1"}"#)]), World::new([settings(r#"{"a":"1"}"#)]));
        touch(&mut met);
        let answer =
            Prediction::new(Tier::Server, Ok(Object::new(met.live(SETTINGS).clone())), Witness::Existed);
        world.answers.insert(object_ref(SETTINGS), answer);
        said(&world)
    };
    let want = "error TRN0611: ConfigMap/dev/settings was created while this plan was made: ";
    let by =
        |by: Foreign<'static>| move |world: &mut World| world.edit(SETTINGS, by, r#"{"data":{"b":"1"}}"#);
    for said in [appeared(&|_| {}), appeared(&by(Foreign::Scale("autoscaler")))] {
        assert!(said.len() == 1 && said[0].starts_with(want), "{said:?}");
    }
    assert_eq!(
        appeared(&by(Foreign::Update("kubectl-create"))),
        ["error TRN0602: ConfigMap/dev/settings exists and is not part of this environment: \
          Its fields are managed by kubectl-create."]
    );
}

#[test]
fn an_object_made_anew_by_somebody_else_is_not_ours() {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    world.objects.clear();
    world.create("v1 ConfigMap dev/settings", Foreign::Update("kubectl-create"), r#"{"data":{"a":"1"}}"#);
    assert_eq!(
        said(&world),
        ["error TRN0602: ConfigMap/dev/settings exists and is not part of this environment: \
          Its fields are managed by kubectl-create."]
    );
    world.declare([]);
    assert_eq!(said(&world), [". ConfigMap/dev/settings missing"], "nor deleted");
}

#[test]
fn immutable_fields_replace_the_object_where_nothing_is_lost() {
    let immutable = |world: &mut World, key: &str, declared: Declared, named: &[&str]| {
        world.declare([declared.clone()]);
        let live = Object::new(world.live(key).clone());
        let manager = world.state.lineage.field_manager();
        let mark = live.mark().unwrap();
        let manifest = declared.manifest();
        let after = crate::plan::simulate::simulate(
            Some(&live),
            &manifest.marked(&mark),
            &manager,
            manifest.api_version(),
            None,
        );
        let mut answer = Prediction::new(Tier::Client, Ok(after), Witness::Existed);
        answer.immutable = Some(named.iter().map(|name| (*name).to_owned()).collect());
        world.answers.insert(object_ref(key), answer);
    };
    let declared = |head: &str, value: &str| Declared::new(head, &format!(r#"{{"spec":{{"x":"{value}"}}}}"#));
    let refused = |key: &str, why: &str| {
        format!("error TRN0609: {key} cannot be changed in place: Immutable: spec.x. {why}")
    };
    let lost = "Replacing it would delete data that cannot be brought back.";
    for (head, key, protected, want) in [
        (
            "batch/v1 Job dev/j",
            "Job.batch/dev/j",
            false,
            r#"-/+ Job.batch/dev/j immutable (client): spec.x "a" -> "b""#.to_owned(),
        ),
        (
            "batch/v1 Job dev/j",
            "Job.batch/dev/j",
            true,
            refused("Job.batch/dev/j", "Its lifecycle has prevent_destroy."),
        ),
        ("v1 Namespace n", "Namespace/n", false, refused("Namespace/n", lost)),
        (
            "v1 PersistentVolumeClaim dev/c",
            "PersistentVolumeClaim/dev/c",
            false,
            refused("PersistentVolumeClaim/dev/c", lost),
        ),
        (
            "apiextensions.k8s.io/v1 CustomResourceDefinition x.y",
            "CustomResourceDefinition.apiextensions.k8s.io/x.y",
            false,
            refused("CustomResourceDefinition.apiextensions.k8s.io/x.y", lost),
        ),
    ] {
        let guard = |declared: Declared| if protected { declared.protected() } else { declared };
        let mut world = World::applied([guard(declared(head, "a"))]);
        immutable(&mut world, key, guard(declared(head, "b")), &[]);
        assert_eq!(said(&world), [want]);
        immutable(&mut world, key, guard(declared(head, "b")), &["spec.y"]);
        let plan = world.plan();
        let named = plan.changes.iter().map(|it| it.immutable.join(", ")).chain(faults(&plan));
        let named: Vec<String> = named.collect();
        assert!(named.len() == 1 && named[0].contains("spec.y") && !named[0].contains("spec.x"), "{named:?}");
    }
}

#[test]
fn what_is_no_longer_declared_is_deleted_if_it_is_ours() {
    check(
        &[settings(r#"{"a":"1"}"#)],
        &[
            ("recorded", &|world| world.declare([]), &["- ConfigMap/dev/settings removed"]),
            (
                "recorded and gone",
                &|world| {
                    world.declare([]);
                    world.objects.clear();
                },
                &[". ConfigMap/dev/settings missing"],
            ),
            (
                "marked but not recorded",
                &|world| {
                    world.declare([]);
                    world.state.records.clear();
                },
                &["- ConfigMap/dev/settings removed", UNRECORDED],
            ),
            (
                "marked but not recorded, since a run ended in between",
                &|world| {
                    world.declare([]);
                    let (object_ref, record) = world.state.records.pop_first().unwrap();
                    world.state.intents.push(Intent {
                        object_ref,
                        address: record.address,
                        action: ActionKind::Create,
                        api_version: record.api_version,
                        dependencies: record.dependencies,
                    });
                },
                &["- ConfigMap/dev/settings removed"],
            ),
            (
                "marked by another lineage",
                &|world| {
                    world.declare([]);
                    world.state.records.clear();
                    world.touch(SETTINGS, |live| {
                        let lineage = other_lineage();
                        live.set_at(
                            &["metadata", "annotations", crate::mark::LINEAGE_ANNOTATION],
                            lineage.as_str().into(),
                        );
                    });
                },
                &[],
            ),
            (
                "not observed",
                &|world| {
                    world.declare([]);
                    world.unobserved.insert((GroupKind::new("", "ConfigMap"), None), "timed out".into());
                },
                &["warning TRN0607: ConfigMap/dev/settings could not be observed and is kept: timed out"],
            ),
        ],
    );
}

#[test]
fn protection_outlives_the_block() {
    let mut world = World::applied([settings("{}").protected()]);
    world.declare([]);
    let refused = "error TRN0606: ConfigMap/dev/settings is protected and would be deleted: \
                   Its record has prevent_destroy, so removing its block does not delete it.";
    assert_eq!(said(&world), [refused]);
    assert_eq!(faults(&world.plan_offline()), [refused]);
    world.objects.clear();
    assert_eq!(said(&world), [". ConfigMap/dev/settings missing"], "nothing is left to protect");
}

#[test]
fn records_on_a_cluster_that_is_not_connected_are_kept() {
    let mut world = World::applied([settings("{}")]);
    world.declare([]);
    let (graph, live) = (world.graph(), Live::default());
    let plan = world.plan_with(&graph, Some((&live, &Triage::default())), &HashMap::new());
    assert_eq!(
        faults(&plan),
        [
            "warning TRN0607: ConfigMap/dev/settings could not be observed and is kept: its cluster is not connected"
        ]
    );
    assert!(!plan.has_changes());
}

#[test]
fn an_object_that_was_not_asked_about_is_an_error() {
    let world = World::new([settings("{}")]);
    let graph = world.graph();
    let (live, triage) = (world.observe(&graph), world.triage());
    let plan = world.plan_with(&graph, Some((&live, &triage)), &HashMap::new());
    assert_eq!(
        faults(&plan),
        ["error TRN0608: cluster main cannot say what becomes of ConfigMap/dev/settings: \
          the cluster does not answer: it was not asked"]
    );
}

#[test]
fn refusals_of_the_server_are_errors_by_kind() {
    for (error, want) in [
        (
            ProviderError::Forbidden("no patch".into()),
            "error TRN0604: cluster main forbids ConfigMap/dev/settings: no patch",
        ),
        (
            ProviderError::Invalid(String::from("data.a: bad").into()),
            "error TRN0605: cluster main refuses ConfigMap/dev/settings: data.a: bad",
        ),
        (
            ProviderError::Server("boom".into()),
            "error TRN0608: cluster main cannot say what becomes of ConfigMap/dev/settings: the cluster failed: boom",
        ),
    ] {
        let mut world = World::new([settings("{}")]);
        world
            .answers
            .insert(object_ref(SETTINGS), Prediction::new(Tier::Server, Err(error), Witness::Existed));
        assert_eq!(said(&world), [want]);
    }
}

#[test]
fn what_the_server_refuses_may_wait_for_what_the_plan_changes() {
    let refused = || Prediction {
        refusal: Some(ProviderError::Forbidden("exceeded quota".into())),
        ..Prediction::new(
            Tier::Client,
            Ok(Object::new(settings("{}").resource.manifest().unwrap().body().clone())),
            Witness::Created,
        )
    };
    let quota = |pods: &str| {
        Declared::new("v1 ResourceQuota dev/quota", &format!(r#"{{"spec":{{"hard":{{"pods":"{pods}"}}}}}}"#))
    };
    let mut world = World::applied([quota("1")]);
    world.declare([quota("2"), settings("{}")]);
    world.answers.insert(object_ref(SETTINGS), refused());
    let plan = world.plan();
    assert_eq!(
        faults(&plan),
        ["warning TRN0605: cluster main refuses ConfigMap/dev/settings as things are now: exceeded quota"]
    );
    assert_eq!(plan.counts().create, 1);
    // An unknown field is one whatever else changes.
    let untyped = Invalid { message: "no such field".into(), fields: Vec::new(), is_untyped: true };
    let prediction = Prediction { refusal: Some(ProviderError::Invalid(untyped)), ..refused() };
    world.answers.insert(object_ref(SETTINGS), prediction);
    assert_eq!(
        faults(&world.plan()),
        ["error TRN0605: cluster main refuses ConfigMap/dev/settings: no such field"]
    );
    world.declare([quota("1"), settings("{}")]);
    world.answers.insert(object_ref(SETTINGS), refused());
    let plan = world.plan();
    assert_eq!(faults(&plan), ["error TRN0604: cluster main forbids ConfigMap/dev/settings: exceeded quota"]);
    assert_eq!(plan.counts().create, 0);
}

#[test]
fn what_the_server_says_of_a_secret_value_is_withheld() {
    let marked = Declared::new("v1 ConfigMap dev/settings", r#"{"metadata":{"labels":{"k":"top secret"}}}"#)
        .sensitive("metadata.labels.k");
    let mut world = World::new([marked]);
    let error = ProviderError::Invalid(
        String::from(r#"metadata.labels: Invalid value: "top secret": a label"#).into(),
    );
    world.answers.insert(object_ref(SETTINGS), Prediction::new(Tier::Server, Err(error), Witness::Existed));
    assert_eq!(
        said(&world),
        [
            r#"error TRN0605: cluster main refuses ConfigMap/dev/settings: metadata.labels: Invalid value: "(sensitive value)": a label"#
        ]
    );
}

#[test]
fn unknown_and_unobserved_kinds_are_said() {
    let hint = |world: &World| world.plan().diagnostics.iter().next().unwrap().hint.clone().unwrap();
    for (head, want) in [
        ("apps/v1beta1 Deployment dev/web", "the cluster serves it as apps/v1"),
        ("extensions/v1 deployment dev/web", "did you mean Deployment.apps?"),
        (
            "x.y/v1 Widget dev/web",
            "declare its CustomResourceDefinition in the environment, or correct the kind",
        ),
    ] {
        let world = World::new([Declared::new(head, "{}")]);
        assert_eq!(hint(&world), want);
        assert!(!world.plan().has_changes());
    }
    let mut world = World::new([settings("{}")]);
    world.unobserved.insert((GroupKind::new("", "ConfigMap"), Some("dev".into())), "forbidden".into());
    assert_eq!(said(&world), ["warning TRN0607: ConfigMap/dev/settings could not be observed: forbidden"]);
    let unobserved = world.plan().unobserved;
    assert_eq!(unobserved[&ClusterRef::new("main")], ["ConfigMap in namespace dev: forbidden"]);
}

#[test]
fn secrets_never_enter_a_plan() {
    const CANARY: &str = "Y2FuYXJ5LWNhbmFyeQ";
    let secret = |value: &str| {
        let rest = format!(r#"{{"data":{{"k":"{value}"}},"stringData":{{"s":"{CANARY}{value}"}}}}"#);
        Declared::new("v1 Secret dev/s", &rest)
    };
    let marked =
        |value: &str| settings(&format!(r#"{{"p":"{CANARY}{value}","open":"x"}}"#)).sensitive("data.p");
    let begin = [secret(CANARY), marked("1")];
    let changed = [secret("bmV3"), marked("2")];
    let mut plans = vec![World::new(begin.clone()).plan(), World::new(begin.clone()).plan_offline()];
    let happens: [&dyn Fn(&mut World); 6] = [
        &|_| {},
        &|world| world.declare(changed.clone()),
        &|world| world.declare([]),
        &|world| world.objects.clear(),
        &|world| {
            world.edit(
                "Secret/dev/s",
                Foreign::Update("x"),
                &format!(r#"{{"data":{{"k":"{CANARY}drift"}}}}"#),
            );
        },
        &|world| world.declare([marked("1").ignoring("data.p"), secret("x").ignoring("data.k")]),
    ];
    for happens in happens {
        let mut world = World::applied(begin.clone());
        happens(&mut world);
        plans.extend([world.plan(), world.plan_offline()]);
        assert!(!format!("{:?}", world.state).contains(CANARY));
    }
    for plan in plans {
        assert!(!format!("{plan:?}").contains(CANARY), "{:#?}", lines(&plan));
    }
}

#[test]
fn changed_secrets_show_that_they_change_and_no_more() {
    let secret =
        |value: &str| Declared::new("v1 Secret dev/s", &format!(r#"{{"stringData":{{"k":"{value}"}}}}"#));
    let mut world = World::applied([secret("a")]);
    world.declare([secret("b")]);
    assert_eq!(said(&world), ["~ Secret/dev/s changed: data (sensitive, changed) -> (sensitive, changed)"]);
    world.declare([secret("a")]);
    assert_eq!(said(&world), ["= Secret/dev/s settled by record"]);
    world.key = None;
    assert_eq!(said(&world), ["= Secret/dev/s settled by server"], "without the key the server is asked");
}

#[test]
fn holes_are_shown_as_unknown() {
    let holed = || settings(r#"{"a":"1"}"#).hole("data.b");
    let world = World::new([holed()]);
    assert_eq!(
        said(&world),
        [
            r#"+ ConfigMap/dev/settings new (client): apiVersion none -> "v1"; data none -> {"a":"1"}; data.b none -> ?"#
        ]
    );
    let mut world = World::applied([settings(r#"{"a":"1","b":"2"}"#)]);
    world.declare([holed()]);
    assert_eq!(said(&world), [r#"~ ConfigMap/dev/settings changed (client): data.b "2" -> ?"#]);
}

#[test]
fn reads_at_apply_are_part_of_the_plan() {
    assert_eq!(
        said(&World::new([Declared::read("Secret/dev/made-later")])),
        ["? Secret/dev/made-later deferred"]
    );
}

#[test]
fn pods_restart_when_their_template_changes() {
    let pods = |head: &str, image: &str| {
        let pod = format!(r#"{{"spec":{{"containers":[{{"name":"c","image":"{image}"}}]}}}}"#);
        let spec = if head.contains("CronJob") {
            format!(r#"{{"jobTemplate":{{"spec":{{"template":{pod}}}}}}}"#)
        } else {
            format!(r#"{{"template":{pod}}}"#)
        };
        Declared::new(head, &format!(r#"{{"spec":{spec}}}"#))
    };
    for (head, restarts) in [
        ("apps/v1 Deployment dev/p", true),
        ("apps/v1 StatefulSet dev/p", true),
        ("apps/v1 DaemonSet dev/p", true),
        ("batch/v1 CronJob dev/p", false),
    ] {
        let mut world = World::applied([pods(head, "x:1")]);
        world.declare([pods(head, "x:2")]);
        let changes = world.plan().changes;
        assert_eq!(changes[0].restarts.len(), usize::from(restarts), "{head}");
        assert_eq!(changes[0].action.kind(), ActionKind::Update);
    }
    let mut world = World::applied([web(1)]);
    world.declare([web(2)]);
    assert_eq!(said(&world), ["~ Deployment.apps/dev/web changed: spec.replicas 1 -> 2"]);
}

#[test]
fn outputs_are_compared_with_those_of_the_last_apply() {
    let value = |text: &str| PlannedOutput::Value(Value::string(text));
    let mut world = World::new([]);
    world.outputs = BTreeMap::from([
        ("same".into(), value("a")),
        ("url".into(), value("a")),
        ("gone".into(), value("a")),
        ("hidden".into(), PlannedOutput::Sensitive),
    ]);
    world.apply();
    assert!(!world.plan().has_changes());
    world.outputs = BTreeMap::from([
        ("same".into(), value("a")),
        ("url".into(), value("b")),
        ("late".into(), PlannedOutput::Unknown),
        ("hidden".into(), PlannedOutput::Sensitive),
    ]);
    let plan = world.plan();
    assert!(plan.has_changes());
    let shown: Vec<String> =
        plan.outputs.iter().map(|it| format!("{} {:?} -> {:?}", it.name, it.before, it.after)).collect();
    assert_eq!(
        shown,
        [r#"gone Value("a") -> Absent"#, "late Absent -> Unknown", r#"url Value("a") -> Value("b")"#]
    );
    assert_eq!(plan.new_outputs.keys().map(Text::as_str).collect::<Vec<_>>(), ["hidden", "same", "url"]);
}

#[test]
fn without_a_cluster_the_digests_decide() {
    check_offline(|_| {}, &["= ConfigMap/dev/settings settled by record"]);
    check_offline(
        |world| world.declare([settings(r#"{"a":"2"}"#)]),
        &["~ ConfigMap/dev/settings changed (client)"],
    );
    check_offline(
        |world| world.declare([settings(r#"{"a":"1"}"#).at("manifest.renamed")]),
        &["> ConfigMap/dev/settings moved from manifest.settings"],
    );
    check_offline(
        |world| world.declare([settings(r#"{"a":"1"}"#).hole("data.b")]),
        &["~ ConfigMap/dev/settings changed (client)"],
    );
    check_offline(|world| world.declare([]), &["- ConfigMap/dev/settings removed"]);
    check_offline(
        |world| world.declare([settings(r#"{"a":"1"}"#), web_without_replicas()]),
        &["= ConfigMap/dev/settings settled by record", "+ Deployment.apps/dev/web new (client)"],
    );
}

fn check_offline(happens: impl Fn(&mut World), want: &[&str]) {
    let mut world = World::applied([settings(r#"{"a":"1"}"#)]);
    happens(&mut world);
    let found = lines(&world.plan_offline());
    let heads: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(heads, want);
}

#[test]
fn equal_plans_and_only_they_have_equal_decision_digests() {
    let world = |happens: &dyn Fn(&mut World)| {
        let mut world = World::applied([settings(r#"{"a":"1"}"#), web(1)]);
        happens(&mut world);
        world.plan().decision_digest()
    };
    let digests = [
        world(&|_| {}),
        world(&|world| world.declare([settings(r#"{"a":"2"}"#), web(1)])),
        world(&|world| world.declare([settings(r#"{"a":"3"}"#), web(1)])),
        world(&|world| world.declare([settings(r#"{"b":"2"}"#), web(1)])),
        world(&|world| world.declare([settings(r#"{"a":"1"}"#)])),
        world(&|world| world.declare([settings(r#"{"a":"1"}"#), web(2)])),
        world(&|world| world.declare([settings(r#"{"a":"1"}"#).at("manifest.b"), web(1)])),
        world(&|world| world.state.serial += 1),
        world(&|world| world.state.lineage = other_lineage()),
        world(&|world| drop(world.outputs.insert("x".into(), PlannedOutput::Sensitive))),
        world(&|world| drop(world.outputs.insert("x".into(), PlannedOutput::Value(Value::from(1))))),
    ];
    for (idx, digest) in digests.iter().enumerate() {
        assert_eq!(digests.iter().position(|it| it == digest), Some(idx), "{idx} equals an earlier one");
    }
    let again = world(&|world| world.declare([web(1), settings(r#"{"a":"2"}"#)]));
    assert_eq!(again, digests[1], "the order of declaration decides nothing");
    let drifted = world(&|world| {
        world.edit(WEB, Foreign::Update("kubectl-edit"), r#"{"metadata":{"labels":{"theirs":"x"}}}"#);
    });
    assert_eq!(drifted, digests[0], "what is not ours decides nothing");
}

#[test]
fn all_that_apply_needs_is_part_of_the_decision() {
    let uid = |text: &str| Uid::new(text);
    let exceptions = |yielded: &[&str], kept: &[&str]| Exceptions {
        yielded: yielded.iter().map(|it| path(it)).collect(),
        kept: kept.iter().map(|it| (path(it), Value::from("live"))).collect(),
    };
    let update = |exceptions| Action::Update { uid: uid("a"), exceptions };
    let moved = |id| Action::Move { uid: uid(id), exceptions: Exceptions::default() };
    let actions = [
        Action::Create,
        Action::Forget,
        Action::Read,
        Action::Adopt { uid: uid("a") },
        Action::Adopt { uid: uid("b") },
        Action::Replace { uid: uid("a") },
        Action::Replace { uid: uid("b") },
        Action::Delete { uid: uid("a") },
        Action::Delete { uid: uid("b") },
        Action::Release { uid: uid("a") },
        Action::Release { uid: uid("b") },
        moved("a"),
        moved("b"),
        Action::Import { uid: uid("a"), exceptions: Exceptions::default() },
        update(exceptions(&[], &[])),
        update(exceptions(&["spec.a"], &[])),
        update(exceptions(&["spec.b"], &[])),
        update(exceptions(&[], &["spec.a"])),
        update(exceptions(&["spec.a", "spec.b"], &[])),
        update(exceptions(&["spec.a"], &["spec.b"])),
        Action::Update { uid: uid("b"), exceptions: Exceptions::default() },
    ];
    let mut plan = World::new([settings("{}")]).plan();
    let mut seen = HashMap::new();
    for action in actions {
        plan.changes[0].action = action.clone();
        let digest = plan.decision_digest();
        assert_eq!(digest, plan.clone().decision_digest());
        assert_eq!(seen.insert(digest, action.clone()), None, "{action:?}");
    }
}

#[test]
fn the_first_plan_does_not_depend_on_the_lineage_that_is_drawn_for_it() {
    let plan = |lineage| {
        let mut world = World::new([settings("{}")]);
        world.state.lineage = lineage;
        world.plan().decision_digest()
    };
    assert_eq!(plan(other_lineage()), plan(crate::mark::Lineage::new([1; 16])));
}

#[test]
fn the_effect_of_a_merge_leaves_out_what_is_pending_anyway() {
    let mut base = World::applied([settings(r#"{"a":"1"}"#), web(1)]);
    base.edit(WEB, Foreign::Update("kubectl-edit"), r#"{"spec":{"replicas":5}}"#);
    let mut head = World::applied([settings(r#"{"a":"1"}"#), web(1)]);
    head.edit(WEB, Foreign::Update("kubectl-edit"), r#"{"spec":{"replicas":5}}"#);
    head.declare([settings(r#"{"a":"2"}"#), web(1)]);
    assert_eq!(
        lines(&head.plan().without(&base.plan())),
        [r#"~ ConfigMap/dev/settings changed: data.a "1" -> "2""#]
    );
    assert_eq!(lines(&base.plan().without(&base.plan())), [""; 0]);
}

#[test]
fn the_effect_of_a_merge_leaves_out_faults_that_it_does_not_cause() {
    let conflict = r#"{"spec":{"replicas":5}}"#;
    let world = |conflicting: &[Declared]| {
        let mut world = World::applied([web(1), settings("{}").protected()]);
        world.edit(WEB, Foreign::Apply("argocd"), conflict);
        world.declare(conflicting.to_vec());
        world.plan()
    };
    let pending = world(&[web(1), settings("{}").protected()]);
    let codes = |plan: &Plan| plan.diagnostics.iter().map(|it| it.code).collect::<Vec<_>>();
    assert_eq!(codes(&pending), [faults::CONFLICT]);
    assert_eq!(codes(&pending.without(&pending)), []);
    let unrelated = world(&[web(1), settings(r#"{"a":"1"}"#).protected()]);
    assert_eq!(codes(&unrelated.without(&pending)), [], "the merge is not to blame");
    let harmful = world(&[web(1)]);
    assert_eq!(codes(&harmful.without(&pending)), [faults::PROTECTED]);
    let other = world(&[web(2), settings("{}").protected()]);
    assert_eq!(codes(&other.without(&pending)), [faults::CONFLICT], "the merge wants another value");
}
