//! Custom resource definitions: takes their names on, serves what they define, and cleans up behind them.

use jiff::Timestamp;
use sampan_supervise::clock;
use serde_json::{Value, json};

use super::context::Context;
use super::queue::Key;
use super::runner::Reconciler;
use crate::custom::{CLEANUP, is_accepted, refusal};
use crate::error::Error;
use crate::objects::{Change, DeleteOptions, ListRequest, Objects, WriteOptions};
use crate::resources::{self, Resource};

/// The controller.
pub(crate) struct Definitions(pub(crate) Context);

impl Reconciler for Definitions {
    const NAME: &'static str = "definitions";

    fn concerned(&self, change: &Change) -> Vec<Key> {
        match (change.resource.custom, change.kind) {
            // The last object of a definition that ends may be gone.
            (Some(custom), _) if change.deleted => vec![Key::new("", &custom.definition)],
            (None, "CustomResourceDefinition") => vec![change.key()],
            _ => Vec::new(),
        }
    }

    async fn all(&self) -> Result<Vec<Key>, Error> {
        let list = definitions(&self.0.objects).await?;
        let names = list
            .iter()
            .filter_map(|one| one["metadata"]["name"].as_str());
        Ok(names.map(|name| Key::new("", name)).collect())
    }

    async fn reconcile(&self, key: &Key) -> Result<Option<Timestamp>, Error> {
        let objects = &self.0.objects;
        let found = objects.get_value(resource()?, None, &key.name).await;
        let definition = match found {
            Ok(definition) => definition,
            Err(error) if error.is_not_found() => {
                objects.kinds().forget(&key.name);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if definition["metadata"]["deletionTimestamp"].is_string() {
            return self.end(&key.name, &definition).await.map(|()| None);
        }
        let refused = refusal(&definition);
        if refused.is_none() {
            self.hold(&key.name, &definition).await?;
            objects.kinds().define(&key.name, &definition);
        }
        let status = status(&definition, refused.as_deref());
        self.write(&key.name, true, |definition| {
            definition["status"] = status.clone();
        })
        .await?;
        Ok(None)
    }
}

/// Serves what the stored definitions define: at the start, before anybody asks.
///
/// # Errors
/// When the store fails.
pub(crate) async fn load(objects: &Objects) -> Result<(), Error> {
    for definition in definitions(objects).await? {
        if let Some(name) = definition["metadata"]["name"]
            .as_str()
            .filter(|_| is_accepted(&definition))
        {
            objects.kinds().define(name, &definition);
        }
    }
    Ok(())
}

async fn definitions(objects: &Objects) -> Result<Vec<Value>, Error> {
    let all = ListRequest::default();
    Ok(objects.list_values(resource()?, &all).await?.items)
}

fn resource() -> Result<&'static Resource, Error> {
    let found = resources::find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    found.ok_or(Error::NoSuchResource)
}

impl Definitions {
    /// Sees to it that the definition stays as long as there are objects of it.
    async fn hold(&self, name: &str, definition: &Value) -> Result<(), Error> {
        let finalizers = definition["metadata"]["finalizers"].as_array();
        if finalizers.is_some_and(|all| all.iter().any(|one| one == CLEANUP)) {
            return Ok(());
        }
        self.write(name, false, |definition| {
            match &mut definition["metadata"]["finalizers"] {
                Value::Array(finalizers) => finalizers.push(CLEANUP.into()),
                absent => *absent = json!([CLEANUP]),
            }
        })
        .await
    }

    /// Deletes all objects of a definition; when none is left, the definition itself goes.
    async fn end(&self, name: &str, definition: &Value) -> Result<(), Error> {
        let objects = &self.0.objects;
        let own = objects.kinds().custom().into_iter().find(|one| {
            let of_it = one.custom.is_some_and(|custom| custom.definition == name);
            of_it && one.is_stored_form()
        });
        let mut left = 0;
        if let Some(resource) = own.filter(|_| is_accepted(definition)) {
            let all = ListRequest::default();
            objects
                .delete_values(resource, &all, &DeleteOptions::default())
                .await?;
            left = objects.list_values(resource, &all).await?.items.len();
        }
        if left > 0 {
            return Ok(());
        }
        objects.kinds().forget(name);
        self.write(name, false, |definition| {
            if let Value::Array(finalizers) = &mut definition["metadata"]["finalizers"] {
                finalizers.retain(|one| one != CLEANUP);
            }
        })
        .await
    }

    async fn write(
        &self,
        name: &str,
        is_status: bool,
        change: impl Fn(&mut Value) + Send + Sync,
    ) -> Result<(), Error> {
        let options = WriteOptions::engine();
        let options = if is_status { options.status() } else { options };
        let written = self
            .0
            .objects
            .update_value(resource()?, None, name, &options, |current| {
                let mut wanted = current.clone();
                change(&mut wanted);
                Ok(wanted)
            })
            .await;
        match written {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

/// The status of a definition that is served, or is not.
fn status(definition: &Value, refused: Option<&str>) -> Value {
    let known = |kind: &str, status: &str| {
        let conditions = definition.pointer("/status/conditions");
        let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
        let mut same = conditions.filter(|one| one["type"] == kind && one["status"] == status);
        let since = same.next().map(|one| one["lastTransitionTime"].clone());
        since.unwrap_or_else(|| {
            clock::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string()
                .into()
        })
    };
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": kind,
            "status": status,
            "lastTransitionTime": known(kind, status),
            "reason": reason,
            "message": message,
        })
    };
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().into_iter().flatten();
    let mut stored: Vec<Value> = definition
        .pointer("/status/storedVersions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for version in versions.filter(|version| version["storage"] == true) {
        if !stored.contains(&version["name"]) {
            stored.push(version["name"].clone());
        }
    }
    let conditions = match refused {
        None => json!([
            condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
            condition(
                "Established",
                "True",
                "InitialNamesAccepted",
                "the initial names have been accepted"
            ),
        ]),
        Some(why) => json!([
            condition("NamesAccepted", "False", "GroupConflict", why),
            condition(
                "Established",
                "False",
                "NotAccepted",
                "not all names are accepted"
            ),
        ]),
    };
    json!({
        "acceptedNames": if refused.is_none() { spec["names"].clone() } else { json!({"kind": "", "plural": ""}) },
        "conditions": conditions,
        "storedVersions": stored,
    })
}
