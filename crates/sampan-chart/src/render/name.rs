//! Names of releases.

use std::rc::Rc;

use sampan_model::Hint;

use super::{NoStack, on_large_stack};
use crate::compatibility::Compatibility;
use crate::template::{Executor, Settings, Templates};
use crate::value::Value;
use crate::value::quote::quote;

/// The longest name, in bytes: resources put something behind it and may have 63.
const MAX_LENGTH: usize = 53;

/// What a name must be, as Helm prints it.
const PATTERN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Why a release cannot be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There are two ways to name it.
    #[error("cannot set --name-template and also specify a name")]
    Both,
    /// There is no room for it.
    #[error(transparent)]
    Stack(#[from] NoStack),
    /// The template of the name fails.
    #[error("{0}")]
    Template(String),
    /// There is none, or no good one.
    #[error("{}release name {}: {problem}", if *.helm4 { "release name check failed: " } else { "" }, quote(.name.as_bytes()))]
    Invalid {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: String,
        /// Whether Helm 4 says it.
        helm4: bool,
    },
}

impl Hint for NameError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Both => Some("leave out one of them".to_owned()),
            Self::Template(_) => None,
            Self::Stack(error) => error.hint(),
            Self::Invalid { .. } => {
                Some("use small letters, digits and `-`, such as `shop-test`".to_owned())
            }
        }
    }
}

/// The name of a release, given or made by a template; `release-name` when there is neither.
///
/// # Errors
/// When there are two, or the template fails.
pub fn release_name(given: Option<&str>, template: Option<&str>) -> Result<String, NameError> {
    match (given, template) {
        (Some(_), Some(_)) => Err(NameError::Both),
        (Some(name), None) => Ok(name.to_owned()),
        (None, None) => Ok("release-name".to_owned()),
        (None, Some(template)) => on_large_stack(|| {
            let name = "name-template";
            let failed = |error: crate::template::Error| NameError::Template(error.to_string());
            let mut templates = Templates::new();
            templates.add(name, template).map_err(failed)?;
            let settings = Settings::default();
            let printed =
                Executor::new(Rc::new(templates), &settings).execute(name.as_bytes(), Value::Nil);
            Ok(String::from_utf8_lossy(&printed.map_err(failed)?).into_owned())
        })?,
    }
}

/// Refuses a name that Helm refuses.
///
/// # Errors
/// [`NameError::Invalid`]
pub fn check_release_name(name: &str, compatibility: Compatibility) -> Result<(), NameError> {
    let problem = if name.is_empty() {
        "no name provided".to_owned()
    } else if name.len() > MAX_LENGTH || !name.split('.').all(is_label) {
        let limit = format!("the length must not be longer than {MAX_LENGTH}");
        format!("invalid release name, must match regex {PATTERN} and {limit}")
    } else {
        return Ok(());
    };
    let helm4 = compatibility == Compatibility::Helm4;
    Err(NameError::Invalid {
        name: name.to_owned(),
        problem,
        helm4,
    })
}

fn is_label(label: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [label.bytes().next(), label.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(good))
        && label.bytes().all(|byte| good(byte) || byte == b'-')
}
