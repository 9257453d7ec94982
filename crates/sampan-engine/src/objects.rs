//! Access to the objects of the API, for the controllers and for the HTTP server.
//!
//! [`Objects`] is the only way to an object. It does what the API server of Kubernetes does on a write:
//! metadata, defaults, validation, optimistic concurrency, finalizers, ownership of fields. The typed
//! functions here are a thin face over the same operations on JSON values that the HTTP server uses, so a
//! controller and a client get the same answer.

mod accounts;
mod addresses;
mod changes;
mod collect;
mod convert;
mod delete;
mod events;
mod metadata;
mod namespaces;
mod prepare;
mod read;
mod selector;
mod write;

use std::sync::Arc;

use k8s_openapi::Metadata;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sampan_store::Store;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use addresses::Addresses;
pub use addresses::ServiceNetwork;
pub use changes::{Change, Changes, Event};
pub use collect::collect_garbage;
pub use delete::{DeleteOptions, Deleted, Preconditions, Propagation};
pub use events::expire_events;
pub use namespaces::keep_namespaces;
pub use read::{List, ListRequest};
pub(crate) use read::{decode_body, expired};
pub use selector::{FieldSelector, LabelSelector, SelectorError};
pub use write::WriteOptions;

use crate::custom::Kinds;
use crate::error::Error;
use crate::resources::{self, Resource};

/// The field manager of what the engine itself writes.
pub const ENGINE: &str = "sampan-engine";

/// A typed object of the API.
pub trait Object:
    k8s_openapi::Resource
    + Metadata<Ty = ObjectMeta>
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Object for K where
    K: k8s_openapi::Resource
        + Metadata<Ty = ObjectMeta>
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// All objects of the API; cloned freely.
#[derive(Debug, Clone)]
pub struct Objects {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rows: sampan_store::objects::Objects,
    addresses: Addresses,
    kinds: Kinds,
}

impl Objects {
    /// The objects in a store; services get their addresses from `network`.
    #[must_use]
    pub fn new(store: &Store, network: ServiceNetwork) -> Self {
        let inner = Inner {
            rows: store.objects(),
            addresses: Addresses::new(network),
            kinds: Kinds::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The resources that are served.
    #[must_use]
    pub fn kinds(&self) -> &Kinds {
        &self.inner.kinds
    }

    /// The object of this name, `None` when there is none.
    ///
    /// # Errors
    /// When the store fails or the object does not fit its type.
    pub async fn get<K: Object>(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<K>, Error> {
        match self.get_value(resource_of::<K>()?, namespace, name).await {
            Ok(value) => typed(value).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All objects of a kind, in one namespace or (`None`) in all, by namespace and name.
    ///
    /// # Errors
    /// When the store fails or an object does not fit its type.
    pub async fn list<K: Object>(&self, namespace: Option<&str>) -> Result<Vec<K>, Error> {
        let request = ListRequest {
            namespace: namespace.map(str::to_owned),
            ..ListRequest::default()
        };
        let list = self.list_values(resource_of::<K>()?, &request).await?;
        list.items.into_iter().map(typed).collect()
    }

    /// Creates an object: gives it a name (`generateName`), a uid and the time, fills in the defaults.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::Invalid`], or when its namespace is not there or ending.
    pub async fn create<K: Object>(&self, object: &K) -> Result<K, Error> {
        let resource = resource_of::<K>()?;
        let namespace = object.metadata().namespace.clone();
        let created = self
            .create_value(
                resource,
                namespace.as_deref(),
                value(object)?,
                &WriteOptions::engine(),
            )
            .await?;
        typed(created)
    }

    /// Replaces an object. A `resourceVersion` in it must be the current one; without one the last write wins.
    /// The status is left as it is where the kind has a status subresource. Nothing is written when nothing
    /// would change.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`].
    pub async fn update<K: Object>(&self, object: &K) -> Result<K, Error> {
        self.replace(object, WriteOptions::engine()).await
    }

    /// Replaces the status of an object, and nothing else of it. Nothing is written when nothing would change.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`], [`Error::Invalid`].
    pub async fn update_status<K: Object>(&self, object: &K) -> Result<K, Error> {
        self.replace(object, WriteOptions::engine().status()).await
    }

    async fn replace<K: Object>(&self, object: &K, options: WriteOptions<'_>) -> Result<K, Error> {
        let resource = resource_of::<K>()?;
        let metadata = object.metadata();
        let new = value(object)?;
        let updated = self
            .update_value(
                resource,
                metadata.namespace.as_deref(),
                metadata.name.as_deref().unwrap_or_default(),
                &options,
                |_| Ok(new.clone()),
            )
            .await?;
        typed(updated)
    }

    /// Deletes an object as a client would: pods get their time to end, finalizers are waited for, dependents
    /// are collected afterwards.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when a precondition does not hold.
    pub async fn delete<K: Object>(
        &self,
        namespace: Option<&str>,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<(), Error> {
        self.delete_value(resource_of::<K>()?, namespace, name, options)
            .await
            .map(drop)
    }

    /// Removes what has ended for good, such as a pod whose containers are gone. An object that is not there,
    /// or has another uid by now, is fine. Finalizers still hold it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove<K: Object>(
        &self,
        namespace: Option<&str>,
        name: &str,
        uid: Option<&str>,
    ) -> Result<(), Error> {
        let options = DeleteOptions {
            grace_seconds: Some(0),
            preconditions: Preconditions {
                uid: uid.map(str::to_owned),
                resource_version: None,
            },
            ..DeleteOptions::default()
        };
        match self.delete::<K>(namespace, name, &options).await {
            Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
            outcome => outcome,
        }
    }
}

/// An object of any version in the form in which it is stored.
pub(crate) fn stored_form(object: &Value) -> Value {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let mut stored = object.clone();
    if let Some(resource) = resources::find_kind(text("apiVersion"), text("kind")) {
        convert::to_stored(resource, &mut stored);
    }
    stored
}

fn resource_of<K: Object>() -> Result<&'static Resource, Error> {
    resources::of::<K>().ok_or(Error::NoSuchResource)
}

fn value<K: Object>(object: &K) -> Result<Value, Error> {
    serde_json::to_value(object).map_err(|source| Error::Shape {
        kind: K::KIND,
        source,
    })
}

fn typed<K: Object>(value: Value) -> Result<K, Error> {
    serde_json::from_value(value).map_err(|source| Error::Shape {
        kind: K::KIND,
        source,
    })
}
