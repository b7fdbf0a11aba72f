//! Loads an environment definition written in HCL into a resource graph.
