//! The chart that a new chart begins as: a service that runs with as few rights as possible, is probed, and has limits.

use sampan_model::Hint;

/// The longest name of a chart, as Helm has it.
const MAX_LENGTH: usize = 250;

/// What stands for the name in the files.
const NAME: &str = "APP_NAME";

const FILES: [(&str, &str); 11] = [
    ("Chart.yaml", include_str!("starter/Chart.yaml")),
    (".helmignore", include_str!("starter/helmignore")),
    ("values.yaml", include_str!("starter/values.yaml")),
    (
        "values.schema.json",
        include_str!("starter/values.schema.json"),
    ),
    (
        "templates/_parts.tpl",
        include_str!("starter/templates/_parts.tpl"),
    ),
    (
        "templates/deployment.yaml",
        include_str!("starter/templates/deployment.yaml"),
    ),
    (
        "templates/service.yaml",
        include_str!("starter/templates/service.yaml"),
    ),
    (
        "templates/serviceaccount.yaml",
        include_str!("starter/templates/serviceaccount.yaml"),
    ),
    (
        "templates/ingress.yaml",
        include_str!("starter/templates/ingress.yaml"),
    ),
    (
        "templates/NOTES.txt",
        include_str!("starter/templates/NOTES.txt"),
    ),
    (
        "templates/tests/reachable.yaml",
        include_str!("starter/templates/tests/reachable.yaml"),
    ),
];

/// A name that a chart cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be the name of a chart")]
pub struct NameError(String);

impl Hint for NameError {
    fn hint(&self) -> Option<String> {
        Some("use letters, digits, `-`, `.` and `_`, such as `web`".to_owned())
    }
}

/// The files of a new chart with this name, by their paths in it.
///
/// # Errors
/// When a chart cannot have the name.
pub fn files(name: &str) -> Result<Vec<(&'static str, String)>, NameError> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_name = !name.is_empty()
        && name.len() <= MAX_LENGTH
        && name.bytes().all(is_good)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !is_name {
        return Err(NameError(name.to_owned()));
    }
    let files = FILES
        .iter()
        .map(|(path, text)| (*path, text.replace(NAME, name)));
    Ok(files.collect())
}
