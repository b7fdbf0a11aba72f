//! Flux and Argo CD.

use serde_json::{Value as Json, json};

use super::{check, condition, describe};

#[test]
fn flux_kinds() {
    let ready = |status: &str, observed: i64| {
        json!({"observedGeneration": observed,
               "conditions": [{"type": "Ready", "status": status, "reason": "BuildFailed", "message": "no such path",
                               "observedGeneration": observed}]})
    };
    let stalled = json!({"observedGeneration": 2, "conditions": [
        condition("Ready", "False", "InstallFailed", "timeout"),
        condition("Stalled", "True", "RetriesExceeded", "install failed 3 times")]});
    let old_condition = json!({"observedGeneration": 2, "conditions": [
        {"type": "Ready", "status": "True", "observedGeneration": 1}]});
    let kinds = [
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        ("source.toolkit.fluxcd.io/v1", "GitRepository"),
        ("source.toolkit.fluxcd.io/v1", "HelmRepository"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("image.toolkit.fluxcd.io/v1", "ImagePolicy"),
        ("notification.toolkit.fluxcd.io/v1", "Receiver"),
    ];
    for (api_version, kind) in kinds {
        check(
            api_version,
            kind,
            &[
                (json!({}), json!({}), "InProgress: not seen by its controller yet"),
                (json!({"suspend": true}), json!({}), "Current"),
                // A suspended object is not observed, whatever it was when it still was.
                (json!({"suspend": true}), ready("False", 1), "Current"),
                (json!({"suspend": true}), stalled.clone(), "Current"),
                (json!({}), ready("True", 2), "Current"),
                (json!({}), ready("False", 2), "InProgress: BuildFailed: no such path"),
                (json!({}), ready("True", 1), "InProgress: generation 2 is not observed yet, 1 is"),
                (
                    json!({}),
                    json!({"conditions": [condition("Ready", "True", "", "")]}),
                    "InProgress: the newest generation is not reconciled yet",
                ),
                (json!({}), old_condition.clone(), "InProgress: the newest generation is not reconciled yet"),
                (json!({}), stalled.clone(), "Failed: install failed 3 times"),
            ],
        );
    }
}

#[test]
fn argo_cd_applications() {
    let spec = |automated: Json| {
        json!({"source": {"repoURL": "r", "path": "p", "targetRevision": "main"},
               "syncPolicy": {"automated": automated}})
    };
    let compared = |sync: &str, path: &str, health: &str| {
        json!({"sync": {"status": sync, "comparedTo": {"source": {"repoURL": "r", "path": path, "targetRevision": "main"}}},
               "health": {"status": health}})
    };
    let automated = || spec(json!({"prune": true}));
    let manual = || json!({"source": spec(Json::Null)["source"]});
    let failed = json!({"sync": {"status": "OutOfSync"},
                        "operationState": {"phase": "Failed", "message": "one object was refused"}});
    let invalid = json!({"conditions": [{"type": "InvalidSpecError", "message": "no such project"}]});
    let unseen = "InProgress: not compared with its source yet";
    check(
        "argoproj.io/v1alpha1",
        "Application",
        &[
            (automated(), json!({}), unseen),
            (automated(), compared("Unknown", "p", ""), unseen),
            (automated(), compared("Synced", "old", "Healthy"), unseen),
            (automated(), compared("OutOfSync", "p", "Missing"), "InProgress: OutOfSync"),
            (automated(), failed, "InProgress: OutOfSync, sync Failed: one object was refused"),
            (automated(), compared("Synced", "p", ""), "InProgress: Synced, health not known yet"),
            (automated(), compared("Synced", "p", "Degraded"), "InProgress: Synced, Degraded"),
            (automated(), compared("Synced", "p", "Healthy"), "Current"),
            (automated(), compared("Synced", "p", "Suspended"), "Current"),
            (automated(), invalid, "InProgress: no such project"),
            (spec(json!({})), compared("OutOfSync", "p", ""), "InProgress: OutOfSync"),
            (spec(Json::Null), compared("OutOfSync", "p", ""), "Current"),
            (spec(json!({"enabled": false})), compared("OutOfSync", "p", ""), "Current"),
            (manual(), json!({}), unseen),
            (manual(), compared("OutOfSync", "p", "Missing"), "Current"),
        ],
    );
}

#[test]
fn flux_kinds_that_only_say_where_something_is() {
    for kind in ["Alert", "Provider"] {
        check("notification.toolkit.fluxcd.io/v1beta3", kind, &[(json!({}), json!(null), "Current")]);
    }
    let unseen = "InProgress: not seen by its controller yet";
    let table =
        [(json!({"type": "oci"}), json!({}), "Current"), (json!({"type": "default"}), json!({}), unseen)];
    check("source.toolkit.fluxcd.io/v1", "HelmRepository", &table);
}

#[test]
fn the_flux_operator_is_switched_off_by_an_annotation() {
    let instance = |annotations: Json| {
        json!({"apiVersion": "fluxcd.controlplane.io/v1", "kind": "FluxInstance",
               "metadata": {"generation": 1, "annotations": annotations}, "spec": {"suspend": true}})
    };
    let off = json!({"fluxcd.controlplane.io/reconcile": "disabled"});
    assert_eq!(describe(instance(off)), "Current");
    assert_eq!(describe(instance(json!({}))), "InProgress: not seen by its controller yet");
}

#[test]
fn argo_cd_application_sets() {
    let with = |error: &str, up_to_date: &str| {
        json!({"conditions": [
            condition("ErrorOccurred", error, "RenderTemplateParamsError", "no such parameter"),
            condition("ResourcesUpToDate", up_to_date, "RolloutProgressing", "2 of 3 are done")]})
    };
    check(
        "argoproj.io/v1alpha1",
        "ApplicationSet",
        &[
            (json!({}), json!({}), "InProgress: not seen by its controller yet"),
            (json!({}), with("True", "False"), "InProgress: no such parameter"),
            (json!({}), with("False", "False"), "InProgress: 2 of 3 are done"),
            (json!({}), with("False", "True"), "Current"),
        ],
    );
}
