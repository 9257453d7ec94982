//! Server-side apply: the applied object lists what its manager wants; fields that it listed
//! before and lists no more are removed unless somebody else owns them.

use serde_json::{Map, Value};

use super::conflict::Conflict;
use super::fields::FieldSet;
use super::managed::{Managed, ManagerId, Owned, Update};
use super::typed::{self, Comparison, compare};
use super::{PatchError, PatchOptions, managed};
use crate::defaults::drop_nulls;
use crate::schema::{Shape, Struct};

/// The annotation in which client-side apply keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The manager of kubectl's server-side apply, which takes over from its client-side apply.
const KUBECTL: &str = "kubectl";
/// The owner of what an object had before anybody's ownership was recorded.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Applies `config` to the live object, or creates the object.
///
/// # Errors
/// When the object is not of the live object's kind or version, is malformed, or changes fields
/// of other managers and `force` is not set.
pub(super) fn apply(
    rules: &'static Struct,
    live: Option<&Value>,
    config: &Value,
    options: &PatchOptions<'_>,
) -> Result<Value, PatchError> {
    check(live, config, options)?;
    let mut bare = live.cloned().unwrap_or_else(|| skeleton(config));
    let mut before = Managed::read(&bare);
    managed::clear(&mut bare);
    if before.entries.is_empty() && live.is_some() {
        before = adopted(rules, &bare, options)?;
    }
    let request = Request {
        rules,
        live: &bare,
        config,
        options,
    };
    match request.run(before.clone(), options.force) {
        Err(PatchError::Conflict { conflicts }) if options.manager == KUBECTL => {
            let allowed = request.fields_of_last_applied()?;
            let others: Vec<Conflict> = conflicts
                .into_iter()
                .filter(|conflict| !allowed.contains(&conflict.field))
                .collect();
            if others.is_empty() {
                request.run(before, true)
            } else {
                Err(PatchError::Conflict { conflicts: others })
            }
        }
        result => result,
    }
}

fn check(
    live: Option<&Value>,
    config: &Value,
    options: &PatchOptions<'_>,
) -> Result<(), PatchError> {
    if options.manager.is_empty() {
        return Err(PatchError::malformed(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required \
             for apply patch",
        ));
    }
    if config
        .pointer("/metadata/managedFields")
        .is_some_and(|fields| !fields.is_null())
    {
        return Err(PatchError::malformed("metadata.managedFields must be nil"));
    }
    let type_of = |object: &Value| {
        let text = |name: &str| {
            object
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned()
        };
        (text("apiVersion"), text("kind"))
    };
    let (version, kind) = type_of(config);
    match live.map(type_of) {
        Some((_, live_kind)) if live_kind != kind => Err(PatchError::malformed(format!(
            "invalid object type: {version}, Kind={kind}"
        ))),
        Some((live_version, _)) if live_version != version => Err(PatchError::malformed(format!(
            "Incorrect version specified in apply patch. Specified patch version: {version}, \
             expected: {live_version}"
        ))),
        _ => Ok(()),
    }
}

/// What an object has before its first apply.
fn skeleton(config: &Value) -> Value {
    let mut metadata = Map::new();
    for name in ["name", "namespace"] {
        if let Some(value) = config.pointer(&format!("/metadata/{name}")) {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    let mut object = Map::new();
    for name in ["apiVersion", "kind"] {
        object.extend(
            config
                .get(name)
                .map(|value| (name.to_owned(), value.clone())),
        );
    }
    object.insert("metadata".to_owned(), Value::Object(metadata));
    Value::Object(object)
}

/// The ownership of an object whose owners nobody recorded.
fn adopted(
    rules: &'static Struct,
    live: &Value,
    options: &PatchOptions<'_>,
) -> Result<Managed, PatchError> {
    let mut object = live.clone();
    let update = Update {
        manager: BEFORE_FIRST_APPLY,
        subresource: options.subresource,
        time: options.time,
    };
    managed::record_update(rules, None, &mut object, &update)?;
    Ok(Managed::read(&object))
}

struct Request<'a> {
    rules: &'static Struct,
    /// Without `managedFields`.
    live: &'a Value,
    config: &'a Value,
    options: &'a PatchOptions<'a>,
}

impl Request<'_> {
    fn run(&self, mut managed: Managed, force: bool) -> Result<Value, PatchError> {
        let id = ManagerId::applier(self.options.manager, self.options.subresource);
        let reset = managed::reset_fields(self.options.subresource);
        let applied = typed::field_set(self.config, self.rules)?.outside(&reset);
        let last = managed.entries.remove(&id);
        let version = managed::api_version(self.config);
        let entry = Owned {
            fields: applied,
            time: last.as_ref().and_then(|last| last.time.clone()),
            ..Owned::new(version)
        };
        managed.entries.insert(id.clone(), entry);

        let merged = typed::merge(self.live, self.config, self.rules)?;
        let mut object = match &last {
            Some(last) => self.prune(&merged, &managed, &last.fields)?,
            None => merged,
        };
        let compared = compare(self.live, &object, self.rules)?.outside(&reset);
        if !force {
            refuse_conflicts(&managed, &compared, &id)?;
        }
        managed.yield_to(&compared, &id);
        managed.strip_unowned(&id);

        // In an applied object, too, they only say that a field is not set.
        drop_nulls(&mut object);
        let changed = object != *self.live;
        if let Some(owned) = managed.entries.get_mut(&id) {
            let same_fields = last.is_some_and(|last| last.fields == owned.fields);
            if changed || !same_fields {
                owned.time = Some(self.options.time.to_owned());
            }
        }
        self.refresh_last_applied(&mut object);
        managed.write(&mut object);
        Ok(object)
    }

    /// Removes what the manager applied before and applies no more, except what others own and
    /// what it never owned itself.
    fn prune(
        &self,
        merged: &Value,
        managed: &Managed,
        last: &FieldSet,
    ) -> Result<Value, PatchError> {
        let named = |set: &FieldSet| typed::with_named_fields(set, Shape::Struct(self.rules));
        let of =
            |object: &Value| typed::field_set_of_live(object, self.rules).map(|set| named(&set));
        let last = named(last);
        let all = of(merged)?;
        let owned = managed
            .entries
            .values()
            .fold(FieldSet::default(), |all, owned| all.union(&owned.fields));

        let pruned = typed::remove(merged, &last, self.rules);
        let kept = of(&pruned)?.union(&named(&owned));
        let pruned = typed::remove(merged, &all.difference(&kept), self.rules);
        let dropped = all.difference(&of(&pruned)?).intersection(&last);
        Ok(typed::remove(merged, &dropped, self.rules))
    }

    /// The fields that client-side apply set and that still have the value it gave them.
    fn fields_of_last_applied(&self) -> Result<Vec<String>, PatchError> {
        let Some(last) = self
            .live
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(LAST_APPLIED))
            .and_then(Value::as_str)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
        else {
            return Ok(Vec::new());
        };
        if managed::api_version(&last) != managed::api_version(self.live) {
            return Ok(Vec::new());
        }
        let compared = compare(&last, self.live, self.rules)?;
        let differing = compared
            .modified
            .union(&compared.added)
            .union(&compared.removed);
        let fields = typed::field_set(&last, self.rules)?.difference(&differing);
        Ok(fields
            .paths()
            .iter()
            .map(|path| typed::display(path))
            .collect())
    }

    /// Keeps the annotation of client-side apply in step, so that either kind can go on.
    fn refresh_last_applied(&self, object: &mut Value) {
        let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") else {
            return;
        };
        if self.options.manager != KUBECTL || !annotations.contains_key(LAST_APPLIED) {
            return;
        }
        let mut config = self.config.clone();
        if let Some(Value::Object(annotations)) = config.pointer_mut("/metadata/annotations") {
            annotations.remove(LAST_APPLIED);
        }
        annotations.insert(
            LAST_APPLIED.to_owned(),
            Value::String(format!("{config}\n")),
        );
    }
}

/// Fails when the change touches fields of other managers.
fn refuse_conflicts(
    managed: &Managed,
    compared: &Comparison,
    id: &ManagerId,
) -> Result<(), PatchError> {
    let conflicts: Vec<Conflict> = managed
        .touched(compared, id)
        .into_iter()
        .flat_map(|(id, fields)| {
            let owner = id.describe(&managed.entries[&id]);
            fields.paths().into_iter().map(move |path| Conflict {
                manager: owner.clone(),
                field: typed::display(&path),
            })
        })
        .collect();
    if conflicts.is_empty() {
        Ok(())
    } else {
        Err(PatchError::Conflict { conflicts })
    }
}
