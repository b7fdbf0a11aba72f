//! Renders Kustomize overlays: source tree in, manifests out.
