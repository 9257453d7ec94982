//! Choosing one of the tags of a repository, or of the versions of a list.

use super::Error;
use crate::version::Version;
use crate::version::constraint::Constraint;

/// How many versions are shown when none fits.
const SHOWN: usize = 5;

/// The versions that tags stand for, newest first. Tags have no `+`, so Helm writes `_` for it.
pub(super) fn versions(tags: &[String]) -> Vec<Version> {
    let mut versions: Vec<Version> = tags
        .iter()
        .filter_map(|tag| Version::parse(&tag.replace('_', "+")).ok())
        // Helm takes whole versions only: `1.2` is another tag that somebody moves.
        .filter(|version| version.original == version.to_string())
        .collect();
    versions.sort_by(|one, other| other.compare(one));
    versions
}

/// The tag of a version.
pub(super) fn of_version(version: &str) -> String {
    version.replace('+', "_")
}

/// Reads a constraint; without a text, any release fits.
pub(super) fn constraint(text: &str) -> Result<Constraint, Error> {
    let wanted = if text.is_empty() { "*" } else { text };
    Constraint::parse(wanted).map_err(|problem| Error::Constraint {
        text: text.to_owned(),
        problem: problem.to_string(),
    })
}

/// The first version, of those newest first, that is the wanted one or fits the constraint.
pub(super) fn choose<'a>(
    versions: &'a [Version],
    wanted: &str,
) -> Result<Option<&'a Version>, Error> {
    let exact = |version: &&Version| !wanted.is_empty() && version.original == wanted;
    if let Some(version) = versions.iter().find(exact) {
        return Ok(Some(version));
    }
    let constraint = constraint(wanted)?;
    Ok(versions.iter().find(|version| constraint.allows(version)))
}

/// The newest versions, for a hint.
pub(super) fn newest(versions: &[Version]) -> Vec<String> {
    let newest = versions.iter().take(SHOWN);
    newest.map(|version| version.original.clone()).collect()
}
