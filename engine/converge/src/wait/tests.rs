//! Waits against a cluster that says what a test tells it to say.

// A test that cannot go on fails.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cluster;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine_core::object_ref::ClusterRef;
use engine_core::ports::{ClusterProvider, ProviderError};
use engine_core::status::Remedy;

use self::cluster::{Cluster, Says, deployment, job, pod, target};
use super::causes::Pace;
use super::*;

const FAST: Pace = Pace {
    patience: Duration::from_millis(30),
    events: Duration::from_millis(60),
    again: Duration::from_millis(50),
    pause: Duration::from_millis(1),
};

/// A wait that ended: how, what was told on the way, and what the cluster was asked.
struct Ended {
    end: Waited,
    told: Vec<String>,
    asked: Vec<String>,
}

/// Waits for an object, as a cluster has it, until it is current.
async fn wait(cluster: impl Into<Arc<Cluster>>, known: Object, timeout: Duration) -> Ended {
    wait_until(cluster.into(), known, (Until::Current, timeout), FAST).await
}

async fn wait_until(
    cluster: Arc<Cluster>,
    known: Object,
    (until, timeout): (Until, Duration),
    pace: Pace,
) -> Ended {
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let watches = Watches::paced("terrane.dev/environment=x".into(), interrupted, pace);
    let told = Mutex::new(Vec::new());
    let provider: Arc<dyn ClusterProvider> = cluster.clone();
    let target = target(&known);
    let end = watches
        .wait(
            &Wait {
                cluster: &ClusterRef::new("main"),
                provider: &provider,
                target: &target,
                uid: &known.uid(),
                until,
                timeout,
                report: &|text| told.lock().unwrap().push(text.to_owned()),
                redact: &|text| text.replace("hunter2", "(sensitive value)"),
                lacks_key: &|kind, name, key| (kind, name, key) == ("Secret", "db", "password"),
            },
            &known,
        )
        .await;
    Ended { end, told: told.into_inner().unwrap(), asked: cluster.asked() }
}

const SHORT: Duration = Duration::from_millis(900);
const LONG: Duration = Duration::from_secs(20);

fn words(ended: &Ended) -> &str {
    match &ended.end {
        Waited::Failed(words) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wait_that_is_soon_over_asks_for_nothing_but_its_kind() {
    let cluster = Arc::new(Cluster::new([deployment("web", "0 of 1 replicas ready")]));
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        later.put(deployment("web", "current"));
    });
    let known = deployment("web", "0 of 1 replicas ready");
    let ended = wait_until(cluster, known, (Until::Current, LONG), Pace::default()).await;
    assert_eq!(ended.end, Waited::Reached);
    assert_eq!(ended.asked, ["watch deployments"]);
}

#[tokio::test]
async fn a_wait_says_what_the_pods_of_its_object_say() {
    let cluster = Cluster::new([
        deployment("web", "0 of 2 replicas ready"),
        pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Events("its containers are being created")),
        pod("web-abc-2", ("ReplicaSet", "web-abc"), Says::Words("ErrImagePull: image shop:nope")),
        pod("webs-abc-1", ("ReplicaSet", "webs-abc"), Says::Words("of another Deployment")),
        pod("db-0", ("StatefulSet", "web"), Says::Words("of another kind")),
    ]);
    let ended = wait(cluster, deployment("web", "0 of 2 replicas ready"), SHORT).await;
    let cause = "0 of 2 replicas ready: pod web-abc-2 (and 1 more): ErrImagePull: image shop:nope";
    assert_eq!(ended.told, ["0 of 2 replicas ready", cause]);
    assert_eq!(words(&ended), format!("not done after 0 s: {cause}"));
    assert_eq!(ended.asked, ["watch deployments", "watch pods in dev"]);
}

#[tokio::test]
async fn the_last_line_of_a_container_is_asked_for_once_and_harmless() {
    let line = format!("\u{1b}[31mpassword hunter2 refused {}", "x".repeat(300));
    let cluster = Cluster::new([
        deployment("web", "0 of 1 replicas ready"),
        pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Log("CrashLoopBackOff: exited with code 1")),
    ])
    .with_evidence(Ok(Some(line)));
    let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), SHORT).await;
    let (_, said) = words(&ended).split_once("its last line: ").unwrap();
    assert!(said.starts_with("\\u{1b}[31mpassword (sensitive value) refused xxx"), "{said}");
    assert!(said.ends_with("x…") && said.chars().count() < 210, "{said}");
    assert_eq!(ended.asked, ["watch deployments", "watch pods in dev", "log of main of web-abc-1"]);
}

#[tokio::test]
async fn what_is_known_is_told_while_more_is_asked_for() {
    let crash = pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Log("CrashLoopBackOff"));
    let cluster = Cluster::new([deployment("web", "0 of 1 replicas ready"), crash]).without_evidence();
    let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), SHORT).await;
    let cause = "0 of 1 replicas ready: pod web-abc-1: CrashLoopBackOff";
    assert_eq!(ended.told, ["0 of 1 replicas ready", cause]);
    assert_eq!(words(&ended), format!("not done after 0 s: {cause}"));
}

#[tokio::test]
async fn what_a_program_says_in_a_status_is_harmless_too() {
    let said = Says::Program("PostStartHookError", "login as hunter2\nfailed");
    let cluster = Cluster::new([
        deployment("web", "0 of 1 replicas ready"),
        pod("web-abc-1", ("ReplicaSet", "web-abc"), said),
    ]);
    let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), SHORT).await;
    let wanted = "pod web-abc-1: PostStartHookError: login as (sensitive value) failed";
    assert!(words(&ended).ends_with(wanted), "{}", words(&ended));
}

#[tokio::test]
async fn what_may_not_be_asked_is_not_missed() {
    let forbidden = || ProviderError::Forbidden("no".into());
    let crash = || pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Log("CrashLoopBackOff"));
    let cluster =
        Cluster::new([deployment("web", "0 of 1 replicas ready"), crash()]).with_evidence(Err(forbidden()));
    let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), SHORT).await;
    assert_eq!(words(&ended), "not done after 0 s: 0 of 1 replicas ready: pod web-abc-1: CrashLoopBackOff");

    let cluster = Cluster::new([deployment("web", "0 of 1 replicas ready"), crash()]).without("pods");
    let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), SHORT).await;
    assert_eq!(words(&ended), "not done after 0 s: 0 of 1 replicas ready");
    let watches = ended.asked.iter().filter(|asked| *asked == "watch pods in dev").count();
    assert_eq!(watches, 1, "who may not see pods does not press for it: {:?}", ended.asked);
}

#[tokio::test]
async fn events_are_the_last_resort() {
    let cluster = Cluster::new([deployment("web", "0 of 1 replicas created")])
        .with_evidence(Ok(Some("FailedCreate: exceeded quota".into())));
    let ended = wait(cluster, deployment("web", "0 of 1 replicas created"), SHORT).await;
    assert_eq!(words(&ended), "not done after 0 s: 0 of 1 replicas created: FailedCreate: exceeded quota");
    assert_eq!(ended.asked[..3], ["watch deployments", "watch pods in dev", "events of web"]);
}

#[tokio::test]
async fn what_cannot_recover_fails_at_once() {
    let key = |name: &str| Remedy::Key { kind: "Secret".into(), name: name.into(), key: "password".into() };
    for (remedy, is_final) in
        [(Remedy::Change, true), (key("db"), true), (key("of-an-operator"), false), (Remedy::Time, false)]
    {
        let cluster = Cluster::new([
            deployment("web", "0 of 1 replicas ready"),
            pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Remedy("cannot start", remedy.clone())),
        ]);
        let timeout = if is_final { LONG } else { SHORT };
        let ended = wait(cluster, deployment("web", "0 of 1 replicas ready"), timeout).await;
        let found = words(&ended).strip_prefix("not done after 0 s: ");
        assert_eq!(found.is_none(), is_final, "{remedy:?}: {}", words(&ended));
        let wanted = "0 of 1 replicas ready: pod web-abc-1: cannot start";
        assert_eq!(found.unwrap_or(words(&ended)), wanted, "{remedy:?}");
    }
}

#[tokio::test]
async fn a_pod_that_is_to_be_replaced_decides_nothing() {
    let broken = pod("web-old-1", ("ReplicaSet", "web-abc"), Says::Remedy("no image", Remedy::Change));
    let cluster =
        || Cluster::new([deployment("web", "0 of 1 replicas updated"), cluster::from_before(&broken)]);
    let known = || deployment("web", "0 of 1 replicas updated");
    let ended = wait(cluster(), known(), SHORT).await;
    assert_eq!(words(&ended), "not done after 0 s: 0 of 1 replicas updated: pod web-old-1: no image");

    let cluster = cluster();
    cluster.put(pod("web-abc-1", ("ReplicaSet", "web-abc"), Says::Words("is being created")));
    let ended = wait(cluster, known(), SHORT).await;
    let wanted = "not done after 0 s: 0 of 1 replicas updated: pod web-abc-1 (and 1 more): is being created";
    assert_eq!(words(&ended), wanted);
}

#[tokio::test]
async fn a_job_that_fails_at_once_says_why_too() {
    let old = pod("migrate-0", ("Job", "migrate"), Says::Words("of the job before"));
    let cluster = Cluster::new([
        job("migrate", "failed: too many retries"),
        cluster::of_another(&old),
        pod("migrate-1", ("Job", "migrate"), Says::Log("exited with code 1")),
    ])
    .with_evidence(Ok(Some("no table users".into())));
    let ended = wait(cluster, job("migrate", "failed: too many retries"), LONG).await;
    assert_eq!(
        words(&ended),
        "too many retries: pod migrate-1: exited with code 1: its last line: no table users"
    );
}

#[tokio::test]
async fn what_a_watch_saw_before_the_write_does_not_count() {
    let at = |says, version| cluster::at_version(&deployment("web", says), version, 2);
    let cluster = Arc::new(Cluster::new([at("current", "9")]));
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        later.put(at("failed: it is broken", "11"));
    });
    let ended = wait(cluster, at("0 of 1 replicas updated", "10"), LONG).await;
    assert_eq!(words(&ended), "it is broken");
}

#[tokio::test]
async fn a_failure_that_the_write_is_to_mend_is_believed_later() {
    let at = |says, generation| cluster::at_version(&deployment("web", says), "10", generation);
    let mended = Arc::new(Cluster::new([at("failed: it was broken", 2)]));
    let later = mended.clone();
    tokio::spawn(async move { later.put(cluster::at_version(&deployment("web", "current"), "11", 2)) });
    let ended = wait(mended, at("failed: it was broken", 2), LONG).await;
    assert_eq!(ended.end, Waited::Reached);

    let ended =
        wait(Cluster::new([at("failed: it is broken", 2)]), at("failed: it is broken", 2), LONG).await;
    assert_eq!(words(&ended), "it is broken");
    let ended = wait(Cluster::new([]), at("failed: it is broken", 1), LONG).await;
    assert_eq!(words(&ended), "it is broken", "a new object has nothing to mend");
}

#[tokio::test]
async fn a_deletion_that_a_broken_watch_missed_is_noticed() {
    let going = deployment("web", "terminating: waits for a finalizer");
    let cluster = Arc::new(Cluster::new([going.clone()]));
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        later.lose("web");
    });
    let ended = wait_until(cluster, going, (Until::Gone, LONG), FAST).await;
    assert_eq!(ended.end, Waited::Reached);
    assert_eq!(ended.asked, ["watch deployments", "watch deployments", "get web"]);
}

#[tokio::test]
async fn what_a_watch_saw_before_the_wait_is_asked_for_only_if_it_is_newer() {
    let web = |says, version| cluster::at_version(&deployment("web", says), version, 2);
    let cluster = Arc::new(Cluster::new([web("current", "11"), deployment("db", "current")]));
    let provider: Arc<dyn ClusterProvider> = cluster.clone();
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let watches = Watches::new(String::new(), interrupted);
    let reach = |known: Object| {
        let (watches, provider) = (&watches, &provider);
        async move {
            let wait = Wait {
                cluster: &ClusterRef::new("main"),
                provider,
                target: &target(&known),
                uid: &known.uid(),
                until: Until::Current,
                timeout: LONG,
                report: &|_| {},
                redact: &str::to_owned,
                lacks_key: &|_, _, _| false,
            };
            watches.wait(&wait, &known).await
        }
    };
    // The watch of this wait sees all that there is.
    assert_eq!(reach(deployment("db", "0 of 1 replicas ready")).await, Waited::Reached);
    assert_eq!(cluster.asked(), ["watch deployments"]);

    assert_eq!(reach(web("0 of 1 replicas ready", "10")).await, Waited::Reached);
    assert_eq!(cluster.asked(), ["watch deployments", "get web"], "it had changed since it was written");

    for known in ["11", "12"] {
        let later = cluster.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            later.put(cluster::at_version(&deployment("web", "current"), "13", 2));
        });
        assert_eq!(reach(web("0 of 1 replicas ready", known)).await, Waited::Reached);
        assert_eq!(cluster.asked().len(), 2, "version {known} is the one written, or one before it");
        cluster.put(web("current", "11"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn without_the_right_to_watch_everywhere_each_namespace_is_watched() {
    let cluster = Cluster::new([]).without("deployments everywhere");
    let cluster = Arc::new(cluster);
    let (_sender, interrupted) = tokio::sync::watch::channel(false);
    let watches = Watches::new(String::new(), interrupted);
    let provider: Arc<dyn ClusterProvider> = cluster.clone();
    let reach = |namespace: &'static str| {
        let (watches, provider, cluster) = (&watches, &provider, &cluster);
        async move {
            let known = cluster::within(namespace, "0 of 1 replicas ready");
            cluster.put(known.clone());
            let wait = Wait {
                cluster: &ClusterRef::new("main"),
                provider,
                target: &target(&known),
                uid: &known.uid(),
                until: Until::Current,
                timeout: LONG,
                report: &|_| {},
                redact: &str::to_owned,
                lacks_key: &|_, _, _| false,
            };
            watches.wait(&wait, &known).await
        }
    };
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for namespace in ["dev", "prod"] {
            later.put(cluster::within(namespace, "current"));
        }
    });
    let ended = tokio::join!(reach("dev"), reach("prod"));
    assert_eq!(ended, (Waited::Reached, Waited::Reached));
    let mut asked = cluster.asked();
    asked.sort();
    asked.dedup();
    assert_eq!(asked, ["watch deployments", "watch deployments in dev", "watch deployments in prod"]);
}
