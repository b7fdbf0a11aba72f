//! Several environments in one branch.

use super::support::Sandbox;
use super::*;

const BRANCH: &str = "terrane-state";

fn shared(sandbox: &Sandbox, clone: &str, environment: &str) -> GitStore {
    if !sandbox.path(clone).exists() {
        sandbox.git(&["init", "-q", clone]);
        sandbox.git(&["-C", clone, "config", "remote.origin.url", &sandbox.origin_url()]);
    }
    let location = GitLocation::Remote { repository: sandbox.path(clone), remote: "origin".into() };
    let environment = environment.parse().unwrap();
    let store = GitStore::open_in(&location, &environment, &sandbox.environment()).unwrap();
    store.in_branch(BRANCH).unwrap()
}

fn first_of(environment: &str) -> State {
    State { environment: environment.parse().unwrap(), ..first() }
}

/// The directory of an environment at the branch's tip.
fn directory(sandbox: &Sandbox, environment: &str) -> Oid {
    let origin = sandbox.origin();
    let tip = origin.find_branch(BRANCH, git2::BranchType::Local).unwrap().get().peel_to_tree().unwrap();
    tip.get_name(environment).unwrap().id()
}

#[test]
fn a_shared_branch_keeps_the_contract() {
    let sandbox = Sandbox::new();
    shared(&sandbox, "a", "prod").advance(None, &first_of("prod"), "Prod").unwrap();
    let held = directory(&sandbox, "prod");
    let store = shared(&sandbox, "a", "dev");
    contract::check_growing(&store);
    let verified = store.verify().unwrap();
    assert_eq!((verified.revisions, verified.faults), (store.history(100).unwrap().len(), vec![]));
    let error = store.compact(&store.latest().unwrap().unwrap(), 1).unwrap_err();
    assert!(error.to_string().contains("cannot begin anew alone"), "{error}");
    assert_eq!(directory(&sandbox, "prod"), held);
    let location = GitLocation::Local { repository: sandbox.repository() };
    contract::check_growing(&sandbox.open(&location).in_branch(BRANCH).unwrap());
}

#[test]
fn environments_do_not_disturb_each_other() {
    let sandbox = Sandbox::new();
    let names = ["dev", "prod", "test"];
    std::thread::scope(|scope| {
        for name in names {
            let store = shared(&sandbox, &format!("clone-{name}"), name);
            scope.spawn(move || {
                let mut state = first_of(name);
                let mut tip = store.advance(None, &state, "First").unwrap();
                for _ in 0..6 {
                    state = after(&state);
                    tip = store.advance(Some(&tip), &state, "Next").unwrap();
                }
            });
        }
    });
    for name in names {
        let store = shared(&sandbox, "reader", name);
        let serials: Vec<_> = store.history(100).unwrap().into_iter().map(|entry| entry.serial).collect();
        assert_eq!(serials, [7, 6, 5, 4, 3, 2, 1], "{name}");
    }
    let count = sandbox.git(&["-C", "origin.git", "rev-list", "--count", BRANCH]);
    assert_eq!(count.trim(), "21", "one line of commits, each a revision");
}

#[test]
fn racers_on_one_environment_lose_no_increment() {
    let sandbox = Sandbox::new();
    let stores: Vec<_> = ["a", "b", "c"].map(|clone| shared(&sandbox, clone, "dev")).into();
    let state = contract::race(&stores, 4);
    assert_eq!((counter(&state), state.serial), (12, 12));
}

#[test]
fn what_people_keep_in_the_branch_stays() {
    let sandbox = Sandbox::new();
    let origin = sandbox.origin();
    let blob = origin.blob(b"States live here\n").unwrap();
    let mut tree = origin.treebuilder(None).unwrap();
    tree.insert("README.md", blob, 0o100_644).unwrap();
    let tree = origin.find_tree(tree.write().unwrap()).unwrap();
    let author = git2::Signature::now("Person", "person@example.com").unwrap();
    let reference = format!("refs/heads/{BRANCH}");
    origin.commit(Some(&reference), &author, &author, "Begin", &tree, &[]).unwrap();

    let store = shared(&sandbox, "a", "dev");
    assert_eq!(store.latest().unwrap(), None);
    let base = store.advance(None, &first(), "First").unwrap();
    assert_eq!(directory(&sandbox, "README.md"), blob);
    assert_eq!(store.latest().unwrap().unwrap().revision, base);
}

#[test]
fn a_directory_that_others_changed_is_refused() {
    let sandbox = Sandbox::new();
    let store = shared(&sandbox, "a", "dev");
    let base = store.advance(None, &first(), "First").unwrap();
    store.advance(Some(&base), &after(&first()), "Second").unwrap();
    let origin = sandbox.origin();
    let reference = format!("refs/heads/{BRANCH}");
    let author = git2::Signature::now("Person", "person@example.com").unwrap();
    let tip = origin.find_reference(&reference).unwrap().peel_to_commit().unwrap();
    let old = origin.find_commit(chain::oid(&base).unwrap()).unwrap();
    origin.commit(Some(&reference), &author, &author, "Bring back", &old.tree().unwrap(), &[&tip]).unwrap();
    let error = store.latest().unwrap_err();
    assert!(matches!(error, StateError::Corrupt(_)), "{error}");
    assert!(error.to_string().contains("changed the directory dev and is no revision of it"), "{error}");
    assert_eq!(shared(&sandbox, "a", "prod").latest().unwrap(), None, "others go on");
}

#[test]
fn a_rewound_branch_is_noticed() {
    let sandbox = Sandbox::new();
    let store = shared(&sandbox, "a", "dev").with_high_water(sandbox.path("high-water.json"));
    let base = store.advance(None, &first(), "First").unwrap();
    store.advance(Some(&base), &after(&first()), "Second").unwrap();
    shared(&sandbox, "b", "prod").advance(None, &first_of("prod"), "Prod").unwrap();
    assert_eq!(store.latest().unwrap().unwrap().state.serial, 2);
    sandbox.git(&["-C", "origin.git", "update-ref", &format!("refs/heads/{BRANCH}"), &base.0]);
    let error = store.latest().unwrap_err();
    assert!(matches!(error, StateError::Rewritten(_)), "{error}");
    sandbox.git(&["-C", "origin.git", "update-ref", "-d", &format!("refs/heads/{BRANCH}")]);
    let error = store.latest().unwrap_err();
    assert!(matches!(error, StateError::Missing(_)), "{error}");
}

#[test]
fn only_names_of_free_branches_are_taken() {
    let sandbox = Sandbox::new();
    sandbox.git(&[
        "-C",
        "repository",
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@y",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "x",
    ]);
    let head = sandbox.git(&["-C", "repository", "branch", "--show-current"]);
    for name in [head.trim(), "", "a..b", "a b", "-x", "x.lock", "a/../b", "HEAD~1", "@{0}", "x\u{1b}[2J"] {
        let error = sandbox.local().in_branch(name).err().unwrap();
        assert!(matches!(error, StateError::Unusable(_)), "{name}: {error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}
