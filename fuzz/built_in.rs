//! What must hold for any template of a message: it is rendered or refused, without panic, the same way twice, and never
//! becomes longer than it may.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-pipeline`.

use std::collections::BTreeMap;

use sampan_pipeline::built_in::template::{LIMIT_BYTES, Surroundings, Value, render};

/// Renders a template.
///
/// # Panics
/// When two renderings differ, or one is longer than allowed.
pub(crate) fn template(text: &str) {
    let context = Value::record([
        ("A", Value::text("<a>")),
        (
            "B",
            Value::record([("C", Value::Number(7)), ("D", Value::Bool(true))]),
        ),
        ("D", Value::List(vec![Value::text("x"), Value::Nothing])),
    ]);
    let surroundings = Surroundings {
        now: 1_500_000_000,
        environment: &BTreeMap::new(),
    };
    let first = render(text, &context, surroundings);
    assert_eq!(first, render(text, &context, surroundings));
    match first {
        Ok(text) => assert!(text.len() <= 2 * LIMIT_BYTES),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
