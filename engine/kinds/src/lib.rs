//! Kubernetes value types and facts on built-in kinds.
