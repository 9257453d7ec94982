//! Deleting objects: gracefully, held by finalizers, or at once.

use jiff::SignedDuration;
use sampan_store::objects::Revision;
use sampan_supervise::clock;
use serde_json::Value;

use super::read::key;
use super::write::shown;
use super::{ListRequest, Objects, convert, metadata, prepare};
use crate::error::Error;
use crate::resources::Resource;

/// Held by this finalizer until all dependents are gone.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// Held by this finalizer until no dependent refers to it any more.
pub(super) const ORPHAN: &str = "orphan";

/// How long a pod may take to end unless it says otherwise.
const DEFAULT_GRACE_SECONDS: i64 = 30;

/// No pod has longer to end, whatever is asked for: a time that far away can still be written down.
const LONGEST_GRACE_SECONDS: i64 = 365 * 24 * 60 * 60;

/// How often a deletion is tried again when others change the object at the same time.
const ATTEMPTS: usize = 32;

/// What becomes of the objects that a deleted object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted afterwards.
    Background,
    /// They are deleted first.
    Foreground,
    /// They stay, without owner.
    Orphan,
}

impl Propagation {
    /// Reads the word used on the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "Background" => Some(Self::Background),
            "Foreground" => Some(Self::Foreground),
            "Orphan" => Some(Self::Orphan),
            _ => None,
        }
    }

    fn finalizer(self) -> Option<&'static str> {
        match self {
            Self::Background => None,
            Self::Foreground => Some(FOREGROUND),
            Self::Orphan => Some(ORPHAN),
        }
    }
}

/// What must hold for a deletion to happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// The object's identity.
    pub uid: Option<String>,
    /// The object's revision.
    pub resource_version: Option<String>,
}

/// How an object is deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// How long a pod may take to end; its own wish when absent, 0 removes it at once.
    pub grace_seconds: Option<i64>,
    /// What becomes of dependents; deleted in the background when absent.
    pub propagation: Option<Propagation>,
    /// What must hold.
    pub preconditions: Preconditions,
    /// Everything is checked, nothing is deleted.
    pub dry_run: bool,
}

/// How a deletion went.
#[derive(Debug, Clone, PartialEq)]
pub enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Value),
    /// The object is on its way out.
    Terminating(Value),
}

impl Objects {
    /// Deletes an object; see [`Objects::delete`].
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when a precondition does not hold.
    pub async fn delete_value(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deleted, Error> {
        for _ in 0..ATTEMPTS {
            let (current, revision) = self.read(resource, namespace, name).await?;
            check(resource, name, &current, options)?;
            let wanted = mark(resource, &current, options);
            if options.dry_run {
                return Ok(outcome(shown(resource, wanted, Some(revision))));
            }
            match self
                .carry_out(resource, namespace, (current, revision), wanted)
                .await
            {
                Err(Error::Store(sampan_store::Error::Conflict { .. })) => {}
                outcome => return outcome,
            }
        }
        Err(prepare::modified(resource, name))
    }

    /// Removes the row, or stores the object with its mark.
    async fn carry_out(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        (current, revision): (Value, Revision),
        wanted: Value,
    ) -> Result<Deleted, Error> {
        let name = metadata::text(&current, "name")
            .unwrap_or_default()
            .to_owned();
        let key = key(resource, namespace, &name);
        let ended = prepare::has_ended(&wanted);
        let written = if ended {
            self.inner.rows.delete(key, Some(revision)).await
        } else if wanted == current {
            Ok(revision)
        } else {
            let mut body = wanted.clone();
            metadata::set(&mut body, "resourceVersion", None);
            convert::to_stored(resource, &mut body);
            self.inner
                .rows
                .update(key, Some(revision), body.to_string())
                .await
        };
        let revision = match written {
            Ok(revision) => revision,
            Err(sampan_store::Error::NotFound(_)) => {
                return Err(Error::NotFound { resource, name });
            }
            Err(error) => return Err(Error::Store(error)),
        };
        if ended {
            self.release_addresses(resource, &current, None);
        }
        let mut object = wanted;
        metadata::set_revision(&mut object, revision);
        Ok(outcome(object))
    }

    /// Deletes all objects that a list request means; returns what they were.
    ///
    /// # Errors
    /// When one cannot be deleted; those before it are.
    pub async fn delete_values(
        &self,
        resource: &'static Resource,
        request: &ListRequest,
        options: &DeleteOptions,
    ) -> Result<Vec<Value>, Error> {
        let list = self.list_values(resource, request).await?;
        let mut deleted = Vec::with_capacity(list.items.len());
        for item in list.items {
            let namespace = metadata::text(&item, "namespace");
            let name = metadata::text(&item, "name").unwrap_or_default();
            match self.delete_value(resource, namespace, name, options).await {
                Ok(Deleted::Gone(object) | Deleted::Terminating(object)) => deleted.push(object),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(deleted)
    }
}

fn outcome(object: Value) -> Deleted {
    if prepare::has_ended(&object) {
        Deleted::Gone(object)
    } else {
        Deleted::Terminating(object)
    }
}

fn check(
    resource: &'static Resource,
    name: &str,
    current: &Value,
    options: &DeleteOptions,
) -> Result<(), Error> {
    if resource.kind == "Namespace" && matches!(name, "default" | "kube-system" | "kube-public") {
        return Err(Error::Forbidden {
            resource,
            name: name.to_owned(),
            message: "this namespace may not be deleted".to_owned(),
        });
    }
    let actual = metadata::text(current, "uid").unwrap_or_default();
    if let Some(asked) = &options.preconditions.uid
        && asked != actual
    {
        return Err(prepare::uid_differs(resource, name, asked, actual));
    }
    let actual = metadata::text(current, "resourceVersion").unwrap_or_default();
    if let Some(asked) = &options.preconditions.resource_version
        && asked != actual
    {
        return Err(Error::Conflict {
            resource,
            name: name.to_owned(),
            message: format!(
                "Precondition failed: ResourceVersion in precondition: {asked}, ResourceVersion in object meta: {actual}"
            ),
        });
    }
    Ok(())
}

/// The object with the mark of deletion.
fn mark(resource: &Resource, current: &Value, options: &DeleteOptions) -> Value {
    let mut object = current.clone();
    let grace = grace_seconds(resource, current, options);
    let known = current
        .pointer("/metadata/deletionGracePeriodSeconds")
        .and_then(Value::as_i64);
    let first = !metadata::is_terminating(current);
    // A second deletion may only shorten the time.
    if first || known.is_some_and(|known| grace < known) {
        let seconds = SignedDuration::from_secs(grace);
        let end = clock::now()
            .checked_add(seconds)
            .unwrap_or_else(|_| clock::now());
        metadata::set(
            &mut object,
            "deletionTimestamp",
            Some(prepare::timestamp(end).into()),
        );
        metadata::set(
            &mut object,
            "deletionGracePeriodSeconds",
            Some(grace.into()),
        );
    }
    if let Some(finalizer) = options.propagation.and_then(Propagation::finalizer) {
        metadata::add_finalizer(&mut object, finalizer);
    }
    if resource.kind == "Namespace" {
        object["status"]["phase"] = "Terminating".into();
    }
    if first
        && let Some(generation) = object
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
    {
        metadata::set(&mut object, "generation", Some((generation + 1).into()));
    }
    object
}

/// How long the object may take to end: only pods that a node may be running need time.
fn grace_seconds(resource: &Resource, object: &Value, options: &DeleteOptions) -> i64 {
    if resource.kind != "Pod" {
        return 0;
    }
    let text = |path| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let over = matches!(text("/status/phase"), "Succeeded" | "Failed");
    if text("/spec/nodeName").is_empty() || over {
        return 0;
    }
    options
        .grace_seconds
        .or_else(|| {
            object
                .pointer("/spec/terminationGracePeriodSeconds")
                .and_then(Value::as_i64)
        })
        .unwrap_or(DEFAULT_GRACE_SECONDS)
        .clamp(0, LONGEST_GRACE_SECONDS)
}
