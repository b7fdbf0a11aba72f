//! Names, URLs, answers and contents that somebody made to harm: each is an error with a code, never more.

use std::time::{Duration, Instant};

use engine_core::diagnostic::Code;

use super::support::{Sandbox, forge, write_program};
use super::*;
use crate::format::{Files, encode};

/// Opens a remote and reads it; returns the error.
fn refusal(sandbox: &Sandbox, remote: &str) -> StateError {
    let opened = sandbox.try_open(&sandbox.remote_location(remote));
    let error = opened.and_then(|store| store.latest()).unwrap_err();
    assert!(!error.to_string().contains(char::is_control), "{error:?}");
    error
}

#[test]
fn urls_are_neither_options_nor_programs() {
    let sandbox = Sandbox::new();
    let ssh = sandbox.trap(&sandbox.path("bin/ssh"));
    let ran = sandbox.path("ran");
    let program = format!("ext::sh -c ':>{}'", ran.display());
    for remote in [
        "-oProxyCommand=x",
        "--upload-pack=/x",
        "ssh://-Fcfg@host/x",
        "ssh://-oProxyCommand=x/y",
        "ssh://user@-oProxyCommand=x/y",
        "host:-x/y",
        &program,
        "fd::17/x",
        "git://git.example.com/x",
        "https://host\u{d}/x",
        "https://host%0a/x",
        "https://host%0D%0Ahost=evil/x",
        "https://ho\u{1b}[2Jst/x",
        "https://%00/x",
        "a/b\nc",
        "",
    ] {
        let error = refusal(&sandbox, remote);
        assert_eq!(error.code(), Code(1013), "{remote:?}: {error}");
    }
    assert!(!ran.exists() && !ssh.exists(), "nothing was started");
}

#[test]
fn a_directory_that_is_no_repository_is_not_read() {
    let sandbox = Sandbox::new();
    assert_eq!(refusal(&sandbox, "file:///etc").code(), Code(1007));
}

#[test]
fn tokens_are_not_shown() {
    let sandbox = Sandbox::new();
    sandbox.configure("http.extraHeader", "Authorization: basic hunter2hunter2");
    let words = ["hunter2hunter2", "t0p-s3cret"];
    // A server that repeats what it was sent.
    write_program(
        &sandbox.path("bin/git-remote-https"),
        "#!/bin/sh\necho \"fatal: $2: basic hunter2hunter2 refused\" >&2\nexit 128\n",
    );
    sandbox.trap(&sandbox.path("bin/ssh"));
    for url in [
        "https://user:t0p-s3cret@127.0.0.1:1/x",
        "https://t0p-s3cret@127.0.0.1:1/x",
        "ssh://u:t0p-s3cret@h/x",
    ] {
        let error = refusal(&sandbox, url).to_string();
        assert!(words.iter().all(|word| !error.contains(word)), "{error}");
    }
}

#[test]
fn an_unknown_host_key_is_an_access_fault() {
    let sandbox = Sandbox::new();
    write_program(
        &sandbox.path("bin/ssh"),
        "#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n",
    );
    assert_eq!(refusal(&sandbox, "ssh://git.example.com/x").code(), Code(1008));
}

#[test]
fn names_of_environments_are_names_of_flat_refs() {
    let long = "x".repeat(63);
    let sandbox = Sandbox::new();
    let location = GitLocation::Local { repository: sandbox.repository() };
    for name in ["a", "a-b", "lock", "head", "0", &long] {
        let environment: EnvironmentName = name.parse().unwrap();
        let store = GitStore::open(&location, &environment).unwrap();
        sandbox.git(&["check-ref-format", &store.reference()]);
        store.advance(None, &State { environment, ..first() }, "First").unwrap();
    }
    for name in [
        "",
        "a..b",
        "x.lock",
        "@{0}",
        "a/b",
        "HEAD",
        "refs/pull/1",
        "-a",
        "a-",
        ".a",
        "a b",
        "\u{440}rod",
        "a\0",
        "~1",
    ] {
        assert!(name.parse::<EnvironmentName>().is_err(), "{name:?}");
    }
    assert!("x".repeat(5000).parse::<EnvironmentName>().is_err());
}

#[test]
fn a_tree_is_read_by_its_files_alone() {
    let files = encode(&after(&first())).unwrap();
    let [meta, objects, intents] = files.contents();
    let good = [("intents.jsonl", 0o100_644, intents), ("objects.jsonl", 0o100_644, objects)];
    const TRAILERS: &str =
        "Forged\n\nLineage: 01010101010101010101010101010101\nSerial: 2\nEpoch: 1\nNonce: 00\n";
    for (entry, want) in [
        ((".gitattributes", 0o100_644, &b"* filter=x"[..]), "4 entries"),
        ((".gitmodules", 0o100_644, &b"[submodule \"x\"]"[..]), "4 entries"),
        (("meta.json", 0o120_000, &b"/etc/passwd"[..]), "mode 120000"),
        (("meta.json", 0o100_755, meta), "mode 100755"),
    ] {
        let sandbox = Sandbox::new();
        let base = sandbox.local().advance(None, &first(), "First").unwrap();
        let mut entries = good.to_vec();
        if entry.0 != "meta.json" {
            entries.push(("meta.json", 0o100_644, meta));
        }
        entries.push(entry);
        forge(&sandbox.git2(), &entries, &[chain::oid(&base).unwrap()], TRAILERS);
        let error = sandbox.local().latest().unwrap_err();
        assert_eq!(error.code(), Code(1009), "{error}");
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn replaced_objects_change_nothing() {
    let sandbox = Sandbox::new();
    let store = sandbox.local();
    let base = store.advance(None, &first(), "First").unwrap();
    let tip = store.advance(Some(&base), &after(&first()), "Second").unwrap();
    sandbox.git(&["-C", "repository", "replace", "-f", &tip.0, &base.0]);
    assert_eq!(sandbox.local().latest().unwrap().unwrap().state.serial, 2);
    let base = sandbox.remote().advance(None, &first(), "First").unwrap();
    let next = sandbox.remote().advance(Some(&base), &after(&first()), "Second").unwrap();
    sandbox.git(&["-C", "origin.git", "replace", "-f", &next.0, &base.0]);
    assert_eq!(sandbox.colleague("clone").latest().unwrap().unwrap().revision, next);
}

#[test]
fn a_git_that_does_not_end_is_ended() {
    let sandbox = Sandbox::new();
    let mirror = sandbox.path("mirror");
    std::fs::create_dir_all(mirror.join("objects/pack")).unwrap();
    let pack = mirror.join("objects/pack/tmp_pack_x");
    let endless = [
        ("sleep 100".to_owned(), "in time"),
        ("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done".to_owned(), "in time"),
        (format!("head -c 3000000 /dev/zero > '{}'; sleep 100", pack.display()), "more than a state can be"),
    ];
    for (script, want) in endless {
        write_program(&sandbox.path("bin/git"), &format!("#!/bin/sh\n{script}\n"));
        let limits = Limits::tight(Duration::from_millis(700), (&mirror, 1_000_000));
        let start = Instant::now();
        let output = child::run(&sandbox.path(""), &sandbox.environment(), &["fetch"], limits).unwrap();
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(!output.success && output.answer(&[]).reason.contains(want), "{script}");
        assert!(output.stdout.len() <= 1024 * 1024);
    }
}

#[test]
fn an_answer_that_is_none_is_a_fault_and_no_missing_state() {
    let sandbox = Sandbox::new();
    let base = sandbox.remote().advance(None, &first(), "First").unwrap();
    let real = sandbox.git(&["--exec-path"]);
    let zeros = "0".repeat(40);
    for answer in
        ["garbage", "5f1c\\trefs/terrane/state/dev", "\\t", "<html>\\n</html>", &format!("{zeros} x")]
    {
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *' ls-remote '*) printf '{answer}\\n'; exit 0;; esac\nexec '{}/git' \"$@\"\n",
            real.trim()
        );
        write_program(&sandbox.path("bin/git"), &script);
        let error = sandbox.remote().latest().unwrap_err();
        assert_eq!(error.code(), Code(1007), "{answer}: {error}");
    }
    std::fs::remove_file(sandbox.path("bin/git")).unwrap();
    assert_eq!(sandbox.remote().latest().unwrap().unwrap().revision, base);
}

#[test]
fn what_a_commit_says_of_its_author_stays_on_its_line() {
    let sandbox = Sandbox::new();
    let base = sandbox.local().advance(None, &first(), "First").unwrap();
    let files = encode(&after(&first())).unwrap();
    let entries: Vec<_> = Files::NAMES
        .into_iter()
        .zip(files.contents())
        .map(|(name, content)| (name, 0o100_644, content))
        .collect();
    let long = "x".repeat(1_000_000);
    let message = format!(
        "\u{1b}[2J\u{7}**bold** {long}\n\nLineage: 01010101010101010101010101010101\nSerial: 2\nEpoch: 1\nNonce: 00\n"
    );
    forge(&sandbox.git2(), &entries, &[chain::oid(&base).unwrap()], &message);
    let history = sandbox.local().history(1).unwrap();
    assert!(history[0].summary.starts_with("[2J **bold** xxx"), "{}", &history[0].summary[..40]);
    assert!(history[0].summary.len() < 1000 && !history[0].summary.contains(char::is_control));
}
