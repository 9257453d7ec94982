//! The entries of `managedFields` and their form in JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::patch::fields::FieldSet;

/// What an owner did to own its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::patch) enum Operation {
    /// Server-side apply.
    Apply,
    /// Anything else.
    Update,
}

/// What tells one entry from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::patch) struct ManagerId {
    pub(in crate::patch) manager: String,
    pub(in crate::patch) operation: Operation,
    /// Only of updates: an applier has one entry whatever the version.
    pub(in crate::patch) api_version: Option<String>,
    pub(in crate::patch) subresource: String,
}

/// What an entry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::patch) struct Owned {
    pub(in crate::patch) fields: FieldSet,
    pub(in crate::patch) api_version: String,
    pub(in crate::patch) time: Option<String>,
}

/// All entries of an object.
#[derive(Debug, Clone, Default)]
pub(in crate::patch) struct Managed {
    pub(in crate::patch) entries: BTreeMap<ManagerId, Owned>,
}

/// The manager that the oldest updaters are put together under.
const ANCIENT: &str = "ancient-changes";

impl ManagerId {
    /// The entry of an applier.
    pub(in crate::patch) fn applier(manager: &str, subresource: Option<&str>) -> Self {
        Self {
            manager: manager.to_owned(),
            operation: Operation::Apply,
            api_version: None,
            subresource: subresource.unwrap_or_default().to_owned(),
        }
    }

    /// The owner as conflicts name it.
    pub(in crate::patch) fn describe(&self, owned: &Owned) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text = format!("{text} with subresource {:?}", self.subresource);
        }
        if self.operation == Operation::Update {
            text = format!("{text} using {}", owned.api_version);
        }
        text
    }
}

impl Owned {
    pub(in crate::patch) fn new(api_version: String) -> Self {
        Self {
            fields: FieldSet::default(),
            api_version,
            time: None,
        }
    }
}

impl Managed {
    /// Reads the entries of an object; an entry that cannot be read makes all count as absent, as
    /// a client's mistake must not block the object.
    pub(in crate::patch) fn read(object: &Value) -> Self {
        let entries = object
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array);
        let entries: Option<BTreeMap<ManagerId, Owned>> =
            entries.into_iter().flatten().map(read_entry).collect();
        Self {
            entries: entries.unwrap_or_default(),
        }
    }

    /// Writes the entries into an object, appliers first, then by time.
    pub(in crate::patch) fn write(&self, object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        let mut entries: Vec<(&ManagerId, &Owned)> = self.entries.iter().collect();
        entries.sort_by_key(|(id, owned)| {
            (
                id.operation,
                &owned.time,
                &id.manager,
                &owned.api_version,
                &id.subresource,
            )
        });
        if entries.is_empty() {
            metadata.remove("managedFields");
        } else {
            let entries = entries
                .into_iter()
                .map(|(id, owned)| write_entry(id, owned))
                .collect();
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }

    /// Puts the oldest updaters together until no more than `most` are left.
    pub(super) fn cap_updaters(&mut self, most: usize) {
        let mut updaters: Vec<(Option<String>, ManagerId)> = self
            .entries
            .iter()
            .filter(|(id, _)| id.operation == Operation::Update)
            .map(|(id, owned)| (owned.time.clone(), id.clone()))
            .collect();
        if updaters.len() <= most {
            return;
        }
        updaters.sort();
        // One more than the surplus, as the bucket itself counts.
        let surplus = updaters.len() - most + 1;
        for (time, id) in updaters.into_iter().take(surplus) {
            let Some(old) = self.entries.remove(&id) else {
                continue;
            };
            let bucket = ManagerId {
                manager: ANCIENT.to_owned(),
                subresource: String::new(),
                ..id
            };
            let owned = self
                .entries
                .entry(bucket)
                .or_insert_with(|| Owned::new(old.api_version.clone()));
            owned.fields = owned.fields.union(&old.fields);
            owned.time = time;
        }
    }
}

/// Removes the entries of an object.
pub(in crate::patch) fn clear(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
}

fn read_entry(entry: &Value) -> Option<(ManagerId, Owned)> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let api_version = text("apiVersion").filter(|version| !version.is_empty())?;
    let operation = match text("operation")?.as_str() {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return None,
    };
    if text("fieldsType").as_deref() != Some("FieldsV1") {
        return None;
    }
    let id = ManagerId {
        manager: text("manager").unwrap_or_default(),
        operation,
        api_version: (operation == Operation::Update).then(|| api_version.clone()),
        subresource: text("subresource").unwrap_or_default(),
    };
    let fields = FieldSet::from_json(entry.get("fieldsV1").unwrap_or(&Value::Null));
    Some((
        id,
        Owned {
            fields,
            api_version,
            time: text("time"),
        },
    ))
}

fn write_entry(id: &ManagerId, owned: &Owned) -> Value {
    let mut entry = json!({
        "manager": id.manager,
        "operation": match id.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        },
        "apiVersion": owned.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields.to_json(),
    });
    if let Some(time) = &owned.time {
        entry["time"] = Value::from(time.as_str());
    }
    if !id.subresource.is_empty() {
        entry["subresource"] = Value::from(id.subresource.as_str());
    }
    entry
}
