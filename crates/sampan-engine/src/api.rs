//! The HTTP face of the engine: it parses requests, calls [`crate::objects`], and renders answers.
