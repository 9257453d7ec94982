//! What must hold for any of the small templates that plugins are given: it is rendered or refused, the same way twice.
//!
//! The file is that of `sampan-pipeline`, which keeps it to itself.

#[path = "../crates/sampan-pipeline/src/built_in/go_template.rs"]
mod go_template;

/// Renders a template.
///
/// # Panics
/// When two renderings differ.
pub(crate) fn template(text: &str) {
    let field = |way: &str| match way {
        "A" => Some("a b".to_owned()),
        "B.C" => Some(String::new()),
        _ => None,
    };
    let function = |name: &str, values: &[String]| match name {
        "arch" => Some(Ok("amd64".to_owned())),
        "checksum" => Some(
            values
                .first()
                .cloned()
                .ok_or_else(|| "needs a file".to_owned()),
        ),
        _ => None,
    };
    let first = go_template::render(text, &field, &function);
    assert_eq!(first, go_template::render(text, &field, &function));
}
