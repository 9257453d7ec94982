//! Constraints on versions.

use crate::version::Version;
use crate::version::constraint::Constraint;

/// Whether a version fits a constraint such as `>=1.20-0` or `~2`. What is none of both fits nothing.
#[must_use]
pub fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Constraint::parse(constraint), Version::parse(version)) {
        (Ok(constraint), Ok(version)) => constraint.allows(&version),
        _ => false,
    }
}
