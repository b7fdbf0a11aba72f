//! What new pods and claims get before they are stored.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#serviceaccount>, `#priority`,
//! `#defaulttolerationseconds`, `#defaultstorageclass` and `#storageobjectinuseprotection` of the same page.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::error::{ApiError, ApiResult, GroupResource};
use crate::meta;
use crate::resource::Resource;

/// Keeps a claim while pods use it.
pub(crate) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";

/// Keeps a volume while a claim has it.
pub(crate) const VOLUME_PROTECTION: &str = "kubernetes.io/pv-protection";

/// Keeps a class of volume attributes while a claim names it.
pub(crate) const CLASS_PROTECTION: &str = "kubernetes.io/vac-protection";

/// The taint of a node that is not ready.
pub(crate) const NOT_READY: &str = "node.kubernetes.io/not-ready";

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Completes a new object of the kinds concerned.
///
/// # Errors
/// 403 if a pod names an account or a priority that is absent.
pub(super) fn complete(cluster: &Cluster, resource: &Resource, object: &mut Value) -> ApiResult<()> {
    if resource.is("", "pods") {
        add_account(cluster, resource, object)?;
        add_priority(cluster, resource, object)?;
        add_overhead(cluster, resource, object)?;
        add_tolerations(object);
    } else if resource.is("", "persistentvolumeclaims") {
        let is_stated = meta::annotation(object, "volume.beta.kubernetes.io/storage-class").is_some();
        let class = default_class(cluster).filter(|_| !is_stated);
        if let (Some(class), Some(spec)) = (class, meta::child(object, "spec")) {
            spec.entry("storageClassName").or_insert(json!(class));
        }
        add_finalizer(object, CLAIM_PROTECTION);
    } else if resource.is("", "persistentvolumes") {
        add_finalizer(object, VOLUME_PROTECTION);
    } else if resource.is("storage.k8s.io", "volumeattributesclasses") {
        add_finalizer(object, CLASS_PROTECTION);
    } else if resource.is("", "nodes") {
        add_taint(object);
    }
    Ok(())
}

fn add_finalizer(object: &mut Value, finalizer: &str) {
    let mut finalizers = meta::finalizers(object);
    if !finalizers.contains(&finalizer) {
        finalizers.push(finalizer);
        let finalizers = json!(finalizers);
        meta::set(object, "finalizers", finalizers);
    }
}

// Nothing runs on a node before it is ready.
fn add_taint(node: &mut Value) {
    let has_taint = meta::items(&node["spec"]["taints"]).iter().any(|taint| taint["key"] == NOT_READY);
    if let Some(spec) = node.get_mut("spec").filter(|_| !has_taint) {
        push(spec, "taints", json!({ "key": NOT_READY, "effect": "NoSchedule" }));
    }
}

fn default_class(cluster: &Cluster) -> Option<String> {
    let classes = GroupResource::new("storage.k8s.io", "storageclasses");
    let is_default = |class: &&std::sync::Arc<Value>| {
        meta::annotation(class, "storageclass.kubernetes.io/is-default-class") == Some("true")
    };
    cluster.store.list(&classes, "").find(is_default).map(|class| meta::name(class).to_owned())
}

fn add_account(cluster: &Cluster, resource: &Resource, pod: &mut Value) -> ApiResult<()> {
    let namespace = meta::namespace(pod).to_owned();
    let name = pod["spec"]["serviceAccountName"]
        .as_str()
        .filter(|name| !name.is_empty())
        .unwrap_or("default")
        .to_owned();
    let Some(account) = cluster.store.find("", "serviceaccounts", &namespace, &name) else {
        let why =
            format!("error looking up service account {namespace}/{name}: serviceaccount {name:?} not found");
        return Err(ApiError::forbidden(&resource.group_resource(), meta::stated_name(pod), why));
    };
    let mounts = pod["spec"]["automountServiceAccountToken"]
        .as_bool()
        .or(account["automountServiceAccountToken"].as_bool())
        .unwrap_or(true);
    let secrets = account["imagePullSecrets"].clone();
    let Some(spec) = meta::child(pod, "spec") else { return Ok(()) };
    if spec.get("imagePullSecrets").is_none_or(|own| meta::items(own).is_empty())
        && !meta::items(&secrets).is_empty()
    {
        spec.insert("imagePullSecrets".into(), secrets);
    }
    spec.insert("serviceAccountName".into(), json!(name));
    spec.insert("serviceAccount".into(), json!(name));
    if mounts {
        mount_token(spec);
    }
    Ok(())
}

fn mount_token(spec: &mut Map<String, Value>) {
    let volume = format!("kube-api-access-{}", meta::random_suffix(5));
    let mut used = false;
    for list in ["containers", "initContainers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let is_mounted =
                meta::items(&container["volumeMounts"]).iter().any(|mount| mount["mountPath"] == TOKEN_PATH);
            if is_mounted {
                continue;
            }
            used = true;
            let mount = json!({ "name": volume, "readOnly": true, "mountPath": TOKEN_PATH });
            push(container, "volumeMounts", mount);
        }
    }
    if !used {
        return;
    }
    let token = json!({ "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } });
    let root = json!({ "configMap": {
        "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }],
    } });
    let field = json!({ "apiVersion": "v1", "fieldPath": "metadata.namespace" });
    let place = json!({ "downwardAPI": { "items": [{ "path": "namespace", "fieldRef": field }] } });
    let source =
        json!({ "name": volume, "projected": { "defaultMode": 420, "sources": [token, root, place] } });
    match spec.get_mut("volumes").and_then(Value::as_array_mut) {
        Some(volumes) => volumes.push(source),
        None => {
            spec.insert("volumes".into(), json!([source]));
        }
    }
}

fn push(object: &mut Value, field: &str, item: Value) {
    match object.get_mut(field).and_then(Value::as_array_mut) {
        Some(list) => list.push(item),
        None => meta::put(object, field, Some(json!([item]))),
    }
}

fn add_priority(cluster: &Cluster, resource: &Resource, pod: &mut Value) -> ApiResult<()> {
    let classes = GroupResource::new("scheduling.k8s.io", "priorityclasses");
    let name = pod["spec"]["priorityClassName"].as_str().unwrap_or_default().to_owned();
    let class = if name.is_empty() {
        cluster.store.list(&classes, "").find(|class| class["globalDefault"] == true)
    } else {
        let found = cluster.store.find("scheduling.k8s.io", "priorityclasses", "", &name);
        if found.is_none() {
            let why = format!("no PriorityClass with name {name} was found");
            return Err(ApiError::forbidden(&resource.group_resource(), meta::stated_name(pod), why));
        }
        found
    };
    if let Some(why) = stated_otherwise(pod, class.map(AsRef::as_ref)) {
        return Err(ApiError::forbidden(&resource.group_resource(), meta::name(pod), why));
    }
    let (value, policy) = match class {
        Some(class) => (class["value"].clone(), class["preemptionPolicy"].clone()),
        None => (json!(0), json!("PreemptLowerPriority")),
    };
    let stated = &pod["spec"]["priority"];
    if !stated.is_null() && *stated != value {
        let why = format!(
            "the integer value of priority ({stated}) must not be provided in pod spec; priority admission controller \
             computed {value} from the given PriorityClass name"
        );
        return Err(ApiError::forbidden(&resource.group_resource(), meta::stated_name(pod), why));
    }
    let name = class.map(|class| json!(meta::name(class)));
    let Some(spec) = meta::child(pod, "spec") else { return Ok(()) };
    if let Some(name) = name {
        spec.insert("priorityClassName".into(), name);
    }
    spec.insert("priority".into(), value);
    spec.insert("preemptionPolicy".into(), policy);
    Ok(())
}

// A pod leaves its priority to its class, or states the same.
fn stated_otherwise(pod: &Value, class: Option<&Value>) -> Option<String> {
    let computed = class.map_or(0, |class| class["value"].as_i64().unwrap_or(0));
    let stated = pod["spec"]["priority"].as_i64().filter(|priority| *priority != computed);
    const BY_CLASS: &str = "from the given PriorityClass name";
    if let Some(stated) = stated {
        let what = format!("the integer value of priority ({stated}) must not be provided in pod spec");
        return Some(format!("{what}; priority admission controller computed {computed} {BY_CLASS}"));
    }
    let computed =
        class.and_then(|class| class["preemptionPolicy"].as_str()).unwrap_or("PreemptLowerPriority");
    let stated = pod["spec"]["preemptionPolicy"].as_str().filter(|policy| *policy != computed)?;
    let what = format!("the string value of PreemptionPolicy ({stated}) must not be provided in pod spec");
    Some(format!("{what}; priority admission controller computed {computed} {BY_CLASS}"))
}

// What a pod needs beside its containers is known by its runtime class.
fn add_overhead(cluster: &Cluster, resource: &Resource, pod: &mut Value) -> ApiResult<()> {
    let name = pod["spec"]["runtimeClassName"].as_str().unwrap_or_default().to_owned();
    let class = cluster.store.find("node.k8s.io", "runtimeclasses", "", &name);
    let overhead = class.map(|class| class["overhead"]["podFixed"].clone()).unwrap_or_default();
    let stated = &pod["spec"]["overhead"];
    let why = if !name.is_empty() && class.is_none() {
        format!("pod rejected: RuntimeClass {name:?} not found")
    } else if stated.as_object().is_some_and(|stated| !stated.is_empty()) && *stated != overhead {
        if overhead.is_null() {
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead".to_owned()
        } else {
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead".to_owned()
        }
    } else {
        if let Some(spec) = meta::child(pod, "spec").filter(|_| overhead.is_object()) {
            spec.insert("overhead".into(), overhead);
        }
        return Ok(());
    };
    Err(ApiError::forbidden(&resource.group_resource(), meta::name(pod), why))
}

fn add_tolerations(pod: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_there = meta::items(&pod["spec"]["tolerations"])
            .iter()
            .any(|toleration| toleration["key"] == key || toleration.get("key").is_none());
        if !is_there {
            let toleration =
                json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
            if let Some(spec) = pod.get_mut("spec") {
                push(spec, "tolerations", toleration);
            }
        }
    }
}
