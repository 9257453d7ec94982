//! Refuses objects that Kubernetes would refuse, with the same words.
