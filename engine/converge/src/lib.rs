//! Reads clusters, predicts, and applies plans: the only crate that writes to clusters.
