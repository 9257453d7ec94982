//! What must hold for any template: it is carried out or refused, within its bounds, and the same way twice; and what
//! it is printed as in errors parses again.
//!
//! The fuzzer calls this function, and so do the tests of `sampan-chart`.

use std::rc::Rc;

use sampan_chart::compatibility::Compatibility;
use sampan_chart::template::{Error, Executor, Settings, Templates};
use sampan_chart::value::Value;

/// Takes bytes for a template, and carries it out on a few values.
///
/// # Panics
/// When two runs differ.
pub(crate) fn template(text: &[u8]) {
    let first = run(text);
    assert_eq!(first, run(text));
    if let Err(error) = first {
        for compatibility in [Compatibility::Helm3, Compatibility::Helm4] {
            assert!(!error.report("t", compatibility).is_empty());
        }
    }
}

fn run(text: &[u8]) -> Result<Vec<u8>, Error> {
    let settings = Settings::default();
    let mut templates = Templates::new();
    templates.add("a", "{{define \"a\"}}<{{.}}>{{end}}")?;
    templates.add("t", text)?;
    let data = Value::dict([
        (
            "a",
            Value::list([Value::int(1), Value::Nil, Value::Float(0.5)]),
        ),
        ("b", Value::dict([("c", Value::text("{{ .a }}"))])),
    ]);
    Executor::new(Rc::new(templates), &settings).execute(b"t", data)
}
