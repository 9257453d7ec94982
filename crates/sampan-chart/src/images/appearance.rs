//! What looks like the name of an image.

use sampan_oci::Reference;
use sampan_oci::reference::says_tag;

/// Texts that are longer name no image.
const LONGEST: usize = 500;

/// The image that a text may name, given what the text is called.
///
/// A digest makes it one; so does a tag behind a registry's host. What is called an image needs less.
pub(super) fn image(name: &str, text: &str) -> Option<Reference> {
    if text.len() > LONGEST || text.contains("://") || text.contains(char::is_whitespace) {
        return None;
    }
    let reference: Reference = text.parse().ok()?;
    let has_host = text.split_once('/').is_some_and(|(first, _)| {
        first == "localhost"
            || first.contains(':')
            || (first.contains('.') && !first.starts_with('.'))
    });
    let is_image = if is_called_image(name) {
        says_tag(text) || text.contains('/') || reference.digest().is_some()
    } else {
        reference.digest().is_some() || (has_host && says_tag(text))
    };
    is_image.then_some(reference)
}

/// Parts of names that speak of something about an image.
const ABOUT_IMAGES: &[&str] = &[
    "pull", "policy", "secret", "registry", "tag", "prefix", "size", "path", "dir", "url",
    "format", "repo", "name_", "quality",
];

/// Whether a name says that it holds an image.
pub(super) fn is_called_image(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("image") && !ABOUT_IMAGES.iter().any(|part| name.contains(part))
}

/// The images that a text of many lines names: what stands behind `image:` or `image=`.
pub(super) fn within(text: &str) -> Vec<(&str, Reference)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once([':', '=']) else {
            continue;
        };
        let name = name
            .trim()
            .trim_start_matches("- ")
            .trim_matches(['"', '\'']);
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        if is_called_image(name)
            && let Some(reference) = image(name, value)
        {
            found.push((value, reference));
        }
    }
    found
}
