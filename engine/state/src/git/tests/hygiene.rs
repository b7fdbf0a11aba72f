//! Nothing that a repository brings along is run, and no secret is kept or shown.

use engine_core::digest::{Fingerprint, SealKey};
use engine_core::field_path::FieldPath;
use engine_core::sensitive::SensitivePaths;
use engine_core::state::Output;
use engine_core::value::Value;

use super::support::Sandbox;
use super::*;
use crate::format::tests::sample;

const HOOKS: [&str; 6] = [
    "pre-push",
    "post-commit",
    "reference-transaction",
    "post-checkout",
    "pre-auto-gc",
    "fsmonitor-watchman",
];

#[test]
fn hooks_of_the_repository_do_not_run() {
    let sandbox = Sandbox::new();
    let hooks = sandbox.git_directory().join("hooks");
    let mut markers: Vec<_> = HOOKS.iter().map(|hook| sandbox.trap(&hooks.join(hook))).collect();
    let elsewhere = sandbox.repository().join("ci");
    markers.extend(HOOKS.iter().map(|hook| sandbox.trap(&elsewhere.join(hook))));
    for _ in 0..2 {
        contract::check(&sandbox.local());
        contract::check(&sandbox.remote());
        sandbox.git2().find_reference("refs/terrane/state/dev").unwrap().delete().unwrap();
        sandbox.origin().find_reference("refs/terrane/state/dev").unwrap().delete().unwrap();
        sandbox.git2().config().unwrap().set_str("core.hooksPath", elsewhere.to_str().unwrap()).unwrap();
    }
    let ran: Vec<_> = markers.iter().filter(|marker| marker.exists()).collect();
    assert!(ran.is_empty(), "{ran:?}");
}

#[test]
fn programs_of_the_repositorys_configuration_do_not_run() {
    let sandbox = Sandbox::new();
    let programs = [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.editor",
        "core.pager",
        "remote.origin.uploadpack",
        "remote.origin.receivepack",
        "gpg.program",
    ];
    let mut markers = Vec::new();
    for key in programs {
        let program = sandbox.path("traps").join(key);
        markers.push(sandbox.trap(&program));
        sandbox.configure(key, program.to_str().unwrap());
    }
    sandbox.configure("push.gpgSign", "true");
    contract::check(&sandbox.remote());
    let ssh = sandbox.trap(&sandbox.path("bin/ssh"));
    sandbox.configure("remote.origin.url", "ssh://git.example.com/state.git");
    sandbox.remote().latest().unwrap_err();
    assert!(ssh.exists(), "the connection is made by ssh itself");
    let ran: Vec<_> = markers.iter().filter(|marker| marker.exists()).collect();
    assert!(ran.is_empty(), "{ran:?}");
}

#[test]
fn a_planted_mirror_configuration_does_not_run() {
    let sandbox = Sandbox::new();
    sandbox.remote();
    let program = sandbox.path("traps/ssh");
    let marker = sandbox.trap(&program);
    sandbox.trap(&sandbox.path("bin/ssh"));
    let config = sandbox.git_directory().join("terrane/state.git/config");
    let planted = format!("[core]\n\tbare = true\n\tsshCommand = {}\n", program.display());
    std::fs::write(config, planted).unwrap();
    sandbox.configure("remote.origin.url", "ssh://git.example.com/state.git");
    sandbox.remote().latest().unwrap_err();
    assert!(!marker.exists());
}

#[test]
fn the_users_own_way_to_a_server_is_used() {
    let sandbox = Sandbox::new();
    let program = sandbox.path("traps/own-ssh");
    let marker = sandbox.trap(&program);
    sandbox.configure_user("core.sshCommand", program.to_str().unwrap());
    sandbox.configure("remote.origin.url", "ssh://git.example.com/state.git");
    sandbox.remote().latest().unwrap_err();
    assert!(marker.exists());
}

#[test]
fn aliases_of_urls_are_followed() {
    let sandbox = Sandbox::new();
    let base = sandbox.remote().advance(None, &first(), "First").unwrap();
    let key = format!("url.file://{}/.insteadOf", sandbox.path("").display());
    sandbox.configure_user(&key, "team:");
    let store = sandbox.open(&sandbox.remote_location("team:origin.git"));
    assert_eq!(store.latest().unwrap().unwrap().revision, base);
}

#[test]
fn other_protocols_and_options_are_no_remotes() {
    let sandbox = Sandbox::new();
    let marker = sandbox.path("ext-ran");
    let ext = format!("ext::sh -c ':>{}'", marker.display());
    for remote in [ext.as_str(), "git://git.example.com/x", "http://git.example.com/x"] {
        let error = sandbox.open(&sandbox.remote_location(remote)).latest().unwrap_err().to_string();
        assert!(error.contains("not allowed"), "{error}");
    }
    assert!(!marker.exists());
    for remote in ["--upload-pack=/x", "a/b\nc", "nowhere", ""] {
        let error = sandbox.try_open(&sandbox.remote_location(remote)).err().unwrap();
        assert!(matches!(error, StateError::Unusable(_)), "{error}");
        assert!(!error.to_string().contains(char::is_control), "{error:?}");
    }
}

#[test]
fn inherited_variables_neither_redirect_nor_trace() {
    let sandbox = Sandbox::new();
    let trace = sandbox.path("trace.log");
    let mut variables = sandbox.variables();
    for (name, value) in [
        ("GIT_DIR", sandbox.path("elsewhere")),
        ("GIT_OBJECT_DIRECTORY", sandbox.path("elsewhere")),
        ("GIT_TRACE", trace.clone()),
        ("GIT_TRACE_CURL", trace.clone()),
        ("GIT_TRACE2_EVENT", trace.clone()),
    ] {
        variables.push((name.into(), value.into()));
    }
    let environment = variables.into_iter().collect();
    let location = sandbox.remote_location("origin");
    let store = GitStore::open_in(&location, &"dev".parse().unwrap(), &environment).unwrap();
    contract::check(&store);
    assert!(!trace.exists());
    assert!(!sandbox.path("elsewhere").exists());
}

#[test]
fn credentials_are_not_shown() {
    let sandbox = Sandbox::new();
    sandbox.configure("remote.origin.url", "file://user:hunter2@/nowhere.git");
    sandbox.configure("http.extraHeader", "Authorization: hunter2");
    let error = sandbox.remote().latest().unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
    for (text, want) in [
        ("fatal: unable to access 'https://u:p@h/x': no", "fatal: unable to access 'https://***@h/x': no"),
        ("https://token@h and ssh://git@h:22/x", "https://***@h and ssh://***@h:22/x"),
        ("https://h/a@b", "https://h/a@b"),
        ("https://u:p@q@h", "https://***@h"),
    ] {
        assert_eq!(child::without_user_info(text), want);
    }
}

#[test]
fn no_secret_is_in_any_object_of_the_store() {
    const CANARY: &str = "canary-5f1c9a7e";
    let sandbox = Sandbox::new();
    let store = sandbox.remote();
    let mut sensitive = SensitivePaths::default();
    sensitive.insert(&FieldPath::fields(["data"]));
    let body = Value::map([
        ("data", Value::map([("password", Value::from(CANARY))])),
        ("kind", Value::from("Secret")),
    ]);
    let mut state = State { serial: 1, ..sample() };
    let key = SealKey::new([3; 32]);
    for record in state.records.values_mut() {
        record.desired = Fingerprint::of(&body, &sensitive, Some(&key));
        record.settled = Some(Fingerprint::of(&body, &sensitive, None));
    }
    state.outputs.insert("password".into(), Output::Sensitive);
    store.advance(None, &state, "Apply: 1 to create").unwrap();
    let plain_digest = Digest::of_value(&Value::from(CANARY)).to_string();
    let forms = [CANARY.to_owned(), hex::encode(CANARY), plain_digest, hex::encode(key.expose())];
    let origin = sandbox.origin();
    let mirror = Repository::open(store.git_directory()).unwrap();
    for repository in [&origin, &mirror] {
        let odb = repository.odb().unwrap();
        let mut objects = 0;
        odb.foreach(|oid| {
            let object = odb.read(*oid).unwrap();
            let text = String::from_utf8_lossy(object.data()).into_owned();
            objects += 1;
            forms.iter().for_each(|form| assert!(!text.contains(form), "{form} in {text}"));
            true
        })
        .unwrap();
        assert!(objects >= 5, "commit, tree and three files");
    }
}
