use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A directory of its own, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("terrane-connect-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir_all(path.join("repository")).unwrap();
        Self(path)
    }

    fn kubeconfig(&self, folder: &str, user: &str) -> PathBuf {
        let path = self.0.join(folder).join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: other\n\
             clusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: u, user: {user}}}]\n\
             contexts:\n- {{name: dev, context: {{cluster: c, user: u}}}}\n- {{name: other, context: {{cluster: c}}}}\n"
        );
        fs::write(&path, text).unwrap();
        path
    }

    async fn connect(&self, context: &str, kubeconfig: &Path) -> Result<Client, ConnectError> {
        let connected = client(context, Some(kubeconfig), &self.0.join("repository")).await;
        connected.map(|connected| connected.client)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const EXEC: &str =
    "{exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}}";

#[tokio::test]
async fn a_context_becomes_a_client_over_tls() {
    let scratch = Scratch::new();
    let path = scratch.kubeconfig("", "{token: t}");
    assert!(scratch.connect("dev", &path).await.is_ok());
}

#[tokio::test]
async fn an_unknown_context_is_answered_with_the_known_ones() {
    let scratch = Scratch::new();
    let path = scratch.kubeconfig("", "{token: t}");
    let Err(ConnectError::UnknownContext { available, .. }) = scratch.connect("prod", &path).await else {
        panic!("another outcome");
    };
    assert_eq!(available, ["dev", "other"]);
}

#[tokio::test]
async fn a_kubeconfig_that_is_not_there_or_no_kubeconfig_is_an_error() {
    let scratch = Scratch::new();
    let missing = scratch.connect("dev", Path::new("nowhere")).await;
    assert!(matches!(missing, Err(ConnectError::Kubeconfig(_))));
    let broken = scratch.0.join("broken");
    fs::write(&broken, "users:\n- name: u\n  user: {token: [hunter2]}\n").unwrap();
    let malformed = scratch.connect("dev", &broken).await.err().unwrap();
    assert!(matches!(malformed, ConnectError::Malformed { .. }));
    assert!(!format!("{malformed} {malformed:?}").contains("hunter2"));
}

#[cfg(unix)]
#[tokio::test]
async fn plugins_run_from_outside_the_repository_and_never_from_inside() {
    let scratch = Scratch::new();
    let source = scratch.0.join("plugin.source");
    fs::write(&source, "#!/bin/sh\ntouch \"$0.ran\"\necho hunter2\nexit 1\n").unwrap();
    for folder in ["", "repository"] {
        let plugin = scratch.0.join(folder).join("plugin");
        // By another process: what is open for writing here, a test beside this one may hold open in a child.
        let installed = Command::new("install").args(["-m", "755"]).args([&source, &plugin]).status();
        assert!(installed.unwrap().success());
    }
    let outside = scratch.kubeconfig("", EXEC);
    let inside = scratch.kubeconfig("repository", EXEC);

    let Err(ConnectError::Login(error)) = scratch.connect("dev", &outside).await else {
        panic!("the plugin fails");
    };
    let message = format!("{error} {error:?}");
    assert!(scratch.0.join("plugin.ran").exists());
    assert!(!message.contains("hunter2"), "{message}");

    let inwards = scratch.0.join("link");
    let outwards = scratch.0.join("repository/link");
    std::os::unix::fs::symlink(&inside, &inwards).unwrap();
    std::os::unix::fs::symlink(&outside, &outwards).unwrap();
    for path in [&inside, &inwards, &outwards] {
        let refused = scratch.connect("dev", path).await;
        assert!(matches!(refused, Err(ConnectError::Untrusted { .. })), "{}", path.display());
    }
    assert!(!scratch.0.join("repository/plugin.ran").exists());
}

#[tokio::test]
async fn a_kubeconfig_inside_the_repository_may_not_read_files() {
    let scratch = Scratch::new();
    for (user, allowed) in [("{tokenFile: /etc/hostname}", false), ("{token: t}", true)] {
        let path = scratch.kubeconfig("repository", user);
        assert_eq!(scratch.connect("dev", &path).await.is_ok(), allowed, "{user}");
    }
}

#[tokio::test]
async fn a_server_that_nobody_looks_at_is_known() {
    let scratch = Scratch::new();
    let path = scratch.kubeconfig("", "{token: t}");
    let text = fs::read_to_string(&path).unwrap();
    for (written, is_unverified) in [
        ("insecure-skip-tls-verify: true", true),
        ("insecure-skip-tls-verify: false", false),
        ("tls-server-name: c", false),
    ] {
        fs::write(&path, text.replace("insecure-skip-tls-verify: true", written)).unwrap();
        let connected = client("dev", Some(&path), &scratch.0.join("repository")).await;
        assert_eq!(connected.ok().map(|it| it.is_unverified), Some(is_unverified), "{written}");
    }
    fs::write(&path, text.replace("https://", "http://")).unwrap();
    let plain = client("dev", Some(&path), &scratch.0.join("repository")).await;
    assert_eq!(plain.ok().map(|it| it.is_unverified), Some(false), "there is no certificate");
}
