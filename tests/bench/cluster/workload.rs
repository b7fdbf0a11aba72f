//! The objects of the benchmark: as many as wanted, of 19 kinds, in 20 namespaces.

use serde_json::{Value, json};

/// Namespaces; each is one of the objects.
pub const NAMESPACES: usize = 20;

/// A kind whose objects are made, with how it is addressed.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `v1`, or group and version.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The resource's name in paths.
    pub plural: &'static str,
}

const fn kind(api_version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind { api_version, kind, plural }
}

/// The kind of the namespaces.
pub const NAMESPACE: Kind = kind("v1", "Namespace", "namespaces");

/// The kinds in every namespace. Nothing of them runs: there are no replicas, and jobs are suspended, so that the
/// controllers have little to do for anybody.
pub const KINDS: [Kind; 18] = [
    kind("v1", "ConfigMap", "configmaps"),
    kind("v1", "Secret", "secrets"),
    kind("v1", "ServiceAccount", "serviceaccounts"),
    kind("v1", "Service", "services"),
    kind("v1", "LimitRange", "limitranges"),
    kind("v1", "ResourceQuota", "resourcequotas"),
    kind("v1", "PodTemplate", "podtemplates"),
    kind("apps/v1", "Deployment", "deployments"),
    kind("apps/v1", "StatefulSet", "statefulsets"),
    kind("apps/v1", "DaemonSet", "daemonsets"),
    kind("batch/v1", "Job", "jobs"),
    kind("batch/v1", "CronJob", "cronjobs"),
    kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    kind("rbac.authorization.k8s.io/v1", "Role", "roles"),
    kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
];

impl Kind {
    /// The path of all objects, in all namespaces.
    pub fn path(&self) -> String {
        format!("{}/{}", self.root(), self.plural)
    }

    /// The path of one object.
    pub fn object_path(&self, namespace: &str, name: &str) -> String {
        if namespace.is_empty() {
            return format!("{}/{}/{name}", self.root(), self.plural);
        }
        format!("{}/namespaces/{namespace}/{}/{name}", self.root(), self.plural)
    }

    fn root(&self) -> String {
        let prefix = if self.api_version.contains('/') { "/apis" } else { "/api" };
        format!("{prefix}/{}", self.api_version)
    }
}

/// One object to be.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its path in the API.
    pub path: String,
    /// Its manifest.
    pub body: Value,
}

/// Makes `count` objects; the namespaces come first.
pub fn objects(count: usize) -> Vec<Object> {
    let namespaces = (0..NAMESPACES).map(|idx| object(NAMESPACE, "", &namespace(idx), json!({})));
    let others = (NAMESPACES..count).map(|idx| {
        let (kind, name) = (KINDS[idx % KINDS.len()], format!("object-{idx}"));
        // Consecutive objects of one kind go to different namespaces.
        object(kind, &namespace(idx / KINDS.len() % NAMESPACES), &name, fields(kind.kind, &name))
    });
    namespaces.chain(others).collect()
}

fn namespace(idx: usize) -> String {
    format!("bench-{idx:02}")
}

fn object(kind: Kind, namespace: &str, name: &str, fields: Value) -> Object {
    let mut metadata = json!({ "name": name, "labels": { "app.kubernetes.io/name": name } });
    if !namespace.is_empty() {
        metadata["namespace"] = json!(namespace);
    }
    let mut body = json!({ "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    Object { kind, path: kind.object_path(namespace, name), body }
}

fn fields(kind: &str, name: &str) -> Value {
    let labels = json!({ "app": name });
    let selector = json!({ "matchLabels": labels });
    let template = |restart: &str| {
        let container = json!({
            "name": "main",
            "image": "registry.example.com/app:1.0",
            "ports": [{ "name": "http", "containerPort": 8080 }],
            "env": [{ "name": "LEVEL", "value": "info" }, { "name": "NAME", "value": name }],
            "resources": { "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "128Mi" } },
            "readinessProbe": { "httpGet": { "path": "/ready", "port": "http" } },
        });
        let spec = json!({ "containers": [container], "restartPolicy": restart, "nodeSelector": { "none": "such" } });
        json!({ "metadata": { "labels": labels }, "spec": spec })
    };
    let job = json!({ "suspend": true, "template": template("Never") });
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": name });
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    match kind {
        "ConfigMap" => json!({ "data": { "name": name, "level": "info", "text": "one\ntwo\nthree\n" } }),
        "Secret" => json!({ "stringData": { "password": format!("not-{name}") } }),
        "Service" => {
            json!({ "spec": { "selector": labels, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] } })
        }
        "LimitRange" => {
            json!({ "spec": { "limits": [{ "type": "Container", "defaultRequest": { "cpu": "50m" } }] } })
        }
        "ResourceQuota" => json!({ "spec": { "hard": { "pods": "1000", "requests.cpu": "100" } } }),
        "PodTemplate" => json!({ "template": template("Always") }),
        "Deployment" => {
            json!({ "spec": { "replicas": 0, "selector": selector, "template": template("Always") } })
        }
        "StatefulSet" => json!({
            "spec": { "replicas": 0, "serviceName": name, "selector": selector, "template": template("Always") }
        }),
        "DaemonSet" => json!({ "spec": { "selector": selector, "template": template("Always") } }),
        "Job" => json!({ "spec": job }),
        "CronJob" => {
            json!({ "spec": { "schedule": "0 3 * * *", "suspend": true, "jobTemplate": { "spec": job } } })
        }
        "HorizontalPodAutoscaler" => {
            json!({ "spec": { "scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3 } })
        }
        "PodDisruptionBudget" => json!({ "spec": { "minAvailable": 1, "selector": selector } }),
        "Ingress" => json!({
            "spec": { "rules": [{ "host": format!("{name}.example.com"), "http": { "paths": [path] } }] }
        }),
        "NetworkPolicy" => json!({ "spec": { "podSelector": selector, "policyTypes": ["Ingress"] } }),
        "Role" => {
            json!({ "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }] })
        }
        "RoleBinding" => json!({
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": "default" }],
        }),
        // A service account says nothing.
        _ => json!({}),
    }
}
