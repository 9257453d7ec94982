//! References within a document.

use super::super::json::Json;
use super::super::node::Id;
use super::Compiler;
use crate::compatibility::Compatibility;

impl Compiler<'_> {
    /// The node that a reference leads to; only what is in the document itself can be reached.
    pub(super) fn reference(&mut self, reference: &str) -> Result<Id, String> {
        let document = self.document;
        let inside = reference
            .strip_prefix("file:///values.schema.json")
            .unwrap_or(reference);
        let id = document.get("$id").or_else(|| document.get("id"));
        let inside = match id {
            Some(Json::Text(id)) => inside
                .strip_prefix(id.trim_end_matches('#'))
                .unwrap_or(inside),
            _ => inside,
        };
        if inside.is_empty() || inside == "#" {
            return self.node(document, "");
        }
        let fragment = inside.strip_prefix('#').map(decoded);
        let Some(fragment) = fragment else {
            return Err(format!(
                "schema refers to {reference}, which is not part of the chart"
            ));
        };
        if fragment.starts_with('/') {
            let Some(found) = document.at(&fragment) else {
                return Err(match self.compatibility {
                    Compatibility::Helm3 => {
                        let key = fragment.rsplit('/').next().unwrap_or_default();
                        format!("Object has no key '{key}'")
                    }
                    Compatibility::Helm4 => {
                        format!(
                            "json-pointer in \"file:///values.schema.json#{fragment}\" not found"
                        )
                    }
                });
            };
            return self.node(found, &fragment);
        }
        match anchored(document, &fragment, "") {
            Some((found, pointer)) => self.node(found, &pointer),
            None => Err(format!(
                "anchor in \"file:///values.schema.json#{fragment}\" not found"
            )),
        }
    }
}

/// A pointer to something below another one.
pub(super) fn below(pointer: &str, parts: &[&str]) -> String {
    let parts = parts
        .iter()
        .map(|part| part.replace('~', "~0").replace('/', "~1"));
    parts.fold(pointer.to_owned(), |pointer, part| {
        format!("{pointer}/{part}")
    })
}

/// A fragment of an address without its percent signs.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = fragment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten();
        let hex = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The schema with an anchor, and its pointer.
fn anchored<'d>(json: &'d Json, anchor: &str, pointer: &str) -> Option<(&'d Json, String)> {
    match json {
        Json::Object(entries) => {
            let named = |key: &str, prefix: &str| matches!(json.get(key), Some(Json::Text(text)) if text.strip_prefix(prefix) == Some(anchor));
            if named("$anchor", "")
                || named("$dynamicAnchor", "")
                || named("$id", "#")
                || named("id", "#")
            {
                return Some((json, pointer.to_owned()));
            }
            entries
                .iter()
                .find_map(|(key, value)| anchored(value, anchor, &below(pointer, &[key])))
        }
        Json::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| {
                anchored(item, anchor, &below(pointer, &[&index.to_string()]))
            })
        }
        _ => None,
    }
}
