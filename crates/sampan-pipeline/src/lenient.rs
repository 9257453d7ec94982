//! Reading as the originals do, which pass over much that is not quite right.
//!
//! Drone reads YAML with a library that takes the last of two equal keys, and does not look at keys that it does not have.
//! Files that run there run here too, with a note; only keys that are nearly those of the dialect are taken for slips.

use std::collections::BTreeMap;

use sampan_model::yaml::{self, Content, Key, Location, Node};

use crate::PipelineError;
use crate::graph::Reason;

/// How often a document is read again without what is not known in it; one mapping tells all of its unknown keys at once.
const LIMIT_PASSES: usize = 16;

/// The documents of a file. Of a key that is given twice the last counts, except below the keys `ordered` of a document:
/// their mappings are lists with names, in which all entries count.
pub(crate) fn documents(
    file: &str,
    text: &str,
    ordered: &[&str],
    notes: &mut Vec<Reason>,
) -> Result<Vec<Node>, PipelineError> {
    let mut documents = yaml::documents_with_repeated_keys(file, text)?;
    for document in &mut documents {
        settle(document, ordered, notes);
    }
    Ok(documents)
}

/// Takes out entries that later ones replace. Nodes nest no deeper than the reader of YAML allows.
fn settle(node: &mut Node, ordered: &[&str], notes: &mut Vec<Reason>) {
    let entries = match &mut node.content {
        Content::Mapping(entries) => entries,
        Content::Sequence(items) => {
            for item in items {
                settle(item, &[], notes);
            }
            return;
        }
        _ => return,
    };
    keep_last(entries, notes);
    for (key, value) in entries {
        if ordered.contains(&key.name.as_str())
            && let Content::Mapping(entries) = &mut value.content
        {
            for (_, value) in entries {
                settle(value, &[], notes);
            }
        } else {
            settle(value, &[], notes);
        }
    }
}

fn keep_last(entries: &mut Vec<(Key, Node)>, notes: &mut Vec<Reason>) {
    let mut last = BTreeMap::new();
    for (index, (key, _)) in entries.iter().enumerate() {
        last.insert(key.name.clone(), index);
    }
    if last.len() == entries.len() {
        return;
    }
    let mut index = 0;
    entries.retain(|(key, _)| {
        let is_last = last.get(&key.name) == Some(&index);
        index += 1;
        if !is_last {
            notes.push(Reason {
                location: Some(key.location.clone()),
                text: format!(
                    "the key `{}` is given again below, and only that counts",
                    key.name
                ),
            });
        }
        is_last
    });
}

/// Reads a node, and again without the keys that the dialect does not have, as long as that makes a difference.
pub(crate) fn read<T>(
    node: &Node,
    notes: &mut Vec<Reason>,
    mut reader: impl FnMut(&Node, &mut Vec<Reason>) -> Result<T, PipelineError>,
) -> Result<T, PipelineError> {
    let mut changed: Option<Node> = None;
    let mut left_out = Vec::new();
    for _ in 0..LIMIT_PASSES {
        let mut found = Vec::new();
        let error = match reader(changed.as_ref().unwrap_or(node), &mut found) {
            Ok(value) => {
                notes.append(&mut left_out);
                notes.append(&mut found);
                return Ok(value);
            }
            Err(error) => error,
        };
        let mut unknown = unknown(&error);
        let tree = changed.get_or_insert_with(|| node.clone());
        count(tree, &mut unknown);
        // What an alias brings to several places is known in one of them, perhaps.
        unknown.retain(|_, one| one.places == 1);
        if unknown.is_empty() {
            return Err(error);
        }
        remove(tree, &unknown);
        left_out.extend(unknown.into_iter().map(|(location, one)| Reason {
            location: Some(location),
            text: one.text,
        }));
    }
    reader(changed.as_ref().unwrap_or(node), notes)
}

/// A key that the dialect does not have.
struct Unknown {
    text: String,
    /// In how many mappings of the document it stands.
    places: usize,
}

fn unknown(error: &PipelineError) -> BTreeMap<Location, Unknown> {
    let problems = error.problems().into_iter();
    let unknown = problems.filter_map(|problem| match problem {
        PipelineError::UnknownKey {
            location,
            within,
            key,
            nearest: None,
        } => Some((
            location.clone(),
            Unknown {
                text: format!("{within} has no key `{key}`; it has no effect"),
                places: 0,
            },
        )),
        _ => None,
    });
    unknown.collect()
}

fn count(node: &Node, unknown: &mut BTreeMap<Location, Unknown>) {
    for item in node.items() {
        count(item, unknown);
    }
    for (key, value) in node.entries() {
        if let Some(one) = unknown.get_mut(&key.location) {
            one.places += 1;
        }
        count(value, unknown);
    }
}

fn remove(node: &mut Node, unknown: &BTreeMap<Location, Unknown>) {
    match &mut node.content {
        Content::Sequence(items) => {
            for item in items {
                remove(item, unknown);
            }
        }
        Content::Mapping(entries) => {
            entries.retain(|(key, _)| !unknown.contains_key(&key.location));
            for (_, value) in entries {
                remove(value, unknown);
            }
        }
        _ => {}
    }
}
