//! An embedded Kubernetes API server: the default cluster of the quick start and of fast tests.
