//! `metadata.managedFields`: who owns which field, and how requests change that.

mod entry;

use serde_json::Value;

use super::PatchError;
use super::fields::FieldSet;
use super::typed::{Comparison, compare};
use crate::schema::Struct;
use entry::Operation;
pub(super) use entry::{Managed, ManagerId, Owned, clear};

/// Who changes an object other than by server-side apply.
#[derive(Debug, Clone, Copy)]
pub struct Update<'a> {
    /// `fieldManager`, else the program's name from `User-Agent` up to the first `/`.
    pub manager: &'a str,
    /// The subresource written, for instance `status`.
    pub subresource: Option<&'a str>,
    /// Now, as RFC 3339 in whole seconds and UTC.
    pub time: &'a str,
}

/// How many managers of updates an object keeps before the oldest are put together.
const MOST_UPDATERS: usize = 10;

/// Writes into `after` who owns its fields, given what the object was `before` the create, update
/// or patch (`None` on create).
///
/// Ownership that the request itself carries is kept: clients rewrite it when they migrate from
/// client-side to server-side apply.
///
/// # Errors
/// When an item of a keyed list lacks its keys.
pub fn record_update(
    rules: &'static Struct,
    before: Option<&Value>,
    after: &mut Value,
    update: &Update<'_>,
) -> Result<(), PatchError> {
    let mut managed = starting_point(before, after, update.subresource);
    clear(after);
    if managed.entries.is_empty() && before.is_some() {
        return Ok(());
    }
    let empty = Value::Object(serde_json::Map::new());
    let compared = compare(before.unwrap_or(&empty), after, rules)?;
    let id = ManagerId {
        manager: if update.manager.is_empty() {
            "unknown"
        } else {
            update.manager
        }
        .to_owned(),
        operation: Operation::Update,
        api_version: Some(api_version(after)),
        subresource: update.subresource.unwrap_or_default().to_owned(),
    };
    managed.take_changes(
        &compared.outside(&reset_fields(update.subresource)),
        id,
        update.time,
    );
    managed.cap_updaters(MOST_UPDATERS);
    managed.write(after);
    Ok(())
}

/// The ownership to start from: that of the request if it has any, else that of the live object.
fn starting_point(before: Option<&Value>, after: &Value, subresource: Option<&str>) -> Managed {
    let of_live = || before.map(Managed::read).unwrap_or_default();
    if subresource.is_some() {
        return of_live();
    }
    match after
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        // An empty list, or one empty entry, resets the ownership.
        Some([]) => Managed::default(),
        Some([entry]) if entry.as_object().is_some_and(serde_json::Map::is_empty) => {
            Managed::default()
        }
        _ => {
            let managed = Managed::read(after);
            if managed.entries.is_empty() {
                of_live()
            } else {
                managed
            }
        }
    }
}

/// The `apiVersion` of an object.
pub(super) fn api_version(object: &Value) -> String {
    object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or("v1")
        .to_owned()
}

/// The fields that a request to this subresource cannot set.
pub(super) fn reset_fields(subresource: Option<&str>) -> FieldSet {
    match subresource {
        None => FieldSet::of_fields(&["status"]),
        Some("status") => FieldSet::of_fields(&["spec"]).with_child(
            "metadata",
            FieldSet::of_fields(&["labels", "ownerReferences"]),
        ),
        Some(_) => FieldSet::default(),
    }
}

/// Fields that nobody owns: what identifies the object and what the server sets.
fn unowned_fields() -> FieldSet {
    const METADATA: &[&str] = &[
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    FieldSet::of_fields(&["apiVersion", "kind", "metadata"])
        .with_child("metadata", FieldSet::of_fields(METADATA))
}

impl Managed {
    /// Gives the changed fields to `id` and takes them from all others.
    fn take_changes(&mut self, compared: &Comparison, id: ManagerId, time: &str) {
        let changed = compared.modified.union(&compared.added);
        for owned in self.entries.values_mut() {
            owned.fields = owned
                .fields
                .difference(&changed)
                .difference(&compared.removed);
        }
        self.entries.retain(|_, owned| !owned.fields.is_empty());
        let taken = changed.difference(&unowned_fields());
        if taken.is_empty() {
            return;
        }
        let api_version = id.api_version.clone().unwrap_or_default();
        let owned = self
            .entries
            .entry(id)
            .or_insert_with(|| Owned::new(api_version));
        owned.fields = owned.fields.union(&taken);
        owned.time = Some(time.to_owned());
    }

    /// The fields of other managers that a change touches.
    pub(super) fn touched(
        &self,
        compared: &Comparison,
        by: &ManagerId,
    ) -> Vec<(ManagerId, FieldSet)> {
        let changed = compared.modified.union(&compared.added);
        self.entries
            .iter()
            .filter(|(id, _)| *id != by)
            .map(|(id, owned)| (id.clone(), owned.fields.intersection(&changed)))
            .filter(|(_, fields)| !fields.is_empty())
            .collect()
    }

    /// Takes the fields that a change touches or removes from all managers but one.
    pub(super) fn yield_to(&mut self, compared: &Comparison, by: &ManagerId) {
        let changed = compared
            .modified
            .union(&compared.added)
            .union(&compared.removed);
        for (id, owned) in &mut self.entries {
            if id != by {
                owned.fields = owned.fields.difference(&changed);
            }
        }
        self.entries.retain(|_, owned| !owned.fields.is_empty());
    }

    /// Takes from a manager the fields that nobody owns; forgets it when it owns nothing else.
    pub(super) fn strip_unowned(&mut self, id: &ManagerId) {
        if let Some(owned) = self.entries.get_mut(id) {
            owned.fields = owned.fields.difference(&unowned_fields());
            if owned.fields.is_empty() {
                self.entries.remove(id);
            }
        }
    }
}
