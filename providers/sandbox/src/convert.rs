//! Shows an object in another version of its kind.
//!
//! Custom resources change only their apiVersion, since the sandbox calls no conversion webhooks. Of the built-in kinds
//! `HorizontalPodAutoscaler` alone is served in two versions.
//!
//! # Source
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/> and
//! <https://kubernetes.io/docs/reference/kubernetes-api/autoscaling-resources/horizontal-pod-autoscaler-v1/>

use std::sync::Arc;

use serde_json::{Value, json};

use crate::crd;
use crate::meta;
use crate::resource::Resource;

/// The object in the version of `resource`.
pub(crate) fn to_version(resource: &Resource, object: &Arc<Value>) -> Arc<Value> {
    let wanted = &resource.api_version;
    if let Some(custom) = &resource.custom {
        let mut object = Value::clone(object);
        object["apiVersion"] = json!(wanted);
        crd::show(custom, &mut object);
        return Arc::new(object);
    }
    if object["apiVersion"] == wanted.as_str() {
        return Arc::clone(object);
    }
    let mut object = Value::clone(object);
    if resource.is("autoscaling", "horizontalpodautoscalers") {
        match resource.version.as_str() {
            "v1" => autoscaler_to_v1(&mut object),
            _ => autoscaler_to_v2(&mut object),
        }
    }
    object["apiVersion"] = json!(wanted);
    Arc::new(object)
}

fn autoscaler_to_v1(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    let metrics = spec.remove("metrics").unwrap_or_default();
    let cpu = meta::items(&metrics).iter().find(|metric| metric["resource"]["name"] == "cpu");
    if let Some(target) = cpu.map(|metric| &metric["resource"]["target"]["averageUtilization"]) {
        spec.insert("targetCPUUtilizationPercentage".into(), target.clone());
    }
    if let Some(status) = meta::child(object, "status") {
        status.remove("currentMetrics");
        status.remove("conditions");
        status.entry("currentReplicas").or_insert(json!(0));
    }
}

fn autoscaler_to_v2(object: &mut Value) {
    let Some(spec) = meta::child(object, "spec") else { return };
    if let Some(target) = spec.remove("targetCPUUtilizationPercentage") {
        let target = json!({ "type": "Utilization", "averageUtilization": target });
        let metric = json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } });
        spec.insert("metrics".into(), json!([metric]));
    }
    if let Some(status) = meta::child(object, "status") {
        status.entry("currentMetrics").or_insert(Value::Null);
    }
}
