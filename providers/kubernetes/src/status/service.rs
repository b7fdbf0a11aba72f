//! Services.

use engine_core::status::Status;

use super::view::View;

/// Returns Current at once, but for load balancers only when they have an address.
///
/// kstatus is content with a cluster address; what depends on the service from outside is not.
///
/// # Source
/// <https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer>
pub(super) fn status(view: &View<'_>) -> Status {
    if view.text(&["spec", "type"]) != Some("LoadBalancer") {
        return Status::Current;
    }
    if view.text(&["spec", "clusterIP"]).unwrap_or_default().is_empty() {
        return Status::InProgress(String::from("no cluster address yet"));
    }
    if view.list(&["status", "loadBalancer", "ingress"]).is_empty() {
        return Status::InProgress(String::from("no address of the load balancer yet"));
    }
    Status::Current
}
