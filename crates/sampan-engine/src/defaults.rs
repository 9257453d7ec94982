//! Fills in what a manifest leaves out, as Kubernetes does.
