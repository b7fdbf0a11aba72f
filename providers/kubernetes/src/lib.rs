//! The Kubernetes API client: discovery, list, server-side apply, watch, readiness.
