use proptest::prelude::*;

use super::*;

const REF: &str = "5f1c:refs/terrane/state/dev";

/// What `git push --porcelain` prints for a ref that was not moved.
fn porcelain(summary: &str) -> String {
    format!("To https://git.example.com/x.git\n!\t{REF}\t{summary}\nDone\n")
}

#[test]
fn refs_that_others_move_are_busy() {
    for summary in [
        "[rejected] (stale info)",
        "[rejected] (fetch first)",
        "[rejected] (non-fast-forward)",
        "[remote rejected] (failed to update ref)",
        "[remote rejected] (cannot lock ref 'refs/terrane/state/dev': is at 1 but expected 2)",
        "[remote rejected] (incorrect old value provided)",
        "[remote rejected] (reference already exists)",
    ] {
        let answer =
            read(&porcelain(summary), "error: failed to push some refs to 'https://git.example.com/x.git'\n");
        assert_eq!(answer.fault, Fault::Busy, "{summary}");
    }
}

#[test]
fn rules_of_servers_are_refusals_in_the_servers_words() {
    for (summary, stderr, want) in [
        (
            "[remote rejected] (protected branch hook declined)",
            "remote: error: GH006: Protected branch update failed for refs/heads/x.        \n\
             remote: error: At least 1 approving review is required.        \nerror: failed to push some refs\n",
            "error: GH006: Protected branch update failed for refs/heads/x.; error: At least 1 approving review is \
             required. (protected branch hook declined)",
        ),
        (
            "[remote rejected] (push declined due to repository rule violations)",
            "remote: error: GH013: Repository rule violations found for refs/heads/x.\nremote: \n\
             remote: - Commits must have verified signatures.\n",
            "error: GH013: Repository rule violations found for refs/heads/x.; - Commits must have verified \
             signatures. (push declined due to repository rule violations)",
        ),
        (
            "[remote rejected] (push declined due to repository rule violations)",
            "remote: - GITHUB PUSH PROTECTION\nremote:   —————————————\nremote:     - Push cannot contain secrets\n",
            "- GITHUB PUSH PROTECTION; - Push cannot contain secrets (push declined due to repository rule \
             violations)",
        ),
        (
            "[remote rejected] (pre-receive hook declined)",
            "remote: GitLab: You are not allowed to push code to protected branches on this project.\n",
            "GitLab: You are not allowed to push code to protected branches on this project. (pre-receive hook \
             declined)",
        ),
        (
            "[remote rejected] (pre-receive hook declined)",
            "remote: GitLab: Your push was rejected because it would exceed the storage quota.\n",
            "GitLab: Your push was rejected because it would exceed the storage quota. (pre-receive hook declined)",
        ),
        (
            "[remote rejected] (pre-receive hook declined)",
            "remote: Gitea: Not allowed to push to protected branch x\n",
            "Gitea: Not allowed to push to protected branch x (pre-receive hook declined)",
        ),
        ("[remote rejected] (deny updating a hidden ref)", "", "(deny updating a hidden ref)"),
        ("[remote rejected] (shallow update not allowed)", "", "(shallow update not allowed)"),
        (
            "[remote rejected] (unpacker error)",
            "error: remote unpack failed: unable to create temporary object directory\n",
            "(unpacker error)",
        ),
        (
            "[remote rejected] (failed to update ref)",
            "remote: error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'\n",
            "error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b' (failed \
             to update ref)",
        ),
    ] {
        let answer = read(&porcelain(summary), stderr);
        assert_eq!(answer, Answer { fault: Fault::Refused, reason: want.into() }, "{summary}");
    }
}

#[test]
fn connections_fail_in_different_ways() {
    for (stderr, want) in [
        ("fatal: unable to access 'https://h/x/': Could not resolve host: h", Fault::Unreachable),
        ("ssh: connect to host h port 22: Connection refused", Fault::Unreachable),
        ("fatal: '/nowhere' does not appear to be a git repository", Fault::Unreachable),
        ("fatal: unable to access 'https://h/x/': The requested URL returned error: 503", Fault::Unreachable),
        ("", Fault::Unreachable),
        ("fatal: Authentication failed for 'https://h/x/'", Fault::Unauthorized),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Fault::Unauthorized),
        (
            "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            Fault::Unauthorized,
        ),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", Fault::Unauthorized),
        ("remote: Permission to o/x.git denied to robot.\nfatal: … error: 403", Fault::Unauthorized),
        ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", Fault::Unauthorized),
        (
            "remote: You are not allowed to push code to this project.\n\
             fatal: unable to access 'https://h/x/': The requested URL returned error: 403",
            Fault::Unauthorized,
        ),
        ("send-pack: unexpected disconnect while reading sideband packet", Fault::Broken),
        ("error: RPC failed; HTTP 502 curl 22\nfatal: the remote end hung up unexpectedly", Fault::Broken),
        ("error: RPC failed; HTTP 413 curl 22\nfatal: the remote end hung up unexpectedly", Fault::Refused),
        ("fatal: transport 'ext' not allowed", Fault::Unusable),
        ("fatal: write error: No space left on device", Fault::Local),
        ("remote: fatal: No space left on device\nfatal: the remote end hung up unexpectedly", Fault::Broken),
        (
            "error: cannot lock ref 'refs/terrane/remote/dev': Unable to create '….lock': File exists.",
            Fault::Busy,
        ),
        ("fatal: Unable to create '/x/shallow.lock': File exists.", Fault::Busy),
    ] {
        assert_eq!(read("", stderr).fault, want, "{stderr}");
    }
    let failed = porcelain("[remote failure] (remote failed to report status)");
    assert_eq!(read(&failed, "").fault, Fault::Broken);
}

#[test]
fn nothing_leaves_the_line_or_grows_without_bound() {
    let stderr = format!("remote: \u{1b}[2Jrule\u{7}\nremote: {}\n", "x".repeat(1_000_000));
    let answer = read(&porcelain("[remote rejected] (pre-receive hook declined)"), &stderr);
    assert!(answer.reason.starts_with("[2Jrule ; xxx"), "{}", answer.reason);
    assert!(!answer.reason.contains(char::is_control));
    assert_eq!(answer.reason.chars().count(), REASON_LIMIT);
}

proptest! {
    #[test]
    fn garbage_is_an_answer_too(stdout in "(!\t|\t|[a-z:()\\[\\] ]|\\PC|\n){0,80}", stderr in "(remote:|\\PC|\n){0,80}") {
        let answer = read(&stdout, &stderr);
        prop_assert!(!answer.reason.contains(char::is_control));
    }
}
