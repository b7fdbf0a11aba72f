//! Rules of the volumes of pods, and of what a volume holds.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/>

use serde_json::{Value, json};

use super::checks::{Checks, is_negative, text};
use super::containers::{local_path, no_way_up};
use super::syntax;
use crate::error::FieldError;
use crate::meta;

/// The sources of a pod's volume, in the order of the checks.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// The rules of the volumes at `at`.
pub(super) fn check(checks: &mut Checks, volumes: &Value, at: &str) {
    let mut names: Vec<&str> = Vec::new();
    for (index, volume) in meta::items(volumes).iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_source(checks, volume, &at);
        let name = text(&volume["name"]);
        let faults = if name.is_empty() { Vec::new() } else { syntax::label(name) };
        if name.is_empty() {
            checks.required(format!("{at}.name"), "");
        }
        for fault in &faults {
            checks.invalid(format!("{at}.name"), &json!(name), fault);
        }
        if names.contains(&name) && !name.is_empty() {
            checks.push(FieldError::duplicate(format!("{at}.name"), &json!(name)));
        }
        names.push(name);
    }
}

fn check_source(checks: &mut Checks, volume: &Value, at: &str) {
    let mut count = 0;
    for kind in SOURCES.into_iter().filter(|kind| volume[*kind].is_object()) {
        let (source, at) = (&volume[kind], format!("{at}.{kind}"));
        count += 1;
        if count > 1 {
            checks.forbidden(at, "may not specify more than 1 volume type");
            continue;
        }
        match kind {
            "emptyDir" if is_negative(&source["sizeLimit"]) => {
                checks.forbidden(
                    format!("{at}.sizeLimit"),
                    "SizeLimit field must be a valid resource quantity",
                );
            }
            "secret" => {
                checks.present(format!("{at}.secretName"), &source["secretName"]);
                check_files(checks, source, &at);
            }
            "configMap" => {
                checks.present(format!("{at}.name"), &source["name"]);
                check_files(checks, source, &at);
            }
            "persistentVolumeClaim" => {
                checks.present(format!("{at}.claimName"), &source["claimName"]);
            }
            "projected" => check_projected(checks, source, &at),
            "csi" => {
                checks.named(&format!("{at}.driver"), &source["driver"], syntax::subdomain);
            }
            _ => check_shared(checks, kind, source, &at),
        }
    }
}

/// The rules of sources that pods and persistent volumes share.
pub(super) fn check_shared(checks: &mut Checks, kind: &str, source: &Value, at: &str) {
    match kind {
        "hostPath" => {
            let path = text(&source["path"]);
            if path.is_empty() {
                return checks.required(format!("{at}.path"), "");
            }
            no_way_up(checks, path, &format!("{at}.path"));
            let known = [
                "",
                "DirectoryOrCreate",
                "Directory",
                "FileOrCreate",
                "File",
                "Socket",
                "CharDevice",
                "BlockDevice",
            ];
            checks.known(format!("{at}.type"), &source["type"], &known);
        }
        "nfs" => {
            checks.present(format!("{at}.server"), &source["server"]);
            checks.present(format!("{at}.path"), &source["path"]);
            if !text(&source["path"]).starts_with('/') {
                checks.invalid(
                    format!("{at}.path"),
                    &json!(text(&source["path"])),
                    "must be an absolute path",
                );
            }
        }
        _ => {}
    }
}

fn mode(checks: &mut Checks, at: String, value: &Value) {
    if value.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode)) {
        checks.invalid(at, value, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn check_files(checks: &mut Checks, source: &Value, at: &str) {
    mode(checks, format!("{at}.defaultMode"), &source["defaultMode"]);
    for (index, file) in meta::items(&source["items"]).iter().enumerate() {
        let at = format!("{at}.items[{index}]");
        checks.present(format!("{at}.key"), &file["key"]);
        if checks.present(format!("{at}.path"), &file["path"]) {
            local_path(checks, text(&file["path"]), &format!("{at}.path"));
        }
        mode(checks, format!("{at}.mode"), &file["mode"]);
    }
}

fn check_projected(checks: &mut Checks, source: &Value, at: &str) {
    mode(checks, format!("{at}.defaultMode"), &source["defaultMode"]);
    let mut paths: Vec<&str> = Vec::new();
    for (index, part) in meta::items(&source["sources"]).iter().enumerate() {
        let place = format!("{at}.sources[{index}]");
        for kind in ["secret", "configMap"].into_iter().filter(|kind| part[*kind].is_object()) {
            checks.present(format!("{place}.{kind}.name"), &part[kind]["name"]);
            check_files(checks, &part[kind], &format!("{place}.{kind}"));
            for file in meta::items(&part[kind]["items"]) {
                let path = text(&file["path"]);
                if !path.is_empty() && paths.contains(&path) {
                    let name = &part[kind]["name"];
                    checks.invalid(at, name, "conflicting duplicate paths");
                }
                paths.push(path);
            }
        }
        let token = &part["serviceAccountToken"];
        if token["expirationSeconds"].as_i64().is_some_and(|seconds| seconds < 600) {
            let detail = "may not specify a duration less than 10 minutes";
            let at = format!("{place}.serviceAccountToken.expirationSeconds");
            checks.invalid(at, &token["expirationSeconds"], detail);
        }
        if token.is_object() {
            checks.present(format!("{place}.serviceAccountToken.path"), &token["path"]);
        }
    }
}
