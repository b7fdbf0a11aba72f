//! Plans to render in tests.

use engine_core::address::Address;
use engine_core::diagnostic::Diagnostics;
use engine_core::field_path::FieldPath;
use engine_core::object::Operation;
use engine_core::object_ref::{ClusterRef, GroupKind, ObjectRef, Uid};
use engine_core::plan::{
    Action, Change, Drifter, Exceptions, FieldChange, FieldConflict, ObjectConflicts, Plan, Reason, Shown,
    Tier,
};
use engine_core::resource::FieldPolicy;
use engine_core::value::{Text, Value};

pub(crate) fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn shown(json: &str) -> Shown {
    match json {
        "" => Shown::Absent,
        "?" => Shown::Unknown,
        "*" => Shown::Sensitive { changed: false },
        "*!" => Shown::Sensitive { changed: true },
        json => Shown::Value(value(json)),
    }
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// `spec.replicas` with plain fields only.
pub(crate) fn field(path: &str, before: &str, after: &str) -> FieldChange {
    FieldChange {
        path: FieldPath::fields(path.split('.').map(Text::from)),
        before: shown(before),
        after: shown(after),
        drift: None,
    }
}

pub(crate) fn drifted(path: &str, before: &str, after: &str) -> FieldChange {
    FieldChange {
        drift: Some(Drifter { manager: "kubectl-edit".into(), time: Some("2026-01-02T03:04:05Z".into()) }),
        ..field(path, before, after)
    }
}

/// `Deployment.apps/dev/web` on cluster `main`.
pub(crate) fn object(key: &str) -> ObjectRef {
    let parts: Vec<&str> = key.split('/').collect();
    let (kind, group) = parts[0].split_once('.').unwrap_or((parts[0], ""));
    ObjectRef {
        cluster: ClusterRef::new("main"),
        kind: GroupKind::new(group, kind),
        namespace: (parts.len() == 3).then(|| parts[1].into()),
        name: parts[parts.len() - 1].into(),
    }
}

pub(crate) fn uid() -> Uid {
    Uid::new("0b6f6f2e-0000-4000-8000-000000000001")
}

pub(crate) fn update() -> Action {
    Action::Update { uid: uid(), exceptions: Exceptions::default() }
}

pub(crate) fn change(key: &str, action: Action, reason: Reason, fields: Vec<FieldChange>) -> Change {
    let object_ref = object(key);
    Change {
        address: address(&format!("app.x.manifest.{}", object_ref.name)),
        object_ref,
        moved_from: None,
        action,
        reason,
        fields,
        immutable: Vec::new(),
        takes_along: Default::default(),
        tier: Tier::Server,
        restarts: Vec::new(),
    }
}

pub(crate) fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        environment: "demo".parse().unwrap(),
        lineage: engine_core::mark::Lineage::new([7; 16]),
        serial: 12,
        changes,
        conflicts: Vec::new(),
        outputs: Vec::new(),
        new_outputs: Default::default(),
        unobserved: Default::default(),
        gates: Vec::new(),
        refresh_only: false,
        diagnostics: Diagnostics::default(),
    }
}

/// A field of `kubectl-edit`, which updated it.
pub(crate) fn conflict(path: &str, theirs: &str, ours: &str, decision: FieldPolicy) -> FieldConflict {
    let field = field(path, theirs, ours);
    FieldConflict {
        path: field.path,
        manager: "kubectl-edit".into(),
        subresource: None,
        operation: Some(Operation::Update),
        time: Some("2026-01-02T03:04:05Z".into()),
        theirs: field.before,
        ours: field.after,
        decision,
    }
}

/// Gives an object of a plan its conflicts.
pub(crate) fn contest(plan: &mut Plan, key: &str, fields: Vec<FieldConflict>) {
    let object_ref = object(key);
    let address = address(&format!("app.x.manifest.{}", object_ref.name));
    plan.conflicts.push(ObjectConflicts { address, object_ref, fields });
    plan.conflicts.sort_by(|a, b| a.object_ref.cmp(&b.object_ref));
}

/// A plan with one change of each sort.
pub(crate) fn mixed() -> Plan {
    let mut web = change(
        "Deployment.apps/dev/web",
        update(),
        Reason::Changed,
        vec![
            drifted("spec.replicas", "5", "3"),
            field("spec.template.spec.containers.image", r#""app:v1""#, r#""app:v2""#),
        ],
    );
    web.restarts = vec![object("Deployment.apps/dev/web")];
    plan(vec![
        change(
            "ConfigMap/dev/settings",
            Action::Create,
            Reason::New,
            vec![
                field("apiVersion", "", r#""v1""#),
                field("data", "", r#"{"level":"1","mode":"fast"}"#),
                field("metadata", "", r#"{"labels":{"team":"tasks"}}"#),
            ],
        ),
        web,
        change(
            "Job.batch/dev/migrate",
            Action::Replace { uid: uid() },
            Reason::Immutable,
            vec![field("spec.completions", "1", "2")],
        ),
        change("Secret/dev/token", update(), Reason::Changed, vec![field("data.password", "*!", "*!")]),
        change(
            "Role.rbac.authorization.k8s.io/dev/old",
            Action::Delete { uid: uid() },
            Reason::Removed,
            vec![],
        ),
        change("Namespace/dev", Action::NoOp, Reason::Settled, vec![]),
    ])
}
