//! Namespaces: what each one holds from the start, and how one ends.

use sampan_supervise::{Backoff, Shutdown};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::collect::{RETRY, moment};
use super::{DeleteOptions, Event, ListRequest, Objects, WriteOptions, metadata};
use crate::error::Error;
use crate::resources::{self, Resource, Subresource};

/// The namespaces that are always there.
const ALWAYS: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];

fn namespaces() -> Result<&'static Resource, Error> {
    resources::find("", "v1", "namespaces").ok_or(Error::NoSuchResource)
}

fn is_terminating(namespace: &Value) -> bool {
    metadata::is_terminating(namespace)
}

impl Objects {
    /// Refuses to create something in a namespace that is not there or ending.
    pub(super) async fn check_namespace(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<(), Error> {
        let Some(namespace) = namespace else {
            return Ok(());
        };
        let found = self.get_value(namespaces()?, None, namespace).await?;
        if is_terminating(&found) {
            return Err(Error::Forbidden {
                resource,
                name: name.to_owned(),
                message: format!(
                    "unable to create new content in namespace {namespace} because it is being terminated"
                ),
            });
        }
        Ok(())
    }

    /// Makes what has to be there: the fixed namespaces.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn bootstrap_namespaces(&self, authority: &str) -> Result<(), Error> {
        for name in ALWAYS {
            let object = json!({"metadata": {"name": name}});
            self.create_missing(namespaces()?, None, name, object)
                .await?;
        }
        self.look_at_all(authority).await
    }

    /// Creates an object unless there is one of that name.
    ///
    /// # Errors
    /// When it is refused for another reason.
    pub async fn create_missing(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
        object: Value,
    ) -> Result<(), Error> {
        if self.exists(resource, namespace, name).await? {
            return Ok(());
        }
        let created = self
            .create_value(resource, namespace, object, &WriteOptions::engine())
            .await;
        match created {
            Err(error) if !error.is_already_exists() => Err(error),
            _ => Ok(()),
        }
    }

    /// Creates an object, or makes the one of that name like it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn create_or_update(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        name: &str,
        object: Value,
    ) -> Result<(), Error> {
        let options = WriteOptions::engine();
        let updated = self
            .update_value(resource, namespace, name, &options, |_| Ok(object.clone()))
            .await;
        match updated {
            Err(error) if error.is_not_found() => self
                .create_value(resource, namespace, object, &options)
                .await
                .map(drop),
            updated => updated.map(drop),
        }
    }

    async fn look_at_all(&self, authority: &str) -> Result<(), Error> {
        let list = self
            .list_values(namespaces()?, &ListRequest::default())
            .await?;
        let mut outcome = Ok(());
        for namespace in &list.items {
            let name = metadata::text(namespace, "name").unwrap_or_default();
            // One that resists keeps nobody from the others.
            outcome = outcome.and(self.look_at(name, authority).await);
        }
        outcome
    }

    /// Fills a namespace, or empties and ends it.
    async fn look_at(&self, name: &str, authority: &str) -> Result<(), Error> {
        let namespace = match self.get_value(namespaces()?, None, name).await {
            Ok(namespace) => namespace,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        };
        if is_terminating(&namespace) {
            self.end(name).await
        } else {
            self.furnish(name, authority).await
        }
    }

    /// Makes what clients expect in every namespace.
    async fn furnish(&self, namespace: &str, authority: &str) -> Result<(), Error> {
        let find = |plural| resources::find("", "v1", plural).ok_or(Error::NoSuchResource);
        let account = json!({"metadata": {"name": "default"}});
        let roots = json!({
            "metadata": {
                "name": "kube-root-ca.crt",
                "annotations": {"kubernetes.io/description":
                    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."},
            },
            "data": {"ca.crt": authority},
        });
        let namespace = Some(namespace);
        self.create_missing(find("serviceaccounts")?, namespace, "default", account)
            .await?;
        self.create_missing(find("configmaps")?, namespace, "kube-root-ca.crt", roots)
            .await
    }

    /// Deletes the content of a namespace; once it is empty, the namespace itself.
    async fn end(&self, namespace: &str) -> Result<(), Error> {
        let request = ListRequest {
            namespace: Some(namespace.to_owned()),
            ..ListRequest::default()
        };
        let mut left = 0;
        for resource in self.kinds().all() {
            // A resource that shows the objects of another one has none of its own.
            if !resource.namespaced() || !resource.is_stored_form() {
                continue;
            }
            self.delete_values(resource, &request, &DeleteOptions::default())
                .await?;
            left += self.list_values(resource, &request).await?.items.len();
        }
        if left > 0 {
            return Ok(());
        }
        let options = WriteOptions {
            subresource: Some(Subresource::Finalize),
            ..WriteOptions::engine()
        };
        let finalized = self
            .update_value(namespaces()?, None, namespace, &options, |current| {
                let mut wanted = current.clone();
                wanted["spec"]["finalizers"] = json!([]);
                Ok(wanted)
            })
            .await;
        match finalized {
            Err(error) if error.is_not_found() => Ok(()),
            outcome => outcome.map(drop),
        }
    }
}

/// Keeps all namespaces as they should be until the shutdown. `authority` is the certificate authority of the
/// API, as PEM.
pub async fn keep_namespaces(objects: Objects, authority: String, shutdown: Shutdown) {
    let mut changes = objects.changes();
    let mut delays = Backoff::new(RETRY.0, RETRY.1);
    // When all are looked at again, because something could not be done.
    let mut retry_at = None;
    let mut event = Event::Resync;
    loop {
        let outcome = match event {
            Event::Closed => return,
            Event::Resync => {
                let outcome = objects.look_at_all(&authority).await;
                if outcome.is_ok() {
                    delays.reset();
                }
                retry_at = None;
                outcome
            }
            Event::Changed(change) => match (change.kind, change.namespace) {
                ("Namespace", _) if !change.deleted => {
                    objects.look_at(&change.name, &authority).await
                }
                // Only removals matter inside: of the last content, or of what every namespace should hold.
                (_, Some(namespace)) if change.deleted => {
                    objects.look_at(&namespace, &authority).await
                }
                _ => Ok(()),
            },
        };
        if let Err(error) = outcome {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot look after the namespaces"
            );
            retry_at.get_or_insert_with(|| Instant::now() + delays.next_delay());
        }
        event = tokio::select! {
            () = shutdown.triggered() => return,
            () = moment(retry_at) => Event::Resync,
            event = changes.next() => event,
        };
    }
}
