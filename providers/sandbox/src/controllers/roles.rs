//! Roles that gather the rules of others.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles>

use serde_json::{Value, json};

use super::act;
use crate::cluster::Cluster;
use crate::error::{ApiResult, GroupResource};
use crate::meta;
use crate::selector::Selector;
use crate::store::Key;

/// The field manager of gathered rules.
const MANAGER: &str = "clusterrole-aggregation-controller";

/// Where roles of the whole cluster are stored.
pub(super) fn resource() -> GroupResource {
    GroupResource::new("rbac.authorization.k8s.io", "clusterroles")
}

/// Gathers the rules of all roles that ask for it.
///
/// # Errors
/// If a role cannot be written.
pub(super) fn aggregate(cluster: &mut Cluster) -> ApiResult<()> {
    let roles: Vec<_> = cluster.store.list(&resource(), "").cloned().collect();
    for role in roles.iter().filter(|role| role.get("aggregationRule").is_some()) {
        let selectors: Vec<_> = meta::items(&role["aggregationRule"]["clusterRoleSelectors"])
            .iter()
            .map(Selector::of_object)
            .collect();
        let is_part = |other: &&std::sync::Arc<Value>| {
            meta::name(other) != meta::name(role) && selectors.iter().any(|selector| selector.matches(other))
        };
        let mut rules: Vec<&Value> = Vec::new();
        for rule in roles.iter().filter(is_part).flat_map(|part| meta::items(&part["rules"])) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        if rules.iter().copied().eq(meta::items(&role["rules"])) {
            continue;
        }
        let key = Key::new(&resource(), "", meta::name(role));
        let mut applied = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": key.name },
        });
        if !rules.is_empty() {
            applied["rules"] = json!(rules);
        }
        act::apply_as(cluster, &key, MANAGER, applied)?;
    }
    Ok(())
}
