//! State → status, a table a kind.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::*;
use crate::scenario::value;

mod gitops;

/// The time at which all objects are looked at: 2026-01-01T00:00:00Z.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// Returns `Current`, `InProgress: message`, …, or `unknown`.
fn describe(object: Json) -> String {
    let status = status(&Object::new(value(object)), SystemTime::UNIX_EPOCH + NOW);
    match status {
        None => "unknown".to_owned(),
        Some(Status::Current) => "Current".to_owned(),
        Some(Status::InProgress(message)) => format!("InProgress: {message}"),
        Some(Status::Failed(message)) => format!("Failed: {message}"),
        Some(Status::Terminating(message)) => format!("Terminating: {message}"),
    }
}

/// Checks a table of `spec`, `status` and what they mean for a kind.
fn check(api_version: &str, kind: &str, table: &[(Json, Json, &str)]) {
    for (spec, status, expected) in table {
        let object = json!({
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status,
        });
        assert_eq!(&describe(object), expected, "{kind}: spec {spec}, status {status}");
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Json {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

#[test]
fn what_holds_for_all_kinds() {
    let object = |metadata: Json, spec: Json, status: Json| json!({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": metadata, "spec": spec, "status": status});
    let seen = |conditions: Json| object(json!({}), json!({}), json!({"conditions": conditions}));
    let deleted = "2025-12-31T00:00:00Z";
    let stuck = json!({"conditions": [
        condition("NamespaceDeletionContentFailure", "False", "", "fine"),
        condition("NamespaceFinalizersRemaining", "True", "", "2 objects keep finalizers")]});
    let cases = [
        (json!({}), "unknown"),
        (json!({"metadata": "odd", "status": [1]}), "unknown"),
        (object(json!({}), json!({}), json!({})), "unknown"),
        (object(json!({"generation": 3}), json!({}), json!({"observedGeneration": 3})), "unknown"),
        (
            object(json!({"generation": 3}), json!({}), json!({"observedGeneration": 2})),
            "InProgress: generation 3 is not observed yet, 2 is",
        ),
        (object(json!({"generation": 3}), json!({}), json!({"conditions": []})), "unknown"),
        (object(json!({"deletionTimestamp": deleted}), json!({}), json!({})), "Terminating: being deleted"),
        (
            object(json!({"deletionTimestamp": deleted, "finalizers": ["a/b", "c"]}), json!({}), json!({})),
            "Terminating: waits for a/b, c",
        ),
        (
            object(json!({"deletionTimestamp": deleted}), json!({"finalizers": ["kubernetes"]}), json!({})),
            "Terminating: waits for kubernetes",
        ),
        (
            object(json!({"deletionTimestamp": deleted}), json!({"finalizers": ["kubernetes"]}), stuck),
            "Terminating: 2 objects keep finalizers",
        ),
        (seen(json!([condition("Reconciling", "True", "R", "step 2")])), "InProgress: step 2"),
        (seen(json!([condition("Reconciling", "False", "", "")])), "Current"),
        (seen(json!([condition("Stalled", "True", "BadSpec", "")])), "Failed: BadSpec"),
        (
            seen(json!([condition("Stalled", "True", "", ""), condition("Reconciling", "True", "", "")])),
            "Failed: stalled",
        ),
        (seen(json!([condition("Ready", "True", "", "")])), "Current"),
        (seen(json!([condition("Ready", "False", "", "not yet")])), "InProgress: not yet"),
        (seen(json!([condition("Ready", "Unknown", "", "")])), "InProgress: not ready"),
        (seen(json!([{"type": "Ready"}])), "InProgress: not ready"),
        (seen(json!([condition("Accepted", "True", "", "")])), "Current"),
    ];
    for (object, expected) in cases {
        assert_eq!(describe(object.clone()), expected, "{object}");
    }
}

#[test]
fn kinds_that_are_what_they_are() {
    let kinds = [
        ("v1", "ConfigMap"),
        ("v1", "Secret"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
    ];
    for (api_version, kind) in kinds {
        check(api_version, kind, &[(json!({}), json!({}), "Current")]);
    }
    let late =
        (json!({}), json!({"observedGeneration": 1}), "InProgress: generation 2 is not observed yet, 1 is");
    check("policy/v1", "PodDisruptionBudget", &[late]);
}

#[test]
fn deployments() {
    let rolled_out = json!([
        condition("Progressing", "True", "NewReplicaSetAvailable", ""),
        condition("Available", "True", "", "")
    ]);
    let status = |replicas: i64, updated: i64, available: i64, ready: i64, conditions: &Json| {
        json!({"observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated,
               "availableReplicas": available, "readyReplicas": ready, "conditions": conditions})
    };
    let three = || json!({"replicas": 3, "progressDeadlineSeconds": 600});
    let quota = json!([
        condition("Progressing", "True", "ReplicaSetUpdated", ""),
        condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: pods")
    ]);
    let late = json!([condition("Progressing", "False", "ProgressDeadlineExceeded", "web-1 has timed out")]);
    let unavailable = json!([
        condition("Progressing", "True", "NewReplicaSetAvailable", ""),
        condition("Available", "False", "", "too few")
    ]);
    let going = json!([
        condition("Progressing", "True", "ReplicaSetUpdated", "web-1 is progressing"),
        condition("Available", "True", "", "")
    ]);
    let available = json!([condition("Available", "True", "", "")]);
    check(
        "apps/v1",
        "Deployment",
        &[
            (json!({}), json!({}), "InProgress: 0 of 1 replicas created"),
            (three(), status(2, 2, 2, 2, &rolled_out), "InProgress: 2 of 3 replicas created"),
            (three(), status(3, 1, 3, 3, &rolled_out), "InProgress: 1 of 3 replicas updated"),
            (three(), status(4, 3, 3, 3, &rolled_out), "InProgress: 1 old replicas to remove"),
            (three(), status(3, 3, 1, 1, &rolled_out), "InProgress: 1 of 3 replicas available"),
            (three(), status(3, 3, 3, 2, &rolled_out), "InProgress: 2 of 3 replicas ready"),
            (three(), status(3, 3, 3, 3, &going), "InProgress: web-1 is progressing"),
            (three(), status(3, 3, 3, 3, &available), "InProgress: the rollout has not begun"),
            (three(), status(3, 3, 3, 3, &unavailable), "InProgress: too few"),
            (three(), status(3, 3, 3, 3, &rolled_out), "Current"),
            (three(), status(1, 1, 0, 0, &late), "Failed: web-1 has timed out"),
            (
                three(),
                status(1, 1, 1, 1, &quota),
                "InProgress: 1 of 3 replicas created: exceeded quota: pods",
            ),
            (json!({"replicas": 3}), status(3, 3, 3, 3, &available), "Current"),
            (
                json!({"replicas": 3, "progressDeadlineSeconds": i32::MAX}),
                status(3, 3, 3, 3, &available),
                "Current",
            ),
            (json!({"replicas": 3}), status(3, 3, 3, 3, &json!([])), "InProgress: not available yet"),
            (json!({"replicas": 0}), status(0, 0, 0, 0, &available), "Current"),
        ],
    );
}

#[test]
fn stateful_sets() {
    let status = |replicas: i64, ready: i64, current: i64, updated: i64, revision: &str| {
        json!({"replicas": replicas, "readyReplicas": ready, "currentReplicas": current,
               "updatedReplicas": updated, "currentRevision": "r1", "updateRevision": revision})
    };
    let three = || json!({"replicas": 3});
    let partition = |at: i64| json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": at}}});
    check(
        "apps/v1",
        "StatefulSet",
        &[
            (json!({}), json!({}), "InProgress: 0 of 1 replicas created"),
            (json!({"updateStrategy": {"type": "OnDelete"}}), json!({}), "Current"),
            (three(), status(2, 2, 2, 2, "r1"), "InProgress: 2 of 3 replicas created"),
            (three(), status(3, 2, 3, 3, "r1"), "InProgress: 2 of 3 replicas ready"),
            (three(), status(4, 4, 4, 4, "r1"), "InProgress: 1 replicas to remove"),
            (three(), status(3, 3, 2, 1, "r1"), "InProgress: 2 of 3 replicas at the current revision"),
            (three(), status(3, 3, 3, 0, "r2"), "InProgress: the rollout to the newest revision goes on"),
            (three(), status(3, 3, 3, 3, "r1"), "Current"),
            (partition(1), status(3, 3, 1, 1, "r2"), "InProgress: 1 of 2 replicas updated"),
            (partition(1), status(3, 3, 1, 2, "r2"), "Current"),
            (partition(0), status(3, 3, 0, 2, "r2"), "InProgress: 2 of 3 replicas updated"),
            (partition(0), status(3, 3, 0, 3, "r1"), "Current"),
        ],
    );
}

#[test]
fn replica_sets() {
    let status = |replicas: i64, labelled: i64, available: i64, ready: i64| {
        json!({"replicas": replicas, "fullyLabeledReplicas": labelled, "availableReplicas": available,
               "readyReplicas": ready})
    };
    let failing = json!({"replicas": 2, "fullyLabeledReplicas": 2, "availableReplicas": 2, "readyReplicas": 2,
                         "conditions": [condition("ReplicaFailure", "True", "FailedCreate", "no quota")]});
    let two = || json!({"replicas": 2});
    check(
        "apps/v1",
        "ReplicaSet",
        &[
            (json!({}), json!({}), "InProgress: 0 of 1 replicas labelled"),
            (two(), failing, "InProgress: no quota"),
            (two(), status(2, 1, 2, 2), "InProgress: 1 of 2 replicas labelled"),
            (two(), status(2, 2, 1, 2), "InProgress: 1 of 2 replicas available"),
            (two(), status(2, 2, 2, 1), "InProgress: 1 of 2 replicas ready"),
            (two(), status(4, 4, 4, 4), "InProgress: 2 replicas to remove"),
            (two(), status(2, 2, 2, 2), "Current"),
        ],
    );
}

#[test]
fn daemon_sets() {
    let status = |current: i64, updated: i64, available: i64, ready: i64| {
        json!({"observedGeneration": 2, "desiredNumberScheduled": 4, "currentNumberScheduled": current,
               "updatedNumberScheduled": updated, "numberAvailable": available, "numberReady": ready})
    };
    let unseen = "InProgress: not observed by its controller yet";
    check(
        "apps/v1",
        "DaemonSet",
        &[
            (json!({}), json!({}), unseen),
            (json!({}), json!({"desiredNumberScheduled": 0}), unseen),
            (json!({}), json!({"observedGeneration": 2}), unseen),
            (json!({}), json!({"observedGeneration": 2, "desiredNumberScheduled": 0}), "Current"),
            (json!({}), status(3, 4, 4, 4), "InProgress: 3 of 4 pods created"),
            (json!({}), status(4, 3, 4, 4), "InProgress: 3 of 4 pods updated"),
            (json!({}), status(4, 4, 3, 4), "InProgress: 3 of 4 pods available"),
            (json!({}), status(4, 4, 4, 3), "InProgress: 3 of 4 pods ready"),
            (json!({}), status(4, 4, 4, 4), "Current"),
        ],
    );
}

#[test]
fn pods() {
    let waiting = |reason: &str, message: &str| {
        json!([{"name": "ok", "state": {"running": {}}},
               {"name": "web", "state": {"waiting": {"reason": reason, "message": message}}}])
    };
    let ready = |status: &str| json!([condition("Ready", status, "ContainersNotReady", "")]);
    check(
        "v1",
        "Pod",
        &[
            (json!({}), json!({}), "InProgress: not seen by the scheduler yet"),
            (json!({}), json!({"phase": "Succeeded"}), "Current"),
            (json!({}), json!({"phase": "Failed"}), "Current"),
            (json!({}), json!({"phase": "Running", "conditions": ready("True")}), "Current"),
            (
                json!({}),
                json!({"phase": "Running", "conditions": ready("False")}),
                "InProgress: ContainersNotReady",
            ),
            (json!({}), json!({"phase": "Running"}), "InProgress: running, but not ready"),
            (
                json!({}),
                json!({"phase": "Running", "containerStatuses": waiting("CrashLoopBackOff", "back-off 10s")}),
                "Failed: containers keep crashing: web",
            ),
            (
                json!({}),
                json!({"phase": "Running", "conditions": ready("True"),
                       "containerStatuses": waiting("CrashLoopBackOff", "")}),
                "Current",
            ),
            (
                json!({}),
                json!({"phase": "Pending", "containerStatuses": waiting("ImagePullBackOff", "no such tag")}),
                "InProgress: container web: ImagePullBackOff: no such tag",
            ),
            (json!({}), json!({"phase": "Pending"}), "InProgress: waits to be started"),
            (json!({}), json!({"phase": "Unknown"}), "InProgress: in phase Unknown"),
        ],
    );
}

#[test]
fn unschedulable_pods_fail_after_a_while() {
    let pod = |created: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": created},
               "status": {"phase": "Pending", "conditions": [
                   condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")]}})
    };
    let cases = [
        ("2025-12-31T23:59:50Z", "InProgress: 0/3 nodes are available"),
        ("2026-01-01T00:00:30Z", "InProgress: 0/3 nodes are available"),
        ("2025-12-31T23:59:40Z", "Failed: 0/3 nodes are available"),
        ("no time", "Failed: 0/3 nodes are available"),
    ];
    for (created, expected) in cases {
        assert_eq!(describe(pod(created)), expected, "{created}");
    }
}

#[test]
fn jobs() {
    let ended = |kind: &str, message: &str| json!({"conditions": [condition(kind, "True", "", message)]});
    let started = |succeeded: i64, failed: i64| json!({"startTime": "2026-01-01T00:00:00Z", "succeeded": succeeded, "failed": failed});
    check(
        "batch/v1",
        "Job",
        &[
            (json!({}), json!({}), "InProgress: not started yet"),
            (json!({"completions": 2}), started(1, 0), "InProgress: 1 of 2 completions"),
            (json!({"completions": 1}), started(0, 3), "InProgress: 0 of 1 completions, 3 failed pods"),
            (json!({"parallelism": 2}), started(1, 0), "InProgress: 1 completions"),
            (json!({}), ended("Complete", ""), "Current"),
            (json!({}), ended("Failed", "backoff limit reached"), "Failed: backoff limit reached"),
            (json!({"suspend": true}), ended("Suspended", ""), "Current"),
            (json!({"suspend": true}), json!({}), "Current"),
            (
                json!({}),
                json!({"conditions": [condition("Complete", "False", "", "")]}),
                "InProgress: not started yet",
            ),
        ],
    );
}

#[test]
fn claims() {
    let claim = |annotations: Json, spec: Json, phase: &str| {
        describe(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"annotations": annotations}, "spec": spec, "status": {"phase": phase}}))
    };
    let provisioner = json!({"volume.kubernetes.io/storage-provisioner": "csi.example.org"});
    let node = json!({"volume.kubernetes.io/selected-node": "n1"});
    let none = || json!({});
    let cases = [
        (claim(none(), none(), ""), "InProgress: not seen by the volume controller yet"),
        (claim(none(), none(), "Bound"), "Current"),
        (claim(none(), none(), "Lost"), "Failed: its volume does not exist any more"),
        (claim(none(), none(), "Pending"), "Current"),
        (claim(none(), json!({"storageClassName": "late"}), "Pending"), "Current"),
        (claim(provisioner, none(), "Pending"), "InProgress: waits for csi.example.org to make its volume"),
        (claim(node, none(), "Pending"), "InProgress: waits for its volume"),
        (
            claim(none(), json!({"volumeName": "pv1"}), "Pending"),
            "InProgress: waits to be bound to volume pv1",
        ),
        (
            claim(none(), json!({"storageClassName": ""}), "Pending"),
            "InProgress: waits for a volume without a class that fits",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn services() {
    let balanced = |address: &str| json!({"type": "LoadBalancer", "clusterIP": address});
    check(
        "v1",
        "Service",
        &[
            (json!({}), json!({}), "Current"),
            (json!({"type": "NodePort"}), json!({}), "Current"),
            (balanced(""), json!({}), "InProgress: no cluster address yet"),
            (
                balanced("10.0.0.1"),
                json!({"loadBalancer": {}}),
                "InProgress: no address of the load balancer yet",
            ),
            (balanced("10.0.0.1"), json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}), "Current"),
        ],
    );
}

#[test]
fn custom_resource_definitions() {
    let with = |conditions: Json| json!({"conditions": conditions});
    let accepted = || condition("NamesAccepted", "True", "", "");
    check(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        &[
            (json!({}), json!({}), "InProgress: not established yet"),
            (json!({}), with(json!([accepted()])), "InProgress: not established yet"),
            (
                json!({}),
                with(json!([accepted(), condition("Established", "False", "Installing", "")])),
                "InProgress: not established yet",
            ),
            (
                json!({}),
                with(json!([accepted(), condition("Established", "False", "NotAccepted", "no")])),
                "Failed: no",
            ),
            (
                json!({}),
                with(json!([condition("NamesAccepted", "False", "", "things is taken")])),
                "Failed: things is taken",
            ),
            (json!({}), with(json!([accepted(), condition("Established", "True", "", "")])), "Current"),
        ],
    );
}

#[test]
fn api_services_and_namespaces() {
    let available =
        |status: &str, message: &str| json!({"conditions": [condition("Available", status, "", message)]});
    check(
        "apiregistration.k8s.io/v1",
        "APIService",
        &[
            (json!({}), json!({}), "InProgress: not tried yet"),
            (json!({}), available("False", "no endpoints"), "InProgress: no endpoints"),
            (json!({}), available("True", ""), "Current"),
        ],
    );
    check(
        "v1",
        "Namespace",
        &[
            (json!({}), json!({}), "InProgress: not active yet"),
            (json!({}), json!({"phase": "Active"}), "Current"),
            (json!({}), json!({"phase": "Terminating"}), "Terminating: being deleted"),
        ],
    );
}
