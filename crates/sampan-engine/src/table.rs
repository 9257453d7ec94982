//! Renders objects as the tables that `kubectl get` prints.
