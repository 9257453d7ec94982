//! Runs the pods of this node.
