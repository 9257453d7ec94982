//! What must hold for any text that a client of the registry may send: it is read or refused, and what was read makes sense.
//!
//! The files are those of the registry, whose other parts (a database, a network) are not needed for them.

use sampan_oci::Digest;

#[path = "../crates/sampan-registry/src/wire/chart_path.rs"]
mod chart_path;
#[path = "../crates/sampan-registry/src/wire/document.rs"]
mod document;
#[path = "../crates/sampan-registry/src/wire/name.rs"]
mod name;
#[path = "../crates/sampan-registry/src/wire/path.rs"]
mod path;
#[path = "../crates/sampan-registry/src/wire/query.rs"]
mod query;
#[path = "../crates/sampan-registry/src/wire/range.rs"]
mod range;

/// Reads a path, and a query behind it.
///
/// # Panics
/// When a repository's name is outside of the grammar.
pub fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (path, text) = text.split_once('?').unwrap_or((text, ""));
    if let Ok(route) = path::Route::parse(path)
        && let Some(name) = route.repository()
    {
        assert!(!name.as_str().split('/').any(|part| part.is_empty() || part == ".."));
        assert!(path.contains(name.as_str()), "{name} is not in {path}");
    }
    let query = query::Query::parse(text);
    for tag in query.all("tag") {
        assert_eq!(query::decode(&query::encode(tag)), tag);
        if let Ok(name) = tag.parse::<name::ManifestName>() {
            assert_eq!(name.to_string(), tag);
        }
    }
}

/// Reads ranges of both kinds; the first eight bytes are the size of the blob.
///
/// # Panics
/// When a part lies outside of the blob, or is empty.
pub fn ranges(bytes: &[u8]) {
    let Some((size, header)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let size_bytes = u64::from_le_bytes(*size);
    if let range::Wanted::Part(part) = range::wanted(header, size_bytes) {
        assert!(part.start < part.end && part.end <= size_bytes);
    }
    if let Some(chunk) = range::ChunkRange::parse(header) {
        assert_eq!(chunk.first + chunk.length(), chunk.last + 1);
    }
}

/// Reads a manifest.
///
/// # Panics
/// When something that it leads to is named twice.
pub fn manifest(bytes: &[u8]) {
    let Ok(document) = document::Document::parse(bytes, None) else {
        return;
    };
    let mut digests: Vec<Digest> = document.children.iter().map(|child| child.digest).collect();
    let all = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), all);
    assert!(document.annotations.is_empty() || document.subject.is_some());
}
