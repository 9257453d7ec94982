//! The change that brings a live object to what a chart says: a three-way merge.
//!
//! What the manifest before said and the new one does not is removed; what the new one says differently from the live
//! object is set; what others have put into the live object, and no manifest mentions, stays. The change is written as a
//! strategic merge patch for the kinds of Kubernetes, whose lists are merged by keys, and as a JSON merge patch for all
//! others. Those are compared with the manifest before only, as Helm 3 does: what an operator has changed in a custom
//! resource stays until the chart says something new.

use serde_json::{Map, Value as Json, json};

use super::target::{ObjectId, Patch};
use crate::render::is_known_to_helm;

mod lists;
mod rules;
#[cfg(test)]
mod tests;

use lists::merge_list;
use rules::{Rule, rule};

/// What says in a strategic merge patch that only some keys stay.
const RETAIN_KEYS: &str = "$retainKeys";

/// The change that brings an object from how it is to what it shall be; none when there is nothing to change.
pub(super) fn three_way(id: &ObjectId, before: &Json, wanted: &Json, live: &Json) -> Option<Patch> {
    let is_strategic = is_known_to_helm(id.group());
    let merge = Merge {
        kind: &id.kind,
        is_strategic,
    };
    let live = if is_strategic { live } else { before };
    let patch = merge.objects(before, wanted, live, &Path::root())?;
    Some(if is_strategic {
        Patch::Strategic(patch)
    } else {
        Patch::Merge(patch)
    })
}

/// The names of the fields on the way to a value; items of lists add nothing.
pub(super) struct Path<'a> {
    field: &'a str,
    parent: Option<&'a Self>,
}

impl<'a> Path<'a> {
    fn root() -> Self {
        Path {
            field: "",
            parent: None,
        }
    }

    fn field(&'a self, field: &'a str) -> Self {
        Path {
            field,
            parent: Some(self),
        }
    }

    /// The last field, and those before it, the nearest first.
    fn names(&self) -> (&'a str, &'a str) {
        let parent = self.parent.map_or("", |parent| parent.field);
        (self.field, parent)
    }

    fn depth(&self) -> usize {
        self.parent.map_or(0, |parent| parent.depth() + 1)
    }
}

struct Merge<'a> {
    kind: &'a str,
    is_strategic: bool,
}

impl Merge<'_> {
    fn rule(&self, at: &Path<'_>) -> Rule {
        if self.is_strategic {
            rule(self.kind, at)
        } else {
            Rule::Plain
        }
    }

    /// The change of an object; none when there is nothing to change.
    fn objects(&self, before: &Json, wanted: &Json, live: &Json, at: &Path<'_>) -> Option<Json> {
        let (Json::Object(wanted), Json::Object(live)) = (wanted, live) else {
            return (wanted != live).then(|| wanted.clone());
        };
        let nothing = Map::new();
        let before = before.as_object().unwrap_or(&nothing);
        let mut patch = Map::new();
        for (key, value) in wanted {
            let at = at.field(key);
            let change = match live.get(key) {
                None if value.is_null() => None,
                None => Some(value.clone()),
                Some(there) => {
                    let before = before.get(key).unwrap_or(&Json::Null);
                    self.values(before, value, there, &at, &mut patch)
                }
            };
            if let Some(change) = change {
                patch.insert(key.clone(), change);
            }
        }
        let removed = before.keys().filter(|key| !wanted.contains_key(*key));
        for key in removed.filter(|key| live.contains_key(*key)) {
            patch.insert(key.clone(), Json::Null);
        }
        if patch.is_empty() {
            return None;
        }
        if matches!(self.rule(at), Rule::RetainKeys) {
            patch.insert(RETAIN_KEYS.to_owned(), wanted.keys().cloned().collect());
        }
        Some(Json::Object(patch))
    }

    /// The change of a field that is there. What a list needs beside its own patch goes into that of the object.
    fn values(
        &self,
        before: &Json,
        wanted: &Json,
        live: &Json,
        at: &Path<'_>,
        beside: &mut Map<String, Json>,
    ) -> Option<Json> {
        match (wanted, live, self.rule(at)) {
            (Json::Object(_), Json::Object(_), Rule::Replace) => {
                let mut whole = wanted.clone();
                whole["$patch"] = json!("replace");
                (wanted != live).then_some(whole)
            }
            (Json::Object(_), Json::Object(_), _) => self.objects(before, wanted, live, at),
            (
                Json::Array(items),
                Json::Array(there),
                rule @ (Rule::ByKey(_) | Rule::ByKeyRetaining(_) | Rule::Set),
            ) => {
                let before = before.as_array().map_or(&[][..], Vec::as_slice);
                merge_list(self, [before, items, there], rule, at, beside)
            }
            _ => (!is_equal(wanted, live)).then(|| wanted.clone()),
        }
    }
}

/// Whether both are the same for a cluster: numbers by their value, whatever form they have.
fn is_equal(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_equal(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_equal(value, other)))
        }
        _ => one == other,
    }
}
