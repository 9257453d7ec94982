//! The log of a container: what its first process said, in the CRI's format.
