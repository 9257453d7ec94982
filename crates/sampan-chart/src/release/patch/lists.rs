//! Lists of a strategic merge patch.

use serde_json::{Map, Value as Json, json};

use super::rules::Rule;
use super::{Merge, Path, RETAIN_KEYS, is_equal};

/// The change of a list whose items are merged; none when there is nothing to change. `lists` are the items of the manifest
/// before, of the new one, and of the live object.
pub(super) fn merge_list(
    merge: &Merge<'_>,
    lists: [&[Json]; 3],
    rule: Rule,
    at: &Path<'_>,
    beside: &mut Map<String, Json>,
) -> Option<Json> {
    let (key, retains) = match rule {
        Rule::ByKey(key) => (key, false),
        Rule::ByKeyRetaining(key) => (key, true),
        _ => return merge_set(lists, at, beside),
    };
    let [before, wanted, live] = lists;
    if !(are_named(before, key) && are_named(wanted, key) && are_named(live, key)) {
        // No key tells the items apart, so the list is taken as a whole.
        let whole = std::iter::once(json!({"$patch": "replace"})).chain(wanted.iter().cloned());
        let is_same = wanted.len() == live.len()
            && wanted
                .iter()
                .zip(live)
                .all(|(one, other)| is_equal(one, other));
        return (!is_same).then(|| whole.collect());
    }
    let find = |items: &'_ [Json], name: &Json| items.iter().position(|item| item[key] == *name);
    let mut patch = Vec::new();
    for item in wanted {
        let name = &item[key];
        let Some(there) = find(live, name) else {
            patch.push(item.clone());
            continue;
        };
        let old = find(before, name).map_or(&Json::Null, |place| &before[place]);
        if let Some(mut change) = merge.objects(old, item, &live[there], at) {
            change[key] = name.clone();
            if let (true, Some(fields)) = (retains, item.as_object()) {
                change[RETAIN_KEYS] = fields.keys().cloned().collect();
            }
            patch.push(change);
        }
    }
    for item in before {
        let name = &item[key];
        if find(wanted, name).is_none() && find(live, name).is_some() {
            let mut gone = json!({"$patch": "delete"});
            gone[key] = name.clone();
            patch.push(gone);
        }
    }
    let places: Vec<_> = wanted
        .iter()
        .filter_map(|item| find(live, &item[key]))
        .collect();
    if patch.is_empty() && places.is_sorted() {
        return None;
    }
    let order = wanted.iter().map(|item| {
        let mut name = Map::new();
        name.insert(key.to_owned(), item[key].clone());
        Json::Object(name)
    });
    beside.insert(format!("$setElementOrder/{}", at.field), order.collect());
    Some(Json::Array(patch))
}

/// Whether all items have a key, each another one.
fn are_named(items: &[Json], key: &str) -> bool {
    let is_named = |(place, item): (usize, &Json)| {
        let name = item.get(key);
        name.is_some() && items[..place].iter().all(|other| other.get(key) != name)
    };
    items.iter().enumerate().all(is_named)
}

/// The change of a list of texts that is a set.
fn merge_set(lists: [&[Json]; 3], at: &Path<'_>, beside: &mut Map<String, Json>) -> Option<Json> {
    let [before, wanted, live] = lists;
    let gone: Vec<_> = before
        .iter()
        .filter(|item| !wanted.contains(item) && live.contains(item))
        .cloned()
        .collect();
    let added: Vec<_> = wanted
        .iter()
        .filter(|item| !live.contains(item))
        .cloned()
        .collect();
    if gone.is_empty() && added.is_empty() {
        return None;
    }
    if !gone.is_empty() {
        beside.insert(
            format!("$deleteFromPrimitiveList/{}", at.field),
            Json::Array(gone),
        );
    }
    beside.insert(
        format!("$setElementOrder/{}", at.field),
        wanted.iter().cloned().collect(),
    );
    Some(Json::Array(added))
}
