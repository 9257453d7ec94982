//! Wires the parts of the engine together and runs them.
